"""What is recommended: gains beyond chance, and of equals the present and then the smaller one."""

from __future__ import annotations

import pytest

from batchrun.domain.execution import StepTimes
from batchrun.tune.choice import Candidate, candidate, chosen, left
from batchrun.tune.setting import Measurement, Setting

NOW = Setting(1_000, 2)


def runs(*rates: float) -> list[Measurement]:
    return [Measurement(round(rate), 1.0, StepTimes()) for rate in rates]


def measured(present: list[float], **others: list[float]) -> list[Candidate]:
    """Returns candidates by their chunk, `c2000=[…]`, behind the present one."""
    base = runs(*present)
    made = {NOW: base, **{NOW.with_chunk(int(name[1:])): runs(*rates) for name, rates in others.items()}}
    return sorted(
        (candidate(setting, each, base) for setting, each in made.items()), key=lambda each: each.setting.chunk or 0
    )


def recommended(present: list[float], **others: list[float]) -> int | None:
    return chosen(measured(present, **others), NOW).chunk


def test_the_ratio_is_the_median_over_rounds_each_with_the_present_one_of_its_round() -> None:
    found = measured([100, 200, 400], c2000=[150, 300, 1200])[1]
    assert (found.ratio, found.typical.rate, len(found.runs)) == (1.5, 300, 3)


def test_a_drift_of_the_machine_makes_no_spread() -> None:
    assert measured([100, 50, 25], c2000=[200, 100, 50])[1].spread == 0


@pytest.mark.parametrize(
    ("rates", "spread"),
    [([130], 0), ([150, 250], 0.5), ([100, 300, 200], 1.0), ([100, 100, 125, 100, 900], 0.25)],
)
def test_the_spread_is_the_range_and_one_disturbance_of_many_rounds_is_left_out(
    rates: list[float], spread: float
) -> None:
    assert measured([100] * len(rates), c2000=rates)[1].spread == spread


def test_a_gain_that_one_of_the_rounds_has_not_is_none() -> None:
    assert recommended([100] * 5, c2000=[99, 180, 170, 175, 172]) == 1_000
    assert recommended([100] * 5, c2000=[101, 180, 170, 175, 172]) == 2_000


def test_a_gain_beyond_five_per_cent_and_the_spread_is_recommended() -> None:
    assert recommended([100, 100, 100], c2000=[120, 121, 122]) == 2_000


def test_five_per_cent_are_not_enough() -> None:
    assert recommended([100, 100, 100], c2000=[104, 105, 104]) == 1_000


def test_a_gain_within_the_spread_is_noise() -> None:
    assert recommended([100, 100, 100], c2000=[95, 120, 130]) == 1_000


def test_a_large_gain_is_recommended_however_much_its_rounds_differ() -> None:
    assert recommended([100, 100, 100], c2000=[400, 900, 1200]) == 2_000


def test_of_equals_the_smaller_chunk_is_recommended() -> None:
    assert recommended([100] * 3, c2000=[150] * 3, c5000=[156] * 3, c10000=[157] * 3) == 2_000


def test_the_fastest_must_outdo_a_smaller_one_beyond_chance_in_the_same_rounds() -> None:
    assert recommended([100, 50, 80], c2000=[200, 150, 210], c5000=[230, 140, 260]) == 2_000
    assert recommended([100, 50, 80], c2000=[200, 100, 160], c5000=[260, 130, 208]) == 5_000


def test_a_larger_chunk_that_gains_more_is_recommended() -> None:
    assert recommended([100] * 3, c2000=[150] * 3, c5000=[200] * 3, c10000=[201] * 3) == 5_000


def test_a_smaller_chunk_that_is_as_fast_as_the_present_one_is_not_recommended() -> None:
    assert recommended([100] * 3, c500=[103] * 3) == 1_000


def test_what_was_left_out_is_not_recommended() -> None:
    base = runs(100, 100, 100)
    found = [candidate(NOW, base, base), candidate(NOW.with_chunk(5_000), runs(200, 200), base, is_left_out=True)]
    assert chosen(found, NOW) == NOW


def test_nothing_measured_is_nothing_recommended() -> None:
    assert chosen([], NOW) == NOW


def test_what_is_clearly_slower_gets_no_further_round_and_the_present_one_always_does() -> None:
    rates = {NOW: runs(10, 10), NOW.with_chunk(2_000): runs(80, 80), NOW.with_chunk(5_000): runs(100, 90)}
    assert left(rates, NOW) == [NOW, NOW.with_chunk(5_000)]
    rates[NOW.with_chunk(2_000)] = runs(80, 82)
    assert left(rates, NOW) == list(rates)
