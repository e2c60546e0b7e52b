"""What a job does and promises on the screen, at any width."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.text import Text

from batchrun.cli.rendering.screen import Screen, cleaned
from batchrun.operations.explanation import ExplainedParameter, ExplainedStep, JobExplanation

_INDENT = 2
_PROSE_WIDTH = 110
_LABEL_WIDTH = 10
_PROMISE_STYLES = {"exactly once": "green", "effectively once": "green", "at least once": "yellow"}


def show_explanation(screen: Screen, job: JobExplanation) -> None:
    """Prints the whole explanation."""
    screen.print(Text(cleaned(job.job_name), style="bold"))
    if job.description:
        _show(screen, "", job.description, _INDENT)
    _show_section(screen, "parameters", [(each.name, _parameter_words(each)) for each in job.parameters])
    databases = [(each.name, each.url + (", with the repository" * each.holds_repository)) for each in job.databases]
    _show_section(screen, "databases", databases)
    _show_section(screen, "listeners", [("", each) for each in job.listeners])
    screen.print("", Text("steps", style="bold"))
    _show_steps(screen, job.steps, _INDENT, start=job.start)


def _show_section(screen: Screen, title: str, facts: Sequence[tuple[str, str]]) -> None:
    if not facts:
        return
    screen.print("", Text(title, style="bold"))
    column = max(len(cleaned(name)) for name, _ in facts)
    for name, said in facts:
        label = cleaned(name).ljust(column) + "  " if column else ""
        _show(screen, label, said, _INDENT)


def _parameter_words(parameter: ExplainedParameter) -> str:
    default = "" if parameter.default is None else f"default {parameter.default}"
    need = "required" if parameter.required else default or "optional"
    told = [parameter.type, need, "" if parameter.identifying else "not identifying"]
    described = f": {parameter.description}" if parameter.description else ""
    return ", ".join(each for each in told if each) + described


def _show_steps(screen: Screen, steps: Sequence[ExplainedStep], indent: int, start: str = "") -> None:
    for step in steps:
        is_start = start and step.name == start and step is not steps[0]
        head = Text.assemble(
            " " * indent, (cleaned(step.name), "bold cyan"), "  ", (step.kind + (", start" * bool(is_start)), "dim")
        )
        screen.print(head)
        for label, said, style in _facts(step):
            _show(screen, label.ljust(_LABEL_WIDTH), said, indent + _INDENT, style)
        for number, flow in enumerate(step.flows, 1):
            if len(step.flows) > 1:
                screen.print(Text(f"{' ' * (indent + _INDENT)}branch {number}", style="dim"))
            _show_steps(screen, flow, indent + 2 * _INDENT)


def _facts(step: ExplainedStep) -> Iterator[tuple[str, str, str]]:
    """Yields what there is to say of a step: label, words and style of the words."""
    yield "does", step.does, ""
    promised = f"{step.guarantee}: {step.why}" if step.guarantee else step.why
    yield "promises", promised, _PROMISE_STYLES.get(step.guarantee or "", "")
    yield from (("rule", rule, "") for rule in step.rules)
    yield from (("costs", cost, "yellow") for cost in step.costs)
    yield from (("listener", listener, "") for listener in step.listeners)
    yield from (("goes on", way, "") for way in step.leads_to)


def _show(screen: Screen, label: str, said: str, indent: int, style: str = "") -> None:
    line = Text.assemble((label, "dim"), (cleaned(said), style))
    screen.print(*screen.wrapped(line, first_indent=indent, indent=indent + len(label), most=_PROSE_WIDTH))
