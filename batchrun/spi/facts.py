"""The facts of a decision as columns, one for each root of references, for those who ask them by SQL expressions.

`steps.load.write_count` is a field of a field of the column `steps`. A name with dots in it, such as the parameter
`run.id`, stands for fields inside each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from batchrun.domain.execution import STEP_FACTS
from batchrun.domain.parameters import ParameterType
from batchrun.spi.decider import Facts

if TYPE_CHECKING:
    import polars as pl

_TEXTS = ("status", "exit_code", "job_name")
"""Facts of steps and of the execution that are texts; the others are integers."""

_EXECUTION = ("id", "instance_id", "job_name")


def facts_schema(
    parameters: Mapping[str, ParameterType], steps: Iterable[str], context_keys: Iterable[str] = ()
) -> pl.Schema:
    """Returns the columns of the facts that a decision will have.

    Args:
        parameters: the types of the job's parameters.
        steps: names of the steps, as the decision may name them.
        context_keys: keys of the job's context; of what type their values are, nobody knows.
    """
    import polars as pl

    kinds: dict[str, Mapping[str, Any]] = {
        "params": {name: _parameter_type(kind) for name, kind in parameters.items()},
        "execution": _known(_EXECUTION),
        "job": {"context": {key: pl.Null() for key in context_keys}},
        "steps": {name: _known(STEP_FACTS) for name in steps},
    }
    return _schema(kinds)


def facts_frame(facts: Facts, context_keys: Iterable[str]) -> pl.DataFrame:
    """Returns the facts as a frame of one row.

    Args:
        facts: as a decider is given them.
        context_keys: keys of the job's context that are null where it has none of them.
    """
    import polars as pl

    context = {**dict.fromkeys(context_keys), **facts["job"]["context"]}
    values: dict[str, Mapping[str, Any]] = {**facts, "job": {"context": context}}
    kinds = {root: _kinds(value) for root, value in values.items()}
    kinds["steps"] = {name: _known(STEP_FACTS) for name in facts["steps"]}
    schema = _schema(kinds)
    return pl.DataFrame({root: [_opened(values[root])] for root in schema}, schema=schema)


def _known(names: Iterable[str]) -> dict[str, pl.DataType]:
    import polars as pl

    return {name: pl.String() if name in _TEXTS else pl.Int64() for name in names}


def _parameter_type(kind: ParameterType) -> pl.DataType:
    import polars as pl

    kinds: dict[ParameterType, pl.DataType] = {
        ParameterType.INTEGER: pl.Int64(),
        ParameterType.FLOAT: pl.Float64(),
        ParameterType.DECIMAL: pl.Decimal(38, 10),
        ParameterType.BOOLEAN: pl.Boolean(),
        ParameterType.DATE: pl.Date(),
        ParameterType.DATETIME: pl.Datetime("us"),
        ParameterType.DURATION: pl.Duration("us"),
        ParameterType.LIST: pl.List(pl.Null()),
    }
    return kinds.get(kind, pl.String())


def _kinds(value: Mapping[str, Any]) -> dict[str, Any]:
    import polars as pl

    return {
        name: _kinds(each) if isinstance(each, Mapping) else pl.Series([each]).dtype for name, each in value.items()
    }


def _schema(kinds: Mapping[str, Mapping[str, Any]]) -> pl.Schema:
    """Returns the columns; one without any field is left out, since it could not be asked for anything."""
    import polars as pl

    return pl.Schema({root: _struct(_opened(fields)) for root, fields in kinds.items() if _opened(fields)})


def _struct(fields: Mapping[str, Any]) -> pl.Struct:
    import polars as pl

    return pl.Struct({name: _struct(each) if isinstance(each, dict) else each for name, each in fields.items()})


def _opened(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Returns nested mappings with each dotted name as mappings inside each other, and without empty ones."""
    opened: dict[str, Any] = {}
    for name, value in fields.items():
        *outer, last = name.split(".")
        place = opened
        for each in outer:
            inner = place.get(each)
            place[each] = place = inner if isinstance(inner, dict) else {}
        if not isinstance(value, Mapping):
            place[last] = value
        elif inside := _opened(value):
            before = place.get(last)
            place[last] = {**inside, **before} if isinstance(before, dict) else inside
    return opened
