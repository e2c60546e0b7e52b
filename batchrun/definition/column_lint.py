"""Lints the columns: follows them from the reader through the processors to the writer, as far as they are known.

The only part of reading a job file that needs polars; where no component has a rule for columns it is not imported.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from batchrun.definition.components import Component, notations, options_schema
from batchrun.definition.document import DocumentPath
from batchrun.definition.findings import Findings
from batchrun.errors import first_line, nearest
from batchrun.spi.spec import OptionsError, OptionsProblem

if TYPE_CHECKING:
    import polars as pl

_ABOUT_COLUMNS = ("column-type", "expression")


def lint_columns(components: Sequence[Component], findings: Findings) -> None:
    """Adds what does not fit the columns that arrive at each component of each step."""
    for _, chain in groupby(components, key=lambda each: each.path[:2]):
        columns: pl.Schema | None = None
        for component in chain:
            columns = _follow(component, columns, findings)


def _follow(component: Component, columns: pl.Schema | None, findings: Findings) -> pl.Schema | None:
    """Returns the columns that leave the component, None where nobody can know them."""
    rule = component.spec.schema
    if columns is None:
        _check_syntax(component, findings)
    if rule is None:
        return columns
    doubtful = _doubtful(component, findings)
    if _may_change_columns(component, doubtful | component.referring):
        return None
    options = component.parse(without=doubtful) or component.parse(without=doubtful | component.referring)
    if options is None:
        return None
    try:
        return rule(options, columns)
    except OptionsError as error:
        for problem in error.problems:
            _tell(component, problem, findings)
        return error.schema
    except Exception as error:
        message = f"{component.title} cannot tell its columns: {type(error).__name__}: {error}"
        findings.add(component.path, message, "this is a defect of the component")
    return None


def _tell(component: Component, problem: OptionsProblem, findings: Findings) -> None:
    if problem.at and str(problem.at[0]) in component.referring:
        return
    path = (*component.path, *problem.at)
    if any(path[:length] in findings.wrong for length in range(len(component.path) + 1, len(path))):
        return
    is_key = bool(problem.at) and isinstance(problem.at[-1], str) and repr(problem.at[-1]) in problem.message
    findings.add(path, problem.message, problem.hint, key=is_key)


def _doubtful(component: Component, findings: Findings) -> set[str]:
    """Returns the options that are wrong already, or are likely what a misspelt one means."""
    known = component.spec.options.__struct_encode_fields__
    start = len(component.path)
    wrong = {str(each[start]) for each in findings.wrong if len(each) > start and each[:start] == component.path}
    meant = {nearest(each, known) for each in wrong if each not in known}
    return wrong | {each for each in meant if each is not None}


def _may_change_columns(component: Component, doubtful: set[str]) -> bool:
    """Tells whether the columns that leave the component depend on options whose value is not known.

    Any option of a processor may; of a reader those about columns; what a writer does changes none.
    """
    doubtful = doubtful & set(component.spec.options.__struct_encode_fields__)
    if component.spec.role == "processor":
        return bool(doubtful)
    properties = _properties(component)
    return component.spec.role == "reader" and any(_is_about_columns(properties.get(each, {})) for each in doubtful)


def _properties(component: Component) -> dict[str, Any]:
    schema = options_schema(component.spec.options)
    if "$ref" in schema:
        schema = schema["$defs"][schema["$ref"].rsplit("/", 1)[-1]]
    properties: dict[str, Any] = schema.get("properties", {})
    return properties


def _is_about_columns(schema: Any) -> bool:
    if isinstance(schema, dict):
        return schema.get("format") in _ABOUT_COLUMNS or any(map(_is_about_columns, schema.values()))
    return isinstance(schema, list) and any(map(_is_about_columns, schema))


def _check_syntax(component: Component, findings: Findings) -> None:
    """Where the columns are not known, an expression can at least be an expression."""
    for at, notation, text in notations(options_schema(component.spec.options), component.options):
        path: DocumentPath = (*component.path, *at)
        if notation != "expression" or "${" in text or path in findings.wrong:
            continue
        import polars as pl

        try:
            pl.sql_expr(text)
        except pl.exceptions.PolarsError as error:
            findings.add(path, f"{text!r} is no expression: {first_line(error)}")
