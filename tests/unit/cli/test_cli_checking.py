"""validate and schema: problems with their caret, warnings, JSON, and files that cannot be written."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from rich.text import Text

from batchrun.cli.rendering.problems import show_problem
from batchrun.cli.rendering.screen import Screen
from batchrun.errors import DefinitionError, Problem
from tests.unit.cli.conftest import Result
from tests.unit.cli.doubles import ApplicationDouble, job_double

Run = Callable[..., Result]

MISSPELT = Problem(
    "unknown option 'delimeter' of reader 'csv'",
    "jobs.d/x.yaml",
    line=23,
    column=7,
    source="      delimeter: ';'",
    path="steps[0].reader.delimeter",
    hint="did you mean 'delimiter'?",
)
PLACELESS = Problem("there is no such file", "jobs.d/y.yaml")
WARNING = Problem("step 'x' has no effect", "jobs.d/x.yaml", 3, 1, "- name: x", severity="warning")


def test_all_problems_are_shown_with_line_and_caret_then_counted(batchrun: Run, application: ApplicationDouble) -> None:
    application.raises = DefinitionError([MISSPELT, PLACELESS])
    for command in ("validate", "launch"):
        result = batchrun(command, "x")
        assert (result.code, result.out) == (5, "")
        assert result.err == (
            "jobs.d/x.yaml:23:7: error: unknown option 'delimeter' of reader 'csv'; did you mean 'delimiter'?\n"
            "          delimeter: ';'\n"
            "          ^\n"
            "jobs.d/y.yaml: error: there is no such file\n"
            "error: 2 problems in the job file or its parameters\n"
        )


def test_a_valid_job_is_told_on_stdout_and_its_warnings_on_stderr(
    batchrun: Run, application: ApplicationDouble
) -> None:
    application.job = job_double(warnings=[WARNING])
    result = batchrun("validate", "x")
    assert result.code == 0
    assert result.out == "/project/jobs.d/load_trades.yaml: job 'load-trades' is valid, 2 steps, 1 warning\n"
    assert result.err.startswith("jobs.d/x.yaml:3:1: warning: step 'x' has no effect\n")
    assert batchrun("-q", "validate", "x").err == ""


def test_json_of_validate_holds_the_problems_and_leaves_stderr_alone(
    batchrun: Run, application: ApplicationDouble
) -> None:
    application.job = job_double(warnings=[WARNING])
    good = batchrun("validate", "x", "--output", "json")
    assert good.document["valid"] is True
    assert good.document["job_name"] == "load-trades"
    assert [each["severity"] for each in good.document["problems"]] == ["warning"]
    application.raises = DefinitionError([MISSPELT])
    bad = batchrun("validate", "x", "--output", "json")
    assert (bad.code, bad.err) == (5, "")
    assert bad.document == {
        "valid": False,
        "job_name": None,
        "problems": [
            {
                "severity": "error",
                "message": "unknown option 'delimeter' of reader 'csv'",
                "hint": "did you mean 'delimiter'?",
                "file": "jobs.d/x.yaml",
                "line": 23,
                "column": 7,
                "path": "steps[0].reader.delimeter",
            }
        ],
    }


class NarrowScreen(Screen):
    def __init__(self, width: int) -> None:
        super().__init__()
        self._fixed_width = width
        self.lines: list[str] = []

    @property
    def width(self) -> int | None:
        return self._fixed_width

    def print(self, *lines: Text | str) -> None:
        self.lines.extend(str(line) for line in lines)


@pytest.mark.parametrize("column", [1, 40, 100, 140])
@pytest.mark.parametrize("width", [40, 60, 80])
def test_a_caret_stays_under_its_column_on_a_narrow_terminal(width: int, column: int) -> None:
    source = "".join(chr(0x21 + place % 90) for place in range(150))
    screen = NarrowScreen(width)
    show_problem(screen, Problem("it is wrong", "x.yaml", 1, column, source))
    line, caret = screen.lines[-2:]
    assert max(map(len, (line, caret))) < width
    assert line[caret.index("^")] == source[column - 1]


def test_the_schema_is_printed_or_written(batchrun: Run, application: ApplicationDouble, tmp_path: Path) -> None:
    class Nothing:
        def names(self, role: str) -> Sequence[str]:
            return []

        def specs(self) -> Sequence[object]:
            return []

    application.components = Nothing()  # type: ignore[assignment]
    printed = batchrun("schema")
    assert json.loads(printed.out)["$schema"].startswith("http://json-schema.org/draft-07")
    folder = tmp_path / "new" / "schemas"
    written = batchrun("schema", "--output-dir", str(folder))
    assert (written.code, written.out) == (0, "")
    assert written.err == f"wrote {folder / 'job.schema.json'}\nwrote {folder / 'flow.schema.json'}\n"
    assert (folder / "job.schema.json").read_text(encoding="utf-8") == printed.out


def test_a_schema_that_cannot_be_written_is_told(batchrun: Run, application: ApplicationDouble, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    result = batchrun("schema", "--output-dir", str(tmp_path / "file" / "x"))
    assert result.code == 2
    assert result.err == f"error: {tmp_path / 'file' / 'x'} cannot be written: Not a directory\n"
