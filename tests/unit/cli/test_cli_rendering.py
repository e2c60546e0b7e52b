"""How things look: nothing overflows, what matters stays, and a pipe gets everything."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from rich.text import Text

from batchrun.cli.rendering import words
from batchrun.cli.rendering.history import show_history
from batchrun.cli.rendering.pace import StepPace
from batchrun.cli.rendering.screen import Screen
from batchrun.cli.rendering.step_line import bar, ended_line, running_line, skipped_line
from batchrun.cli.rendering.table import Column, Table
from batchrun.domain.status import BatchStatus
from batchrun.spi.listener import Progress
from batchrun.testing.clock import ManualClock
from tests.unit.cli.doubles import PARAMETERS, execution_of, step_of

WIDTHS = [20, 40, 60, 80, 120, 200]


class TerminalDouble(Screen):
    """A screen of a fixed width that keeps what it is given."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self._fixed_width = width
        self.lines: list[str] = []

    @property
    def width(self) -> int | None:
        return self._fixed_width

    @property
    def is_unicode(self) -> bool:
        return True

    def print(self, *lines: Text | str) -> None:
        self.lines.extend(str(line) for line in lines)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0ms"),
        (0.0404, "40ms"),
        (0.99949, "999ms"),
        (0.9996, "1.0s"),
        (59.94, "59.9s"),
        (59.96, "1m 00s"),
        (125, "2m 05s"),
        (3599.6, "1h 00m"),
        (3 * 3600 + 4 * 60 + 5, "3h 04m"),
        (26 * 3600, "1d 02h"),
        (-1, "0ms"),
    ],
)
def test_a_duration_shows_its_two_largest_units(seconds: float, text: str) -> None:
    assert words.duration(seconds) == text


def test_a_rate_is_rounded_and_none_where_there_is_none() -> None:
    assert words.rate(336_776, 8.0) == "42,097"
    assert words.rate(10, 8.0) == "1.2"
    assert words.rate(0, 8.0) == words.rate(5, 0.0) == ""


def test_every_status_has_a_sign_and_an_ascii_one() -> None:
    for status in BatchStatus:
        assert str(words.status_sign(status, unicode=False)).isascii()
        assert len(str(words.status_sign(status))) == 1


def test_an_execution_that_runs_has_taken_time_and_a_dead_one_has_no_end() -> None:
    running = execution_of(status=BatchStatus.STARTED)
    running.started_at = datetime.now(UTC)
    assert 0 <= (words.elapsed(running) or 0) < 60
    dead = execution_of(status=BatchStatus.FAILED)
    dead.ended_at = None
    assert words.elapsed(dead) is None


def example_table() -> Table:
    table = Table(
        Column("name", least=6),
        Column("count", right=True, rank=2),
        Column("note", rank=1, least=5),
        Column("empty", rank=3),
    )
    table.add("first", "1", "short", "")
    table.add("a long name of 23 chars", "1,000", Text("a note of 19 chars.", style="red"), "")
    return table


def test_a_table_in_a_pipe_is_as_wide_as_it_needs_and_has_no_spaces_at_line_ends() -> None:
    assert [str(line) for line in example_table().lines(None)] == [
        "NAME                     COUNT  NOTE",
        "first                        1  short",
        "a long name of 23 chars  1,000  a note of 19 chars.",
    ]


def test_a_table_shortens_then_drops_the_least_important_column_first() -> None:
    assert [str(line) for line in example_table().lines(42)][2] == "a long name of 23 chars  1,000  a note of…"
    assert [str(line) for line in example_table().lines(34)][2] == "a long name of 23 chars  1,000"
    assert [str(line) for line in example_table().lines(25)][2] == "a long name of 23 chars"
    assert [str(line) for line in example_table().lines(12)][2] == "a long name…"


def test_wide_characters_keep_the_columns_straight() -> None:
    table = Table(Column("name"), Column("value"))
    table.add("거래", "1")
    table.add("abcd", "2")
    assert [str(line) for line in table.lines(80)] == ["NAME  VALUE", "거래  1", "abcd  2"]


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_history_never_overflows_and_keeps_id_job_and_status(width: int) -> None:
    screen = TerminalDouble(width)
    long_job = "a-job-name-that-is-much-longer-than-anybody-should-make-it"
    show_history(
        screen,
        [
            execution_of(step_of(read=12_336_776, write=12_336_776), id=1_204, parameters=PARAMETERS),
            execution_of(id=1_203, status=BatchStatus.ABANDONED, code="NOTHING TO DO AT ALL", job_name=long_job),
        ],
    )
    assert max(Text(line).cell_len for line in screen.lines) <= width
    assert screen.lines[0].split()[:3] == ["ID", "JOB", "STATUS"]
    assert screen.lines[1].startswith("1204  load-trades") or "…" in screen.lines[1]
    assert ("PARAMETERS" in screen.lines[0]) == (width == 200)


def test_history_at_60_columns_shows_status_start_time_and_written() -> None:
    screen = TerminalDouble(60)
    show_history(screen, [execution_of(step_of(read=336_776, write=336_776), id=12, parameters=PARAMETERS)])
    assert screen.lines[0].split() == ["ID", "JOB", "STATUS", "STARTED", "TIME", "WRITTEN"]


