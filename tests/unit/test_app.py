"""The composition root: which project, which repository, which job file."""

from __future__ import annotations

import signal
from datetime import date
from pathlib import Path

import pytest

from batchrun.app import Application
from batchrun.definition import BuiltJob
from batchrun.domain.execution import JobExecution, JobInstance, Owner
from batchrun.domain.parameters import JobParameters
from batchrun.domain.status import BatchStatus, ExitStatus
from batchrun.engine import StopSignal
from batchrun.errors import DefinitionError, JobInCodeError, UsageError
from batchrun.operations.project import find_job, project_of
from batchrun.spi.listener import Listener
from batchrun.testing.memory_repository import MemoryJobRepository

JOB = """\
name: hello
parameters:
  day: {type: date}
  size: {type: integer, default: 5, identifying: false}
exit_codes: {NOTHING TO DO: 11}
steps:
  - name: greet
    tasklet: {type: shell, command: "echo ${params.day} ${params.size} >> greetings"}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BATCHRUN_REPOSITORY", raising=False)
    return tmp_path


def test_the_project_is_the_nearest_folder_with_settings(folder: Path) -> None:
    (folder / "a" / "b").mkdir(parents=True)
    assert project_of(folder / "a" / "b") == folder, "without any, the current directory"
    (folder / "a" / "batchrun.toml").touch()
    assert project_of(folder / "a" / "b") == folder / "a"


def test_the_repository_is_given_or_from_the_environment_or_settings_or_beside(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Application.open().repository_url == f"sqlite:///{folder}/.batchrun/repository.db"
    (folder / "batchrun.toml").write_text('repository = "sqlite:///settings.db"')
    assert Application.open().repository_url == f"sqlite:///{folder}/settings.db"
    monkeypatch.setenv("BATCHRUN_REPOSITORY", "sqlite:////else/environment.db")
    assert Application.open().repository_url == "sqlite:////else/environment.db"
    assert Application.open(repository="postgresql://h/r").repository_url == "postgresql://h/r"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("repository = ", "cannot be read"),
        ("repositry = 'x'", "unknown setting 'repositry'"),
        ("repository = 5", "a text"),
    ],
)
def test_settings_that_cannot_be_are_told(folder: Path, text: str, message: str) -> None:
    (folder / "batchrun.toml").write_text(text)
    with pytest.raises(UsageError, match=message):
        _ = Application.open().repository_url


class TestFindJob:
    def test_a_path_is_taken_as_it_is(self, folder: Path) -> None:
        assert find_job("x/job.yaml", folder / "jobs.d") == folder / "x" / "job.yaml"
        (folder / "job").touch()
        assert find_job("job", folder / "jobs.d") == folder / "job"

    def test_a_name_is_a_files_or_what_the_file_says(self, folder: Path) -> None:
        jobs = folder / "jobs.d"
        jobs.mkdir()
        (jobs / "load.yaml").write_text("name: other")
        (jobs / "b.yml").write_text("# a job\nname: 'load-trades'  # its name\n")
        (folder / "load").mkdir()
        assert find_job("load", jobs) == jobs / "load.yaml"
        assert find_job("load-trades", jobs) == jobs / "b.yml"

    def test_what_is_not_there_gets_a_hint(self, folder: Path) -> None:
        jobs = folder / "jobs.d"
        with pytest.raises(DefinitionError) as refused:
            find_job("load", jobs)
        assert refused.value.problems[0].hint == "give the path of a job file"
        jobs.mkdir()
        (jobs / "load_trades.yaml").touch()
        with pytest.raises(DefinitionError) as refused:
            find_job("load_trade", jobs)
        assert refused.value.problems[0].hint == "did you mean 'load_trades'?"

    def test_a_name_must_be_unique(self, folder: Path) -> None:
        (folder / "a.yaml").write_text("name: load")
        (folder / "b.yaml").write_text("name: load")
        with pytest.raises(DefinitionError) as refused:
            find_job("load", folder)
        assert refused.value.problems[0].message == "several jobs are called 'load': a.yaml, b.yaml"


def write_job(folder: Path, text: str = JOB) -> str:
    (folder / "job.yaml").write_text(text)
    return "job.yaml"


def test_a_launch_runs_the_job_in_its_project(folder: Path) -> None:
    with Application.open() as application:
        job = application.load_job(write_job(folder))
        execution = application.launch(job, {"day": "2024-02-29"})
        assert execution.status is BatchStatus.COMPLETED
        assert (folder / "greetings").read_text() == "2024-02-29 5\n"
        assert [each.id for each in application.explorer.history()] == [execution.id]
        assert application.explorer.execution(execution.id).parameters["size"] == 5


def test_a_restart_takes_the_parameters_and_overrides_of_the_failed_run(folder: Path) -> None:
    with Application.open() as application:
        job = application.load_job(write_job(folder, JOB.replace("echo", "nosuchcommand")))
        failed = application.launch(job, {"day": "2024-02-29", "size": "7"})
        assert failed.status is BatchStatus.FAILED
        write_job(folder)
        with pytest.raises(UsageError, match="cannot change the identifying parameter 'day'"):
            application.restart(failed.id, {"day": "2024-03-01"})
        assert application.restart(failed.id, {"size": "8"}).status is BatchStatus.COMPLETED
        assert (folder / "greetings").read_text() == "2024-02-29 8\n"


def test_the_next_run_is_numbered_and_its_number_known_to_the_steps(folder: Path) -> None:
    text = JOB.replace("${params.day}", "${params.run.id}").replace(
        "parameters:\n", "parameters:\n  run.id: {type: integer}\n"
    )
    with Application.open() as application:
        job = application.load_job(write_job(folder, text))
        for run_id in (1, 2, 3):
            execution = application.launch(job, {"day": "2024-02-29"}, next_run=True)
            assert execution.parameters.run_id == run_id
        with pytest.raises(UsageError, match=r"run\.id is given, and the next one is asked for"):
            application.launch(job, {"run.id": "9"}, next_run=True)
    assert (folder / "greetings").read_text() == "1 5\n2 5\n3 5\n"


def test_a_secret_reaches_the_step_and_nothing_else(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    text = JOB.replace("size: {type: integer, default: 5, identifying: false}", "size: {type: secret}")
    with Application.open() as application:
        job = application.load_job(write_job(folder, text))
        caplog.set_level("DEBUG", "batchrun")
        done = application.launch(job, {"day": "2024-02-29", "size": "hunter2"})
        assert (folder / "greetings").read_text() == "2024-02-29 hunter2\n"
        write_job(folder, text.replace(">> greetings", ">&2; exit 3"))
        failed = application.launch(application.load_job("job.yaml"), {"day": "2024-02-28", "size": "hunter2"})
        for execution in (done, failed, *application.repository.find_executions()):
            assert execution.parameters["size"] == "***"
        assert "2024-02-28 ***" in failed.exit_status.description
        with pytest.raises(DefinitionError, match="'size' is a secret, which is not kept, so a restart needs it again"):
            application.restart(failed.id, {})
        assert application.restart(failed.id, {"size": "other"}).status is BatchStatus.FAILED
    assert "2024-02-28 ***" in caplog.text
    assert "hunter2" not in caplog.text
    assert not [file for file in (folder / ".batchrun").rglob("*.*") if b"hunter2" in file.read_bytes()]


def test_what_is_wrong_at_launch_is_told_before_anything_is_written(folder: Path) -> None:
    text = JOB.replace("${params.day}", "${env.NO_SUCH_VARIABLE}")
    with Application.open() as application:
        job = application.load_job(write_job(folder, text))
        with pytest.raises(DefinitionError) as refused:
            application.launch(job, {"day": "2024-02-29"})
        [problem] = refused.value.problems
        assert (problem.line, "NO_SUCH_VARIABLE" in problem.message) == (8, True)
        assert list(application.explorer.history()) == []


def test_what_is_wrong_when_a_step_starts_is_told_in_its_history(folder: Path) -> None:
    text = """\
