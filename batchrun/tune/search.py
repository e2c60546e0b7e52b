"""The search for a step's setting: which are measured in the next round, until the fastest is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from batchrun.tune.choice import Candidate, candidate, chosen, left
from batchrun.tune.setting import Measurement, Setting, chunk_candidates, read_ahead_candidates

FIRST_ROUNDS = 2
"""After which those that are clearly slower are left out."""


@dataclass(slots=True)
class Series:
    """Settings measured in rounds, all of a round before the next.

    Attributes:
        settings: all of them, in ascending order.
        present: the one among them that the others are compared with.
        rounds: how many rounds there are to be.
        done: how many there were.
    """

    settings: Sequence[Setting]
    present: Setting
    rounds: int
    done: int = 0
    _runs: dict[Setting, list[Measurement]] = field(default_factory=dict)
    _left: list[Setting] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._left = list(self.settings)
        self._runs = {each: [] for each in self.settings}

    @property
    def is_over(self) -> bool:
        """Tells whether all is measured: where nothing but the present setting is left, nothing can gain."""
        is_alone = self._left == [self.present] and self.done >= FIRST_ROUNDS
        return self.done >= self.rounds or is_alone or len(self.settings) < 2

    def wanted(self) -> list[Setting]:
        """Returns the settings of the next round; every other round goes back, so that no drift favors the last."""
        return self._left[::-1] if self.done % 2 else list(self._left)

    def take(self, measured: dict[Setting, Measurement]) -> None:
        """Takes what came of a round."""
        for setting, measurement in measured.items():
            self._runs[setting].append(measurement)
        self.done += 1
        if self.done >= FIRST_ROUNDS:
            self._left = left({each: self._runs[each] for each in self._left}, self.present)

    @property
    def expected(self) -> int:
        """How many runs are still to come, about: a half of the settings is left out after the first rounds."""
        if self.is_over:
            return 0
        first = max(FIRST_ROUNDS - self.done, 0)
        later = self.rounds - self.done - first
        again = len(self._left) if self.done >= FIRST_ROUNDS else len(self._left) // 2 + 1
        return first * len(self._left) + later * again

    def candidates(self) -> list[Candidate]:
        """Returns what was measured of each setting, in ascending order."""
        base = self._runs[self.present]
        return [
            candidate(each, runs, base, is_left_out=each not in self._left) for each, runs in self._runs.items() if runs
        ]

    @property
    def chosen(self) -> Setting:
        """The setting to recommend, as far as is known."""
        return chosen(self.candidates(), self.present)


class Search:
    """Finds a step's chunk size, and then, with it, its read-ahead.

    Attributes:
        present: the setting as the job file says it.
        chunks: the series of chunk sizes.
        read_aheads: that of read-aheads, which begins when the first is over.
    """

    def __init__(self, present: Setting, items: int, rounds: int) -> None:
        self.present = present
        self._rounds = rounds
        self._items = items
        self.chunks = Series(chunk_candidates(present, items), present, rounds)
        self.read_aheads: Series | None = None

    @property
    def series(self) -> Series:
        """What is measured now."""
        if self.read_aheads is None and self.chunks.is_over:
            base = self.chunks.chosen
            self.read_aheads = Series(read_ahead_candidates(base, self._items), base, self._rounds)
        return self.chunks if self.read_aheads is None else self.read_aheads

    def hurry(self, rounds: int) -> None:
        """Lets no more than so many rounds be made from here on, but for one that has begun."""
        self._rounds = min(self._rounds, rounds)
        self.series.rounds = min(self.series.rounds, max(rounds, self.series.done))

    @property
    def is_over(self) -> bool:
        """Tells whether both are known."""
        return self.series is self.read_aheads and self.series.is_over

    @property
    def expected(self) -> int:
        """How many runs are still to come, about."""
        if self.series is self.chunks:
            return (
                self.chunks.expected
                + Series(read_ahead_candidates(self.present, self._items), self.present, self._rounds).expected
            )
        return self.series.expected

    @property
    def chosen(self) -> Setting:
        """The setting to recommend."""
        return self.chunks.chosen if self.read_aheads is None else self.read_aheads.chosen
