"""Detached runs as processes: what outlives what, how they are waited for, stopped and found dead, and their logs."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from batchrun.app import Application
from batchrun.domain.execution import JobExecution
from tests.support.project import SCRIPTS, Project, environment

PARTS = """
import os, sys, time
from pathlib import Path

def wait_for_go():
    print("waiting for go, said with s3cret")
    os.write(2, b"said past Python\\n")
    print("on stderr", file=sys.stderr)
    while not Path("go").exists():
        time.sleep(0.02)
    if Path("fail").exists():
        raise ValueError("told to fail")
"""
JOB = """
name: gate
parameters:
  run: {type: integer, default: 1}
exit_codes: {FAILED: 12}
steps:
  - name: first
    tasklet: {type: shell, command: "echo first of ${params.run} ${secrets.KEY}"}
  - name: wait
    tasklet: {type: python, call: "parts:wait_for_go"}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    project = Project.make(tmp_path / "project")
    project.write("jobs.d/parts.py", PARTS)
    project.write("jobs.d/gate.yaml", JOB)
    monkeypatch.setenv("KEY", "s3cret")
    yield project
    for execution in executions(project):
        if execution.status.is_running:
            with suppress(ProcessLookupError):
                os.kill(execution.owner.pid, signal.SIGKILL)


def executions(project: Project) -> list[JobExecution]:
    with Application.open(
        directory=project.folder, repository=f"sqlite:///{project.folder}/.batchrun/repository.db"
    ) as opened:
        return list(opened.explorer.history())


def execution(project: Project) -> JobExecution:
    [only] = executions(project)
    return only


