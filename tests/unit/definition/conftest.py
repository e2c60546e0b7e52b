"""A job's folder to load files from, and golden files to compare with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.definition.doubles import JobFolder


@pytest.fixture
def job(tmp_path: Path) -> JobFolder:
    return JobFolder(tmp_path)


GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture
def golden() -> Callable[[str, str], None]:
    """Compares a text with a golden file; a file that is not there is written, and the test fails once."""

    def compare(name: str, text: str) -> None:
        file = GOLDEN / name
        if not file.exists():
            file.write_text(text, encoding="utf-8")
            pytest.fail(f"wrote {file}; read it and commit it")
        assert text == file.read_text(encoding="utf-8")

    return compare
