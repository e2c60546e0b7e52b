"""Readers, processors and writers that fail at given items, in Python and in job files; for tests only.

In a job file they are named by `type: "batchrun.testing.faults:FailingReader"` and so on; what they wrap is an option.
"""

from __future__ import annotations

import builtins
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

from batchrun.domain.execution import JsonObject
from batchrun.errors import DatabaseError, InputError, ItemError, OutputError, ParseError, WriteError
from batchrun.registry import Registry
from batchrun.spi import (
    Capabilities,
    CheckpointStore,
    ComponentScope,
    ComponentSpec,
    Extent,
    Options,
    component,
    option,
)
from batchrun.spi.chunk import Chunk, Item
from batchrun.spi.item import ItemReader, ItemWriter, PartPreparer
from batchrun.spi.spec import OptionsProblem

Fault = Callable[[str], Exception]
"""Makes an exception of a message; an exception's class will do."""

_OF_RESOURCE: dict[str, Fault] = {
    "DatabaseError": lambda message: DatabaseError("injected", message),
    "InputError": InputError,
    "OutputError": OutputError,
}
_OF_ITEM: dict[str, Fault] = {"ParseError": ParseError, "WriteError": WriteError}


@dataclass(slots=True)
class Faults:
    """Which items fail, how often, and how.

    Attributes:
        column: tells the items apart.
        values: those whose value of the column is one of these fail.
        times: how many times each of them does, over all attempts, restarts and components that share these faults;
            None is for ever.
        error: what they fail with.
        struck: how often each has failed.
    """

    column: str
    values: Sequence[Any]
    times: int | None = None
    error: Fault = ValueError
    struck: Counter[Any] = field(default_factory=Counter)

    def of(self, item: Item) -> Exception | None:
        """Returns the error of an item that is to fail now, which counts, or None."""
        value = item.get(self.column)
        if value not in self.values or (self.times is not None and self.struck[value] >= self.times):
            return None
        self.struck[value] += 1
        return self.error(f"injected fault at {self.column} {value!r}")


@dataclass(slots=True)
class FailingItemReader:
    """Another reader whose items of the faults cannot be read.

    An ItemError is an error of the one item, which may be skipped; any other exception ends the read.
    """

    inner: ItemReader
    faults: Faults

    def open(self, position: JsonObject | None) -> Extent:
        """Opens the reader."""
        return self.inner.open(position)

    def read(self, limit: int) -> Chunk | None:
        """Reads a chunk, and takes out of it the items that fail."""
        chunk = self.inner.read(limit)
        if chunk is None:
            return None
        found = [self.faults.of(item) for item in chunk.rows]
        if not any(found):
            return chunk
        errors: list[ItemError] = []
        for place, error in enumerate(found):
            if error is not None and not isinstance(error, ItemError):
                raise error
            if error is not None:
                errors.append(type(error)(error.reason, origin=chunk.origin(place), item=chunk.rows[place]))
        good = [place for place, error in enumerate(found) if error is None]
        rest = chunk.with_rows([chunk.rows[place] for place in good], good)
        rest.errors = (*chunk.errors, *errors)
        rest.read_count = len(good)
        return rest

    def close(self) -> None:
        """Closes the reader."""
        self.inner.close()


@dataclass(slots=True)
class FailingItemProcessor:
    """Lets items pass, but for those of the faults."""

    faults: Faults

    def process(self, item: Item) -> Item | None:
        """Returns the item, or raises its error."""
        if (error := self.faults.of(item)) is not None:
            raise error
        return item


class FailingItemWriter:
    """Another writer that refuses every part of a chunk that holds an item of the faults, as a database would do it."""

    def __init__(self, inner: ItemWriter, faults: Faults) -> None:
        self.inner = inner
        self.faults = faults

    def connect(self) -> CheckpointStore | None:
        """Connects the writer."""
        return self.inner.connect()

    def open(self, state: JsonObject | None) -> None:
        """Opens the writer."""
        self.inner.open(state)

    def prepare(self, chunk: Chunk) -> tuple[Sequence[Item], Any]:
        """Keeps the items beside what the writer makes of them."""
        return chunk.rows, self.inner.prepare(chunk)

    def prepare_part(self, whole: tuple[Sequence[Item], Any], start: int, part: Chunk) -> tuple[Sequence[Item], Any]:
        """Does the same of a part, as the writer does it."""
        if isinstance(self.inner, PartPreparer):
            return part.rows, self.inner.prepare_part(whole[1], start, part)
        return self.prepare(part)

    def write(self, prepared: tuple[Sequence[Item], Any]) -> int:
        """Writes the items, unless one of them fails now."""
        items, payload = prepared
        for item in items:
            if (error := self.faults.of(item)) is not None:
                raise error
        return self.inner.write(payload)

    def state(self) -> JsonObject | None:
        """Returns the writer's state."""
        return self.inner.state()

    def finish(self) -> None:
        """Finishes the writer."""
        self.inner.finish()

    def close(self) -> None:
        """Closes the writer."""
        self.inner.close()