def until(condition: Callable[[], bool]) -> None:
    """Waits for what another process does."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def log(project: Project, execution_id: int = 1) -> str:
    found = list((project.folder / ".batchrun" / "logs").glob(f"*/{execution_id}.log"))
    return found[0].read_text() if found else ""


def detached(project: Project, *arguments: str) -> int:
    """Launches the job detached, and returns the id when it waits at its gate."""
    ended = project.batchrun("launch", "gate", "--detach", *arguments)
    assert re.fullmatch(r"\d+\n", ended.out), ended
    assert ended.err == ""
    until(lambda: "waiting for go" in log(project, int(ended.out)))
    return int(ended.out)


def started(project: Project, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [str(SCRIPTS / "batchrun"), *arguments],
        cwd=project.folder,
        env=environment({}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_detached_run_is_the_owner_in_a_session_of_its_own_and_writes_to_its_log(project: Project) -> None:
    assert detached(project) == 1
    owner = execution(project).owner
    stat = Path(f"/proc/{owner.pid}/stat").read_text().rpartition(")")[2].split()
    assert os.getsid(owner.pid) == owner.pid
    assert stat[4] == "0", "it has no controlling terminal"
    opened = [os.readlink(f"/proc/{owner.pid}/fd/{number}") for number in range(3)]
    [written] = (project.folder / ".batchrun" / "logs").glob("*/1.log")
    assert opened == ["/dev/null", str(written), str(written)]
    (project.folder / "go").touch()
    waited = project.execution("wait", "1")
    assert (waited["status"], waited["steps"][1]["status"]) == ("COMPLETED", "COMPLETED")
    said = log(project)
    for line in ("first first of 1 ***", "wait waiting for go, said with ***", "wait on stderr", "- ended COMPLETED"):
        assert f"INFO    {line}\n" in said
    assert "\nsaid past Python\n" in said
    assert "s3cret" not in said


WRONG = [
    (["launch", "gate", "rum=2"], 5),
    (["launch", "gate", "rum=2", "--output", "json"], 5),
    (["launch", "gate"], 3),
    (["restart", "7"], 2),
    (["--repository", "postgresql://nobody@127.0.0.1:1/none", "launch", "gate"], 6),
]


def test_what_is_wrong_before_the_execution_begins_is_told_as_without_detach(project: Project) -> None:
    project.write("go", "")
    project.batchrun("launch", "gate")
    for arguments, code in WRONG:
        plain = project.batchrun(*arguments, expect=code)
        detached = project.batchrun(*arguments, "--detach", expect=code)
        assert (detached.out, detached.err) == (plain.out, plain.err)
    assert len(executions(project)) == 1


def test_work_that_is_done_gives_the_id_of_the_execution_that_did_it(project: Project) -> None:
    project.write("go", "")
    project.batchrun("launch", "gate")
    assert project.batchrun("launch", "gate", "--detach", "--if-complete", "skip").out == "1\n"


def test_parameters_can_be_piped_into_a_detached_launch(project: Project) -> None:
    project.write("go", "")
    assert project.run("echo run=5 | batchrun launch gate --detach --params -").out == "1\n"
    assert project.execution("wait", "1")["parameters"] == {"run": 5}


def test_a_run_outlives_the_terminal_of_its_launcher(project: Project) -> None:
    master, slave = pty.openpty()
    launcher = subprocess.Popen(
        [str(SCRIPTS / "batchrun"), "launch", "gate", "--detach"],
        cwd=project.folder,
        env=environment({}),
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
    )
    os.close(slave)
    assert launcher.wait(60) == 0
    os.close(master)
    until(lambda: "waiting for go" in log(project))
    project.write("go", "")
    assert project.batchrun("wait", "1").out.startswith("✓ gate COMPLETED")


def test_a_launcher_that_is_killed_leaves_the_run_as_it_is(project: Project) -> None:
    launcher = started(project, "launch", "gate", "--detach")
    until(lambda: (project.folder / ".batchrun" / "repository.db").exists())
    launcher.kill()
    launcher.communicate()
    until(lambda: "waiting for go" in log(project))
    project.write("go", "")
    assert project.batchrun("wait", "1").out.startswith("✓ gate COMPLETED")


def test_wait_exits_as_the_run_does_with_the_numbers_of_the_job(project: Project) -> None:
    detached(project)
    detached(project, "run=2")
    project.write("fail", "")
    project.write("go", "")
    ended = project.batchrun("wait", "1", expect=12)
    assert "✗ gate FAILED" in ended.out
    assert ended.out.endswith("to continue: batchrun restart 1\n")
    assert "error: step wait failed: ValueError: told to fail" in ended.err
    (project.folder / "fail").unlink()
    assert project.batchrun("restart", "1", "--detach").out == "3\n"
    both = project.batchrun("wait", "3", "2", expect=12)
    assert [both.out.count(status) for status in ("gate COMPLETED", "gate FAILED")] == [1, 1]


def test_waiting_ends_with_its_time_or_by_ctrl_c_and_the_run_goes_on(project: Project) -> None:
    detached(project)
    over = project.batchrun("wait", "1", "--timeout", "100ms", expect=124)
    assert "error: the time is over, and execution 1 of job 'gate' goes on" in over.err
    waiter = started(project, "wait", "1")
    assert waiter.stderr is not None
    assert "gate: execution 1" in waiter.stderr.readline()
    waiter.send_signal(signal.SIGINT)
    _, said = waiter.communicate(timeout=60)
    assert (waiter.returncode, "no longer waiting; execution 1 goes on by itself" in said) == (130, True)
    assert execution(project).status.is_running


def test_a_detached_run_is_stopped_and_goes_on_by_a_restart(project: Project) -> None:
    detached(project)
    assert project.batchrun("abandon", "1", expect=3).err.startswith("error: execution 1 of job 'gate' is running")
    assert project.batchrun("recover", "1", expect=3).out == ""
    assert project.batchrun("stop", "1", "--wait").out == "execution 1 of gate is STOPPED\n"
    assert project.batchrun("wait", "1", expect=4).out.startswith("■ gate STOPPED")
    project.write("go", "")
    assert project.batchrun("restart", "1", "--detach").out == "2\n"
    assert project.batchrun("wait", "2").out.startswith("✓ gate COMPLETED")


def test_a_killed_run_ends_the_waiting_as_failed_changes_nothing_and_is_restarted(project: Project) -> None:
    detached(project)
    os.kill(execution(project).owner.pid, signal.SIGKILL)
    before = execution(project)
    dead = project.batchrun("wait", "1", expect=12)
    assert re.search(r"error: step wait failed: its process \(host \S+, pid \d+\) was found dead", dead.err)
    assert dead.out.endswith("to continue: batchrun restart 1\n")
    assert execution(project) == before
    followed = project.batchrun("logs", "1", "--follow")
    assert followed.err == "execution 1 of gate is FAILED\n"
    project.write("go", "")
    assert project.batchrun("restart", "1", "--detach").out == "2\n"
    assert project.batchrun("wait", "2").out.startswith("✓ gate COMPLETED")
    assert [each.status.name for each in executions(project)] == ["COMPLETED", "FAILED"]


def test_logs_follow_a_run_of_another_process_to_its_end(project: Project) -> None:
    detached(project)
    follower = started(project, "logs", "-f", "--step", "wait")
    assert follower.stdout is not None
    lines = [follower.stdout.readline()]
    assert lines[0].endswith("INFO    wait started\n")
    project.write("go", "")
    out, err = follower.communicate(timeout=60)
    assert (follower.returncode, err) == (
        0,
        "log of execution 1, the last one\nexecution 1 of gate is COMPLETED\n",
    )
    assert out.endswith("INFO    wait COMPLETED, 1 commit\n")
    assert "first of" not in out
    last = project.batchrun("logs", "1", "--tail", "2").out.splitlines()
    assert [line.split(" ", 1)[1] for line in last] == ["INFO    wait COMPLETED, 1 commit", "INFO    - ended COMPLETED"]
    assert project.batchrun("logs", "1", "--level", "warning").out == ""


def test_a_log_that_is_gone_is_told(project: Project) -> None:
    assert "there are no executions in this repository yet" in project.batchrun("logs", expect=2).err
    project.write("go", "")
    project.batchrun("launch", "gate")
    [written] = (project.folder / ".batchrun" / "logs").glob("*/1.log")
    written.unlink()
    assert f"there is no {written}: it has been removed" in project.batchrun("logs", "1", expect=2).err


SECRET_JOB = """
name: quiet
parameters: {key: {type: secret, required: true}, run: {type: integer, required: true}}
steps:
  - name: look
    tasklet: {type: shell, command: "cat /proc/*/cmdline | tr '\\\\0' ' ' > seen; [ ${params.key} = t0ld ]"}
"""


def test_a_secret_given_as_an_argument_is_in_no_list_of_processes(project: Project) -> None:
    project.write("jobs.d/quiet.yaml", SECRET_JOB)
    project.write("jobs.d/parts.py", PARTS)
    project.batchrun("launch", "quiet", "run=7", "key=t0ld", "--detach")
    assert project.execution("wait", "1")["status"] == "COMPLETED"
    assert "-m batchrun launch quiet run=*** key=*** --detach" in (project.folder / "seen").read_text()


def test_parameters_on_stdin_reach_the_detached_run(project: Project) -> None:
    project.write("jobs.d/quiet.yaml", SECRET_JOB)
    project.run("echo '{key: t0ld, run: 3}' | batchrun launch quiet --params - --detach")
    ended = project.execution("wait", "1")
    assert (ended["status"], ended["parameters"]["run"]) == ("COMPLETED", 3)
