"""Checks the notations that options declare by `format`, each as one function from a text to a complaint."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from batchrun.definition.tolerance import parse_share
from batchrun.definition.validation import Complaint
from batchrun.domain.durations import parse_duration
from batchrun.errors import BatchrunError, did_you_mean
from batchrun.listeners import functions_of, points_of
from batchrun.registry import LocalModules
from batchrun.spi.columns import ColumnType, ColumnTypeError


@dataclass(frozen=True, slots=True)
class Formats:
    """The notations' checks for one job.

    Attributes:
        databases: the names in the job's `databases`.
        modules: the Python files beside the job.
    """

    databases: Sequence[str]
    modules: LocalModules

    def check(self, format: str, value: str) -> Complaint | None:
        """Returns what is wrong with a text of this format, or None; an unknown format takes every text."""
        checks: dict[str, Callable[[str], Complaint | None]] = {
            "column-type": _column_type,
            "duration": _duration,
            "encoding": _encoding,
            "reference": self._reference,
            "database": self._database,
            "sql": _sql,
            "share": _share,
            "listener": self._listener,
            "listeners": self._listeners,
        }
        check = checks.get(format)
        return check(value) if check is not None else None

    def _reference(self, value: str) -> Complaint | None:
        try:
            self.modules.load(value)
        except BatchrunError as error:
            return Complaint(error.message, error.hint)
        return None

    def _listener(self, value: str) -> Complaint | None:
        return self._reference(value) or _undecorated(value, points_of(self.modules.load(value)))

    def _listeners(self, value: str) -> Complaint | None:
        try:
            functions = functions_of(self.modules.module(value))
        except BatchrunError as error:
            return Complaint(error.message, error.hint)
        return _undecorated(value, functions)

    def _database(self, value: str) -> Complaint | None:
        if value in self.databases:
            return None
        known = ", ".join(self.databases)
        hint = did_you_mean(value, self.databases) or (
            f"the job's databases: {known}" if known else "declare it under databases:"
        )
        return Complaint(f"unknown database {value!r}", hint)


def _undecorated(value: str, decorated: Collection[str]) -> Complaint | None:
    if decorated:
        return None
    what = f"{value!r} is not decorated" if ":" in value else f"module {value!r} has no function that is decorated"
    hint = "put @after_step or another decorator of batchrun.listeners before it"
    return Complaint(f"{what} with a point to listen at", hint)


def _column_type(value: str) -> Complaint | None:
    try:
        ColumnType.parse(value)
    except ColumnTypeError as error:
        return Complaint(str(error), error.hint)
    return None


def _duration(value: str) -> Complaint | None:
    try:
        parse_duration(value)
    except ValueError as error:
        return Complaint(str(error))
    return None


def _share(value: str) -> Complaint | None:
    try:
        parse_share(value)
    except ValueError as error:
        return Complaint(str(error), "a number of items is written without quotes")
    return None


def _encoding(value: str) -> Complaint | None:
    try:
        codecs.lookup(value)
    except (LookupError, ValueError):
        common = (
            "utf-8",
            "utf-16",
            "latin-1",
            "iso-8859-1",
            "cp1252",
            "ascii",
            "euc-kr",
            "cp949",
            "shift_jis",
            "gb18030",
        )
        return Complaint(f"unknown encoding {value!r}", did_you_mean(value, common) or "such as utf-8 or latin-1")
    return None


def _sql(value: str) -> Complaint | None:
    return None if value.strip() else Complaint("the SQL text is empty")
