"""Progress of a run on stderr: a live line on a terminal, plain lines elsewhere. Must never fail the run it watches."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from datetime import datetime

from rich.console import Group, RenderableType
from rich.live import Live
from rich.text import Text

from batchrun.cli.job_output import printed_to_stderr
from batchrun.cli.rendering import words
from batchrun.cli.rendering.pace import StepPace
from batchrun.cli.rendering.screen import Screen, cleaned
from batchrun.cli.rendering.step_line import count_texts, ended_line, running_line, skipped_line
from batchrun.domain.execution import JobExecution, StepExecution
from batchrun.spi.chunk import Chunk
from batchrun.spi.listener import Listener, Progress

_REFRESHES_PER_SECOND = 10
_PLAIN_INTERVAL = 10.0


Elapsed = Callable[[StepExecution], float]
"""Tells for how many seconds a step has been running when it is first told of."""


def _nothing(_step: StepExecution) -> float:
    return 0.0


def _elapsed(step: StepExecution) -> float:
    return max(words.elapsed(step) or 0.0, 0.0)


@contextmanager
def progress_on(
    screen: Screen, *, quiet: bool = False, step_names: Iterable[str] = (), is_late: bool = False
) -> Iterator[list[Listener]]:
    """Gives the listeners that show a run's progress; what the job's own code prints goes to stderr meanwhile.

    Args:
        screen: stderr.
        quiet: show no progress.
        step_names: the names that may come, as far as they are known, so that lines stand under each other.
        is_late: a step may have been running for long when it is first told of.
    """
    with ExitStack() as stack:
        # A result on stdout must be the result alone.
        stack.enter_context(printed_to_stderr())
        listeners: list[Listener] = []
        if not quiet:
            is_live = screen.console.is_interactive and screen.is_watched
            elapsed = _elapsed if is_late else _nothing
            shows = (
                LiveProgress(screen, step_names, elapsed=elapsed) if is_live else PlainProgress(screen, elapsed=elapsed)
            )
            listeners.append(stack.enter_context(shows))
        yield listeners


class _Paces:
    """The steps at work, several where branches run at the same time; threads may call it."""

    def __init__(self, clock: Callable[[], float], elapsed: Elapsed) -> None:
        self._clock = clock
        self._elapsed = elapsed
        self._by_id: dict[int, StepPace] = {}

    def begin(self, step: StepExecution) -> None:
        self._by_id[step.id] = StepPace(step, self._clock, self._clock() - self._elapsed(step))

    def of(self, step: StepExecution) -> StepPace | None:
        return self._by_id.get(step.id)

    def end(self, step: StepExecution) -> float:
        """Forgets the step and returns how many seconds it took."""
        pace = self._by_id.pop(step.id, None)
        return self._elapsed(step) or (0.0 if pace is None else pace.seconds)

    def innermost(self) -> list[StepPace]:
        """Returns the steps inside which no other one is at work."""
        paces = list(self._by_id.values())
        around = {pace.step.parent_id for pace in paces}
        return [pace for pace in paces if pace.step.id not in around]


class PlainProgress(Listener, AbstractContextManager["PlainProgress"]):
    """A line when a step starts, one about every ten seconds, and one when it ends."""

    def __init__(
        self, screen: Screen, clock: Callable[[], float] = time.monotonic, elapsed: Elapsed = _nothing
    ) -> None:
        self._screen = screen
        self._clock = clock
        self._paces = _Paces(clock, elapsed)
        self._next_lines: dict[int, float] = {}

    def __exit__(self, *_: object) -> None:
        """Has nothing to undo."""

    def before_job(self, execution: JobExecution) -> None:
        """Tells the execution's id."""
        self._print(f"{execution.job_name}: {_beginning(execution)}")

    def before_step(self, execution: JobExecution, step: StepExecution) -> None:
        """Tells the step's start."""
        del execution
        self._paces.begin(step)
        self._next_lines[step.id] = self._clock() + _PLAIN_INTERVAL
        self._print(f"{step.step_name}: started")

    def after_chunk(
        self, execution: JobExecution, step: StepExecution, chunk: Chunk | None, progress: Progress
    ) -> None:
        """Prints a line if the last one is long enough ago."""
        del execution
        pace = self._paces.of(step)
        if pace is None:
            return
        pace.progress, pace.has_moved = progress, pace.has_moved or chunk is not None
        if self._clock() >= self._next_lines[step.id]:
            self._next_lines[step.id] = self._clock() + _PLAIN_INTERVAL
            pace.observe()
            self._print(f"{step.step_name}: {', '.join(_plain_parts(pace))}")

    def after_step(self, execution: JobExecution, step: StepExecution) -> None:
        """Tells the step's end."""
        del execution
        self._next_lines.pop(step.id, None)
        ending = f"{step.status.name} in {words.duration(self._paces.end(step))}"
        self._print(f"{step.step_name}: {', '.join([ending, *count_texts(step.counts)])}")

    def on_step_skipped(self, execution: JobExecution, step: StepExecution) -> None:
        """Tells that there is nothing to do."""
        del execution
        self._print(f"{step.step_name}: completed before, in execution {step.job_execution_id}")

    def _print(self, line: str) -> None:
        with suppress(OSError, ValueError):
            self._screen.print(Text.assemble((f"{datetime.now():%H:%M:%S} ", "dim"), cleaned(line)))


