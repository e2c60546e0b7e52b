"""Progress: what is drawn on a terminal and in a log, that it costs nothing, and that it never fails a run."""

from __future__ import annotations

import errno
import io
import re
import time
from contextlib import redirect_stderr
from dataclasses import replace

import pytest
from rich.segment import Segment

from batchrun.cli.rendering.progress import LiveProgress, PlainProgress, progress_on
from batchrun.cli.rendering.screen import Screen
from batchrun.domain.execution import StepCounts
from batchrun.domain.status import BatchStatus
from batchrun.spi.listener import Progress
from batchrun.testing.clock import ManualClock
from tests.unit.cli.doubles import CHUNK, execution_of, run_step, step_of


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


class HungUpTerminal(Terminal):
    def write(self, text: str) -> int:
        raise OSError(errno.EIO, "Input/output error")


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "60")
    return Terminal()


def shown(terminal: io.StringIO) -> list[str]:
    """Returns what stays on the terminal: lines that were drawn and then taken away are not among it."""
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", terminal.getvalue())
    return [line.rpartition("\r")[2] for line in text.split("\n")]


def test_an_ended_step_keeps_its_line(terminal: Terminal) -> None:
    execution = execution_of(restart_of=6)
    with redirect_stderr(terminal), LiveProgress(Screen(stderr=True), ["a-long-name"]) as live:
        live.before_job(execution)
        live.on_step_skipped(execution, step_of("fetch", execution_id=6))
        run_step(live, execution, step_of("load"), 500, 1000)
        run_step(live, execution, step_of("settle", BatchStatus.FAILED), 10)
    lines = shown(terminal)
    assert "load-trades  execution 7, continues execution 6" in lines
    assert "✓ fetch        completed before, in execution 6" in lines
    assert any(re.match(r"✓ load         \d+ms  1,000 read  1,000 written", line) for line in lines)
    assert any(re.match(r"✗ settle       FAILED  \d+ms  10 read", line) for line in lines)


def test_the_cursor_comes_back_even_when_the_run_is_aborted(terminal: Terminal) -> None:
    def aborted(live: LiveProgress) -> None:
        with live:
            live.before_job(execution_of())
            live.before_step(execution_of(), step_of("load", BatchStatus.STARTED))
            raise KeyboardInterrupt

    with redirect_stderr(terminal), pytest.raises(KeyboardInterrupt):
        aborted(LiveProgress(Screen(stderr=True)))
    assert terminal.getvalue().rfind("\x1b[?25h") > terminal.getvalue().rfind("\x1b[?25l")


def test_a_chunk_costs_no_drawing(terminal: Terminal) -> None:
    execution, step = execution_of(), step_of("load", BatchStatus.STARTED)
    with redirect_stderr(terminal):
        live = LiveProgress(Screen(stderr=True))
        live.before_step(execution, step)
        began = time.perf_counter()
        for number in range(10_000):
            live.after_chunk(execution, step, CHUNK, Progress(number, 10_000, "items"))
    assert time.perf_counter() - began < 0.5
    assert terminal.getvalue() == ""


@pytest.mark.parametrize("kind", [LiveProgress, PlainProgress])
def test_a_terminal_that_is_gone_does_not_fail_the_run(
    kind: type[LiveProgress | PlainProgress], terminal: Terminal
) -> None:
    with redirect_stderr(HungUpTerminal()), kind(Screen(stderr=True)) as listener:
        listener.before_job(execution_of())
        run_step(listener, execution_of(), step_of("load"), 500)


def test_a_log_has_a_line_at_start_and_end_and_one_about_every_ten_seconds(
    capsys: pytest.CaptureFixture[str],
) -> None:
    clock = ManualClock(100.0)
    execution, step = execution_of(), step_of("load", BatchStatus.STARTED)
    plain = PlainProgress(Screen(stderr=True), clock)
    plain.before_job(execution)
    plain.before_step(execution, step)
    plain.after_chunk(execution, step, None, Progress(0, 100_000, "bytes"))
    for second in range(25):
        clock.now += 1
        step.counts = StepCounts(read=1_000 * (second + 1), write=900 * (second + 1), filter=100 * (second + 1))
        plain.after_chunk(execution, step, CHUNK, Progress(2_000 * (second + 1), 100_000, "bytes"))
    step.status = BatchStatus.COMPLETED
    plain.after_step(execution, step)
    lines = capsys.readouterr().err.splitlines()
    assert all(re.match(r"\d\d:\d\d:\d\d ", line) for line in lines)
    assert [line[9:] for line in lines] == [
        "load-trades: execution 7",
        "load: started",
        "load: 10,000 read, 9,000 written, 1,000 filtered, 20%, 1,000 rows/s",
        "load: 20,000 read, 18,000 written, 2,000 filtered, 40%, 1,000 rows/s, 30s left",
        "load: COMPLETED in 25.0s, 25,000 read, 22,500 written, 2,500 filtered",
    ]


def test_a_pipe_gets_plain_lines_even_where_colors_are_forced(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    with progress_on(Screen(stderr=True)) as listeners:
        assert isinstance(listeners[0], PlainProgress)


def test_a_terminal_without_abilities_gets_plain_lines(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    with redirect_stderr(terminal), progress_on(Screen(stderr=True)) as listeners:
        assert isinstance(listeners[0], PlainProgress)


def test_what_a_job_prints_stands_above_the_live_line(terminal: Terminal, capsys: pytest.CaptureFixture[str]) -> None:
    execution = execution_of()
    with redirect_stderr(terminal), progress_on(Screen(stderr=True)) as listeners:
        listeners[0].before_job(execution)
        print("from a component")  # noqa: T201 - the point of the test
        run_step(listeners[0], execution, step_of("load"), 1000)
    assert "from a component" in shown(terminal)
    assert capsys.readouterr().out == ""


def test_steps_at_work_at_the_same_time_have_a_line_each(terminal: Terminal) -> None:
    execution = execution_of()
    split, left, right = (
        replace(step_of(name, BatchStatus.STARTED), id=number, parent_id=parent)
        for name, number, parent in (("split", 1, None), ("left", 2, 1), ("right", 3, 1))
    )
    with redirect_stderr(terminal), LiveProgress(Screen(stderr=True)) as live:
        live.before_job(execution)
        for step in (split, left, right):
            live.before_step(execution, step)
        drawn = Screen(stderr=True).console.render_lines(live._drawing())
        live.after_step(execution, left)
        after = Screen(stderr=True).console.render_lines(live._drawing())
    assert [_text(line).split()[1] for line in drawn] == ["left", "right"]
    assert [_text(line).split()[1] for line in after] == ["right"]


def _text(line: list[Segment]) -> str:
    return "".join(segment.text for segment in line)


def test_a_log_tells_how_long_each_of_several_steps_took(capsys: pytest.CaptureFixture[str]) -> None:
    clock = ManualClock(100.0)
    execution = execution_of()
    slow, quick = (replace(step_of(name), id=number) for number, name in enumerate(("slow", "quick")))
    plain = PlainProgress(Screen(stderr=True), clock)
    plain.before_step(execution, slow)
    clock.now += 5
    plain.before_step(execution, quick)
    clock.now += 1
    for step in (quick, slow):
        plain.after_step(execution, step)
    lines = [line[9:] for line in capsys.readouterr().err.splitlines()]
    assert lines[2:] == ["quick: COMPLETED in 1.0s", "slow: COMPLETED in 6.0s"]
