"""The decorators: what a function may take, and what it then gets."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from batchrun import listeners
from batchrun.domain.execution import JobExecution, JobInstance, Owner, StepExecution
from batchrun.domain.parameters import JobParameters
from batchrun.domain.status import ExitStatus
from batchrun.listeners import FunctionListener, after_step, before_job, functions_of, given_at, on_skip, points_of
from batchrun.spi.listener import POINTS
from batchrun.testing.scope import scope_in

INSTANCE = JobInstance(1, "job", "x")
EXECUTION = JobExecution(
    1,
    JobInstance(1, "job", "x"),
    JobParameters(),
    Owner("here", 1, "boot"),
    1,
    datetime.now(UTC),
    context={"of": "job"},
)
STEP = StepExecution(1, 1, "load", context={"of": "step"})


def listener(function: Callable[..., Any]) -> FunctionListener:
    return FunctionListener(function, "hooks:f", scope_in(Path()))


def test_each_point_has_a_decorator_of_its_name() -> None:
    assert sorted(listeners.__all__) == sorted(POINTS)
    for point in POINTS:
        decorate = getattr(listeners, point)
        assert points_of(decorate(lambda: None)) == (point,)


@pytest.mark.parametrize(
    ("point", "given"),
    [
        ("before_job", ("execution", "context", "log")),
        ("after_step", ("execution", "step", "context", "log")),
        ("after_chunk", ("execution", "step", "chunk", "progress", "context", "log")),
        ("after_process", ("execution", "step", "item", "result", "log")),
        ("on_skip", ("execution", "step", "phase", "item", "error", "context", "log")),
        ("on_retry", ("execution", "step", "attempt", "error", "log")),
    ],
)
def test_a_point_gives_its_arguments_the_log_and_where_the_commit_waits_the_context(
    point: str, given: tuple[str, ...]
) -> None:
    assert given_at(point) == given


def test_a_function_gets_what_it_takes_by_name() -> None:
    got: list[Any] = []

    @after_step
    def tell(context: Any, step: Any) -> None:
        got.append((context, step))

    listener(tell).after_step(EXECUTION, STEP)
    assert got == [({"of": "step"}, STEP)]


def test_at_a_point_of_the_job_the_context_is_the_job_s() -> None:
    got: list[Any] = []

    @before_job
    def tell(context: Any, threshold: int = 5) -> None:
        got.append((context, threshold))

    listener(tell).before_job(EXECUTION)
    assert got == [({"of": "job"}, 5)]


def test_a_function_of_any_names_gets_all() -> None:
    got: list[Any] = []

    @after_step
    def tell(**given: Any) -> None:
        got.extend(given)

    listener(tell).after_step(EXECUTION, STEP)
    assert got == ["execution", "step", "context", "log"]


def test_a_function_of_no_names_is_called_all_the_same() -> None:
    assert listener(after_step(lambda: "NOOP")).after_step(EXECUTION, STEP) == ExitStatus("NOOP")


def test_the_log_is_the_step_s() -> None:
    got: list[logging.Logger] = []
    listener(after_step(lambda log: got.append(log))).after_step(EXECUTION, STEP)
    assert [log.name for log in got] == ["batchrun.job.job.step"]


def test_one_function_may_listen_at_several_points() -> None:
    @before_job
    @after_step
    def tell(execution: Any) -> None: ...

    assert set(points_of(tell)) == {"before_job", "after_step"}


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda itme: None, "on_skip does not give <lambda> a 'itme'; did you mean 'item'?"),
        (
            lambda zzz: None,
            "on_skip does not give <lambda> a 'zzz'; it gives execution, step, phase, item, error, context, log",
        ),
        (lambda *all: None, "<lambda> takes 'all' by place, and on_skip gives everything by name"),
        (lambda item, /: None, "<lambda> takes 'item' by place, and on_skip gives everything by name"),
    ],
)
def test_a_function_that_takes_something_else_is_refused_when_it_is_decorated(
    function: Callable[..., Any], message: str
) -> None:
    with pytest.raises(TypeError) as refused:
        on_skip(function)
    assert str(refused.value) == message


def test_a_coroutine_is_refused() -> None:
    async def tell() -> None: ...

    with pytest.raises(TypeError, match="define it without async"):
        after_step(tell)


def test_a_decorated_function_stays_the_function_it_was() -> None:
    @after_step
    def tell(step: Any) -> str:
        return f"{step}!"

    assert inspect.isfunction(tell)
    assert tell("a") == "a!"

    @wraps(tell)
    def around(step: Any) -> str:
        return tell(step)

    assert points_of(around) == ("after_step",)


def test_the_functions_of_a_module_are_those_decorated_in_its_order() -> None:
    class Odd:
        def __getattr__(self, name: str) -> object:
            return self

    module = ModuleType("hooks")
    module.odd = Odd()  # type: ignore[attr-defined]
    module.second = after_step(lambda: None)  # type: ignore[attr-defined]
    module.plain = lambda: None  # type: ignore[attr-defined]
    module.first = before_job(lambda: None)  # type: ignore[attr-defined]
    assert list(functions_of(module)) == ["second", "first"]
