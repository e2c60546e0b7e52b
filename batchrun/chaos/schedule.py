"""Which boundaries are struck: `every-commit`, `random:N`, or numbers."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from batchrun.errors import UsageError

EVERY_COMMIT = "every-commit"
_RANDOM = "random"
_MOST_BLOWS = 3


@dataclass(frozen=True, slots=True)
class Schedule:
    """The blows of a trial.

    Attributes:
        text: as the user gave it.
        seed: of the random numbers.
        total: how many blows in all; None for as many as there are boundaries, or numbers.
        numbers: the boundaries of the one round that is asked for.
    """

    text: str
    seed: int
    total: int | None = None
    numbers: tuple[int, ...] = ()

    @classmethod
    def read(cls, text: str, seed: int) -> Schedule:
        """Reads what `--kill-at` says.

        Raises:
            UsageError: it is none of the forms.
        """
        kind, _, count = text.partition(":")
        if text == EVERY_COMMIT:
            return cls(text, seed)
        if kind == _RANDOM and count.isdecimal() and int(count) > 0:
            return cls(text, seed, total=int(count))
        numbers = text.split(",")
        if all(each.isdecimal() and int(each) > 0 for each in numbers):
            return cls(text, seed, numbers=tuple(map(int, numbers)))
        raise UsageError(
            f"--kill-at {text!r} is no place to kill at",
            hint="every-commit, random:N, or numbers of boundaries such as 12,7",
        )

    def refuse_behind(self, boundaries: int) -> None:
        """Refuses a first number that no run comes to: nothing would be killed, and all be equal.

        Raises:
            UsageError: there are not so many boundaries.
        """
        if self.numbers and self.numbers[0] > boundaries:
            raise UsageError(f"--kill-at {self.text}: the job comes to {boundaries} boundaries only")

    def rounds(self, boundaries: int, *, most: int = _MOST_BLOWS) -> Iterator[Sequence[int]]:
        """Yields, for each round, the boundary of each of its processes at which it is struck.

        Args:
            boundaries: of the undisturbed run.
            most: blows in one round at most.
        """
        if self.numbers:
            yield self.numbers
        elif self.total is None:
            yield from ([number] for number in range(1, boundaries + 1))
        else:
            yield from self._random(self.total, boundaries, most)

    def _random(self, total: int, boundaries: int, most: int) -> Iterator[Sequence[int]]:
        """Yields numbers low enough that a restart, which comes to fewer boundaries, still gets to them as a rule."""
        chance = random.Random(self.seed)
        while total:
            count = min(chance.randint(1, most), total)
            first = chance.randint(1, boundaries)
            total -= count
            yield [first, *(chance.randint(1, max(4, (boundaries - first) // 2)) for _ in range(count - 1))]
