"""The Python API on a real repository: many runs of one process at once, and runs in processes of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

import batchrun
from batchrun import BatchStatus
from batchrun.errors import DefinitionError, ExecutionRunningError, StillRunningError
from tests.support.project import Project

JOB = """\
name: wait
parameters:
  number: {type: integer, required: true}
  token: {type: secret}
steps:
  - name: first
    tasklet: {type: shell, command: "touch started.${params.number}; until test -e go; do sleep 0.02; done"}
  - {name: last, tasklet: {type: shell, command: "echo last"}}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BATCHRUN_REPOSITORY", raising=False)
    project = Project.make(tmp_path)
    project.write("jobs.d/wait.yaml", JOB)
    return project


def test_many_runs_at_once_keep_their_logs_and_stops_apart(project: Project) -> None:
    runs = [batchrun.start("wait", number=number) for number in range(8)]
    runs[3].stop()
    assert runs[3].wait(20).status is BatchStatus.STOPPED
    assert {run.status for run in runs if run is not runs[3]} == {BatchStatus.STARTED}
    project.write("go", "")
    ended = [run.wait(20) for run in runs]
    assert [each.id for each in ended if each.completed] == [run.id for run in runs if run is not runs[3]]
    for run in runs:
        log = project.batchrun("logs", str(run.id)).out
        assert f"execution {run.id} of wait" in log
        assert log.count("execution ") == 1


def test_a_run_in_a_process_of_its_own_is_followed_and_stopped(project: Project) -> None:
    run = batchrun.start("wait", number=1, token="hunter2", process=True)
    with pytest.raises(StillRunningError):
        run.wait(0)
    with pytest.raises(ExecutionRunningError) as refused:
        batchrun.start("wait", number=1, process=True)
    assert refused.value.execution_id == run.id
    run.stop()
    stopped = run.wait(20)
    assert (stopped.status, stopped.owner.pid != 0, stopped.parameters["token"]) == (BatchStatus.STOPPED, True, "***")
    run.stop()
    project.write("go", "")
    assert batchrun.restart(run.id, token="hunter2").completed


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"number": "x"}, "wait.yaml: parameter 'number': expected an integer, got 'x'"),
        ({"numbr": 1}, r"wait.yaml: unknown parameter 'numbr' \(did you mean 'number'\?\)"),
    ],
)
def test_mistakes_are_told_by_a_process_of_its_own_as_in_a_thread(
    project: Project, values: dict[str, object], told: str
) -> None:
    with pytest.raises(DefinitionError, match=told):
        batchrun.start("wait", parameters=values, process=True)


def test_the_command_line_says_how_to_go_on_with_a_job_built_in_code(project: Project) -> None:
    def fail() -> None:
        raise ValueError("not today")

    batchrun.launch(batchrun.Job("made", steps=[batchrun.Step("only", tasklet=fail)]))
    ended = project.batchrun("restart", "1", expect=3)
    assert ended.errors == ["error: execution 1 is of job 'made', which was built in code: no file says what it does"]
    assert "batchrun.restart(1, job=…)" in ended.err
    assert "not today" in project.batchrun("show", "1").out
    assert "not today" in project.batchrun("logs", "1").out
