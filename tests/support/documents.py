"""Reads the project's documents: their fenced blocks, what kind they are, and what to do with each.

`yaml`: a job file, or a part of one. `console`: lines `$ command`, run; the lines after one are what it prints, where
`…` stands for anything and numbers and durations may differ; `# exit 3` expects that exit code. `python`: run, those of
a document in one program; a comment behind a print, or `# prints: …`, is what it prints. A second word after the
language is the name of the file that the block is. `sh`, `text` and others are only shown.
"""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support.project import ROOT, Project

_FENCE = re.compile(r"^```(?P<language>\w*) ?(?P<name>\S*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_EXIT = re.compile(r"  # exit (\d+)$")
_PRINTED = re.compile(r"^.*print\(.*\)  # (?P<said>.*)$|^.*# prints: (?P<told>.*)$", re.MULTILINE)
_NUMBER = re.compile(r"\d[\d,.:]*(?:ms|s)?")
_TOP_KEY = re.compile(r"^(\w+):", re.MULTILINE)
_STEP_KEYS = (
    "chunk",
    "read_ahead",
    "reader",
    "processors",
    "writer",
    "tasklet",
    "decision",
    "skip",
    "retry",
    "rejects",
)


@dataclass(frozen=True)
class Block:
    """A fenced block; `place` is `README.md:17`."""

    place: str
    language: str
    name: str
    text: str


@dataclass(frozen=True)
class Command:
    """A command of a console block, with what it must print and how it must end."""

    line: str
    exit_code: int
    output: list[str]


def documents() -> list[Path]:
    return sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def blocks(document: Path) -> list[Block]:
    """Returns the fenced blocks of a document in their order."""
    text = document.read_text(encoding="utf-8")
    return [
        Block(
            f"{document.relative_to(ROOT)}:{text.count(chr(10), 0, found.start()) + 1}",
            found["language"],
            found["name"],
            found["text"],
        )
        for found in _FENCE.finditer(text)
    ]


def commands(block: Block) -> Iterator[Command]:
    """Yields the commands of a console block."""
    for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        line, *output = part.splitlines()
        ending = _EXIT.search(line)
        yield Command(_EXIT.sub("", line), int(ending[1]) if ending else 0, output)


def job_text(block: Block) -> str:
    """Returns a whole job file: a part of one gets what it lacks, and so shows only what it is about."""
    keys = _TOP_KEY.findall(block.text)
    text = block.text
    if any(key in _STEP_KEYS for key in keys):
        text = _as_step(text, keys)
    elif "steps" not in keys:
        text += 'steps:\n  - {name: work, tasklet: {type: shell, command: ["true"]}}\n'
    if "name" not in keys:
        text = f"name: example\n{text}"
    if "parameters" not in keys:
        text += "parameters:\n  input: {type: path}\n  day: {type: date}\n"
    if "databases" not in keys:
        text += "databases: {warehouse: 'sqlite:///warehouse.db'}\n"
    return text


def _as_step(text: str, keys: list[str]) -> str:
    lines = [f"    {line}" if line else line for line in text.splitlines()]
    if "decision" in keys:
        return "\n".join(["steps:", "  - name: work", *lines, "flow: [{from: work, on: '*', end: }]", ""])
    if "tasklet" not in keys:
        if "reader" not in keys:
            lines.append("    reader: {type: csv, path: in.csv}")
        if "writer" not in keys:
            lines.append("    writer: {type: csv, path: out.csv}")
    return "\n".join(["steps:", "  - name: work", *lines, ""])


def write_files(document: Path, project: Project) -> None:
    """Writes the blocks that are files."""
    for block in blocks(document):
        if block.name:
            project.write(block.name, block.text)


def run_commands(document: Path, project: Project, **variables: str) -> int:
    """Runs the document's commands and programs in order, and checks how each ends and what it prints.

    Returns:
        How many commands there were.
    """
    count = 0
    program: dict[str, object] = {}
    for block in blocks(document):
        if block.language == "python" and not block.name:
            _run_python(block, project, program)
        if block.language == "console":
            for command in commands(block):
                count += 1
                ended = project.run(f"{{ {command.line}; }} 2>&1", PYTHONIOENCODING="utf-8", **variables)
                what = f"{block.place}: $ {command.line}\n{ended.out}"
                assert ended.code == command.exit_code, f"ended with {ended.code}: {what}"
                assert _pattern(command.output).fullmatch(_even("\n".join(ended.out.splitlines()))), what
    return count


def _run_python(block: Block, project: Project, program: dict[str, object]) -> None:
    """Runs a block in the names that those before it have made."""
    printed = io.StringIO()
    with contextlib.chdir(project.folder), contextlib.redirect_stdout(printed):
        exec(compile(block.text, block.place, "exec"), program)
    expected = [found["told"] or found["said"] for found in _PRINTED.finditer(block.text)]
    assert _pattern(expected).fullmatch(_even(printed.getvalue())), f"{block.place}\n{printed.getvalue()}"


def _pattern(output: list[str]) -> re.Pattern[str]:
    expected = re.escape(_even("\n".join(output)))
    return re.compile(expected.replace("…", ".*"), re.DOTALL)


def _even(text: str) -> str:
    """Evens out what differs from run to run: numbers, and the spaces and blank lines that depend on them."""
    lines = [re.sub(r"\s+", " ", _NUMBER.sub("0", line)).strip() for line in text.splitlines()]
    return "\n".join(line for line in lines if line)
