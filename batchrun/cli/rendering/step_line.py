"""One line for one step: as it runs, with a bar, and as it ended. Fits any width, by leaving fields out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.text import Text

from batchrun.cli.rendering import words
from batchrun.cli.rendering.execution import own_exit_code
from batchrun.cli.rendering.pace import StepPace
from batchrun.cli.rendering.screen import cleaned
from batchrun.domain.execution import StepCounts, StepExecution
from batchrun.domain.status import BatchStatus

_SPINNER, _PLAIN_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏", "|/-\\"
_FRAMES_PER_SECOND = 10
_LEAST_BAR, _MOST_BAR = 10, 40
_INTERRUPT_ECHO = 2
"""Columns that stay free behind a running line: a terminal's `^C` on the next line would leave this one behind."""
_GAP = "  "


@dataclass(frozen=True, slots=True)
class _Field:
    """A part of a line; a lower rank goes in first where there is not room for all."""

    text: str
    rank: int
    style: str = ""


def running_line(pace: StepPace, width: int, *, name_width: int = 0, unicode: bool = True) -> Text:
    """Returns the line of a step at work: spinner, name, bar where the total is known, speed, time left, counts."""
    width -= _INTERRUPT_ECHO
    spinner = _SPINNER if unicode else _PLAIN_SPINNER
    frame = spinner[int(pace.seconds * _FRAMES_PER_SECOND) % len(spinner)]
    line = Text.assemble((frame, "cyan"), " ", _name(pace.step.step_name, width, name_width))
    fraction = pace.fraction
    bar_room = 0 if fraction is None else _LEAST_BAR + len(_GAP)
    fields = _fitting(_running_fields(pace), width - line.cell_len - bar_room)
    if fraction is not None:
        taken = line.cell_len + sum(len(_GAP) + len(each.text) for each in fields)
        length = min(width - taken - len(_GAP), _MOST_BAR)
        if length >= _LEAST_BAR:
            line.append_text(Text(_GAP) + bar(fraction, length, unicode=unicode))
    return _with_fields(line, fields)


def ended_line(step: StepExecution, seconds: float, width: int, *, name_width: int = 0, unicode: bool = True) -> Text:
    """Returns the line that stays: sign, name, what it came to, and how long it took."""
    line = Text.assemble(words.status_sign(step.status, unicode=unicode), " ")
    line.append_text(_name(step.step_name, width, name_width))
    speed, style = words.rate(step.counts.read, seconds), words.status_style(step.status)
    is_good = step.status is BatchStatus.COMPLETED
    fields = [
        # The sign says COMPLETED already.
        _Field(own_exit_code(step) or ("" if is_good else step.status.name), 5 if is_good else 2, style),
        _Field(words.duration(seconds), 1),
        *_count_fields(step.counts),
        _Field(f"{speed}/s" if speed else "", 8, "dim"),
    ]
    return _with_fields(line, _fitting(fields, width - line.cell_len))


def skipped_line(step: StepExecution, width: int, *, name_width: int = 0, unicode: bool = True) -> Text:
    """Returns the line of a step that an earlier execution completed."""
    line = Text.assemble(words.status_sign(step.status, unicode=unicode), " ")
    line.append_text(_name(step.step_name, width, name_width))
    line.append(f"{_GAP}completed before, in execution {step.job_execution_id}", style="dim")
    line.truncate(width, overflow="ellipsis")
    return line


def bar(fraction: float, length: int, *, unicode: bool = True) -> Text:
    """Returns a bar that can be read without colors."""
    done = round(fraction * length)
    full, rest = ("━", "╌") if unicode else ("=", "-")
    return Text.assemble((full * done, "green"), (rest * (length - done), "bright_black"))


def count_texts(counts: StepCounts) -> list[str]:
    """Returns `1,000 read`, `990 written` and, where there are any, filtered and skipped."""
    return [each.text for each in _count_fields(counts)]


def _running_fields(pace: StepPace) -> list[_Field]:
    fraction, left = pace.fraction, pace.seconds_left
    speed = pace.rows_per_second if pace.counts.read else 0.0
    time = f"{words.whole_duration(pace.seconds)}" if left is None else f"{words.whole_duration(left)} left"
    return [
        _Field("" if fraction is None else f"{int(fraction * 100):3d}%", 1),
        _Field(time, 2),
        _Field(f"{speed:,.0f}/s" if speed else "", 5),
        *_count_fields(pace.counts),
    ]


def _count_fields(counts: StepCounts) -> list[_Field]:
    fields = [
        _Field(f"{words.count(counts.read)} read" if counts.read else "", 4),
        _Field(f"{words.count(counts.write)} written" if counts.write or counts.read else "", 6),
        _Field(f"{words.count(counts.filter)} filtered" if counts.filter else "", 7),
        _Field(f"{words.count(counts.skip)} skipped" if counts.skip else "", 3, "yellow"),
    ]
    return [each for each in fields if each.text]


def _fitting(fields: Sequence[_Field], room: int) -> list[_Field]:
    """Returns the fields that find room, the most important first served, in their own order."""
    chosen = set()
    for each in sorted((each for each in fields if each.text), key=lambda each: each.rank):
        needed = len(_GAP) + len(each.text)
        if needed <= room:
            chosen.add(each)
            room -= needed
    return [each for each in fields if each in chosen]


def _with_fields(line: Text, fields: Sequence[_Field]) -> Text:
    for each in fields:
        line.append(_GAP).append(each.text, style=each.style or None)
    return line


def _name(name: str, width: int, name_width: int) -> Text:
    """Returns the step's name, in at most a third of the width, padded so that lines stand under each other."""
    most = max(width // 3, 8)
    text = Text(cleaned(name), style="bold")
    text.truncate(most, overflow="ellipsis")
    text.pad_right(max(min(name_width, most) - text.cell_len, 0))
    return text