class LiveProgress(Listener, AbstractContextManager["LiveProgress"]):
    """A line for each step at work, redrawn by a thread of its own; the lines of ended steps stay above them."""

    def __init__(
        self,
        screen: Screen,
        step_names: Iterable[str] = (),
        clock: Callable[[], float] = time.monotonic,
        elapsed: Elapsed = _nothing,
    ) -> None:
        self._screen = screen
        self._paces = _Paces(clock, elapsed)
        self._name_width = max(map(len, step_names), default=0)
        self._live = Live(
            console=screen.console,
            get_renderable=self._drawing,
            refresh_per_second=_REFRESHES_PER_SECOND,
            transient=True,
            redirect_stdout=False,
        )

    def __exit__(self, *_: object) -> None:
        """Takes the live lines away and gives the cursor back."""
        self._paces = _Paces(time.monotonic, _nothing)
        with suppress(OSError, ValueError):
            self._live.stop()

    def before_job(self, execution: JobExecution) -> None:
        """Tells the execution's id, and begins to draw."""
        with suppress(OSError, ValueError):
            self._print(Text.assemble((cleaned(execution.job_name), "bold"), (f"  {_beginning(execution)}", "dim")))
            self._live.start()

    def before_step(self, execution: JobExecution, step: StepExecution) -> None:
        """Gives the step a live line."""
        del execution
        self._name_width = max(self._name_width, len(step.step_name))
        self._paces.begin(step)

    def after_chunk(
        self, execution: JobExecution, step: StepExecution, chunk: Chunk | None, progress: Progress
    ) -> None:
        """Notes how far the step is; it may come thousands of times a second, so it draws nothing."""
        del execution
        pace = self._paces.of(step)
        if pace is not None:
            pace.progress = progress
            if chunk is not None:
                pace.has_moved = True

    def after_step(self, execution: JobExecution, step: StepExecution) -> None:
        """Turns the live line into one that stays."""
        del execution
        seconds = self._paces.end(step)
        self._print(ended_line(step, seconds, self._width, name_width=self._name_width, unicode=self._unicode))

    def on_step_skipped(self, execution: JobExecution, step: StepExecution) -> None:
        """Tells that there is nothing to do."""
        del execution
        self._name_width = max(self._name_width, len(step.step_name))
        self._print(skipped_line(step, self._width, name_width=self._name_width, unicode=self._unicode))

    @property
    def _width(self) -> int:
        # The last column stays free: some terminals break the line after a character in it.
        return max(self._screen.console.width - 1, 20)

    @property
    def _unicode(self) -> bool:
        return self._screen.is_unicode

    def _drawing(self) -> RenderableType:
        return Group(*map(self._line, self._paces.innermost()))

    def _line(self, pace: StepPace) -> Text:
        pace.observe()
        return running_line(pace, self._width, name_width=self._name_width, unicode=self._unicode)

    def _print(self, line: Text) -> None:
        with suppress(OSError, ValueError):
            self._screen.print(line)


def _beginning(execution: JobExecution) -> str:
    continues = f", continues execution {execution.restart_of}" if execution.restart_of else ""
    return f"execution {execution.id}{continues}"


def _plain_parts(pace: StepPace) -> Iterator[str]:
    yield from count_texts(pace.counts)
    if (fraction := pace.fraction) is not None:
        yield f"{int(fraction * 100)}%"
    if pace.counts.read:
        yield f"{pace.rows_per_second:,.0f} rows/s"
    if (left := pace.seconds_left) is not None:
        yield f"{words.whole_duration(left)} left"
