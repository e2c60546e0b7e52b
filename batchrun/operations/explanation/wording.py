"""Components, transitions and rules of a job in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from batchrun.domain.definition import ChunkDefinition, ComponentDefinition, FlowDefinition, StepDefinition, Transition
from batchrun.domain.parameters import MASK
from batchrun.domain.tolerance import OnWriteError
from batchrun.registry import Registry
from batchrun.spi.spec import ComponentSpec

_LONGEST = 60


def component_words(component: ComponentDefinition, registry: Registry) -> str:
    """Returns a component with what tells it from others, such as `csv (path in.csv)`.

    These are the options that it cannot do without, or where there are none, those that the file gives it.
    """
    fields = option_fields(registry.spec(component.role, component.type))
    given = [each for each in fields if _is_plain(component.options.get(each.encode_name))]
    telling = [each for each in given if each.required] or given
    told = [f"{each.encode_name} {_value(component.options[each.encode_name], each)}" for each in telling]
    return f"{component.type} ({', '.join(told)})" if told else component.type


def _is_plain(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return bool(value) and all(isinstance(each, str) for each in value)
    return isinstance(value, str | int | float)


def option_fields(spec: ComponentSpec) -> Sequence[msgspec.inspect.Field]:
    """Returns the options of a component."""
    structure = msgspec.inspect.type_info(spec.options)
    assert isinstance(structure, msgspec.inspect.StructType)
    return structure.fields


def option_extra(field: msgspec.inspect.Field) -> Mapping[str, Any]:
    """Returns what `spi.spec.option` was told of an option: `format`, `secret` and so on."""
    kind = field.type
    return (kind.extra or {}) if isinstance(kind, msgspec.inspect.Metadata) else {}


def _value(value: Any, field: msgspec.inspect.Field) -> str:
    if option_extra(field).get("secret"):
        return MASK
    parts = value if isinstance(value, list | tuple) else [value]
    text = " ".join(" ".join(str(part) for part in parts).split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def transitions_words(flow: FlowDefinition, state: str) -> list[str]:
    """Returns where the flow goes after a state, each way in words."""
    if flow.transitions is None:
        following = flow.after(state)
        return [f"then {following}"] if following is not None else []
    return [_transition_words(edge) for edge in flow.transitions if edge.source == state]


def _transition_words(edge: Transition) -> str:
    if edge.to is not None:
        return f"on {edge.on}: {edge.to}"
    if edge.end is not None:
        return f"on {edge.on}: the job ends with {edge.end}"
    if edge.fail is not None:
        return f"on {edge.on}: the job fails with {edge.fail}"
    restart = f", and a restart begins at {edge.restart}" if edge.restart else ""
    return f"on {edge.on}: the job stops with {edge.stop}{restart}"


def rule_words(state: StepDefinition) -> list[str]:
    """Returns what binds the state: limits, time, errors."""
    rules = [
        "runs again in a restart although it has completed" if _runs_again(state) else "",
        f"starts at most {_times(state.start_limit)}" if state.start_limit is not None else "",
        f"is entered at most {_times(state.max_visits)}" if state.max_visits is not None else "",
        f"fails after {state.timeout.total_seconds():g} s" if state.timeout is not None else "",
        f"promotes {', '.join(state.promote)} to the job's context" if state.promote else "",
    ]
    tolerance = _tolerance_words(state.work) if isinstance(state.work, ChunkDefinition) else []
    return [rule for rule in (*rules, *tolerance) if rule]


def _rejects(sink: ComponentDefinition | None, writer: ComponentDefinition) -> str:
    """Returns where skipped items are kept, and how often."""
    if sink is None:
        return "as JSON lines in .batchrun/rejects, exactly once: a restart cuts them back to the last commit"
    database = sink.options.get("database")
    if database is not None and database == writer.options.get("database"):
        return f"by {sink.type} in {database}, exactly once: in the transaction of their chunk"
    return f"by {sink.type}, exactly once: a restart cuts them back to the last commit"


def _runs_again(state: StepDefinition) -> bool:
    return state.allow_start_if_complete and state.kind != "decision"


def _tolerance_words(work: ChunkDefinition) -> list[str]:
    tolerance = work.tolerance
    skip, retry, words = tolerance.skip, tolerance.retry, []
    if retry.rules.errors or retry.policy:
        words.append(f"tries {_errors(retry.rules.errors, retry.policy)} again, {retry.limit} times in all")
    if skip.rules.errors or skip.policy:
        words.append(f"skips items with {_errors(skip.rules.errors, skip.policy)}{_limit(skip.limit, skip.share)}")
        words.append(f"keeps them {_rejects(work.rejects, work.writer)}")
    if tolerance.on_write_error is not OnWriteError.BISECT:
        words.append(f"on a write error: {tolerance.on_write_error}")
    return words


def _errors(errors: Sequence[str], policy: str | None) -> str:
    return f"what {policy} says" if policy else ", ".join(errors)


def _limit(limit: int | None, share: Any) -> str:
    if share is not None:
        return f", at most {float(share) * 100:g}%"
    return "" if limit is None else f", at most {limit:,}"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
