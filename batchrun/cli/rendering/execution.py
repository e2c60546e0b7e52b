"""An execution on the screen: the summary after a run, and all that `show` tells."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.text import Text

from batchrun.cli.rendering import words
from batchrun.cli.rendering.screen import Screen, cleaned
from batchrun.cli.rendering.table import Column, Table
from batchrun.domain.execution import JobExecution, StepExecution
from batchrun.domain.status import BatchStatus

_INDENT = 2


def show_summary(
    screen: Screen, execution: JobExecution, next_command: str | None, rejects_command: str | None = None
) -> None:
    """Prints what came of a run: status, steps, what was skipped and what failed, and the commands that go on."""
    screen.print(*screen.wrapped(headline(execution, unicode=screen.is_unicode), indent=_INDENT))
    _show_steps(screen, execution.steps)
    _show_skips(screen, execution, rejects_command)
    _show_failures(screen, execution)
    _show_next(screen, next_command)


def show_execution(
    screen: Screen,
    execution: JobExecution,
    *,
    continued_by: int | None = None,
    next_command: str | None = None,
    rejects_command: str | None = None,
) -> None:
    """Prints all of an execution."""
    screen.print(*screen.wrapped(headline(execution, unicode=screen.is_unicode), indent=_INDENT))
    _show_facts(screen, _facts(execution, continued_by))
    if parameters := parameter_texts(execution):
        screen.print("", Text("parameters", style="bold"))
        _show_facts(screen, parameters)
    if execution.steps:
        screen.print("", Text("steps", style="bold"))
        _show_steps(screen, execution.steps)
    _show_skips(screen, execution, rejects_command)
    _show_failures(screen, execution)
    _show_next(screen, next_command)


def headline(execution: JobExecution, *, unicode: bool = True) -> Text:
    """Returns `✓ load-trades COMPLETED in 8.1s, execution 7`, with the exit code where it says more than the status."""
    line = Text.assemble(
        words.status_sign(execution.status, unicode=unicode),
        " ",
        (cleaned(execution.job_name), "bold"),
        " ",
        (execution.status.name, f"bold {words.status_style(execution.status)}"),
    )
    if code := own_exit_code(execution):
        line.append(f" ({cleaned(code)})")
    seconds = words.elapsed(execution)
    if seconds is not None:
        line.append(f" {'for' if execution.status.is_running else 'in'} {words.duration(seconds)}")
    line.append(f", execution {execution.id}")
    return line


def own_exit_code(execution: JobExecution | StepExecution) -> str:
    """Returns the exit code where it says more than the status, else nothing."""
    code = execution.exit_status.code
    return "" if code in (execution.status.name, "EXECUTING") else code


def parameter_texts(execution: JobExecution) -> list[tuple[str, str]]:
    """Returns names and values as people give them; a parameter without a value is not there."""
    given = [(parameter.name, parameter.text) for parameter in execution.parameters.all()]
    return [(name, text) for name, text in given if text is not None]


def failures(execution: JobExecution) -> list[tuple[str, str]]:
    """Returns what failed and why: steps with their descriptions, then what the job's own description adds."""
    told = [
        (f"step {step.step_name} {step.status.name.lower()}", step.exit_status.description)
        for step in execution.steps
        if step.status is not BatchStatus.COMPLETED and step.exit_status.description
    ]
    own = execution.exit_status.description
    if own and not any(own in description or description in own for _, description in told):
        told.append((f"job {execution.job_name} {execution.status.name.lower()}", own))
    return told


def _facts(execution: JobExecution, continued_by: int | None) -> list[tuple[str, str]]:
    facts = [
        ("instance", str(execution.instance.id)),
        ("continues", f"execution {execution.restart_of}" if execution.restart_of else ""),
        ("continued by", f"execution {continued_by}" if continued_by else ""),
        ("job file", execution.job_file),
        ("created", words.exact_time(execution.created_at)),
        ("started", words.exact_time(execution.started_at)),
        ("ended", words.exact_time(execution.ended_at)),
        ("process", f"{execution.owner.pid} on {execution.owner.host}" if execution.owner.pid else ""),
    ]
    return [(name, value) for name, value in facts if value]


def _show_facts(screen: Screen, facts: Sequence[tuple[str, str]]) -> None:
    column = max(len(name) for name, _ in facts) + _INDENT
    for name, value in facts:
        label = Text.assemble((cleaned(name).ljust(column), "cyan"))
        screen.print(
            *screen.wrapped(label + Text(cleaned(value)), first_indent=_INDENT, indent=min(column, 16) + _INDENT)
        )


def _show_steps(screen: Screen, steps: Sequence[StepExecution]) -> None:
    if steps:
        screen.print(*_step_table(screen, steps).lines(screen.width, indent=_INDENT))


def _step_table(screen: Screen, steps: Sequence[StepExecution]) -> Table:
    table = Table(
        Column("step", least=8, most=screen.share(4), middle=True),
        Column("status"),
        Column("exit code", rank=4, least=9, most=screen.share(6)),
        Column("time", rank=8, right=True),
        Column("read", rank=7, right=True),
        Column("written", right=True),
        Column("filtered", rank=5, right=True),
        Column("skipped", rank=6, right=True),
        Column("commits", rank=2, right=True),
        Column("rollbacks", rank=1, right=True),
        Column("rows/s", rank=3, right=True),
    )
    for step in steps:
        table.add(*_step_cells(step, unicode=screen.is_unicode))
    return table


def _step_cells(step: StepExecution, *, unicode: bool) -> Iterator[Text | str]:
    counts, seconds = step.counts, words.elapsed(step)
    yield cleaned(step.step_name)
    yield words.status_word(step.status, unicode=unicode)
    yield cleaned(own_exit_code(step))
    yield "" if seconds is None else words.duration(seconds)
    yield words.count(counts.read)
    yield words.count(counts.write)
    yield words.count(counts.filter) if counts.filter else ""
    yield Text(words.count(counts.skip), style="yellow") if counts.skip else ""
    yield words.count(counts.commit)
    yield words.count(counts.rollback) if counts.rollback else ""
    yield words.rate(counts.read, seconds or 0)


def _show_skips(screen: Screen, execution: JobExecution, command: str | None) -> None:
    """Prints how many items were skipped in which phase, and the command that shows them."""
    counts = [step.counts for step in execution.steps]
    phases = {
        "read": sum(each.read_skip for each in counts),
        "process": sum(each.process_skip for each in counts),
        "write": sum(each.write_skip for each in counts),
    }
    told = ", ".join(f"{words.count(count)} in {phase}" for phase, count in phases.items() if count)
    if not told:
        return
    line = Text.assemble(("skipped: ", "bold yellow"), told)
    if command:
        line.append(f"; {command} shows them")
    screen.print("", *screen.wrapped(line, indent=_INDENT))


def _show_failures(screen: Screen, execution: JobExecution) -> None:
    style = words.status_style(execution.status)
    for what, description in failures(execution):
        text = Text.assemble((f"{cleaned(what)}: ", f"bold {style}"), cleaned(description))
        screen.print("", *screen.wrapped(text, indent=_INDENT))


def _show_next(screen: Screen, command: str | None) -> None:
    if command:
        screen.print("", Text.assemble(("to continue: ", "bold"), command))
