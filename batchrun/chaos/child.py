"""A process of a round: launches the job in the workplace or restarts it, and tells what came of it, if it lives."""

from __future__ import annotations

import json
import traceback
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from batchrun.chaos.boundaries import Boundaries, Strike
from batchrun.copies.child import Order, set_apart

if TYPE_CHECKING:
    from batchrun.chaos.application import ChaosApplication
    from batchrun.domain.execution import JobExecution
    from batchrun.spi.rejects import RejectRecord


@dataclass(frozen=True, slots=True)
class ChaosOrder(Order):
    """What a process of a round is to do.

    Attributes:
        secrets: those of the parameters that a restart is given anew.
        strike: where it is struck.
        tell_at: the boundary that is noted when it gets there.
        lease: of its executions; None for the usual one.
    """

    secrets: frozenset[str] = frozenset()
    strike: Strike | None = None
    tell_at: int | None = None
    lease: timedelta | None = None

    @property
    def note(self) -> Path:
        """The file that says which boundary was reached."""
        return self.workplace.folder / f"boundary-{self.number}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a process that was not killed.

    Attributes:
        boundaries: names of those it came to.
        execution_id: of the last execution; None where there is none.
        status: its status.
        exit_code: what `batchrun` would have exited with.
        counts: read, written, filtered and skipped items of all executions, by step.
        ends: exit codes of all its attempts that have completed, in order, by step.
        rejects: the rejects of the instance, as texts without ids of executions and times.
        executions: how many the instance has had.
        failures: what failed in the last execution.
        error: class and message of the error that ended the process; empty where none did.
        is_fenced: it ended because another owner has taken over, or was refused because of one.
    """

    boundaries: list[str]
    execution_id: int | None = None
    status: str = ""
    exit_code: int | None = None
    counts: dict[str, list[int]] | None = None
    ends: dict[str, list[str]] | None = None
    rejects: list[str] | None = None
    executions: int = 0
    failures: str = ""
    error: str = ""
    hint: str = ""
    is_fenced: bool = False
    is_defect: bool = False


def run_order(order: ChaosOrder) -> None:
    """Does what is ordered; the body of a process of its own."""
    set_apart(order)
    boundaries = Boundaries(order.strike, order.note, order.tell_at)
    told = _told(order, boundaries)
    order.keep({**told, "boundaries": boundaries.names})


def _told(order: ChaosOrder, boundaries: Boundaries) -> dict[str, Any]:
    from batchrun.chaos.application import ChaosApplication
    from batchrun.errors import BatchrunError, FencedError, LaunchRefusedError

    try:
        application = ChaosApplication(order.workplace, boundaries, order.lease)
        with closing(application):
            return _facts(application, _run(application, order))
    except BatchrunError as error:
        traceback.print_exc()
        is_fenced = isinstance(error, FencedError | LaunchRefusedError)
        return {"error": f"{type(error).__name__}: {error}", "hint": error.hint or "", "is_fenced": is_fenced}
    except Exception as error:
        traceback.print_exc()
        return {"error": f"{type(error).__name__}: {error}", "is_defect": True}


def _run(application: ChaosApplication, order: ChaosOrder) -> JobExecution:
    """Launches the job, or restarts its last execution as `batchrun restart` does, unless that has completed."""
    job = application.load_job(str(order.job))
    last = _last(application, job.definition.name)
    if last is None:
        return application.launch(job, order.given)
    if last.completed:
        return last
    return application.restart(last.id, {name: order.given[name] for name in order.secrets})


def _last(application: ChaosApplication, job_name: str) -> JobExecution | None:
    from batchrun.domain.selection import ExecutionFilter

    found = application.repository.find_executions(ExecutionFilter(job_names=[job_name]))
    return next((each for each in found if each.parent_step_id is None), None)


def _facts(application: ChaosApplication, execution: JobExecution) -> dict[str, Any]:
    """Returns what came of the job and its child jobs; the repository holds nothing else."""
    executions = sorted(application.repository.find_executions(), key=lambda each: each.id)
    counts: dict[str, list[int]] = {}
    ends: dict[str, list[str]] = {}
    for job_name, step in ((each.job_name, step) for each in executions for step in each.steps):
        name = step.step_name if job_name == execution.job_name else f"{job_name}.{step.step_name}"
        own = (step.counts.read, step.counts.write, step.counts.filter, step.counts.skip)
        counts[name] = [a + b for a, b in zip(counts.get(name, [0] * 4), own, strict=True)]
        if step.status.name == "COMPLETED":
            ends.setdefault(name, []).append(step.exit_status.code)
    lasts = {each.instance.id: each.id for each in executions}
    rejects = [_reject_texts(list(application.rejects.of(last).all())) for last in lasts.values()]
    return {
        "execution_id": execution.id,
        "status": execution.status.name,
        "exit_code": application.exit_code(execution),
        "counts": counts,
        "ends": ends,
        "rejects": [text for texts in rejects for text in texts],
        "executions": len(application.explorer.of_instance(execution)),
        "failures": _failures(execution),
    }


def _failures(execution: JobExecution) -> str:
    told = [step.exit_status.description for step in execution.steps if step.status.name != "COMPLETED"]
    return "; ".join(dict.fromkeys(filter(None, (*told, execution.exit_status.description))))


def _reject_texts(records: Sequence[RejectRecord]) -> list[str]:
    """Returns rejects without times and ids; the runs of a step are numbered from 1 in place of theirs."""
    runs: dict[str, list[int]] = {}
    for each in records:
        if each.run not in runs.setdefault(each.step, []):
            runs[each.step].append(each.run)
    kept = ("step", "number", "phase", "origin", "error", "message", "raw", "item")
    texts = [{name: getattr(each, name) for name in kept} for each in records]
    numbered = [{**text, "run": runs[each.step].index(each.run) + 1} for text, each in zip(texts, records, strict=True)]
    return [json.dumps(each, default=str, ensure_ascii=False) for each in numbered]
