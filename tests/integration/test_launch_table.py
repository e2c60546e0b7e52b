"""The launch table of SEMANTICS section 1, every cell, through the command line, on both repositories."""

from __future__ import annotations

import subprocess
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from batchrun.cli.program import run
from batchrun.domain.execution import JobExecution, Owner
from batchrun.domain.parameters import JobParameter, JobParameters, ParameterType
from batchrun.domain.status import BatchStatus, ExitStatus
from batchrun.engine import current_owner
from batchrun.repository import open_repository, statements
from batchrun.repository.database import Database
from batchrun.repository.schema import EXPECTED_VERSION
from batchrun.spi.repository import LaunchRequest

JOB = """\
name: hello
parameters: {day: {type: integer, required: true}}
steps:
  - name: greet
    tasklet: {type: shell, command: "true"}
"""
ELSEWHERE = Owner("elsewhere", 4711, "boot")
COMMANDS = {
    "launch": ("launch", "hello.yaml", "day=1"),
    "skip": ("launch", "hello.yaml", "day=1", "--if-complete", "skip"),
    "restart": ("restart", "1"),
    "abandon": ("abandon", "1"),
    "recover": ("recover", "1"),
    "force": ("recover", "1", "--force"),
    "stop": ("stop", "1"),
}
C, F, A = "COMPLETED", "FAILED", "ABANDONED"
RUNNING = ["STARTING", "STARTED", "STOPPING"]

# state → command → (exit code, statuses of all executions afterwards, oldest first)
Cells = dict[str, tuple[int, list[str]]]
TABLE: dict[str, Cells] = {
    "none": {
        "launch": (0, [C]),
        "skip": (0, [C]),
        "restart": (2, []),
        "abandon": (2, []),
        "recover": (2, []),
        "force": (2, []),
        "stop": (2, []),
    },
    "COMPLETED": {
        "launch": (3, [C]),
        "skip": (0, [C]),
        "restart": (3, [C]),
        "abandon": (3, [C]),
        "recover": (0, [C]),
        "force": (0, [C]),
        "stop": (3, [C]),
    },
    **{
        f"{status} alive": {
            "launch": (3, [status]),
            "skip": (3, [status]),
            "restart": (3, [status]),
            "abandon": (3, [status]),
            "recover": (3, [status]),
            "force": (0, [F]),
            "stop": (0, ["STOPPING"]),
        }
        for status in RUNNING
    },
    **{
        f"{status} dead by {sign}": {
            "launch": (0, [F, C]),
            "skip": (0, [F, C]),
            "restart": (0, [F, C]),
            "abandon": (0, [A]),
            "recover": (0, [F]),
            "force": (0, [F]),
            "stop": (3, [status]),
        }
        for status, sign in [(each, "lease") for each in RUNNING] + [("STARTED", "pid")]
    },
    **{
        status: {
            "launch": (0, [status, C]),
            "skip": (0, [status, C]),
            "restart": (0, [status, C]),
            "abandon": (0, [A]),
            "recover": (0, [status]),
            "force": (0, [status]),
            "stop": (3, [status]),
        }
        for status in ("FAILED", "STOPPED")
    },
    "ABANDONED": {
        "launch": (3, [A]),
        "skip": (3, [A]),
        "restart": (3, [A]),
        "abandon": (0, [A]),
        "recover": (0, [A]),
        "force": (0, [A]),
        "stop": (3, [A]),
    },
}
CELLS = [(state, command) for state, cells in TABLE.items() for command in cells]


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/repository.db"
    found: str = request.getfixturevalue("fresh_postgres_schema")
    return found


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "hello.yaml").write_text(JOB)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def make(url: str, folder: Path, state: str) -> None:
    """Puts one execution into the state."""
    if state == "none":
        return
    parameters = JobParameters([JobParameter("day", 1, ParameterType.INTEGER)])
    owner = dead_owner() if state.endswith("by pid") else ELSEWHERE
    lease = timedelta(seconds=-1 if state.endswith("by lease") else 600)
    request = LaunchRequest(
        "hello", parameters, owner, lease, never_gone, job_file=str(folder / "hello.yaml"), job_text=JOB
    )
    with closing(open_repository(url)) as repository:
        execution = repository.begin(request)
        status = BatchStatus[state.split()[0]]
        if status is BatchStatus.STOPPING:
            request_stop(url, execution)
            status = BatchStatus.STARTED
        execution.status = status
        execution.exit_status = ExitStatus(status.name)
        if not status.is_running:
            execution.started_at = execution.ended_at = datetime.now(UTC)
        repository.save_job(execution)


def never_gone(_owner: Owner) -> bool:
    return False


def dead_owner() -> Owner:
    """Returns the owner that a process of this host was, which has ended."""
    process = subprocess.Popen(["true"])
    process.wait()
    return replace(current_owner(), pid=process.pid)


def request_stop(url: str, execution: JobExecution) -> None:
    """Notes the request as `stop` does, also for one that is dead by now."""
    with closing(Database(url)) as database, database.writing() as connection:
        values = {"b_execution_id": execution.id, "stop_requested_at": datetime.now(UTC)}
        connection.execute(statements.request_stop, values)


def executions(url: str) -> list[JobExecution]:
    with closing(open_repository(url)) as repository:
        return repository.find_executions()[::-1]


@pytest.mark.parametrize(("state", "command"), CELLS, ids=[f"{state}-{command}" for state, command in CELLS])
def test_every_cell(url: str, folder: Path, state: str, command: str, capsys: pytest.CaptureFixture[str]) -> None:
    make(url, folder, state)
    code, statuses = TABLE[state][command]
    assert run(["--repository", url, *COMMANDS[command]]) == code
    assert [each.status.name for each in executions(url)] == statuses
    said = capsys.readouterr()
    assert ("error: " in said.err) == (code in (2, 3))
    assert "Traceback" not in said.err + said.out
    if state.endswith("alive") and code == 3:
        assert "execution 1" in said.err
        assert "host elsewhere, pid 4711" in said.err
    if (state, command) == ("COMPLETED", "skip"):
        assert "has completed with these parameters: execution 1" in said.out


def test_a_restart_without_an_id_takes_the_last_restartable_execution_and_says_which(
    url: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make(url, folder, "STOPPED")
    assert run(["--repository", url, "launch", "hello.yaml", "day=2"]) == 0
    assert run(["--repository", url, "restart"]) == 0
    assert "restarting execution 1, the last one that can be" in capsys.readouterr().err
    assert [each.status.name for each in executions(url)] == ["STOPPED", "COMPLETED", "COMPLETED"]
    assert run(["--repository", url, "restart"]) == 2
    assert "error: there is no execution that can be restarted\n" in capsys.readouterr().err


def test_the_database_tells_its_version(url: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--repository", url, "db", "status"]) == 0
    assert "there are no tables yet" in capsys.readouterr().out
    assert run(["--repository", url, "db", "upgrade"]) == 0
    assert "as this batchrun needs it" in capsys.readouterr().out
    assert run(["--repository", url, "db", "status", "--output", "json"]) == 0
    assert f'"version": "{EXPECTED_VERSION}"' in capsys.readouterr().out
