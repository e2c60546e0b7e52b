"""Settings: the candidates around the present one, and a job with other settings."""

from __future__ import annotations

import pytest

from batchrun.domain.definition import (
    ChunkDefinition,
    CompletionDefinition,
    ComponentDefinition,
    FlowDefinition,
    JobDefinition,
    ParallelDefinition,
    StepDefinition,
)
from batchrun.tune.setting import Setting, chunk_candidates, read_ahead_candidates, with_settings


@pytest.mark.parametrize(
    ("present", "items", "sizes"),
    [
        (1_000, 100_000, [1_000, 2_000, 5_000, 10_000, 20_000, 50_000]),
        (3_000, 10_000, [1_000, 2_000, 3_000, 5_000]),
        (10, 4_000, [10, 100, 200, 500, 1_000, 2_000]),
        (500, 4_000, [100, 200, 500, 1_000, 2_000]),
        (50_000, 100_000, [1_000, 2_000, 5_000, 10_000, 20_000, 50_000]),
        (100_000, 1_000_000, [1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000]),
        (100_000, 5_000, [1_000, 2_000, 100_000]),
    ],
)
def test_chunks_are_round_numbers_about_the_present_one_within_the_sample(
    present: int, items: int, sizes: list[int]
) -> None:
    assert [each.chunk for each in chunk_candidates(Setting(present, 2), items)] == sizes


def test_read_aheads_have_the_present_one_among_them() -> None:
    assert [each.read_ahead for each in read_ahead_candidates(Setting(1_000, 3), 12_000)] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(("items", "depths"), [(2_000, [0, 2]), (3_000, [0, 1, 2]), (12_000, [0, 1, 2, 4])])
def test_read_aheads_are_small_beside_the_chunks_of_the_sample(items: int, depths: list[int]) -> None:
    assert [each.read_ahead for each in read_ahead_candidates(Setting(1_000, 2), items)] == depths


def step(name: str, completion: CompletionDefinition) -> StepDefinition:
    part = ComponentDefinition("reader", "csv", {})
    return StepDefinition(name, ChunkDefinition(part, part, completion=completion))


def test_a_job_gets_other_settings_wherever_its_steps_are() -> None:
    timed, own = CompletionDefinition(policy=None, items=10), CompletionDefinition(policy="mine:Policy")
    inner = FlowDefinition([step("b.inner", timed)], "b.inner")
    branches = ParallelDefinition([FlowDefinition([step("p", own)], "p")])
    flow = FlowDefinition(
        [step("a", timed), StepDefinition("b", inner), StepDefinition("both", branches), step("c", timed)], "a"
    )
    job = with_settings(
        JobDefinition("job", flow), {"a": Setting(7, 0), "b.inner": Setting(8, 1), "p": Setting(None, 4)}
    )
    found = {each.name: Setting.of(each.work) for each in job.steps if isinstance(each.work, ChunkDefinition)}
    assert found == {"a": Setting(7, 0), "b.inner": Setting(8, 1), "p": Setting(None, 4), "c": Setting(10, 2)}
