"""Lints what steps make of errors: names of classes that are misspelt, and options that come to nothing."""

from __future__ import annotations

import builtins
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from functools import cache
from typing import Any

from batchrun import errors
from batchrun.definition.document import DocumentPath
from batchrun.definition.findings import Findings
from batchrun.definition.outline import Outline
from batchrun.definition.states import State
from batchrun.definition.tolerance import parse_share
from batchrun.domain.durations import parse_duration

# Of the Python database interface, psycopg, SQLAlchemy, polars, and what speaks HTTP.
_OF_DRIVERS = frozenset(
    "DatabaseError DataError IntegrityError InterfaceError InternalError NotSupportedError OperationalError "  # noqa: SIM905
    "ProgrammingError AdminShutdown CheckViolation ConnectionException ConnectionFailure ConnectionTimeout "
    "CrashShutdown DeadlockDetected DiskFull ExclusionViolation ForeignKeyViolation InvalidTextRepresentation "
    "LockNotAvailable NotNullViolation NumericValueOutOfRange QueryCanceled SerializationFailure "
    "StringDataRightTruncation TooManyConnections UniqueViolation DBAPIError DisconnectionError SQLAlchemyError "
    "StatementError PolarsError ComputeError HTTPError URLError RequestException ReadTimeout ConnectTimeout".split()
)
_SURE = 0.8  # likeness from which a name is rather a slip than a class of the job's own


def lint_tolerance(outline: Outline, findings: Findings) -> None:
    """Adds what is wrong in `chunk`, `skip`, `retry` and `rejects` of the steps."""
    for state in outline.states:
        _StepLint(state, findings).run()


class _StepLint:
    def __init__(self, state: State, findings: Findings) -> None:
        self.state = state
        self.findings = findings
        self.skip = _mapping(state.node, "skip")
        self.retry = _mapping(state.node, "retry")

    def run(self) -> None:
        """Checks one step."""
        for key, node in (("skip", self.skip), ("retry", self.retry)):
            for path, name in _names(node, (*self.state.path, key)):
                self._name(path, name)
        self._chunk()
        self._skip()
        self._retry()
        self._backoff()

    def _name(self, path: DocumentPath, name: str) -> None:
        if "." in name or name in known_errors():
            return
        near = get_close_matches(name, known_errors(), n=1, cutoff=_SURE)
        if near:
            self.findings.warn(path, f"no error that batchrun knows is called {name!r}", f"did you mean {near[0]!r}?")

    def _chunk(self) -> None:
        chunk = _mapping(self.state.node, "chunk")
        if chunk is None:
            return
        path = (*self.state.path, "chunk")
        if not chunk:
            self.findings.add(path, "'chunk' says nothing", "write it as chunk: 1000, or {items: 1000, seconds: 5}")
        for key in (each for each in chunk if each != "policy" and chunk.get("policy") is not None):
            self.findings.add((*path, key), f"{key!r} means nothing beside a policy", "leave one of them out", key=True)

    def _skip(self) -> None:
        path = (*self.state.path, "skip")
        if self.skip is None:
            if _mapping(self.state.node, "rejects") is not None:
                self.findings.warn((*self.state.path, "rejects"), "a step without skip has no rejects", "add skip")
            return
        if self.skip.get("policy") is not None:
            self._only_policy(path, self.skip, ("errors", "except", "limit", "limits"))
        elif not self.skip.get("errors"):
            self.findings.warn(path, "nothing is skipped without errors", "name classes: errors: [ParseError]")
        elif _is_nothing(self.skip.get("limit")):
            self.findings.warn((*path, "limit"), "a limit of 0 skips nothing", "leave skip out")

    def _retry(self) -> None:
        path = (*self.state.path, "retry")
        if self.retry is None:
            return
        if self.retry.get("policy") is not None:
            self._only_policy(path, self.retry, ("errors", "except", "limit", "timeout"))
        elif not self.retry.get("errors"):
            self.findings.warn(
                path, "nothing is tried again without errors", "name classes: errors: [OperationalError]"
            )
        elif self.retry.get("limit") == 1:
            self.findings.warn((*path, "limit"), "one attempt is the first: nothing is tried again", "at least 2")

    def _backoff(self) -> None:
        backoff = _mapping(self.retry or {}, "backoff")
        path = (*self.state.path, "retry", "backoff")
        if backoff is None:
            return
        if backoff.get("policy") is not None:
            self._only_policy(path, backoff, ("type", "initial", "multiplier", "max", "jitter"))
        elif backoff.get("type", "fixed") == "fixed":
            for key in (each for each in ("multiplier", "max") if each in backoff):
                self.findings.warn((*path, key), f"a fixed backoff has no {key}", "type: exponential")
        elif _seconds(backoff.get("initial")) > _seconds(backoff.get("max", "30s")):
            self.findings.warn((*path, "initial"), "the first wait is longer than the longest", "raise max")

    def _only_policy(self, path: DocumentPath, node: Mapping[str, Any], keys: tuple[str, ...]) -> None:
        for key in (each for each in keys if each in node):
            self.findings.warn((*path, key), f"{key!r} means nothing beside a policy", "the policy decides alone")


@cache
def known_errors() -> frozenset[str]:
    """Returns the names of the classes of errors that batchrun knows: its own, Python's, and those of drivers."""
    named = [*vars(errors).items(), *vars(builtins).items()]
    return _OF_DRIVERS | {name for name, each in named if isinstance(each, type) and issubclass(each, BaseException)}


def _names(node: Mapping[str, Any] | None, path: DocumentPath) -> Iterator[tuple[DocumentPath, str]]:
    for key in ("errors", "except"):
        listed = (node or {}).get(key)
        for index, name in enumerate(listed if isinstance(listed, list) else ()):
            if isinstance(name, str):
                yield (*path, key, index), name
    for name in _mapping(node or {}, "limits") or {}:
        yield (*path, "limits", name), name


def _mapping(node: Mapping[str, Any], key: str) -> Mapping[str, Any] | None:
    value = node.get(key)
    return value if isinstance(value, dict) else None


def _is_nothing(limit: Any) -> bool:
    try:
        return limit is not None and (parse_share(limit) if isinstance(limit, str) else limit) == 0
    except ValueError:
        return False


def _seconds(text: Any) -> float:
    try:
        return parse_duration(text).total_seconds() if isinstance(text, str) else 0
    except ValueError:
        return 0
