"""A clock that a test moves, in place of the one that passes by itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class ManualClock:
    """Seconds that pass when the test says so, or when something sleeps on the clock.

    What takes a clock takes the object itself (`clock=clock`), what takes a sleep its method (`sleep=clock.sleep`).

    Attributes:
        now: seconds since some moment.
        slept: what was slept, in order.
        at_sleep: called with the seconds of each sleep once they are over, for what is to happen meanwhile.
    """

    now: float = 0.0
    slept: list[float] = field(default_factory=list)
    at_sleep: Callable[[float], object] = lambda _seconds: None

    def __call__(self) -> float:
        """Returns what the clock shows."""
        return self.now

    def pass_(self, seconds: float) -> None:
        """Lets time pass.

        Raises:
            ValueError: the seconds are negative; this clock never goes back.
        """
        if seconds < 0:
            raise ValueError(f"{seconds} seconds cannot pass")
        self.now += seconds

    def sleep(self, seconds: float) -> None:
        """Returns at once, with the time passed."""
        self.pass_(seconds)
        self.slept.append(seconds)
        self.at_sleep(seconds)
