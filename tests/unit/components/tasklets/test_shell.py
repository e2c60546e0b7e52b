"""The tasklet `shell`."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from batchrun.domain.status import ExitStatus
from batchrun.errors import StepStoppedError, TaskletError
from tests.unit.components.tasklets.bench import make, problems, run


def is_running(pid: int) -> bool:
    """Tells whether the process lives; a zombie, which waits for whoever adopted it, does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"


def test_a_list_is_run_without_a_shell(tmp_path: Path) -> None:
    run(make(tmp_path, "shell", command=["touch", "a b;c"]))
    assert (tmp_path / "a b;c").exists()


def test_a_line_is_run_by_the_shell(tmp_path: Path) -> None:
    run(make(tmp_path, "shell", command="echo $GREETING > out && pwd >> out", environment={"GREETING": "hello"}))
    assert (tmp_path / "out").read_text().split() == ["hello", str(tmp_path)]


def test_it_runs_in_its_working_directory(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    run(make(tmp_path, "shell", command=["touch", "here"], working_directory="sub"))
    assert (tmp_path / "sub" / "here").exists()


def test_what_it_prints_goes_to_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", "batchrun"):
        run(make(tmp_path, "shell", command="echo one; echo two >&2"))
    assert [record.message for record in caplog.records] == ["one", "two"]


def test_an_exit_code_fails_with_the_last_lines(tmp_path: Path) -> None:
    with pytest.raises(TaskletError, match=r"ended with exit code 3; no disk$"):
        run(make(tmp_path, "shell", command="echo no disk; exit 3"))


def test_a_command_killed_by_a_signal_says_which(tmp_path: Path) -> None:
    with pytest.raises(TaskletError, match="ended with signal SIGKILL"):
        run(make(tmp_path, "shell", command="kill -9 $$"))


def test_a_command_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(TaskletError, match="cannot be started: No such file or directory: nosuch"):
        run(make(tmp_path, "shell", command=["nosuch"]))


@pytest.mark.parametrize(
    ("timeout", "stopped", "error"), [("200ms", False, TaskletError), (None, True, StepStoppedError)]
)
def test_nothing_is_left_running(tmp_path: Path, timeout: str | None, stopped: bool, error: type[Exception]) -> None:
    tasklet = make(
        tmp_path,
        "shell",
        should_stop=lambda: stopped,
        timeout=timeout,
        command="sleep 60 & echo $! > pid; echo x >> pid; wait",
    )
    begun = time.monotonic()
    with pytest.raises(error):
        run(tasklet)
    assert time.monotonic() - begun < 30
    pid = int((tmp_path / "pid").read_text().split()[0])
    assert not is_running(pid)


def test_an_empty_command_is_refused() -> None:
    assert problems("shell", command=[]) == ["the command is empty"]


def test_its_environment_may_begin_with_nothing_but_path_and_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BATCHRUN_TOKEN", "secret")
    names = "env | grep -v -e ^PWD= -e ^OLDPWD= -e ^SHLVL= -e ^_= | cut -d= -f1 | sort > names"
    run(make(tmp_path, "shell", command=names, clear_environment=True, environment={"GREETING": "hello"}))
    assert (tmp_path / "names").read_text().split() == ["GREETING", "HOME", "PATH"]


def test_it_gets_a_text_on_its_standard_input(tmp_path: Path) -> None:
    run(make(tmp_path, "shell", command="cat > got", stdin="größer\nor not"))
    assert (tmp_path / "got").read_text(encoding="utf-8") == "größer\nor not"


def test_one_that_does_not_read_its_input_is_not_disturbed(tmp_path: Path) -> None:
    run(make(tmp_path, "shell", command=["true"], stdin="x" * 1_000_000))


def test_a_missing_working_directory_is_told(tmp_path: Path) -> None:
    with pytest.raises(TaskletError, match=rf"cannot be started: there is no folder {tmp_path}/nowhere"):
        run(make(tmp_path, "shell", command=["true"], working_directory="nowhere"))


def test_an_argument_that_no_system_takes_is_told(tmp_path: Path) -> None:
    with pytest.raises(TaskletError, match="cannot be started: embedded null byte"):
        run(make(tmp_path, "shell", command=["echo", "a\0b"]))


def test_the_last_line_of_its_output_goes_into_the_context(tmp_path: Path) -> None:
    command = "echo one; echo two; echo; echo three >&2"
    _, contribution = run(make(tmp_path, "shell", command=command, output="count"))
    assert contribution.context == {"count": "two"}


def test_an_exit_code_may_be_an_outcome(tmp_path: Path) -> None:
    meanings = {"0": "COMPLETED", "3": "NOTHING TO DO", "4": "FAILED"}
    _, contribution = run(make(tmp_path, "shell", command="exit 3", exit_codes=meanings))
    assert contribution.exit_status == ExitStatus("NOTHING TO DO", "exit code 3")
    _, contribution = run(make(tmp_path, "shell", command="exit 0", exit_codes=meanings))
    assert contribution.exit_status is None
    for code in (4, 5):
        with pytest.raises(TaskletError, match=f"exit code {code}"):
            run(make(tmp_path, "shell", command=f"exit {code}", exit_codes=meanings))


def test_success_may_mean_failure(tmp_path: Path) -> None:
    with pytest.raises(TaskletError, match="ended with exit code 0; found"):
        run(make(tmp_path, "shell", command="echo found", exit_codes={"0": "FAILED", "1": "COMPLETED"}))


@pytest.mark.parametrize("code", ["STOPPED", "FAILED BADLY", " "])
def test_an_exit_code_that_is_no_outcome_is_refused(code: str) -> None:
    assert problems("shell", command="true", exit_codes={"3": code}) == [
        f"a completed step cannot have the exit code {code!r}"
    ]


def test_an_exit_code_is_a_number_of_one_byte() -> None:
    assert problems("shell", command="true", exit_codes={"256": "A", "two": "B", "2": "C"}) == [
        "'256' is no exit code",
        "'two' is no exit code",
    ]