def pace_at(clock: ManualClock, done: int, total: int | None, **counts: int) -> StepPace:
    pace = StepPace(step_of("load", BatchStatus.STARTED, **counts), clock, clock.now)
    pace.progress = Progress(done, total, "bytes")
    return pace


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("total", [2_000, None])
@pytest.mark.parametrize("name", ["load", "a-step-with-a-name-of-more-than-forty-characters"])
def test_a_running_line_fits_any_width(width: int, total: int | None, name: str) -> None:
    clock = ManualClock(100.0)
    pace = pace_at(clock, 1_000, total, read=12_000_000, write=11_000_000, filter=900_000, write_skip=100_000)
    pace.step.step_name = name
    clock.now += 4_000
    line = running_line(pace, width, name_width=len(name))
    assert line.cell_len <= max(width - 2, 18)
    assert "\n" not in str(line)
    for ended in (ended_line(pace.step, 4_000.0, width), skipped_line(pace.step, width)):
        assert ended.cell_len <= width


def test_a_running_line_at_60_columns_has_bar_percent_time_left_and_speed() -> None:
    clock = ManualClock(100.0)
    pace = pace_at(clock, 0, 2_000, read=0)
    pace.has_moved = True
    pace.observe()
    clock.now += 5
    pace.step.counts.read = pace.step.counts.write = 50_000
    pace.progress = Progress(1_000, 2_000, "bytes")
    pace.observe()
    assert str(running_line(pace, 60)) == "⠋ load  ━━━━━━╌╌╌╌╌╌   50%  5s left  10,000/s  50,000 read"
    assert "50,000 written" in str(running_line(pace, 80))


def test_a_running_line_without_total_counts_and_has_no_bar() -> None:
    clock = ManualClock(100.0)
    pace = pace_at(clock, 1_000, None, read=500, write=500)
    clock.now += 5
    assert str(running_line(pace, 80)) == "⠋ load  5s  100/s  500 read  500 written"


def test_skipped_items_are_shown_before_anything_else_is_left_out_for_them() -> None:
    pace = pace_at(ManualClock(100.0), 1_000, None, read=12_000_000, write=11_000_000, write_skip=7)
    assert "7 skipped" in str(running_line(pace, 30))
    assert "7 skipped" in str(ended_line(pace.step, 3.0, 40))


def test_a_step_that_completed_before_says_so() -> None:
    line = str(skipped_line(step_of("load", execution_id=6), 80, name_width=6))
    assert line == "✓ load    completed before, in execution 6"


def test_an_ended_line_keeps_counts_time_and_the_exit_code() -> None:
    line = str(ended_line(step_of(read=1_000, write=990, filter=10, code="COMPLETED WITH SKIPS"), 8.0, 120))
    assert line == "✓ load  COMPLETED WITH SKIPS  8.0s  1,000 read  990 written  10 filtered  125/s"


def test_a_bar_can_be_read_without_colors() -> None:
    assert str(bar(0.0, 4)) == "╌╌╌╌"
    assert str(bar(0.5, 4)) == "━━╌╌"
    assert str(bar(1.0, 4, unicode=False)) == "===="


def test_time_left_is_not_taken_from_the_way_that_a_restart_did_not_go() -> None:
    clock = ManualClock(100.0)
    pace = pace_at(clock, 0, 1_000_000)
    pace.observe()
    clock.now += 1
    pace.has_moved = True
    pace.progress = Progress(900_000, 1_000_000, "bytes")
    pace.observe()
    assert pace.seconds_left is None
    clock.now += 1
    pace.progress = Progress(910_000, 1_000_000, "bytes")
    pace.observe()
    assert pace.seconds_left == pytest.approx(9.0)


def test_speed_is_that_of_the_last_ten_seconds() -> None:
    clock = ManualClock(100.0)
    pace = pace_at(clock, 0, None)
    pace.has_moved = True
    for second in range(60):
        clock.now += 1
        pace.step.counts.read += 1_000 if second < 40 else 10
        pace.observe()
    assert pace.rows_per_second == pytest.approx(10)
    assert len(pace._samples) <= 12


def test_a_paragraph_keeps_long_words_whole_and_its_own_lines() -> None:
    screen = TerminalDouble(30)
    lines = [
        str(line)
        for line in screen.wrapped(
            Text("error: /a/very/long/path/that/is/wider/than/all.yaml is wrong\nline 2"), indent=2
        )
    ]
    assert lines == ["error:", "  /a/very/long/path/that/is/wider/than/all.yaml", "  is wrong", "  line 2"]


def test_names_in_a_narrow_table_keep_their_ends() -> None:
    table = Table(Column("step", least=8, most=12, middle=True), Column("written"))
    for number in (1, 2):
        table.add(f"load_trades_of_{number}", "1,000,000")
    assert [line.plain for line in table.lines(23)][1:] == ["load_t…_of_1  1,000,000", "load_t…_of_2  1,000,000"]


def test_the_room_of_a_dropped_column_goes_to_what_was_shortened() -> None:
    table = Table(Column("step", least=8, most=8), Column("read", rank=1), Column("written"))
    table.add("load_trades", "1,000,000,000,000", "7")
    assert [line.plain for line in table.lines(20)] == ["STEP         WRITTEN", "load_trades  7"]
