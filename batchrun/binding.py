"""Late binding: references such as `${params.input:-default}` in a job file's values, parsed once, resolved by scope.

Nothing else is understood in a value, and the text of the YAML file is never templated. `$${` is a literal `${`. A
value that is one reference only keeps the type of what it names; inside a longer text it is rendered as text.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from batchrun.domain.parameters import MASK, value_text
from batchrun.errors import BatchrunError, ExitCode, did_you_mean

SECRETS_VARIABLE = "BATCHRUN_SECRETS_DIR"
DEFAULT_SECRETS_FOLDER = "/run/secrets"

_LEAST_SECRET_LINE = 4
_QUOTE_OF_A_SHELL = "'\"'\"'"
"""What a `'` is between others, as `shlex` writes it."""

_MARK = re.compile(r"\$?\$\{")
_NAME = r"[A-Za-z0-9_][A-Za-z0-9_-]*"
_CONTENT = re.compile(rf"(?P<name>{_NAME}(?:\.{_NAME})*)(?::-(?P<default>.*))?", re.DOTALL)


class BindingError(BatchrunError):
    """A reference that is malformed, or names nothing.

    Attributes:
        reference: as the job file writes it.
        at: where it stands in the value given to `bind`, such as `("columns", "price")`.
    """

    exit_code = ExitCode.DEFINITION

    def __init__(self, reference: str, message: str, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.reference = reference
        self.at: tuple[str | int, ...] = ()


@dataclass(frozen=True, slots=True)
class Reference:
    """One reference of a value.

    Attributes:
        root: the first name, which says who knows it, such as `params`.
        path: the names after it.
        default: the text after `:-`, taken where there is no value or an empty one; None where there is none.
        text: the reference as written.
        at: where it stands in the value that was searched.
    """

    root: str
    path: tuple[str, ...]
    default: str | None
    text: str
    at: tuple[str | int, ...] = field(default=(), compare=False)


@lru_cache(maxsize=4096)
def parse(text: str) -> tuple[str | Reference, ...]:
    """Returns a text as its literal parts and references, in order.

    Raises:
        BindingError: a reference is not closed, is empty or is none.
    """
    parts: list[str | Reference] = []
    literal, at = "", 0
    while mark := _MARK.search(text, at):
        literal += text[at : mark.start()]
        at = mark.end()
        if mark[0] == "$${":
            literal += "${"
            continue
        end = text.find("}", at)
        reference = _reference(text, at, end)
        parts += [literal, reference] if literal else [reference]
        literal, at = "", end + 1
    rest = literal + text[at:]
    return (*parts, rest) if rest or not parts else tuple(parts)


def _reference(text: str, start: int, end: int) -> Reference:
    if end < 0:
        raise BindingError(
            text[start - 2 :], f"{text[start - 2 :]!r} is not closed", "end it with }, or write $${ for the two signs"
        )
    written = text[start - 2 : end + 1]
    content = text[start:end]
    if "${" in content:
        raise BindingError(written, f"{written!r}: a reference cannot stand inside another", "give a plain default")
    match = _CONTENT.fullmatch(content)
    if match is None:
        raise BindingError(
            written, f"{written!r} is no reference", "write ${root.name} or ${root.name:-default}; $${ is a literal ${"
        )
    root, *path = match["name"].split(".")
    return Reference(root, tuple(path), match["default"], written)


def references(value: Any) -> list[Reference]:
    """Returns all references of a value and of what it holds, in order, each with its place.

    Raises:
        BindingError: a reference is malformed.
    """
    found: list[Reference] = []
    for at, text in texts(value):
        found += [
            Reference(part.root, part.path, part.default, part.text, at)
            for part in _parse_at(text, at)
            if isinstance(part, Reference)
        ]
    return found


def texts(value: Any, at: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yields every text of a value that may hold references, with its place; keys of a mapping are not values."""
    if isinstance(value, str):
        if "${" in value:
            yield at, value
    elif isinstance(value, Mapping):
        for key, each in value.items():
            yield from texts(each, (*at, key))
    elif isinstance(value, list | tuple):
        for index, each in enumerate(value):
            yield from texts(each, (*at, index))


def bind(value: Any, roots: Mapping[str, Any]) -> Any:
    """Returns the value with its references replaced, deep; what holds none is returned as it is.

    Args:
        value: a text, list or mapping of a job file.
        roots: what is known here by the first name, such as `{"params": {"day": date(2026, 1, 31)}}`.

    Raises:
        BindingError: a reference is malformed or names nothing and has no default.
    """
    return _bind(value, roots, ())


def _bind(value: Any, roots: Mapping[str, Any], at: tuple[str | int, ...]) -> Any:
    if isinstance(value, str):
        return _bind_text(value, roots, at) if "${" in value else value
    if isinstance(value, Mapping):
        return {key: _bind(each, roots, (*at, key)) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_bind(each, roots, (*at, index)) for index, each in enumerate(value)]
    return value


def _bind_text(text: str, roots: Mapping[str, Any], at: tuple[str | int, ...]) -> Any:
    parts = _parse_at(text, at)
    try:
        if len(parts) == 1 and isinstance(parts[0], Reference):
            return _resolve(parts[0], roots)
        return "".join(part if isinstance(part, str) else _rendered(part, roots) for part in parts)
    except BindingError as error:
        error.at = at
        raise


def _parse_at(text: str, at: tuple[str | int, ...]) -> tuple[str | Reference, ...]:
    try:
        return parse(text)
    except BindingError as error:
        error.at = at
        raise


def _rendered(reference: Reference, roots: Mapping[str, Any]) -> str:
    value = _resolve(reference, roots)
    if value is None:
        raise BindingError(
            reference.text,
            f"{reference.text} has no value to put into a text",
            f"give it one, or a default: {_with_default(reference)}",
        )
    return value_text(value)