class FailingProcessorOptions(Options, kw_only=True):
    """Options of the processor `failing`, which the reader and the writer have too."""

    column: Annotated[str, option("The column that tells the items apart.")]
    values: Annotated[list[Any], option("Items with one of these values fail.")]
    times: Annotated[int | None, option("How many times each fails in this process; by default always.")] = None
    error: Annotated[
        str | None, option("A built-in exception, ParseError, WriteError, InputError, OutputError or DatabaseError.")
    ] = None

    def check(self) -> list[OptionsProblem]:
        """Checks that there is such an error."""
        problems = []
        if self.times is not None and self.times < 1:
            problems.append(OptionsProblem("a fault that never strikes is none", ("times",), "1 or more"))
        if self.error is not None and _fault(self.error) is None:
            problems.append(OptionsProblem(f"there is no error {self.error!r} to fail with", ("error",)))
        return problems


class FailingReaderOptions(FailingProcessorOptions, kw_only=True):
    """Options of the reader `failing`."""

    reader: Annotated[dict[str, Any], option("The reader whose items fail, as the step would have it.")]


class FailingWriterOptions(FailingProcessorOptions, kw_only=True):
    """Options of the writer `failing`."""

    writer: Annotated[dict[str, Any], option("The writer that refuses them, as the step would have it.")]


_EXAMPLE = "type: batchrun.testing.faults:Failing{}\ncolumn: id\nvalues: [3]\n"


@component(
    ComponentSpec(
        role="reader",
        name="failing",
        summary="Fails to read given items of another reader.",
        options=FailingReaderOptions,
        example=_EXAMPLE.format("Reader") + "reader: {type: csv, path: in.csv, columns: {id: integer}}\n",
        capabilities=Capabilities(restartable=True),
    )
)
class FailingReader(FailingItemReader):
    """The reader `failing`; by default its items fail with a ParseError."""

    def __init__(self, options: FailingReaderOptions, scope: ComponentScope) -> None:
        super().__init__(_built("reader", options.reader, scope), _faults("reader", options, scope, ParseError))


@component(
    ComponentSpec(
        role="processor",
        name="failing",
        summary="Fails at given items, and lets the others pass.",
        options=FailingProcessorOptions,
        example=_EXAMPLE.format("Processor"),
    )
)
class FailingProcessor(FailingItemProcessor):
    """The processor `failing`; by default it raises a ValueError."""

    def __init__(self, options: FailingProcessorOptions, scope: ComponentScope) -> None:
        super().__init__(_faults("processor", options, scope, ValueError))


@component(
    ComponentSpec(
        role="writer",
        name="failing",
        summary="Refuses given items of another writer.",
        options=FailingWriterOptions,
        example=_EXAMPLE.format("Writer") + "writer: {type: csv, path: out.csv}\n",
        capabilities=Capabilities(restartable=True, transactional=True),
    )
)
class FailingWriter(FailingItemWriter):
    """The writer `failing`; by default it raises a WriteError."""

    def __init__(self, options: FailingWriterOptions, scope: ComponentScope) -> None:
        super().__init__(_built("writer", options.writer, scope), _faults("writer", options, scope, WriteError))


_struck: dict[tuple[str, int, str, str], Counter[Any]] = {}
"""By repository, job instance, step and role: a restart makes the component anew, and goes on counting."""


def _faults(role: str, options: FailingProcessorOptions, scope: ComponentScope, usual: Fault) -> Faults:
    key = (scope.repository_id, scope.instance_id, scope.step_name, role)
    error = usual if options.error is None else _fault(options.error) or usual
    return Faults(options.column, options.values, options.times, error, _struck.setdefault(key, Counter()))


def _fault(name: str) -> Fault | None:
    if (known := {**_OF_RESOURCE, **_OF_ITEM}.get(name)) is not None:
        return known
    found = getattr(builtins, name, None)
    return found if isinstance(found, type) and issubclass(found, Exception) else None


def _built(role: str, described: dict[str, Any], scope: ComponentScope) -> Any:
    """Builds the component that another one wraps, from its own options."""
    made: Any = Registry().component(role, described["type"])
    return made(made.spec.parse({name: value for name, value in described.items() if name != "type"}), scope)
