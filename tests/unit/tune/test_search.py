"""The search: rounds of settings, first of the chunk size and then of the read-ahead."""

from __future__ import annotations

from collections.abc import Callable

from batchrun.domain.execution import StepTimes
from batchrun.tune.search import Search
from batchrun.tune.setting import Measurement, Setting

NOW = Setting(1_000, 2)


def searched(
    rate: Callable[[Setting], float], *, rounds: int = 3, items: int = 40_000
) -> tuple[Search, list[list[Setting]]]:
    """Searches where a setting always has the same rate; returns what was measured in each round, too."""
    search, asked = Search(NOW, items, rounds), list[list[Setting]]()
    while not search.is_over:
        wanted = search.series.wanted()
        asked.append(wanted)
        search.series.take({each: Measurement(round(rate(each)), 1.0, StepTimes()) for each in wanted})
    return search, asked


def chunks(settings: list[Setting]) -> list[int | None]:
    return [each.chunk for each in settings]


def test_every_other_round_goes_back() -> None:
    _, asked = searched(lambda _: 100)
    assert chunks(asked[0]) == [1_000, 2_000, 5_000, 10_000, 20_000]
    assert chunks(asked[1]) == [20_000, 10_000, 5_000, 2_000, 1_000]


def test_equal_settings_change_nothing() -> None:
    search, asked = searched(lambda _: 100)
    assert search.chosen == NOW
    assert [each.read_ahead for each in asked[3]] == [0, 1, 2, 4]
    assert len(asked) == 6


def test_slower_chunks_are_left_out_after_two_rounds() -> None:
    _, asked = searched(lambda each: each.chunk or 0)
    assert chunks(asked[2]) == [1_000, 20_000]


def test_where_only_the_present_setting_is_left_nothing_more_is_measured() -> None:
    _, asked = searched(lambda each: 1_000_000 // (each.chunk or 1) - 100 * abs(each.read_ahead - 2), rounds=5)
    assert [len(each) for each in asked] == [5, 5, 4, 4, 2, 2, 2]


def test_the_read_ahead_is_searched_with_the_chunk_size_that_was_found() -> None:
    search, asked = searched(lambda each: min(each.chunk or 0, 20_000) + 30_000 * each.read_ahead, items=400_000)
    assert search.chunks.chosen == Setting(20_000, 2)
    assert chunks(asked[3]) == [20_000] * 4
    assert search.chosen == Setting(20_000, 4)


def test_the_runs_to_come_are_none_at_the_end_and_never_grow() -> None:
    search, left = Search(NOW, 40_000, 5), list[int]()
    while not search.is_over:
        left.append(search.expected)
        search.series.take({each: Measurement(100, 1.0, StepTimes()) for each in search.series.wanted()})
    assert search.expected == 0
    assert left[0] > 0


def test_a_search_that_hurries_ends_after_fewer_rounds() -> None:
    search, count = Search(NOW, 40_000, 5), 0
    while not search.is_over:
        search.series.take({each: Measurement(100, 1.0, StepTimes()) for each in search.series.wanted()})
        count += 1
        if count == 4:
            search.hurry(3)
    assert (search.chunks.done, count) == (4, 7)


def test_a_policy_of_its_own_leaves_the_read_ahead_to_be_searched() -> None:
    search = Search(Setting(None, 0), 40_000, 3)
    assert [(each.chunk, each.read_ahead) for each in search.series.wanted()] == [
        (None, 0),
        (None, 1),
        (None, 2),
        (None, 4),
    ]
