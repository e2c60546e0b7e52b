"""What a purge has deleted, or would delete, by job and status."""

from __future__ import annotations

from collections.abc import Sequence

from batchrun.cli.rendering import words
from batchrun.cli.rendering.screen import Screen, cleaned
from batchrun.cli.rendering.table import Column, Table
from batchrun.operations.purging import PurgedJob


def show_purge(screen: Screen, jobs: Sequence[PurgedJob], *, dry_run: bool) -> None:
    """Prints a line for each job and status, and the sum."""
    if jobs:
        screen.print(*_table(screen, jobs).lines(screen.width))
    executions, instances = sum(each.execution_count for each in jobs), sum(each.instance_count for each in jobs)
    verb = "would delete" if dry_run else "deleted"
    screen.print(f"{verb} {words.counted(executions, 'execution')} of {words.counted(instances, 'job instance')}")


def _table(screen: Screen, jobs: Sequence[PurgedJob]) -> Table:
    table = Table(
        Column("job", least=8, most=screen.share(2)),
        Column("status"),
        Column("instances", right=True, rank=1),
        Column("executions", right=True),
    )
    for each in jobs:
        table.add(
            cleaned(each.job_name),
            words.status_word(each.status, unicode=screen.is_unicode),
            words.count(each.instance_count),
            words.count(each.execution_count),
        )
    return table
