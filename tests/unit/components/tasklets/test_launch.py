"""The tasklet `launch`, with a double in place of batchrun's commands."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from batchrun.components import program
from batchrun.components.tasklets import launch
from batchrun.domain.status import ExitStatus
from batchrun.errors import StepStoppedError, TaskletError
from batchrun.spi.tasklet import RepeatStatus, StepContribution
from tests.unit.components.tasklets.bench import make


def execution(id: int, status: str = "COMPLETED", exit_code: str | None = None, description: str = "") -> Any:
    return {
        "execution_id": id,
        "job_name": "child",
        "status": status,
        "exit_code": exit_code or status,
        "exit_description": description,
    }


def refused(type: str, message: str, execution_id: int | None = None, code: int = 3, *problems: str) -> program.Ended:
    listed = [{"file": "child.yaml", "message": problem} for problem in problems]
    error = {"type": type, "message": message, "execution_id": execution_id, "problems": listed}
    return program.Ended(code, {"error": error})


@dataclass
class Commands:
    """Stands for batchrun: what each launch comes to, and what executions there are."""

    launches: list[program.Ended | dict[str, Any]] = field(default_factory=list)
    history: dict[int, dict[str, Any]] = field(default_factory=dict)
    given: list[tuple[str, ...]] = field(default_factory=list)
    parameters: Any = None
    ends_when_asked: program.Ended | dict[str, Any] | None = None

    def run(self, _scope: Any, *arguments: str) -> program.Ended:
        self.given.append(arguments)
        if arguments[0] == "history":
            return program.Ended(0, [self.history[max(self.history)]] if self.history else [])
        if arguments[0] == "stop":
            self.history[int(arguments[1])]["status"] = "STOPPED"
        return program.Ended(0, self.history.get(int(arguments[1])))

    @contextmanager
    def started(self, _scope: Any, *arguments: str, stdin: str = "") -> Iterator[Any]:
        self.given.append(arguments)
        self.parameters = json.loads(stdin)
        yield self

    def ended(self) -> program.Ended | None:
        if not self.launches:
            return None
        next_one = self.launches.pop(0)
        return next_one if isinstance(next_one, program.Ended) else program.Ended(0, next_one)

    def end(self) -> None:
        self.given.append(("SIGTERM",))
        assert self.ends_when_asked is not None
        self.launches.append(self.ends_when_asked)


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> Commands:
    double = Commands()
    monkeypatch.setattr(launch.program, "run", double.run)
    monkeypatch.setattr(launch.program, "started", double.started)
    monkeypatch.setattr(launch, "_AGAIN_SECONDS", 0.0)
    return double


def go(folder: Path, context: dict[str, Any], **options: Any) -> tuple[RepeatStatus | None, StepContribution]:
    contribution = StepContribution(context=context)
    return make(folder, "launch", **{"job": "child", **options}).execute(contribution), contribution


def test_it_notes_what_there_is_before_it_launches(tmp_path: Path, commands: Commands) -> None:
    commands.history = {7: execution(7)}
    status, contribution = go(tmp_path, {})
    assert (status, contribution.context) == (RepeatStatus.CONTINUABLE, {"launch": {"before": 7}})
    commands.launches = [execution(8)]
    status, contribution = go(tmp_path, contribution.context)
    assert (status, contribution.exit_status) == (RepeatStatus.FINISHED, None)
    assert contribution.context == {"launch": {"before": 7}, "execution_id": 8}


def test_parameters_go_along_as_texts(tmp_path: Path, commands: Commands) -> None:
    commands.launches = [execution(8)]
    given = {
        "day": date(2026, 7, 31),
        "full": True,
        "wait": timedelta(minutes=1, milliseconds=500),
        "desks": ["a", "b"],
        "none": None,
    }
    go(tmp_path, {"launch": {"before": 7}}, parameters=given)
    assert commands.given == [("launch", "child", "--params", "-", "--if-complete", "skip")]
    assert commands.parameters == {"day": "2026-07-31", "full": "true", "wait": "60.5s", "desks": ["a", "b"]}


def test_without_waiting_the_step_is_done_when_the_execution_has_begun(tmp_path: Path, commands: Commands) -> None:
    commands.launches = [execution(8, "STARTED")]
    status, contribution = go(tmp_path, {"launch": {"before": 7}}, wait=False)
    assert (status, contribution.exit_status, contribution.context["execution_id"]) == (RepeatStatus.FINISHED, None, 8)
    assert commands.given[0][-1] == "--detach"


def test_without_waiting_what_a_former_attempt_launched_is_not_launched_again(
    tmp_path: Path, commands: Commands
) -> None:
    commands.launches = [refused("ExecutionRunningError", "it runs", 8)]
    commands.history = {8: execution(8, "STARTED")}
    status, contribution = go(tmp_path, {"launch": {"before": 7}}, wait=False)
    assert (status, contribution.context["execution_id"]) == (RepeatStatus.FINISHED, 8)


def test_without_waiting_what_had_completed_before_is_refused_all_the_same(tmp_path: Path, commands: Commands) -> None:
    commands.launches = [execution(7)]
    with pytest.raises(TaskletError, match="had completed with these parameters before"):
        go(tmp_path, {"launch": {"before": 7}}, wait=False)


def test_the_exit_code_of_the_job_becomes_the_steps(tmp_path: Path, commands: Commands) -> None:
    commands.launches = [execution(8, "COMPLETED", "NOTHING TO DO", "no rows")]
    assert go(tmp_path, {"launch": {"before": 7}})[1].exit_status == ExitStatus("NOTHING TO DO", "no rows")


def test_a_job_that_fails_fails_the_step(tmp_path: Path, commands: Commands) -> None:
    commands.launches = [execution(8, "FAILED", description="no disk")]
    with pytest.raises(TaskletError, match=r"^execution 8 of job 'child' ended FAILED: no disk$") as told:
        go(tmp_path, {"launch": {"before": 7}})
    assert told.value.hint == "batchrun show 8 tells more"


def test_a_job_that_was_stopped_by_somebody_else_fails_the_step(tmp_path: Path, commands: Commands) -> None:
    commands.launches = [execution(8, "STOPPED")]
    with pytest.raises(TaskletError, match="execution 8 of job 'child' ended STOPPED"):
        go(tmp_path, {"launch": {"before": 7}})


def test_what_had_completed_before_is_refused_or_skipped(tmp_path: Path, commands: Commands) -> None:
    commands.launches = [execution(5), execution(5)]
    with pytest.raises(TaskletError, match=r"had completed with these parameters before: execution 5"):
        go(tmp_path, {"launch": {"before": 7}})
    status, contribution = go(tmp_path, {"launch": {"before": 7}}, if_complete="skip")
    assert (status, contribution.context["execution_id"]) == (RepeatStatus.FINISHED, 5)


def test_what_completed_since_it_was_launched_is_its_own(tmp_path: Path, commands: Commands) -> None:
    commands.launches = [execution(8)]
    assert go(tmp_path, {"launch": {"before": 7}})[0] is RepeatStatus.FINISHED


RUNNING = refused("ExecutionRunningError", "job 'child' is already running with these parameters", 8)


def test_what_still_runs_from_an_attempt_that_died_is_waited_for(tmp_path: Path, commands: Commands) -> None:
    commands.history = {8: execution(8, "STARTED")}
    commands.launches = [RUNNING, RUNNING, execution(8)]
    assert go(tmp_path, {"launch": {"before": 7}})[1].context["execution_id"] == 8


def test_what_somebody_else_runs_is_not_waited_for(tmp_path: Path, commands: Commands) -> None:
    commands.history = {8: execution(8, "STARTED")}
    commands.launches = [RUNNING]
    with pytest.raises(TaskletError, match=r"^job 'child' was not launched: job 'child' is already running"):
        go(tmp_path, {"launch": {"before": 8}})


@pytest.mark.parametrize(
    ("ended", "said"),
    [
        (refused("InstanceAbandonedError", "execution 8 of job 'child' was abandoned", 8), "was abandoned"),
        (refused("DefinitionError", "1 problem", None, 5, "no job"), r"was not launched: child\.yaml: no job"),
        (program.Ended(-9), "batchrun ended with exit code -9"),
    ],
)
def test_a_launch_that_is_refused_is_told(tmp_path: Path, commands: Commands, ended: program.Ended, said: str) -> None:
    commands.history = {8: execution(8, "ABANDONED")}
    commands.launches = [ended]
    with pytest.raises(TaskletError, match=said):
        go(tmp_path, {"launch": {"before": 7}})


def test_a_stop_is_passed_on_and_waited_for(tmp_path: Path, commands: Commands) -> None:
    commands.ends_when_asked = execution(8, "STOPPED")
    with pytest.raises(StepStoppedError, match="execution 8 of job 'child' was stopped too"):
        go(tmp_path, {"launch": {"before": 7}}, should_stop=lambda: True)
    assert commands.given[-1] == ("SIGTERM",)


def test_a_stop_that_comes_too_late_leaves_the_job_completed(tmp_path: Path, commands: Commands) -> None:
    commands.ends_when_asked = execution(8)
    assert go(tmp_path, {"launch": {"before": 7}}, should_stop=lambda: True)[0] is RepeatStatus.FINISHED


def test_a_stop_goes_to_what_still_runs_from_an_attempt_that_died(
    tmp_path: Path, commands: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launch, "_AGAIN_SECONDS", 60.0)
    commands.history = {8: execution(8, "STARTED")}
    commands.launches = [RUNNING]
    asked = iter([False, True, True])
    with pytest.raises(StepStoppedError, match="execution 8 of job 'child' was stopped too"):
        go(tmp_path, {"launch": {"before": 7}}, should_stop=lambda: next(asked))
    assert commands.given[-2:] == [("stop", "8"), ("show", "8")]


def test_a_stop_while_the_launch_is_refused_goes_to_what_still_runs(tmp_path: Path, commands: Commands) -> None:
    commands.history = {8: execution(8, "STARTED")}
    commands.ends_when_asked = RUNNING
    with pytest.raises(StepStoppedError, match="execution 8 of job 'child' was stopped too"):
        go(tmp_path, {"launch": {"before": 7}}, should_stop=lambda: True)


def test_a_stop_before_the_job_has_an_execution_ends_there(tmp_path: Path, commands: Commands) -> None:
    commands.ends_when_asked = program.Ended(-15)
    with pytest.raises(StepStoppedError, match="was not launched because of the stop"):
        go(tmp_path, {"launch": {"before": 7}}, should_stop=lambda: True)


def test_what_ended_just_after_the_launch_was_refused_is_taken(tmp_path: Path, commands: Commands) -> None:
    commands.history = {8: execution(8)}
    commands.launches = [RUNNING, execution(8)]
    assert go(tmp_path, {"launch": {"before": 7}})[1].context["execution_id"] == 8
