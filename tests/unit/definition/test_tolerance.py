"""`chunk`, `skip`, `retry`, `on_write_error` and `rejects` of a step: what they mean, and what is wrong in them."""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction
from typing import Any

import pytest

from batchrun.domain.definition import ChunkDefinition, CompletionDefinition
from batchrun.domain.tolerance import (
    BackoffDefinition,
    ErrorRules,
    OnWriteError,
    RetryDefinition,
    SkipDefinition,
    ToleranceDefinition,
)
from batchrun.errors import DefinitionError
from tests.unit.definition.doubles import JobFolder

POLICIES = "class Mine:\n    pass\n"


def step(options: str) -> str:
    return (
        "name: j\ndatabases: {d: x}\nsteps:\n"
        "  - name: s\n    reader: {type: lines, path: a}\n    writer: {type: store, database: d, table: t}\n"
        f"    {options}\n"
    )


def work(job: JobFolder, options: str) -> ChunkDefinition:
    found = job.load(step(options)).definition.steps[0].work
    assert isinstance(found, ChunkDefinition)
    return found


def problem(job: JobFolder, options: str) -> str:
    with pytest.raises(DefinitionError) as caught:
        job.load(step(options))
    return "; ".join(f"{each.message} ({each.hint})" if each.hint else each.message for each in caught.value.problems)


def test_without_them_the_first_error_fails_the_step(job: JobFolder) -> None:
    assert work(job, "chunk: 5").tolerance == ToleranceDefinition()


def test_all_of_skip_is_read(job: JobFolder) -> None:
    found = work(job, "skip: {limit: 100, errors: [ParseError], except: [my.Bad], limits: {ParseError: 10}}")
    assert found.tolerance.skip == SkipDefinition(
        ErrorRules(("ParseError",), ("my.Bad",)), 100, None, {"ParseError": 10}
    )


@pytest.mark.parametrize(
    ("text", "share"), [("5%", Fraction(1, 20)), ("0.1 %", Fraction(1, 1000)), ("100%", Fraction(1))]
)
def test_a_limit_may_be_a_part_of_the_items(job: JobFolder, text: str, share: Fraction) -> None:
    skip = work(job, f"skip: {{limit: {text!r}, errors: [ParseError]}}").tolerance.skip
    assert (skip.limit, skip.share) == (None, share)


def test_a_limit_left_out_is_none(job: JobFolder) -> None:
    skip = work(job, "skip: {errors: [ParseError]}").tolerance.skip
    assert (skip.limit, skip.share) == (None, None)


def test_all_of_retry_is_read(job: JobFolder) -> None:
    found = work(
        job,
        "retry: {limit: 5, errors: [OperationalError], except: [QueryCanceled], timeout: 1m,"
        " backoff: {type: exponential, initial: 100ms, multiplier: 3, max: 10s, jitter: true}}",
    )
    assert found.tolerance.retry == RetryDefinition(
        ErrorRules(("OperationalError",), ("QueryCanceled",)),
        5,
        timedelta(minutes=1),
        BackoffDefinition(timedelta(milliseconds=100), 3.0, timedelta(seconds=10), True),
    )


@pytest.mark.parametrize(("backoff", "multiplier"), [("{}", 1.0), ("{initial: 1s}", 1.0), ("{type: exponential}", 2.0)])
def test_a_backoff_is_fixed_unless_it_says_otherwise(job: JobFolder, backoff: str, multiplier: float) -> None:
    found = work(job, f"retry: {{errors: [OperationalError], backoff: {backoff}}}").tolerance.retry.backoff
    assert found.multiplier == multiplier


def test_a_fixed_backoff_is_as_long_as_it_says(job: JobFolder) -> None:
    found = work(job, "retry: {errors: [OperationalError], backoff: {initial: 2m}}").tolerance.retry.backoff
    assert (found.initial, found.most) == (timedelta(minutes=2), timedelta(minutes=2))


def test_what_becomes_of_a_chunk_that_is_refused(job: JobFolder) -> None:
    assert work(job, "on_write_error: skip_chunk").tolerance.on_write_error is OnWriteError.SKIP_CHUNK


