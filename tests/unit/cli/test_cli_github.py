"""The form github: annotations and groups on stderr, the step summary in its file, and stdout for the result alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from batchrun.cli.reports.github import command
from batchrun.domain.status import BatchStatus
from batchrun.errors import DefinitionError, InstanceCompleteError, RepositoryUnreachableError
from tests.unit.cli.conftest import Result
from tests.unit.cli.doubles import ApplicationDouble, execution_of, run_step, step_of
from tests.unit.cli.test_cli_checking import MISSPELT, WARNING, job_double

Run = Callable[..., Result]

JOB = "name: load-trades\nsteps:\n  - name: load\n  - name: settle\n"


@pytest.fixture
def application() -> ApplicationDouble:
    reason = "in.csv:17: 100% wrong\nsecond line"
    failed = execution_of(
        step_of("load", read=16, write=10, read_skip=2, code="COMPLETED WITH SKIPS"),
        step_of("settle", BatchStatus.FAILED, description=reason),
        status=BatchStatus.FAILED,
    )
    failed.job_text = JOB
    return ApplicationDouble(ends=failed)


@pytest.fixture
def summary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What a step of a workflow finds around it, and the file of its summary."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_WORKSPACE", "/project")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    return tmp_path / "summary.md"


def commands(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("::")]


def test_commands_are_escaped_as_workflow_commands_are() -> None:
    assert command("error", "100%\r\nend: a,b", title="a: 5%, b\n") == (
        "::error title=a%3A 5%25%2C b%0A::100%25%0D%0Aend: a,b"
    )
    assert command("endgroup") == "::endgroup::"
    assert command("error", "x", file="", line="3") == "::error line=3::x"


def test_a_failed_step_is_an_annotation_at_its_line_of_the_job_file(batchrun: Run, summary: Path) -> None:
    result = batchrun("launch", "x")
    assert result.code == 1
    assert (
        "::error file=jobs.d/load_trades.yaml,line=4,title=load-trades%3A settle"
        "::in.csv:17: 100%25 wrong%0Asecond line\n"
    ) in result.err


def test_skipped_items_are_a_warning(batchrun: Run, summary: Path, application: ApplicationDouble) -> None:
    warning = "::warning file=jobs.d/load_trades.yaml,line=3,title=load-trades%3A load::2 items skipped\n"
    assert warning in batchrun("launch", "x").err
    assert "::warning" not in batchrun("-q", "launch", "x").err
    application.ends = execution_of(step_of(read_skip=2))
    assert "::error" in batchrun("launch", "x", "--fail-on-skips").err


def test_progress_is_folded_and_stdout_has_the_result_alone(
    batchrun: Run, summary: Path, application: ApplicationDouble
) -> None:
    application.script = lambda listener, execution: run_step(listener, execution, execution.steps[0], 500)
    result = batchrun("launch", "x")
    lines = result.err.splitlines()
    assert lines[0] == "::group::load-trades"
    assert lines.index("::endgroup::") > 1
    assert commands(result.out) == []
    assert result.out.startswith("✗ load-trades FAILED")
    assert "::group" not in batchrun("-q", "launch", "x").err


def test_a_group_is_closed_when_the_run_cannot_start(
    batchrun: Run, summary: Path, application: ApplicationDouble
) -> None:
    def refuse(*_: object) -> None:
        raise InstanceCompleteError("load-trades", 6, has_identifying=True)

    application.script = refuse
    assert commands(batchrun("launch", "x").err) == [
        "::group::load-trades",
        "::endgroup::",
        "::error title=batchrun launch::job 'load-trades' has already completed with these parameters (execution 6)"
        "%0Ahint: launch it with other identifying parameters, or once more with --next",
    ]


def test_the_summary_has_a_table_what_failed_and_the_next_command(batchrun: Run, summary: Path) -> None:
    summary.write_text("of another step\n", encoding="utf-8")
    batchrun("launch", "x")
    assert summary.read_text(encoding="utf-8") == (
        "of another step\n"
        "### ❌ load-trades FAILED in 8.1s, execution 7\n"
        "\n"
        "| step | status | exit code | time | read | written | skipped | commits |\n"
        "| --- | --- | --- | ---: | ---: | ---: | ---: | ---: |\n"
        "| ✅ load | COMPLETED | COMPLETED WITH SKIPS | 8.0s | 16 | 10 | 2 | 0 |\n"
        "| ❌ settle | FAILED |  | 8.0s | 0 | 0 |  | 0 |\n"
        "\n"
        "**load** (/project/jobs.d/load\\_trades.yaml:3)\n"
        "\n"
        "```\n"
        "2 items skipped\n"
        "```\n"
        "\n"
        "**settle** (/project/jobs.d/load\\_trades.yaml:4)\n"
        "\n"
        "```\n"
        "in.csv:17: 100% wrong\n"
        "second line\n"
        "```\n"
        "\n"
        "To continue:\n"
        "\n"
        "```\n"
        "batchrun restart 7\n"
        "```\n"
    )


def test_no_message_can_leave_its_place_in_the_summary(
    batchrun: Run, summary: Path, application: ApplicationDouble
) -> None:
    text = "```` <script> | a"
    application.ends = execution_of(
        step_of("a|b <c>", BatchStatus.FAILED, description=text + "x" * 5000), status=BatchStatus.FAILED
    )
    batchrun("launch", "x")
    shown = summary.read_text(encoding="utf-8")
    assert "| ❌ a\\|b \\<c\\> | FAILED |" in shown
    assert f"\n`````\n{text}x" in shown
    assert "x…\n`````\n" in shown


def test_a_summary_that_cannot_be_written_is_a_warning(
    batchrun: Run, summary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary / "nowhere"))
    result = batchrun("launch", "x")
    assert result.code == 1
    assert "warning: the summary " in result.err


def test_another_form_on_stdout_turns_it_off(batchrun: Run, summary: Path) -> None:
    for form in ("json", "junit", "text"):
        assert commands(batchrun("launch", "x", "-o", form).err) == []
    assert not summary.exists()


def test_both_are_had_by_asking_for_both(batchrun: Run, summary: Path) -> None:
    result = batchrun("launch", "x", "-o", "json", "-o", "github")
    assert result.document["execution_id"] == 7
    assert "::error " in result.err
    assert summary.exists()


def test_outside_of_github_it_is_off(batchrun: Run) -> None:
    assert "::" not in batchrun("launch", "x").err


@pytest.mark.parametrize("name", ["validate", "launch"])
def test_a_problem_is_annotated_at_line_and_column(
    batchrun: Run, summary: Path, application: ApplicationDouble, name: str
) -> None:
    application.raises = DefinitionError([MISSPELT])
    result = batchrun(name, "x")
    assert result.code == 5
    assert "::error file=jobs.d/x.yaml,line=23,col=7,title=" in result.err
    assert "::unknown option 'delimeter' of reader 'csv'%0Adid you mean 'delimiter'?\n" in result.err
    assert result.out == ""


def test_a_warning_of_a_valid_file_is_annotated(batchrun: Run, summary: Path, application: ApplicationDouble) -> None:
    application.job = job_double(warnings=[WARNING])
    result = batchrun("validate", "x")
    assert "::warning file=jobs.d/x.yaml,line=3,col=1," in result.err
    assert result.out.endswith("is valid, 2 steps, 1 warning\n")


def test_errors_of_every_command_are_annotated(batchrun: Run, summary: Path, application: ApplicationDouble) -> None:
    application.raises = RepositoryUnreachableError("sqlite:////x.db", "no such folder")
    assert "::error title=batchrun history::the repository sqlite:////x.db cannot" in batchrun("history").err
    assert summary.read_text(encoding="utf-8").startswith("### ❌ batchrun history: the repository sqlite:////x.db")
