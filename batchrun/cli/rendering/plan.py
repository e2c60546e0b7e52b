"""The plan of a launch or restart on the screen: a line for each step, wrapped where it does not fit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.text import Text

from batchrun.cli.rendering.screen import Screen, cleaned
from batchrun.operations.plan import Action, JobPlan, PlannedStep

_INDENT = 2
_GAP = 2
_LEAST_ROOM = 24
_SIGNS = {
    Action.SKIP: ("✓", "+", "green"),
    Action.RESUME: ("▶", ">", "cyan"),
    Action.RERUN: ("↻", "@", "cyan"),
    Action.START: ("○", "o", "cyan"),
    Action.NOT_REACHED: ("·", ".", "bright_black"),
    Action.BLOCKED: ("✗", "x", "red"),
}
_ACTION_WIDTH = max(len(action) for action in Action)


def show_plan(screen: Screen, plan: JobPlan) -> None:
    """Prints what would be continued, then each step."""
    screen.print(*screen.wrapped(_headline(plan), indent=_INDENT))
    rows = list(_rows(plan.steps, 0))
    names = max(len(indented) for indented, _ in rows)
    for indented, step in rows:
        screen.print(*_lines(screen, indented, step, names))


def _headline(plan: JobPlan) -> Text:
    name = (cleaned(plan.job_name), "bold")
    if plan.last is None:
        return Text.assemble("a new instance of ", name, " would be launched; nothing runs now")
    status = "is dead, and would be recovered" if plan.is_dead else f"is {plan.last.status.name}"
    return Text.assemble(
        f"execution {plan.last.id} of ", name, f", which {status}, would be continued; nothing runs now"
    )


def _rows(steps: Sequence[PlannedStep], depth: int) -> Iterator[tuple[str, PlannedStep]]:
    for step in steps:
        yield " " * depth * _INDENT + cleaned(step.name), step
        for flow in step.inside:
            yield from _rows(flow, depth + 1)


def _lines(screen: Screen, name: str, step: PlannedStep, name_width: int) -> Iterator[Text]:
    """Yields the step's lines: name and action, and behind or below them all that there is to say."""
    sign, plain, style = _SIGNS[step.action]
    head = Text.assemble(
        " " * _INDENT,
        (sign if screen.is_unicode else plain, f"bold {style}"),
        " ",
        (name.ljust(name_width), "bold"),
        " " * _GAP,
        (step.action.value.ljust(_ACTION_WIDTH), style),
        " " * _GAP,
    )
    said = "; ".join(part for part in (_position(step), step.reason, step.condition) if part)
    if not said:
        head.rstrip()
        yield head
        return
    column = head.cell_len
    if screen.width is not None and screen.width - column < _LEAST_ROOM:
        head.rstrip()
        yield head
        yield from screen.wrapped(Text(cleaned(said)), first_indent=3 * _INDENT, indent=3 * _INDENT)
    else:
        yield from screen.wrapped(head + Text(cleaned(said)), indent=column)


def _position(step: PlannedStep) -> str:
    if step.position is None:
        return ""
    return f"at {step.position}" + ("" if step.is_exact else ", or up to one commit further")
