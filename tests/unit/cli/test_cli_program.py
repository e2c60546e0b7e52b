"""The program as a whole: usage errors, defects, aborts, and what importing it costs."""

from __future__ import annotations

import errno
import io
import signal
import subprocess
import sys
from collections.abc import Callable

import pytest

from batchrun import __version__
from batchrun.cli.program import run
from batchrun.domain.selection import EVERY
from batchrun.errors import BatchrunError, RepositoryUnreachableError
from tests.unit.cli.conftest import Result
from tests.unit.cli.doubles import ApplicationDouble, execution_of

Run = Callable[..., Result]

HEAVY = {
    "adbc_driver_manager",
    "adbc_driver_sqlite",
    "alembic",
    "asyncio",
    "jsonschema",
    "msgspec",
    "polars",
    "psycopg",
    "pydantic",
    "rich",
    "sqlalchemy",
    "sqlite3",
    "yaml",
}


def modules_after(*arguments: str) -> set[str]:
    """Returns the top-level modules that a process has imported at the end of a command."""
    program = (
        "import sys\n"
        f"sys.argv = ['batchrun', *{list(arguments)!r}]\n"
        "import batchrun.cli\n"
        "try:\n"
        "    batchrun.cli.main()\n"
        "finally:\n"
        "    sys.stderr.write(' '.join({name.partition('.')[0] for name in sys.modules}))\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    return set(ended.stderr.split())


@pytest.mark.parametrize(("module", "code"), [("batchrun.cli.program", -signal.SIGINT), ("batchrun.errors", 130)])
def test_a_sigint_while_the_program_is_imported_ends_it_without_a_traceback(module: str, code: int) -> None:
    program = f"""
import os, signal, sys

class Interrupted:
    def find_spec(self, name, path, target=None):
        if name == "{module}":
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupted())
sys.argv = ["batchrun", "history"]
import batchrun.cli
batchrun.cli.main()
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (code, "")


@pytest.mark.parametrize("arguments", [("--help",), (), ("launch", "--help"), ("components", "-h")])
def test_help_imports_nothing_heavy(arguments: tuple[str, ...]) -> None:
    modules = modules_after(*arguments)
    assert "typer" in modules
    assert not modules & HEAVY


def test_version_does_not_even_import_typer() -> None:
    assert "typer" not in modules_after("--version")


def test_version_is_told(batchrun: Run) -> None:
    assert batchrun("--version").out == f"batchrun {__version__}\n"


def test_no_arguments_show_the_help(batchrun: Run) -> None:
    result = batchrun()
    assert result.code == 0
    assert result.out.startswith("Usage: batchrun [OPTIONS] COMMAND")


@pytest.mark.parametrize(
    "command", ["launch", "restart", "export", "history", "show", "validate", "components", "schema"]
)
def test_help_fits_60_columns_and_ends_with_an_example(
    batchrun: Run, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    shown = batchrun(command, "--help").out
    heading, _, example = shown.rpartition("Example")
    assert max(map(len, heading.splitlines())) <= 60
    assert f"batchrun {command}" in example
    assert "{" not in shown.splitlines()[0]


def test_the_short_help_of_commands_is_not_cut(batchrun: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert "..." not in batchrun("--help").out.split("Commands:")[1]


def test_a_misspelt_command_gets_the_right_one(batchrun: Run) -> None:
    result = batchrun("lanch")
    assert result.code == 2
    assert result.err == (
        "error: no such command 'lanch'. Did you mean 'launch'?\nhint: batchrun --help tells how to use it\n"
    )


def test_a_missing_argument_is_told_in_the_same_style(batchrun: Run) -> None:
    result = batchrun("stop")
    assert (result.code, result.err) == (
        2,
        "error: missing argument 'ID'\nhint: batchrun stop --help tells how to use it\n",
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ("--repository", "sqlite:///x.db", "-q", "history", "--limit", "3"),
        ("history", "--repository", "sqlite:///x.db", "--limit", "3", "--quiet"),
        ("history", "--limit", "3", "-q", "--repository=sqlite:///x.db"),
    ],
)
def test_global_options_may_stand_anywhere(
    batchrun: Run, application: ApplicationDouble, arguments: tuple[str, ...]
) -> None:
    assert batchrun(*arguments).code == 0
    assert application.calls[:2] == [("open", "sqlite:///x.db"), ("find_executions", EVERY, 4)]


def test_what_follows_two_dashes_is_no_option(batchrun: Run, application: ApplicationDouble) -> None:
    assert batchrun("show", "--", "--debug").err.startswith(
        "error: invalid value for '[ID]': '--debug' is not a valid int"
    )


def test_a_repository_option_without_its_value_is_wrong_usage(batchrun: Run) -> None:
    result = batchrun("history", "--repository")
    assert (result.code, result.err.splitlines()[0]) == (2, "error: --repository needs a URL")


@pytest.mark.parametrize("raised", [SystemExit(0), GeneratorExit("gone")], ids=repr)
def test_what_ends_a_command_but_is_no_exception_is_a_defect(
    batchrun: Run, application: ApplicationDouble, raised: BaseException
) -> None:
    application.raises = raised
    result = batchrun("history")
    assert (result.code, result.err.splitlines()[0]) == (
        70,
        f"error: a defect of batchrun itself: {type(raised).__name__}: {raised}",
    )


def test_an_unknown_exception_is_a_defect_and_has_a_traceback_only_with_debug(
    batchrun: Run, application: ApplicationDouble
) -> None:
    application.raises = KeyError("chunk")
    result = batchrun("history")
    assert result.code == 70
    assert result.err == (
        "error: a defect of batchrun itself: KeyError: 'chunk'\n"
        "hint: please report it with the traceback that --debug shows\n"
    )
    debugged = batchrun("--debug", "history")
    assert debugged.code == 70
    assert debugged.err.startswith("Traceback (most recent call last):\n")


def test_an_error_of_batchrun_has_its_familys_exit_code(batchrun: Run, application: ApplicationDouble) -> None:
    application.raises = RepositoryUnreachableError("sqlite:////x.db", "no such folder")
    result = batchrun("history")
    assert result.code == 6
    assert result.err.startswith("error: the repository sqlite:////x.db cannot be used: no such folder\nhint: check ")
    assert "Traceback" not in result.err


def test_an_error_without_hint_has_no_hint_line(batchrun: Run, application: ApplicationDouble) -> None:
    application.raises = BatchrunError("so it is")
    assert batchrun("history").err == "error: so it is\n"


def test_an_abort_exits_with_130_and_tells_how_to_go_on(batchrun: Run, application: ApplicationDouble) -> None:
    application.raises = KeyboardInterrupt()
    result = batchrun("launch", "x")
    assert result.code == 130
    assert result.err.startswith("error: aborted; what was not committed is not kept\nhint: batchrun history shows")


def test_a_broken_pipe_of_something_else_is_not_hidden(batchrun: Run, application: ApplicationDouble) -> None:
    application.raises = BrokenPipeError(32, "Broken pipe")
    result = batchrun("history")
    assert result.code == 70
    assert "BrokenPipeError" in result.err


class FullStream(io.StringIO):
    def write(self, text: str) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_stdout_that_cannot_be_written_is_told(
    application: ApplicationDouble, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    application.executions = [execution_of()]
    for form in ("text", "json"):
        monkeypatch.setattr(sys, "stdout", FullStream())
        assert run(["history", "--output", form], application) == 2
        told = capsys.readouterr().err
        assert told == "error: the result cannot be written to stdout: No space left on device\n"
    for asked in (["--help"], [], ["launch", "--help"]):
        assert run(asked, application) == 2
        assert capsys.readouterr().err == "error: the help cannot be written to stdout: No space left on device\n"
