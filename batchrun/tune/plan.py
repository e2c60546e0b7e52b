"""What is to be measured of a job: which of its chunk steps, and why the others are not."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from batchrun.binding import BindingError, Secrets, bind
from batchrun.definition import LoadedJob
from batchrun.domain.definition import ChunkDefinition, ComponentDefinition, StepDefinition, TaskletDefinition
from batchrun.domain.parameters import JobParameters
from batchrun.errors import UsageError, did_you_mean
from batchrun.tune.acting import acts_outside, child_acts_outside
from batchrun.tune.needs import Needs
from batchrun.tune.setting import Setting
from batchrun.tune.shapes import can_copy


@dataclass(slots=True)
class Plan:
    """What is to be measured.

    Attributes:
        settings: of the steps to measure as the job file says them, by name, in order.
        skipped: why other chunk steps are not measured, by name.
        needs: what all steps need of the data.
    """

    needs: Needs
    settings: dict[str, Setting] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Launched:
    """A job with what a launch of it is given.

    Attributes:
        load: reads the file of a child job.
    """

    job: LoadedJob
    parameters: JobParameters
    secrets: Secrets
    load: Callable[[str], LoadedJob]

    def kind_of(self, database: str) -> str:
        """Returns what a database's URL begins with, such as `mysql`, if nothing can be copied of it; or nothing."""
        roots: Mapping[str, Any] = {"params": dict(self.parameters), "env": dict(os.environ), "secrets": self.secrets}
        try:
            url = str(bind(self.job.definition.databases[database], roots))
        except (BindingError, KeyError):  # the launch tells of it
            return ""
        return "" if can_copy(url) else url.partition(":")[0]


def plan_of(launched: Launched, needs: Needs, steps: list[str], *, with_effects: bool) -> Plan:
    """Returns which steps are measured: all chunk steps, or those that are named, up to one that cannot be run.

    Raises:
        UsageError: there is nothing to measure, or a named step is not there, is no chunk step or cannot be measured.
    """
    definition = launched.job.definition
    chunk_steps = [each for each in definition.steps if isinstance(each.work, ChunkDefinition)]
    names = [each.name for each in chunk_steps]
    for name in steps:
        if name not in names:
            _refuse_name(name, names, definition.steps)
    plan, obstacle = Plan(needs), ""
    for step in definition.steps:
        if not obstacle and (reason := _obstacle(launched, step, with_effects=with_effects)):
            obstacle = reason if isinstance(step.work, ChunkDefinition) else ""
            if isinstance(step.work, ChunkDefinition):
                plan.skipped[step.name] = reason
            obstacle = f"step {step.name!r} before it {reason}"
        elif obstacle and step in chunk_steps:
            plan.skipped[step.name] = obstacle
        elif step in chunk_steps and (not steps or step.name in steps):
            assert isinstance(step.work, ChunkDefinition)
            plan.settings[step.name] = Setting.of(step.work)
    if steps:
        plan.skipped = {name: why for name, why in plan.skipped.items() if name in steps}
    _refuse_empty(plan, launched.job.definition.name)
    return plan


def _refuse_name(name: str, names: list[str], steps: list[StepDefinition]) -> None:
    known = f"its chunk steps: {', '.join(names)}" if names else "it has no chunk step"
    if other := next((each for each in steps if each.name == name), None):
        raise UsageError(f"step {name!r} is of kind {other.kind}, and only chunk steps are measured", hint=known)
    raise UsageError(f"the job has no step {name!r}", hint=did_you_mean(name, names) or known)


def _refuse_empty(plan: Plan, job_name: str) -> None:
    if plan.settings:
        return
    if not plan.skipped:
        raise UsageError(
            f"job {job_name!r} has no chunk step", hint="chunk size and read-ahead are those of chunk steps"
        )
    told = "; ".join(f"{name}: {why}" for name, why in plan.skipped.items())
    raise UsageError(f"no step of {job_name!r} can be measured on copies: {told}", hint=_way_out(told))


def _way_out(told: str) -> str:
    if "cannot be copied" in told:
        return "SQLite and PostgreSQL can be copied"
    return "--with-effects runs such steps all the same, once for each measurement"


def _obstacle(launched: Launched, step: StepDefinition, *, with_effects: bool) -> str:
    """Returns why a step cannot be run on copies, or nothing."""
    for component in _writing(step):
        if kind := launched.kind_of(str(component.options.get("database", ""))):
            return f"writes to a database that cannot be copied ({kind})"
    if with_effects:
        return ""
    return acts_outside(launched.job, step) or child_acts_outside(step, launched.job, launched.load)


def _writing(step: StepDefinition) -> list[ComponentDefinition]:
    match step.work:
        case ChunkDefinition() as work:
            return [work.writer, *([work.rejects] if work.rejects else [])]
        case TaskletDefinition(tasklet):
            return [tasklet]
    return []
