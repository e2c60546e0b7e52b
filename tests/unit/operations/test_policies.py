"""A user's own policies: made with the scope or without, and refused with the way out."""

from __future__ import annotations

from pathlib import Path

import pytest

from batchrun.domain.definition import CompletionDefinition
from batchrun.domain.tolerance import BackoffDefinition, RetryDefinition, SkipDefinition
from batchrun.engine.policies import LimitedSkipPolicy
from batchrun.errors import DefinitionError, Problem
from batchrun.operations.policies import PolicyBuilder
from batchrun.testing.scope import scope_in

CODE = """
class Skips:
    def __init__(self, scope):
        self.step = scope.step_name
    def may_skip(self, error):
        return True
    def check(self, error, tally):
        pass

class Retries:
    def may_retry(self, error, attempt, elapsed):
        return True

class Broken:
    def __init__(self, scope):
        raise KeyError("x")
"""


@pytest.fixture
def builder(tmp_path: Path) -> PolicyBuilder:
    (tmp_path / "own.py").write_text(CODE)
    return PolicyBuilder(
        scope_in(tmp_path), lambda at, *told: Problem(told[0], "job.yaml", path=".".join(at), hint=told[1])
    )


def test_without_one_the_options_decide(builder: PolicyBuilder) -> None:
    assert isinstance(builder.skip(SkipDefinition()), LimitedSkipPolicy)
    assert builder.backoff(BackoffDefinition())
    assert builder.completion(CompletionDefinition())


def test_a_policy_may_take_the_scope_or_nothing(builder: PolicyBuilder) -> None:
    assert vars(builder.skip(SkipDefinition(policy="own:Skips"))) == {"step": "step"}
    assert builder.retry(RetryDefinition(policy="own:Retries")).may_retry is not None


@pytest.mark.parametrize(
    ("reference", "told"),
    [
        (
            "own:Retries",
            "job.yaml, skip.policy: 'own:Retries' is no SkipPolicy: it has no method 'may_skip' (it needs may_skip",
        ),
        (
            "own:Broken",
            "job.yaml, skip.policy: 'own:Broken' cannot be made: KeyError: 'x' (it is called with the step's",
        ),
        ("own:Nobody", "own.py has no 'Nobody'"),
    ],
)
def test_what_is_none_is_told(builder: PolicyBuilder, reference: str, told: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        builder.skip(SkipDefinition(policy=reference))
    assert told in str(caught.value)
