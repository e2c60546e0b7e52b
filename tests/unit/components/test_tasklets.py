"""The tasklets `shell` and `python`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from batchrun.domain.status import ExitStatus
from batchrun.errors import StepStoppedError, TaskletError
from batchrun.registry import Registry
from batchrun.spi.tasklet import RepeatStatus, StepContribution, Tasklet
from batchrun.testing.scope import scope_in


def make(folder: Path, type: str, *, stopped: bool = False, **options: Any) -> Tasklet:
    registry = Registry(folder)
    parsed = registry.spec("tasklet", type).parse(options)
    assert parsed.check() == []
    tasklet: Tasklet = registry.component("tasklet", type)(parsed, scope_in(folder, should_stop=lambda: stopped))
    return tasklet


def is_running(pid: int) -> bool:
    """Tells whether the process lives; a zombie, which waits for whoever adopted it, does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"


def run(tasklet: Tasklet) -> tuple[RepeatStatus | None, StepContribution]:
    contribution = StepContribution()
    assert tasklet.open() is None
    try:
        return tasklet.execute(contribution), contribution
    finally:
        tasklet.close()


class TestShell:
    def test_a_list_is_run_without_a_shell(self, tmp_path: Path) -> None:
        run(make(tmp_path, "shell", command=["touch", "a b;c"]))
        assert (tmp_path / "a b;c").exists()

    def test_a_line_is_run_by_the_shell(self, tmp_path: Path) -> None:
        run(make(tmp_path, "shell", command="echo $GREETING > out && pwd >> out", environment={"GREETING": "hello"}))
        assert (tmp_path / "out").read_text().split() == ["hello", str(tmp_path)]

    def test_it_runs_in_its_working_directory(self, tmp_path: Path) -> None:
        (tmp_path / "sub").mkdir()
        run(make(tmp_path, "shell", command=["touch", "here"], working_directory="sub"))
        assert (tmp_path / "sub" / "here").exists()

    def test_what_it_prints_goes_to_the_log(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        with caplog.at_level("INFO", "batchrun"):
            run(make(tmp_path, "shell", command="echo one; echo two >&2"))
        assert [record.message for record in caplog.records] == ["one", "two"]

    def test_an_exit_code_fails_with_the_last_lines(self, tmp_path: Path) -> None:
        with pytest.raises(TaskletError, match=r"ended with exit code 3; no disk$"):
            run(make(tmp_path, "shell", command="echo no disk; exit 3"))

    def test_a_command_killed_by_a_signal_says_which(self, tmp_path: Path) -> None:
        with pytest.raises(TaskletError, match="ended with signal SIGKILL"):
            run(make(tmp_path, "shell", command="kill -9 $$"))

    def test_a_command_that_is_not_there_says_so(self, tmp_path: Path) -> None:
        with pytest.raises(TaskletError, match="cannot be started: No such file or directory: nosuch"):
            run(make(tmp_path, "shell", command=["nosuch"]))

    @pytest.mark.parametrize(
        ("timeout", "stopped", "error"), [("200ms", False, TaskletError), (None, True, StepStoppedError)]
    )
    def test_nothing_is_left_running(
        self, tmp_path: Path, timeout: str | None, stopped: bool, error: type[Exception]
    ) -> None:
        tasklet = make(
            tmp_path, "shell", stopped=stopped, timeout=timeout, command="sleep 60 & echo $! > pid; echo x >> pid; wait"
        )
        begun = time.monotonic()
        with pytest.raises(error):
            run(tasklet)
        assert time.monotonic() - begun < 30
        pid = int((tmp_path / "pid").read_text().split()[0])
        assert not is_running(pid)

    def test_an_empty_command_is_refused(self) -> None:
        assert len(Registry().spec("tasklet", "shell").parse({"command": []}).check()) == 1


FUNCTIONS = """\
from batchrun.domain.status import ExitStatus
from batchrun.spi import RepeatStatus

def leave():
    raise SystemExit(0)

def add(a, b, contribution):
    contribution.context["sum"] = a + b
    contribution.counts.write += 1

def say(code):
    return code

def status():
    return ExitStatus("EMPTY", "no rows")

def again():
    return RepeatStatus.CONTINUABLE

def wrong():
    return 5
"""


class TestPython:
    @pytest.fixture(autouse=True)
    def functions(self, tmp_path: Path) -> None:
        (tmp_path / "housekeeping.py").write_text(FUNCTIONS)

    def test_it_gets_arguments_and_its_contribution(self, tmp_path: Path) -> None:
        result, contribution = run(make(tmp_path, "python", call="housekeeping:add", arguments={"a": 1, "b": 2}))
        assert (result, contribution.context, contribution.counts.write) == (RepeatStatus.FINISHED, {"sum": 3}, 1)

    def test_a_text_is_the_exit_code(self, tmp_path: Path) -> None:
        _, contribution = run(make(tmp_path, "python", call="housekeeping:say", arguments={"code": "EMPTY"}))
        assert contribution.exit_status == ExitStatus("EMPTY")

    def test_an_exit_status_is_taken_whole(self, tmp_path: Path) -> None:
        _, contribution = run(make(tmp_path, "python", call="housekeeping:status"))
        assert contribution.exit_status == ExitStatus("EMPTY", "no rows")

    def test_ending_the_process_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(TaskletError, match=r"^housekeeping:leave called sys\.exit\(0\)$"):
            run(make(tmp_path, "python", call="housekeeping:leave"))

    def test_it_may_ask_to_be_called_again(self, tmp_path: Path) -> None:
        assert run(make(tmp_path, "python", call="housekeeping:again"))[0] is RepeatStatus.CONTINUABLE

    def test_another_result_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(TaskletError, match="housekeeping:wrong returned int"):
            run(make(tmp_path, "python", call="housekeeping:wrong"))

    def test_arguments_that_do_not_fit_are_told_before_the_call(self, tmp_path: Path) -> None:
        with pytest.raises(TaskletError, match="cannot be called with these arguments: missing a required argument"):
            run(make(tmp_path, "python", call="housekeeping:add", arguments={"a": 1}))
