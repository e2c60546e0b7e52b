"""Listener `log`: says in the step's log what happens at chosen points."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Iterator
from functools import partial
from typing import Annotated, Any, Literal

from batchrun.domain.execution import JobExecution, StepExecution
from batchrun.domain.status import EXECUTING
from batchrun.errors import BatchrunError
from batchrun.spi.chunk import Chunk
from batchrun.spi.listener import POINTS, Listener, Progress
from batchrun.spi.scope import ComponentScope, log_of
from batchrun.spi.spec import ComponentSpec, Options, component, option


class LogOptions(Options, kw_only=True):
    """Options of the listener `log`."""

    at: Annotated[
        list[Literal[POINTS]],  # type: ignore[valid-type]
        option("The points to tell of.", min_length=1, examples=[["on_skip", "on_retry"]]),
    ]
    level: Annotated[Literal["debug", "info", "warning", "error"], option("How severe the records are.")] = "info"


SPEC = ComponentSpec(
    role="listener",
    name="log",
    summary="Says in the step's log what happens at chosen points.",
    options=LogOptions,
    example="""
type: log
at: [on_skip, on_retry, on_chunk_error]
level: warning
""",
    description=(
        "A record names the point and what belongs to it: the chunk with its origin, the item, the error. The log of "
        "an execution tells the start and end of each step by itself, with the counts. The points of items tell of "
        "every single one of them, and cost the time for it."
    ),
)


@component(SPEC)
class LogListener(Listener):
    """Writes one record for each call; hears no other point than the chosen ones."""

    def __init__(self, options: LogOptions, scope: ComponentScope) -> None:
        self._scope = scope
        self._level = logging.getLevelNamesMapping()[options.level.upper()]
        for point in options.at:
            names = tuple(inspect.signature(getattr(Listener, point)).parameters)[1:]
            setattr(self, point, partial(self._tell, point, names))

    def _tell(self, point: str, names: tuple[str, ...], *arguments: Any) -> None:
        given = dict(zip(names, arguments, strict=True))
        log = log_of(self._scope, given.get("step"))
        if log.isEnabledFor(self._level):
            log.log(self._level, "%s", ": ".join(filter(None, (point, ", ".join(_told(given))))))


def _told(given: dict[str, Any]) -> Iterator[str]:
    """Yields in words what a point gives, but for what the whole log is about."""
    if len(given) <= 2 and (ended := _ending(given.get("step", given["execution"]))):
        yield ended
    for name, value in given.items():
        match value:
            case JobExecution() | StepExecution():
                continue
            case Chunk():
                yield f"{len(value)} item{'' if len(value) == 1 else 's'} of {value.span}"
            case Progress():
                total = f" of {value.total:,}" if value.total else ""
                yield f"{value.done:,}{total} {value.unit}"
            case BatchrunError():
                yield value.message
            case Exception():
                yield f"{type(value).__name__}: {value}"
            case None:
                continue
            case _:
                yield f"{name} {value}"


def _ending(execution: JobExecution | StepExecution) -> str:
    """Returns how something ended, or nothing while it runs."""
    code, description = execution.exit_status.code, execution.exit_status.description
    if code == EXECUTING.code:
        return ""
    status = execution.status.name if code == execution.status.name else f"{execution.status.name} ({code})"
    return f"{status}: {description}" if description else status
