"""Where the time of an execution's chunk steps went, and what sets their pace."""

from __future__ import annotations

from dataclasses import fields

from rich.text import Text

from batchrun.cli.rendering import words
from batchrun.cli.rendering.screen import Screen, cleaned
from batchrun.cli.rendering.table import Column, Table
from batchrun.domain.execution import JobExecution, StepExecution, StepTimes
from batchrun.domain.pace import AHEAD, pacesetters

PHASES = [phase.name for phase in fields(StepTimes)]
"""Of a chunk step, in the order that its time is told in."""

_ADVICE = {
    "read": "its source sets the pace, or the parsing of it",
    "process": "its processors set the pace: expressions are faster than Python functions",
    "encode": "the encoding of its chunks for the target sets the pace",
    "write": "its target sets the pace: each index, constraint and trigger there costs",
    "commit": "its commits set the pace: larger chunks make fewer of them",
}

_SIDES = {
    "read": "its source",
    "process": "its processors",
    "encode": "the encoding of its chunks",
    "write": "its target",
    "commit": "its commits",
}


def show_times(screen: Screen, execution: JobExecution) -> None:
    """Prints a table of phases, and a sentence for each step."""
    steps = [step for step in execution.steps if any(step.times.as_dict().values())]
    if not steps:
        screen.print(f"execution {execution.id} has no chunk step whose time is known")
        return
    table = Table(
        Column("step", least=8, most=screen.share(4), middle=True),
        Column("time", right=True),
        *(Column(phase, right=True) for phase in PHASES),
    )
    for step in steps:
        table.add(*_cells(step))
    screen.print(*table.lines(screen.width))
    for step in steps:
        line = Text.assemble((f"{cleaned(step.step_name)}: ", "bold"), pace(step.times))
        screen.print("", *screen.wrapped(line, indent=2))


def _cells(step: StepExecution) -> list[str]:
    seconds = words.elapsed(step)
    spent = step.times.as_dict()
    return [
        cleaned(step.step_name),
        "" if seconds is None else words.duration(seconds),
        *(words.duration(spent[phase]) if spent[phase] else "" for phase in PHASES),
    ]


def pace(times: StepTimes) -> str:
    """Returns a sentence about what sets the pace."""
    first, *others = pacesetters(times)
    if others:
        return (
            f"{_SIDES[first]} and {_SIDES[others[0]]} set the pace together: making chunks ready takes as long as "
            "writing them"
        )
    if times.wait and first in AHEAD:
        return f"{_ADVICE[first]}; writing waited {words.duration(times.wait)} for the next chunk"
    return _ADVICE[first]
