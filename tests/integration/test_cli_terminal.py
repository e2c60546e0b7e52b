"""The installed command on a real terminal and in real pipes, with a job whose parts stand beside it."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.support.project import SCRIPTS, Project, environment

PARTS = """
import time
from typing import Annotated

from batchrun.errors import ParseError
from batchrun.spi import Chunk, ComponentSpec, Extent, Options, component, option


class Origins:
    def of(self, index):
        return "numbers"

    def span(self):
        return "numbers"


class NumbersOptions(Options):
    count: Annotated[int, option("How many.")]
    pause: Annotated[float, option("Wait before each chunk.", unit="seconds")] = 0.0
    fail_at: Annotated[int | None, option("Fail at this number, unless the file `mended` exists.")] = None


@component(ComponentSpec("reader", "numbers", "Counts.", NumbersOptions, "type: parts:Numbers"))
class Numbers:
    def __init__(self, options, scope):
        self.options, self.scope, self.at = options, scope, 0

    def open(self, position):
        self.at = position["at"] if position else 0
        return Extent(self.options.count)

    def read(self, limit):
        start, end = self.at, min(self.at + limit, self.options.count)
        if start == end:
            return None
        time.sleep(self.options.pause)
        bad = self.options.fail_at
        if bad is not None and start <= bad < end and not self.scope.path("mended").exists():
            raise ParseError("the number is bad", origin=f"numbers:{bad}")
        self.at = end
        return Chunk(rows=[{"n": n} for n in range(start, end)], position={"at": end}, origins=Origins(), progress=end)

    def close(self):
        pass


class NoOptions(Options):
    pass


@component(ComponentSpec("writer", "forget", "Forgets.", NoOptions, "type: parts:Forget"))
class Forget:
    def __init__(self, options, scope):
        pass

    def connect(self):
        return None

    def open(self, state):
        pass

    def prepare(self, chunk):
        return len(chunk)

    def write(self, prepared):
        print("a component prints")
        return prepared

    def state(self):
        return None

    def finish(self):
        pass

    def close(self):
        pass
"""
JOB = """
name: count
parameters:
  count: {type: integer, default: 1000}
  pause: {type: float, default: 0, identifying: false}
  fail_at: {type: integer, required: false, identifying: false}
exit_codes: {FAILED: 12}
steps:
  - name: first
    chunk: 100
    reader: {type: "parts:Numbers", count: 200}
    writer: {type: "parts:Forget"}
  - name: a-second-step-with-a-long-name
    chunk: 100
    reader: {type: "parts:Numbers", count: "${params.count}", pause: "${params.pause}", fail_at: "${params.fail_at}"}
    writer: {type: "parts:Forget"}
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = Project.make(tmp_path / "project")
    project.write("jobs.d/parts.py", PARTS)
    project.write("jobs.d/count.yaml", JOB)
    return project


class Terminal:
    """A command on a terminal of a given width."""

    def __init__(self, project: Project, arguments: Sequence[str], columns: int) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        self._text = ""
        self.process = subprocess.Popen(
            [str(SCRIPTS / "batchrun"), *arguments],
            cwd=project.folder,
            env=environment({"TERM": "xterm-256color", "COLUMNS": ""}),
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(slave)

    def read_until(self, condition: Callable[[str], bool]) -> str:
        """Reads until the text so far satisfies the condition, or the command has ended."""
        while not condition(self._text):
            try:
                self._text += os.read(self._master, 65_536).decode()
            except OSError:  # the last process has closed the terminal
                break
        return self._text

    def type(self, keys: bytes) -> None:
        os.write(self._master, keys)

    def end(self) -> tuple[int, str]:
        text = self.read_until(lambda _: False)
        os.close(self._master)
        return self.process.wait(30), text


def lines_of(text: str) -> list[str]:
    """Returns every line that was ever drawn, without colors and cursor moves."""
    plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text)
    return [line for line in re.split(r"[\r\n]+", plain) if line]


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_no_line_of_a_run_is_wider_than_the_terminal(project: Project, columns: int) -> None:
    code, text = Terminal(project, ["launch", "count", "count=1500", "pause=0.05"], columns).end()
    lines = lines_of(text)
    assert code == 0
    assert max(map(len, lines)) <= columns
    assert any("━" in line and "%" in line for line in lines)
    assert any(re.match(r"✓ a-second-step\S*  .*1,500 read", line) for line in lines)
    assert "a component prints" in lines
    assert any(re.match(r"✓ count COMPLETED in \S+, execution 1$", line) for line in lines)
    assert text.rstrip().endswith(("\x1b[0m", "h")) or "\x1b[?25h" in text