name: late
steps:
  - {name: first, tasklet: {type: shell, command: "true"}}
  - name: second
    tasklet: {type: sql, statement: SELECT 1, database: "${steps.first.status}"}
"""
    with Application.open() as application:
        execution = application.launch(application.load_job(write_job(folder, text)), {})
    description = execution.steps[1].exit_status.description
    assert description == "late: there is no database 'COMPLETED' (the job's databases: none)"


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (BatchStatus.COMPLETED, "COMPLETED", 0),
        (BatchStatus.COMPLETED, "COMPLETED WITH SKIPS", 0),
        (BatchStatus.COMPLETED, "NOTHING TO DO", 11),
        (BatchStatus.FAILED, "FAILED", 1),
        (BatchStatus.FAILED, "BAD INPUT", 1),
        (BatchStatus.STOPPED, "STOPPED", 4),
    ],
)
def test_the_exit_code_of_the_process(folder: Path, status: BatchStatus, code: str, expected: int) -> None:
    application = Application.open()
    job = application.load_job(write_job(folder))
    instance = JobInstance(1, "hello", "")
    owner = Owner("h", 1, "b")
    from datetime import UTC, datetime

    now = datetime.now(UTC)
    execution = JobExecution(1, instance, JobParameters(), owner, 1, now, status, ExitStatus(code), job_text=job.text)
    assert application.exit_code(execution) == expected


def test_a_job_built_in_code_is_launched_and_restarted_where_it_is_built(folder: Path) -> None:
    runs = BuiltJob("hello", JOB, folder)
    with Application.open(project=folder) as application:
        failing = BuiltJob("hello", JOB.replace("echo", "nosuchcommand"), folder)
        failed = application.launch(application.load_built(failing), {"day": date(2024, 2, 29)})
        assert (failed.status, failed.job_file) == (BatchStatus.FAILED, "")
        with pytest.raises(JobInCodeError) as refused:
            application.restart(failed.id, {})
        assert str(refused.value) == (
            "execution 1 is of job 'hello', which was built in code: no file says what it does"
        )
        assert refused.value.hint == "continue it where it is built: batchrun.restart(1, job=…)"
        assert application.restart(failed.id, {}, job=runs).status is BatchStatus.COMPLETED


def test_a_given_repository_is_used_and_left_open(folder: Path) -> None:
    repository = MemoryJobRepository()
    with Application.open(repository=repository, project=folder / "elsewhere") as application:
        job = application.load_job(write_job(folder, JOB.replace(">> greetings", "> /dev/null")))
        application.launch(job, {"day": "2024-02-29"})
        assert application.project == folder / "elsewhere"
        assert application.log_file(application.explorer.last()).is_relative_to(folder / "elsewhere")
    assert [each.status for each in repository.find_executions()] == [BatchStatus.COMPLETED]


def test_a_run_with_a_stop_of_its_own_leaves_signals_alone(folder: Path) -> None:
    handlers = []

    class Watching(Listener):
        def before_job(self, execution: JobExecution) -> None:
            handlers.append(signal.getsignal(signal.SIGINT))
            stop.request()

    stop = StopSignal()
    before = signal.getsignal(signal.SIGINT)
    with Application.open() as application:
        job = application.load_job(write_job(folder))
        stopped = application.launch(job, {"day": "2024-02-29"}, listeners=[Watching()], stop=stop)
    assert (handlers, stopped.status) == ([before], BatchStatus.STOPPED)
