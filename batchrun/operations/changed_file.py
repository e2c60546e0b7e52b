"""What a restart makes of a job file that has changed since the execution it continues (SEMANTICS section 1)."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

from batchrun.definition import LoadedJob
from batchrun.domain.definition import FlowDefinition
from batchrun.domain.execution import JobExecution
from batchrun.domain.position import FlowPosition
from batchrun.errors import JobFileChangedError

_log = logging.getLogger("batchrun.operations")

Standing = tuple[FlowDefinition, FlowPosition]
"""A flow of the job as it is now, with the position that the last execution left it at."""


def refuse_changed_file(last: JobExecution, job: LoadedJob, *, allow_changed: bool) -> None:
    """Warns of a job file that changed since the last execution, and refuses what a restart cannot make sense of.

    Raises:
        JobFileChangedError: a step to resume is gone, or other steps stand before it and `allow_changed` is false.
    """
    if last.job_text == job.text:
        return
    _log.warning("%s has changed since execution %d", job.title, last.id)
    for flow, position in _standing(job.definition.flow, last.flow):
        _refuse(last, flow, position, allow_changed=allow_changed)


def _standing(flow: FlowDefinition, position: FlowPosition) -> Iterator[Standing]:
    """Yields the flow, if it has begun, and those inside the state where it stands."""
    if position.state is None:
        return
    yield flow, position
    inside = position.nested.get(position.state)
    state = next((each for each in flow.states if each.name == position.state), None)
    if inside is not None and state is not None:
        for inner, stands in zip(state.flows, inside.flows, strict=False):
            yield from _standing(inner, stands)


def _refuse(last: JobExecution, flow: FlowDefinition, position: FlowPosition, *, allow_changed: bool) -> None:
    state, now = position.state, [each.name for each in flow.states]
    if state not in now:
        raise JobFileChangedError(
            last.job_name,
            last.id,
            f"step {state!r}, which is to be resumed, is gone",
            "bring the step back, or launch the job with other identifying parameters",
        )
    entered, before = list(position.path[:-1]), now[: now.index(state)]
    if flow.transitions is None and before != entered and not allow_changed:
        raise JobFileChangedError(
            last.job_name,
            last.id,
            f"before step {state!r}, which is to be resumed, stood {_names(entered)}; now {_names(before)}",
            f"restore the file, or batchrun restart {last.id} --allow-changed",
        )


def _names(names: Sequence[str]) -> str:
    return ", ".join(repr(name) for name in names) if names else "nothing"
