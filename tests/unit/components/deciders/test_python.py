"""The decider `python`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from batchrun.domain.status import ExitStatus
from batchrun.errors import CallError
from tests.unit.components.deciders.bench import decide, facts

FUNCTIONS = """\
from batchrun.domain.status import ExitStatus

def fixed(code):
    return code

def status():
    return ExitStatus("EMPTY", "no rows")

def asks(params, steps, execution, context, log, should_stop):
    return f"{params['limit']} {steps['load']['write_count']} {execution['id']} {context['last']} {should_stop()}"

def leave():
    raise SystemExit(3)
"""


def call(folder: Path, name: str, **arguments: Any) -> str | ExitStatus:
    (folder / "routes.py").write_text(FUNCTIONS)
    given = facts(params={"limit": 4}, job={"context": {"last": 41}})
    return decide("python", {"call": f"routes:{name}", "arguments": arguments}, given, folder)


def test_the_function_returns_the_exit_code(tmp_path: Path) -> None:
    assert call(tmp_path, "fixed", code="GO") == "GO"
    assert call(tmp_path, "status") == ExitStatus("EMPTY", "no rows")


def test_the_function_gets_what_it_asks_for_by_name(tmp_path: Path) -> None:
    assert call(tmp_path, "asks") == "4 7 5 41 False"


def test_a_function_that_would_end_the_process_or_takes_other_arguments_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CallError, match=r"routes:leave called sys\.exit\(3\)"):
        call(tmp_path, "leave")
    with pytest.raises(CallError, match="cannot be called with these arguments"):
        call(tmp_path, "fixed")
