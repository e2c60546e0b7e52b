"""Lints the columns: follows them from the reader through the processors to the writer, as far as they are known.

The facts that a decision goes by are columns too.

The only part of reading a job file that needs polars; where no component has a rule for columns it is not imported.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from batchrun.definition.components import Component, notations, options_schema
from batchrun.definition.document import DocumentPath
from batchrun.definition.findings import Findings
from batchrun.definition.outline import Outline
from batchrun.definition.states import State
from batchrun.domain.parameters import ParameterType
from batchrun.errors import first_line, nearest
from batchrun.spi.facts import facts_schema
from batchrun.spi.spec import OptionsError, OptionsProblem

if TYPE_CHECKING:
    import polars as pl

_ABOUT_COLUMNS = ("column-type", "expression")


def lint_columns(outline: Outline, components: Sequence[Component], findings: Findings) -> None:
    """Adds what does not fit the columns that arrive at each component of each step."""
    known = {component.path: component for component in components}
    chains: dict[DocumentPath, _Chain] = {}
    for part in outline.components():
        if part.state is None or part.role in ("listener", "reject_sink"):
            continue
        if part.state.path not in chains:
            columns = _facts(outline, part.state) if _has_rule(known.get(part.path), "decider") else None
            chains[part.state.path] = _Chain(findings, columns)
        chains[part.state.path].follow(known.get(part.path))


def _has_rule(component: Component | None, role: str) -> bool:
    return component is not None and component.spec.role == role and component.spec.schema is not None


def _facts(outline: Outline, state: State) -> pl.Schema:
    """Returns the columns of what a decision may go by; parameters of a wrong type are taken as texts."""
    kinds = {name: declared.get("type") for name, declared in outline.parameters.items()}
    types = {
        name: ParameterType(kind) if kind in set(ParameterType) else ParameterType.STRING
        for name, kind in kinds.items()
    }
    return facts_schema(types, state.namespace.visible())


@dataclass(slots=True)
class _Chain:
    """The components of one step, followed one after the other.

    Attributes:
        columns: those that leave the last component; None where nobody can know them.
        doubtful: names of columns whose type is not known for certain; what is said of them is kept back.
    """

    findings: Findings
    columns: pl.Schema | None = None
    doubtful: set[str] = field(default_factory=set)

    def follow(self, component: Component | None) -> None:
        """Goes on through a component; None is one that is wrong itself, so nobody knows what it does."""
        if component is None:
            self.columns = None
            return
        if self.columns is None:
            _check_syntax(component, self.findings)
        if component.spec.schema is not None:
            self.columns = self._leaving(component)

    def _leaving(self, component: Component) -> pl.Schema | None:
        rule = component.spec.schema
        assert rule is not None
        component, columns = _with_types(component, self.findings)
        wrong = _wrong_options(component, self.findings, columns)
        if _may_change_columns(component, wrong | component.referring):
            return None
        options = component.parse(without=wrong) or component.parse(without=wrong | component.referring)
        if options is None:
            return None
        self._doubt(component, columns)
        try:
            return rule(options, self.columns)
        except OptionsError as error:
            certain = [each for each in error.problems if self._is_certain(component, each)]
            self.findings.add_options(component.path, certain)
            return error.schema
        except Exception as error:  # a plugin's rule may raise anything
            message = f"{component.title} cannot tell its columns: {type(error).__name__}: {first_line(error)}"
            self.findings.add(component.path, message, "this is a defect of the component")
        return None

    def _doubt(self, component: Component, columns: set[str]) -> None:
        """Adds the columns declared with a wrong type, and those that a processor makes of doubtful ones."""
        self.doubtful |= columns
        for at, text in _texts(component.options) if component.spec.role == "processor" else ():
            names = {each for each in at[1:] if isinstance(each, str)}
            if self._mentions(text, *names):
                self.doubtful |= names | ({text} if text.isidentifier() else set())

    def _is_certain(self, component: Component, problem: OptionsProblem) -> bool:
        if problem.at and str(problem.at[0]) in component.referring:
            return False
        said = [problem.message, *map(str, problem.at)]
        said += [text for at, text in _texts(component.options) if at == problem.at]
        return not self._mentions(*said)

    def _mentions(self, *texts: str) -> bool:
        return any(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text) for name in self.doubtful for text in texts)


def _texts(value: Any, at: DocumentPath = ()) -> Iterator[tuple[DocumentPath, str]]:
    if isinstance(value, str):
        yield at, value
    elif isinstance(value, Mapping):
        for key, each in value.items():
            yield from _texts(each, (*at, key))
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _texts(each, (*at, index))


def _with_types(component: Component, findings: Findings) -> tuple[Component, set[str]]:
    """Returns the component with a type in place of each column type that is wrong or refers, and those columns.

    So a misspelt type does not hide a misspelt column.
    """
    columns: set[str] = set()
    options: Any = component.options
    for at, notation, text in notations(options_schema(component.spec.options), component.options):
        if notation == "column-type" and ("${" in text or (*component.path, *at) in findings.wrong):
            options = _put(options, at, "string")
            columns.add(str(at[-1]))
    return replace(component, options=options), columns


def _put(value: Any, at: DocumentPath, text: str) -> Any:
    """Returns a copy of a value with another text at a place."""
    if not at:
        return text
    copy: Any = dict(value) if isinstance(value, Mapping) else list(value)
    copy[at[0]] = _put(copy[at[0]], at[1:], text)
    return copy


def _wrong_options(component: Component, findings: Findings, columns: set[str]) -> set[str]:
    """Returns the options that are wrong already, or are likely what a misspelt one means; not for these columns."""
    known = component.spec.options.__struct_encode_fields__
    start = len(component.path)
    wrong = {
        str(each[start])
        for each in findings.wrong
        if len(each) > start and each[:start] == component.path and str(each[-1]) not in columns
    }
    meant = {nearest(each, known) for each in wrong if each not in known}
    return wrong | {each for each in meant if each is not None}


def _may_change_columns(component: Component, uncertain: set[str]) -> bool:
    """Tells whether the columns that leave the component depend on options whose value is not known.

    Any option of a processor may; of a reader those about columns; what a writer does changes none.
    """
    uncertain = uncertain & set(component.spec.options.__struct_encode_fields__)
    if component.spec.role == "processor":
        return bool(uncertain)
    properties = _properties(component)
    return component.spec.role == "reader" and any(_is_about_columns(properties.get(each, {})) for each in uncertain)


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