def test_ctrl_c_stops_at_the_next_commit_and_the_restart_goes_on(project: Project) -> None:
    terminal = Terminal(project, ["launch", "count", "count=5000", "pause=0.1"], 80)
    terminal.read_until(lambda text: "300 read" in text)
    terminal.type(b"\x03")
    code, text = terminal.end()
    assert code == 4
    assert "warning: stopping at the next commit; Ctrl-C again aborts at once" in lines_of(text)
    assert "to continue: batchrun restart 1" in lines_of(text)
    ended = project.run(["batchrun", "restart", "1", "pause=0", "--output", "json"])
    assert ended.code == 0
    assert ended.document["restart_of"] == 1
    assert 0 < ended.document["steps"][-1]["read_count"] < 5000


def test_a_second_ctrl_c_aborts_at_once_and_the_next_launch_goes_on(project: Project) -> None:
    terminal = Terminal(project, ["launch", "count", "count=500", "pause=1.5"], 80)
    terminal.read_until(lambda text: "%" in text)
    terminal.type(b"\x03")
    terminal.read_until(lambda text: "aborts at once" in text)
    terminal.type(b"\x03")
    code, text = terminal.end()
    assert code == 130
    assert "error: aborted; what was not committed is not kept" in lines_of(text)
    assert "\x1b[?25h" in text
    assert project.run(["batchrun", "launch", "count", "count=500", "pause=0"]).code == 0


def test_a_failure_exits_with_the_jobs_own_number_at_launch_and_at_restart(project: Project) -> None:
    launched = project.run(["batchrun", "launch", "count", "fail_at=550"])
    assert launched.code == 12
    assert launched.out.endswith("to continue: batchrun restart 1\n")
    assert "error: step a-second-step-with-a-long-name failed: numbers:550: the number is bad" in launched.errors
    assert project.run(["batchrun", "restart", "1"]).code == 12
    project.write("mended", "")
    restarted = project.run(["batchrun", "restart", "2", "--output", "json"])
    assert restarted.code == 0
    assert restarted.document["steps"][-1]["read_count"] == 500
    assert "a component prints" in restarted.err


def test_history_and_show_keep_silent_when_their_reader_goes_away(project: Project) -> None:
    project.run(["batchrun", "launch", "count"])
    for command in ("history", "show 1", "history -o json", "--help", "components"):
        ended = project.run(["bash", "-c", f"set -o pipefail; batchrun {command} | true"])
        assert (ended.code, ended.err) == (0, "")


def test_the_module_does_what_the_command_does(project: Project) -> None:
    ended = project.run([sys.executable, "-m", "batchrun", "launch", "count", "-q", "-o", "json"])
    assert (ended.code, ended.err.replace("a component prints\n", "")) == (0, "")
    assert ended.document["status"] == "COMPLETED"


def test_a_closed_stderr_or_stdout_ends_nothing(project: Project) -> None:
    assert project.run("batchrun launch count 2>&-").code == 0
    assert project.run("batchrun launch count count=10 >&-").code == 0


def test_a_run_works_where_the_streams_know_no_unicode(project: Project) -> None:
    ended = project.run(["batchrun", "launch", "count"], PYTHONIOENCODING="ascii")
    assert ended.code == 0
    assert ended.out.startswith("+ count COMPLETED")


def test_completion_knows_commands_and_jobs(project: Project) -> None:
    def completed(words: str) -> list[str]:
        ended = project.run(
            ["batchrun"], _BATCHRUN_COMPLETE="complete_bash", COMP_WORDS=words, COMP_CWORD=str(words.count(" "))
        )
        return ended.out.split()

    assert completed("batchrun la") == ["launch"]
    assert completed("batchrun launch co") == ["count"]
    assert completed("batchrun launch jobs.d/") == ["jobs.d/count.yaml"]


def test_what_a_job_prints_is_on_stderr_without_its_secrets_and_stdout_is_the_result_alone(tmp_path: Path) -> None:
    project = Project.make(tmp_path / "project")
    project.write(
        "chatty.py", "import os\n\ndef talk(key):\n    print('the key is', key)\n    os.system('echo a child')\n"
    )
    project.write(
        "chatty.yaml",
        "name: chatty\nparameters: {key: {type: secret}}\nsteps:\n"
        '  - {name: talk, tasklet: {type: python, call: "chatty:talk", arguments: {key: "${params.key}"}}}\n',
    )
    ended = project.batchrun("launch", "chatty.yaml", "key=hunter2", "--output", "json")
    assert ended.document["status"] == "COMPLETED"
    assert "the key is ***\n" in ended.err
    assert "a child\n" in ended.err
    assert "hunter2" not in ended.err
    assert "✓ chatty COMPLETED" in project.batchrun("launch", "chatty.yaml", "key=hunter2", "--next").out