def _resolve(reference: Reference, roots: Mapping[str, Any]) -> Any:
    found, value = _look_up(reference, roots)
    if reference.default is not None and (not found or value is None or value == ""):
        return reference.default
    if not found:
        raise _unknown(reference, roots)
    if isinstance(value, Mapping):
        raise BindingError(
            reference.text, f"{reference.text} is no single value", f"it has {', '.join(map(str, value)) or 'nothing'}"
        )
    return value


def _look_up(reference: Reference, roots: Mapping[str, Any]) -> tuple[bool, Any]:
    """Walks down the path; a name may hold dots itself (`run.id`), so the longest one that is known is taken."""
    if reference.root not in roots:
        return False, None
    value, rest = roots[reference.root], list(reference.path)
    while rest:
        if not isinstance(value, Mapping):
            return False, None
        for length in range(len(rest), 0, -1):
            name = ".".join(rest[:length])
            if name in value:
                value, rest = value[name], rest[length:]
                break
        else:
            return False, None
    return True, value


def _unknown(reference: Reference, roots: Mapping[str, Any]) -> BindingError:
    root, name = reference.root, ".".join(reference.path)
    if root not in roots:
        hint = did_you_mean(root, roots) or f"known here: {', '.join(roots)}"
        return BindingError(reference.text, f"{reference.text}: {root!r} is not known here", hint)
    if root == "env":
        message = f"the environment variable {name!r} is not set"
        return BindingError(reference.text, message, f"set it, or give a default: {_with_default(reference)}")
    if root == "secrets":
        folder = os.environ.get(SECRETS_VARIABLE, DEFAULT_SECRETS_FOLDER)
        message = f"the secret {name!r} is not known"
        return BindingError(
            reference.text, message, f"set the environment variable {name}, or put it into {folder}/{name}"
        )
    known = roots[root]
    names = list(map(str, known)) if isinstance(known, Mapping) else []
    message = f"there is no parameter {name!r}" if root == "params" else f"{reference.text} names nothing"
    near = did_you_mean(reference.path[0] if reference.path else "", names)
    return BindingError(reference.text, message, near or f"{root} has {', '.join(names) or 'nothing'}")


def _with_default(reference: Reference) -> str:
    return f"{reference.text[:-1]}:-…}}"


class Secrets(Mapping[str, str]):
    """Secrets by name: the environment variable of that name, else the file of that name in the secrets folder.

    It remembers what it gave out, so that `mask` can keep it out of messages, and what else it was told to `hide`.
    Iterating gives the names so far asked for, since the environment as a whole is not secret.

    Attributes:
        folder: where files with secrets stand; by default `$BATCHRUN_SECRETS_DIR` or `/run/secrets`.
    """

    def __init__(self, folder: Path | None = None, environment: Mapping[str, str] | None = None) -> None:
        self._environment = os.environ if environment is None else environment
        self.folder = folder or Path(self._environment.get(SECRETS_VARIABLE) or DEFAULT_SECRETS_FOLDER)
        self._resolved: dict[str, str] = {}
        self._hidden: set[str] = set()

    def __getitem__(self, name: str) -> str:
        """Returns the secret; one line end at the end of a file is not part of it.

        Raises:
            KeyError: there is none of that name.
            BindingError: its file cannot be read.
        """
        if name not in self._resolved:
            given = name in self._environment
            self._resolved[name] = self._environment[name] if given else self._from_file(name)
        return self._resolved[name]

    def __contains__(self, name: object) -> bool:
        """Tells whether there is a secret of that name."""
        return isinstance(name, str) and (
            name in self._resolved or name in self._environment or (self.folder / name).exists()
        )

    def __iter__(self) -> Iterator[str]:
        return iter(self._resolved)

    def __len__(self) -> int:
        return len(self._resolved)

    def _from_file(self, name: str) -> str:
        path = self.folder / name
        try:
            return path.read_text(encoding="utf-8").removesuffix("\n").removesuffix("\r")
        except FileNotFoundError:
            raise KeyError(name) from None
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
            raise BindingError(f"${{secrets.{name}}}", f"the secret {path} cannot be read: {reason}") from error

    def hide(self, secret: str) -> None:
        """Keeps a secret that came another way, such as a parameter, out of what `mask` is given."""
        self._hidden.add(secret)

    def mask(self, text: str) -> str:
        """Returns the text with every secret known so far replaced by `***`, in each form that a message may have.

        Of a secret of several lines, such as a key, each line is masked by itself: what is told line by line never has
        the whole.
        """
        known = {*list(self._resolved.values()), *list(self._hidden)}
        known |= {line for secret in known for line in _lines(secret)}
        for secret in sorted(filter(None, known), key=len, reverse=True):
            for form in _forms(secret):
                text = text.replace(form, MASK)
        return text


def _lines(secret: str) -> Iterator[str]:
    """Yields the lines of a secret that has several, but for those that could stand anywhere, such as a bracket."""
    lines = [line.strip() for line in secret.splitlines()]
    return (line for line in lines if len(lines) > 1 and len(line) >= _LEAST_SECRET_LINE)


@lru_cache(maxsize=1024)
def _forms(secret: str) -> tuple[str, ...]:
    """Returns what becomes of a secret in a command, in Python's and JSON's notation, and in a URL."""
    forms = [quote(secret, safe="", errors="backslashreplace")]
    for form in (secret, secret.replace("'", _QUOTE_OF_A_SHELL)):
        forms += (form, repr(form)[1:-1], json.dumps(form)[1:-1])
        forms.append(repr(f'{form}"')[1:-2])  # as in a text that has both kinds of quotes
    return tuple(dict.fromkeys(forms))