@pytest.mark.parametrize(
    ("chunk", "expected"),
    [
        ("50", CompletionDefinition(50)),
        ("{items: 50}", CompletionDefinition(50)),
        ("{seconds: 0.5}", CompletionDefinition(1000, timedelta(milliseconds=500))),
        ("{items: 50, seconds: 5}", CompletionDefinition(50, timedelta(seconds=5))),
        ("{policy: 'policies:Mine'}", CompletionDefinition(1000, None, "policies:Mine")),
    ],
)
def test_when_a_chunk_is_full(job: JobFolder, chunk: str, expected: CompletionDefinition) -> None:
    (job.folder / "policies.py").write_text(POLICIES)
    assert work(job, f"chunk: {chunk}").completion == expected


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ("skip: {limit: '105%', errors: [E]}", "'105%' is no percentage such as 5%"),
        (
            "skip: {limit: '100', errors: [E]}",
            "'100' is no percentage such as 5% (a number of items is written without",
        ),
        ("skip: {limit: -1, errors: [E]}", "'skip.limit' of step 's' must be at least 0, got -1"),
        ("skip: {eror: [E]}", "unknown option 'eror' of 'skip' of step 's' (did you mean 'errors'?)"),
        ("retry: {limit: 0}", "'retry.limit' of step 's' must be at least 1, got 0"),
        ("retry: {backoff: {initial: 5}}", "expected 'retry.backoff.initial' of step 's' to be a duration"),
        ("retry: {backoff: {type: linear}}", "'retry.backoff.type' of step 's' cannot be 'linear'"),
        ("on_write_error: ignore", "'on_write_error' of step 's' cannot be 'ignore' (one of bisect, fail, skip_chunk)"),
        ("chunk: {}", "'chunk' says nothing"),
        ("chunk: {seconds: 0}", "'chunk.seconds' of step 's' must be more than 0"),
        ("chunk: {policy: 'policies:Mine', items: 5}", "'items' means nothing beside a policy"),
        ("skip: {policy: 'policies:Other'}", "has no 'Other'"),
        ("rejects: {type: jsonlines}", "did you mean 'json_lines'?"),
        (
            "rejects: {type: json_lines, paht: a}",
            "unknown option 'paht' of reject_sink 'json_lines' (did you mean 'path'?)",
        ),
        ("rejects: {type: json_lines, path: '${execution.id}.txt'}", "in one place (${execution.instance_id})"),
        ("rejects: {type: json_lines, path: '${steps.s.visit}.txt'}", "'steps' is not known here"),
    ],
)
def test_what_is_wrong_is_told_with_the_way_out(job: JobFolder, options: str, told: str) -> None:
    (job.folder / "policies.py").write_text(POLICIES)
    assert told in problem(job, options)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (
            "skip: {errors: [ParsError]}",
            "no error that batchrun knows is called 'ParsError': did you mean 'ParseError'?",
        ),
        ("skip: {errors: [E], except: [IntegrtyError]}", "'IntegrtyError': did you mean 'IntegrityError'?"),
        ("retry: {errors: [OperationlError]}", "'OperationlError': did you mean 'OperationalError'?"),
        ("skip: {errors: [E], limits: {ValeError: 1}}", "'ValeError': did you mean 'ValueError'?"),
        ("skip: {limit: 5}", "nothing is skipped without errors"),
        ("skip: {limit: 0, errors: [E]}", "a limit of 0 skips nothing"),
        ("skip: {limit: 0%, errors: [E]}", "a limit of 0 skips nothing"),
        ("retry: {limit: 3}", "nothing is tried again without errors"),
        ("retry: {limit: 1, errors: [E]}", "one attempt is the first"),
        ("retry: {errors: [E], backoff: {multiplier: 2}}", "a fixed backoff has no multiplier"),
        (
            "retry: {errors: [E], backoff: {type: exponential, initial: 1m}}",
            "the first wait is longer than the longest",
        ),
        ("skip: {policy: 'policies:Mine', limit: 1}", "'limit' means nothing beside a policy"),
        ("rejects: {type: json_lines}", "a step without skip has no rejects"),
    ],
)
def test_what_comes_to_nothing_is_warned_of(job: JobFolder, options: str, told: str) -> None:
    (job.folder / "policies.py").write_text(POLICIES)
    warnings: list[Any] = list(job.load(step(options)).warnings)
    assert told in "; ".join(f"{each.message}: {each.hint}" for each in warnings)


def test_classes_of_the_jobs_own_are_no_slips(job: JobFolder) -> None:
    assert not job.load(step("skip: {errors: [TradeRefused, shop.Sold, ValueError, UniqueViolation]}")).warnings
