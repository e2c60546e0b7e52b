"""What is to be recommended: a change that gains more than measurements differ by chance, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from batchrun.tune.setting import Measurement, Setting

LEAST_GAIN = 0.05
"""What a change must gain to be worth it, as a part of the present speed."""

_MANY_ROUNDS = 5
_KEPT_SHARE = 0.9


@dataclass(frozen=True, slots=True)
class Candidate:
    """A setting with all that was measured of it.

    Attributes:
        ratio: how many times as fast as the present one, in the same round; the median.
        least: the lowest ratio of a round.
        spread: how far the ratios of the rounds lie apart, as a part of the median; of five rounds and more, without
            the one furthest from the median: a disturbance.
        runs: those of each round, from the first on.
        is_left_out: it was so slow in the first rounds that it was not measured again.
    """

    setting: Setting
    ratio: float
    least: float
    spread: float
    runs: Sequence[Measurement]
    is_left_out: bool = False

    @property
    def typical(self) -> Measurement:
        """The run whose speed is the median."""
        return sorted(self.runs, key=lambda each: each.rate)[(len(self.runs) - 1) // 2]

    @property
    def gains(self) -> bool:
        """Tells whether it is faster than what it is compared with by more than chance."""
        return self.least > 1 and self.ratio - 1 > max(LEAST_GAIN, self.spread)


def candidate(
    setting: Setting,
    runs: Sequence[Measurement],
    present: Sequence[Measurement],
    *,
    is_left_out: bool = False,
) -> Candidate:
    """Returns what was measured of a setting.

    Args:
        setting: which.
        runs: of each round that it was in, from the first round on.
        present: of the setting that it is compared with, in each round.
        is_left_out: it was not in the last rounds.
    """
    ratios = [one.rate / other.rate for one, other in zip(runs, present, strict=False) if other.rate]
    if not ratios:
        return Candidate(setting, 0.0, 0.0, 0.0, runs, is_left_out)
    middle, kept = median(ratios), _undisturbed(ratios)
    return Candidate(setting, middle, min(ratios), (kept[-1] - kept[0]) / middle, runs, is_left_out)


def _undisturbed(ratios: Sequence[float]) -> list[float]:
    """Returns ratios in ascending order; of five and more, without the one furthest from the median."""
    kept = sorted(ratios)
    if len(kept) >= _MANY_ROUNDS:
        middle = median(kept)
        kept.remove(max(kept, key=lambda each: abs(each - middle)))
    return kept


def chosen(candidates: Sequence[Candidate], present: Setting) -> Setting:
    """Returns the setting to recommend: the present one, unless another gains more than chance.

    Among those that the fastest does not outdo by more than chance, it is the first: the smaller chunk takes less
    memory, and less is done again after a crash.

    Args:
        candidates: in ascending order.
        present: one of them.
    """
    worthy = [each for each in candidates if each.gains and not each.is_left_out and each.setting != present]
    if not worthy:
        return present
    best = max(worthy, key=lambda each: each.ratio)
    return next(each for each in worthy if not candidate(best.setting, best.runs, each.runs).gains).setting


def left(rates: Mapping[Setting, Sequence[Measurement]], present: Setting) -> list[Setting]:
    """Returns the settings that are worth another round, in their order; the present one always is.

    What was clearly slower than the fastest one in each round so far is not.
    """
    best = max(rates, key=lambda setting: median(each.rate for each in rates[setting]))
    return [
        setting
        for setting, runs in rates.items()
        if setting == present
        or any(one.rate >= _KEPT_SHARE * other.rate for one, other in zip(runs, rates[best], strict=True))
    ]
