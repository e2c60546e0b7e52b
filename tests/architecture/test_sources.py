"""House rules that a linter does not know: sizes, docstrings, nothing left to do, layers."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LONGEST_MODULE = 500
LONGEST_FUNCTION = 60
LEFT_OPEN = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "X" * 3, "HA" + "CK")) + r")\b")
WORDLESS_NAMES = {"utils", "util", "common", "helpers", "helper", "manager", "base"}


def sources(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def shown(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_modules_are_short() -> None:
    lengths = {shown(path): len(path.read_text().splitlines()) for path in sources("batchrun", "tests", "demo")}
    assert {path: lines for path, lines in lengths.items() if lines > LONGEST_MODULE} == {}


def test_functions_are_short() -> None:
    too_long = [
        f"{shown(path)}:{function.lineno} {function.name}"
        for path in sources("batchrun", "tests", "demo")
        for function in functions(path)
        if (function.end_lineno or 0) - function.lineno + 1 > LONGEST_FUNCTION
    ]
    assert too_long == []


def test_nothing_is_left_open() -> None:
    documents = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    left = [
        f"{shown(path)}:{number}"
        for path in [*sources("batchrun", "tests", "demo", "benchmarks"), *documents]
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if LEFT_OPEN.search(line)
    ]
    assert left == []


def test_every_module_says_what_it_is() -> None:
    silent = [
        shown(path)
        for path in sources("batchrun", "demo")
        if (text := path.read_text(encoding="utf-8")).strip() and not ast.get_docstring(ast.parse(text))
    ]
    assert silent == []


def test_modules_are_named_by_what_they_hold() -> None:
    assert [shown(path) for path in sources("batchrun") if path.stem in WORDLESS_NAMES] == []


def test_imports_go_downward_only() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    ended = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout


@pytest.mark.parametrize("command", [["--help"], ["--version"], ["launch", "--help"]])
def test_help_imports_nothing_heavy(command: list[str]) -> None:
    heavy = ("sqlalchemy", "polars", "psycopg", "adbc_driver_sqlite", "alembic", "jsonschema", "rich", "pydantic")
    program = (
        "import sys; from batchrun.cli import main\n"
        "try: main()\n"
        f"finally: print([name for name in {heavy!r} if name in sys.modules], file=sys.stderr)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program, *command], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert ended.stderr.strip() == "[]"


@pytest.mark.parametrize("command", [["history"], ["history", "--status", "failed", "--since", "7d"]])
def test_a_history_imports_nothing_that_runs_jobs(command: list[str], tmp_path: Path) -> None:
    needless = (
        "batchrun.engine",
        "batchrun.definition",
        "batchrun.registry",
        "polars",
        "alembic",
        "psycopg",
        "jsonschema",
    )
    program = (
        "import sys; from batchrun.cli import main\n"
        "try: main()\n"
        f"finally: print([name for name in {(*needless, 'sqlalchemy.dialects.postgresql')!r} if name in sys.modules])"
    )
    arguments = [sys.executable, "-c", program, "--repository", f"sqlite:///{tmp_path}/repository.db", *command]
    ended = subprocess.run(arguments, capture_output=True, text=True, check=True, cwd=ROOT)
    assert ended.stdout.strip() == "[]"


def test_importing_the_package_imports_nothing_else_of_it() -> None:
    program = """
import sys, batchrun
print(sorted(name for name in sys.modules if name.startswith("batchrun") or name in ("typer", "msgspec", "logging")))
batchrun.launch, batchrun.Job, batchrun.readers
heavy = ("sqlalchemy", "polars", "psycopg", "adbc_driver_sqlite", "alembic", "jsonschema", "typer", "rich")
print([name for name in heavy if name in sys.modules])
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert ended.stdout == "['batchrun', 'batchrun.version']\n[]\n"


def test_what_the_package_has_is_there() -> None:
    import batchrun

    assert all(getattr(batchrun, name) is not None for name in batchrun.__all__)
    assert not hasattr(batchrun, "lanch")
