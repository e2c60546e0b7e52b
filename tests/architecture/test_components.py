"""The built-ins: registered as a plugin would be, each with its spec and its tests."""

from __future__ import annotations

import runpy
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
ENTRY_POINTS: dict[str, str] = PROJECT["entry-points"]["batchrun.components"]
ROLES = ("reader", "processor", "writer", "reject_sink", "tasklet", "decider", "listener")
FOLDERS = {**{role: f"{role}s" for role in ROLES}, "reject_sink": "rejects"}


@pytest.mark.parametrize(("name", "target"), ENTRY_POINTS.items())
def test_a_component_is_one_file_of_its_name(name: str, target: str) -> None:
    role, _, word = name.partition(".")
    module, _, attribute = target.partition(":")
    assert module == f"batchrun.components.{FOLDERS[role]}.{word}"
    spec = getattr(import_module(module), attribute).spec
    assert (spec.role, spec.name) == (role, word)


@pytest.mark.parametrize(("name", "target"), ENTRY_POINTS.items())
def test_a_component_has_tests_that_name_it(name: str, target: str) -> None:
    module, word = target.partition(":")[0], name.partition(".")[2]
    files = [path for kind in ("unit", "contract", "integration") for path in (ROOT / "tests" / kind).rglob("*.py")]
    texts = [
        path.read_text(encoding="utf-8") for path in files if "components" in str(path) or "databases" in str(path)
    ]
    assert any(module in text or f'"{word}"' in text for text in texts)


def test_the_manual_is_what_the_specs_say() -> None:
    generate = runpy.run_path(str(ROOT / "docs" / "generate.py"))
    assert generate["TARGET"].read_text(encoding="utf-8") == generate["page"](), "make generate writes it anew"
