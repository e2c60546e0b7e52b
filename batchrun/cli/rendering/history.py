"""The history: executions as a table, newest first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.text import Text

from batchrun.cli.rendering import words
from batchrun.cli.rendering.execution import own_exit_code, parameter_texts
from batchrun.cli.rendering.screen import Screen, cleaned
from batchrun.cli.rendering.table import Column, Table
from batchrun.domain.execution import JobExecution

_NARROW = 84


def show_history(screen: Screen, executions: Iterable[JobExecution]) -> None:
    """Prints the executions; in a pipe nothing is shortened."""
    width = screen.width
    short = width is not None and width < _NARROW
    table = Table(
        Column("id", right=True),
        Column("job", least=8, most=screen.share(4), middle=True),
        Column("status"),
        Column("exit code", rank=3, least=9, most=screen.share(6)),
        Column("started", rank=7),
        Column("time", rank=6, right=True),
        Column("read", rank=2, right=True),
        Column("written", rank=5, right=True),
        Column("parameters", rank=1, least=16),
    )
    for execution in executions:
        table.add(*_cells(execution, short=short, unicode=screen.is_unicode))
    screen.print(*table.lines(width))


def _cells(execution: JobExecution, *, short: bool, unicode: bool) -> Iterator[Text | str]:
    seconds = words.elapsed(execution)
    yield str(execution.id)
    yield cleaned(execution.job_name)
    yield words.status_word(execution.status, unicode=unicode)
    yield cleaned(own_exit_code(execution))
    yield words.local_time(execution.started_at or execution.created_at, short=short)
    yield "" if seconds is None else words.duration(seconds)
    yield words.count(sum(step.counts.read for step in execution.steps))
    yield words.count(sum(step.counts.write for step in execution.steps))
    yield cleaned(" ".join(f"{name}={value}" for name, value in parameter_texts(execution))).replace("\n", " ")
