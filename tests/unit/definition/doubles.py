"""Small components in the roles of a job, and a job's folder to load files from."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest

from batchrun.definition import LoadedJob, load_job, render
from batchrun.errors import DefinitionError
from batchrun.registry import Registry
from batchrun.spi.columns import ColumnType
from batchrun.spi.spec import ComponentSpec, Options, OptionsError, OptionsProblem, component, option

ColumnTypes = dict[str, Annotated[str, option("Type of the column.", format="column-type")]]


class ReaderOptions(Options, kw_only=True):
    path: Annotated[str, option("The file.")]
    columns: Annotated[ColumnTypes | None, option("Types by column.")] = None
    delimiter: Annotated[str, option("Between fields.", min_length=1, max_length=1)] = ","
    skip_lines: Annotated[int, option("Lines to skip.", ge=0)] = 0
    header: Annotated[bool, option("The first line names the columns.")] = True
    encoding: Annotated[str, option("Of the file.", format="encoding")] = "utf-8"

    def check(self) -> list[OptionsProblem]:
        if not self.header and self.columns is None:
            return [OptionsProblem("without a header the columns must be named", ("header",), "give columns")]
        return []


def _read(options: Any, columns: Any) -> Any:
    import polars as pl

    if options.columns is None:
        return pl.Schema({"line": pl.String()})
    return pl.Schema({name: ColumnType.parse(kind).dtype for name, kind in options.columns.items()})


@component(ComponentSpec("reader", "lines", "Reads lines.", ReaderOptions, "{type: lines, path: a.csv}", schema=_read))
class LinesReader:
    pass


class KeepOptions(Options, kw_only=True):
    where: Annotated[str, option("Which items stay.", format="expression")]


def _keep(options: Any, columns: Any) -> Any:
    import polars as pl

    if columns is None:
        return None
    try:
        pl.DataFrame(schema=columns).filter(pl.sql_expr(options.where))
    except pl.exceptions.PolarsError as error:
        raise OptionsError(
            [OptionsProblem(f"does not fit: {str(error).partition(';')[0]}", ("where",))], columns
        ) from error
    return columns


@component(ComponentSpec("processor", "keep", "Keeps items.", KeepOptions, "{type: keep, where: a > 0}", schema=_keep))
class KeepProcessor:
    pass


class CallOptions(Options, kw_only=True):
    call: Annotated[str, option("The function.", format="reference")]


@component(
    ComponentSpec("processor", "call", "Calls.", CallOptions, '{type: call, call: "m:f"}', schema=lambda *_: None)
)
class CallProcessor:
    pass


class StoreOptions(Options, kw_only=True):
    database: Annotated[str, option("Which one.", format="database")]
    table: Annotated[str, option("Its name.")]
    mode: Annotated[Literal["insert", "upsert", "replace"], option("What happens to a key that is there.")] = "insert"
    key: Annotated[list[str], option("Columns of the key.")] = []
    batch: Annotated[Annotated[int, option("Rows.", ge=1)] | None, option("Rows in one statement.")] = None
    wait: Annotated[str, option("For a lock.", format="duration")] = "5s"

    def check(self) -> list[OptionsProblem]:
        return [] if self.table.isidentifier() else [OptionsProblem(f"{self.table!r} is no name", ("table",))]


def _store(options: Any, columns: Any) -> Any:
    if columns is None:
        return None
    unknown = [
        OptionsProblem(f"unknown column {name!r}", ("key",), f"one of {', '.join(columns)}")
        for name in options.key
        if name not in columns
    ]
    if unknown:
        raise OptionsError(unknown)
    return columns


@component(
    ComponentSpec("writer", "store", "Stores.", StoreOptions, "{type: store, database: d, table: t}", schema=_store)
)
class StoreWriter:
    pass


class RunOptions(Options, kw_only=True):
    statement: Annotated[str, option("What to run.", format="sql")]
    parameters: Annotated[dict[str, Any], option("Values by name.")] = {}
    command: Annotated[str | list[str] | None, option("A program.")] = None


@component(ComponentSpec("tasklet", "run", "Runs.", RunOptions, "{type: run, statement: SELECT 1}"))
class RunTasklet:
    pass


class FixedOptions(Options, kw_only=True):
    code: Annotated[str, option("What it says.")]


@component(
    ComponentSpec(
        "decider", "fixed", "Decides.", FixedOptions, "{type: fixed, code: OK}", exit_codes=lambda given: [given.code]
    )
)
class FixedDecider:
    pass


EXTRA = (LinesReader, KeepProcessor, CallProcessor, StoreWriter, RunTasklet, FixedDecider)


class JobFolder:
    """A folder that job files are written to and loaded from."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.registry = Registry(folder, extra=EXTRA)

    def load(self, text: str) -> LoadedJob:
        file = self.folder / "job.yaml"
        file.write_text(textwrap.dedent(text).lstrip("\n"), encoding="utf-8")
        return load_job(file, self.registry)

    def told(self, text: str) -> list[str]:
        """Returns `line:column: message; hint` of each problem."""
        with pytest.raises(DefinitionError) as caught:
            self.load(text)
        return [
            f"{each.line}:{each.column}: {each.message}" + (f"; {each.hint}" if each.hint else "")
            for each in caught.value.problems
        ]

    def rendered(self, text: str) -> str:
        """Returns what a terminal would show, all problems of the file."""
        with pytest.raises(DefinitionError) as caught:
            self.load(text)
        return "\n".join(render(each, self.folder) for each in caught.value.problems) + "\n"
