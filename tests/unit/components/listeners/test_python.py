"""The listener `python`."""

from __future__ import annotations

from pathlib import Path

import pytest

from batchrun.registry import Registry
from tests.unit.components.listeners.bench import make

HOOKS = """\
from batchrun.listeners import after_step, before_step

@before_step
def begin(step): pass

@after_step
def end(step): pass

def plain(step): pass
"""


def test_it_stands_for_all_decorated_functions_of_a_module(tmp_path: Path) -> None:
    (tmp_path / "hooks.py").write_text(HOOKS)
    assert [str(part) for part in make(tmp_path, "python", module="hooks").parts()] == ["hooks:begin", "hooks:end"]


def test_it_stands_for_one_function(tmp_path: Path) -> None:
    (tmp_path / "hooks.py").write_text(HOOKS)
    assert [str(part) for part in make(tmp_path, "python", call="hooks:end").parts()] == ["hooks:end"]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({}, "the listener has neither 'module' nor 'call'"),
        ({"module": "hooks", "call": "hooks:end"}, "the listener has both 'module' and 'call'"),
    ],
)
def test_it_is_given_a_module_or_a_function(options: dict[str, str], told: str) -> None:
    spec = Registry().spec("listener", "python")
    assert [problem.message for problem in spec.parse(options).check()] == [told]
