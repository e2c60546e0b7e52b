"""What a job's steps need of the data there is: which read what earlier steps have made, and which tables need rows.

It goes by the names in the steps' options. A function of the user's own, or a child job, may read and write
anything, so after one all steps read copies, and those have all rows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from batchrun.domain.definition import (
    ChildJobDefinition,
    ChunkDefinition,
    ComponentDefinition,
    DecisionDefinition,
    JobDefinition,
    StepDefinition,
    TaskletDefinition,
)

_NAME = r'((?:[\w$]+|"[^"]+")(?:\s*\.\s*(?:[\w$]+|"[^"]+"))?)'
_FILLS = re.compile(
    rf"\b(?:insert\s+into|copy|truncate(?:\s+table)?|create\s+(?:\w+\s+)*table(?:\s+if\s+not\s+exists)?)\s+{_NAME}",
    re.I,
)
_CHANGES = re.compile(
    rf"\b(?:delete\s+from|update|merge\s+into|alter\s+table|drop\s+table(?:\s+if\s+exists)?)\s+{_NAME}", re.I
)
_WORD = re.compile(r'"([^"]+)"|([\w$]+)')


@dataclass(slots=True)
class TableNeeds:
    """What is needed of one database. Names of tables are in lower case.

    Attributes:
        filled: tables that the job fills from nothing; empty ones of their shape are enough.
        written: tables that it writes to in any way.
        rows: those that must have their rows.
        upserted: those that need some rows to be updated.
        is_open: functions of the user's own may read and write anything, so whatever is not filled needs its rows.
    """

    filled: set[str] = field(default_factory=set)
    written: set[str] = field(default_factory=set)
    rows: set[str] = field(default_factory=set)
    upserted: set[str] = field(default_factory=set)
    is_open: bool = False

    def has_rows(self, table: str) -> bool:
        """Tells whether a table must have all its rows."""
        return table.lower() not in self.filled and (self.is_open or table.lower() in self.rows)

    def may_write(self, table: str) -> bool:
        """Tells whether the job may write to a table."""
        return self.is_open or table.lower() in self.written


@dataclass(slots=True)
class Needs:
    """What a job's steps need.

    Attributes:
        databases: what of each, by name; those of the same URL have the same.
        copied: names of those that are written to, or read after that.
        reads_copies: steps that read what earlier ones have written, so not the originals.
        is_open: functions of the user's own may write anywhere.
    """

    databases: dict[str, TableNeeds] = field(default_factory=dict)
    copied: set[str] = field(default_factory=set)
    reads_copies: set[str] = field(default_factory=set)
    is_open: bool = False

    @classmethod
    def of(cls, job: JobDefinition, is_builtin: Callable[[ComponentDefinition], bool]) -> Needs:
        """Returns what a job's steps need, in the order of their declaration.

        Args:
            job: the job.
            is_builtin: tells whether a component is batchrun's own.
        """
        by_url = {url: TableNeeds() for url in job.databases.values()}
        needs = cls({name: by_url[url] for name, url in job.databases.items()})
        for step in job.steps:
            needs._add(step, is_builtin)
        return needs

    def _add(self, step: StepDefinition, is_builtin: Callable[[ComponentDefinition], bool]) -> None:
        match step.work:
            case ChunkDefinition() as work:
                reading = [work.reader, *work.processors]
                if any(self._names_database(each) and not is_builtin(each) for each in reading):
                    self.open_up()
                self._read(step.name, reading)
                for component in filter(None, (work.writer, work.rejects)):
                    self._write(component)
            case DecisionDefinition(decider):
                self._read(step.name, [decider])
            case TaskletDefinition(tasklet):
                if tasklet.type == "python" or not is_builtin(tasklet):
                    self.open_up()
                self._run(tasklet)
            case ChildJobDefinition():
                self.open_up()

    def _names_database(self, component: ComponentDefinition) -> bool:
        return not set(_texts(component.options)).isdisjoint(self.databases)

    def open_up(self) -> None:
        """Lets everything be read and written by what comes next."""
        self.is_open = True
        self.copied |= set(self.databases)
        for each in self.databases.values():
            each.is_open = True

    def _database(self, component: ComponentDefinition) -> TableNeeds | None:
        return self.databases.get(str(component.options.get("database", "")))

    def _read(self, step: str, components: Sequence[ComponentDefinition]) -> None:
        for component in components:
            needs, words = self._database(component), set(_words(component.options))
            if self.is_open or (needs is not None and words & needs.written):
                self.reads_copies.add(step)
        for component in components if step in self.reads_copies else ():
            if (needs := self._database(component)) is not None:
                needs.rows |= set(_words(component.options)) - needs.filled
                self.copied.add(str(component.options["database"]))

    def _write(self, component: ComponentDefinition) -> None:
        needs, table = self._database(component), _last_part(str(component.options.get("table", "")))
        if needs is None:
            return
        self.copied.add(str(component.options["database"]))
        needs.written.add(table)
        if component.options.get("mode") == "upsert" and table not in needs.filled:
            needs.upserted.add(table)
        else:
            needs.filled.add(table)

    def _run(self, component: ComponentDefinition) -> None:
        if (needs := self._database(component)) is None:
            return
        self.copied.add(str(component.options["database"]))
        for text in _texts(component.options):
            filled = {_last_part(found) for found in _FILLS.findall(text)}
            changed = {_last_part(found) for found in _CHANGES.findall(text)}
            rest = _CHANGES.sub(" ", _FILLS.sub(" ", text))
            needs.rows |= (set(_words(rest)) | changed) - needs.filled - filled
            needs.filled |= filled
            needs.written |= filled | changed


def _last_part(name: str) -> str:
    return name.rpartition(".")[2].strip().strip('"').lower()


def _words(value: Any) -> Iterator[str]:
    for text in _texts(value):
        yield from ((quoted or plain).lower() for quoted, plain in _WORD.findall(text))


def _texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for each in value.values():
                yield from _texts(each)
        case list() | tuple():
            for each in value:
                yield from _texts(each)
