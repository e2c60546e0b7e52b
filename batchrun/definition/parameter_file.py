"""Reads parameter files: a YAML or JSON mapping, or lines `KEY=VALUE` as in a .env file."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from batchrun.definition.given import GivenValue
from batchrun.definition.unreadable import Flaw, UnreadableError
from batchrun.definition.yaml12 import Node, read_yaml
from batchrun.errors import DefinitionError, Problem

STDIN = "-"

_KEY = r"[A-Za-z0-9_][A-Za-z0-9_.-]*"
_LINE = re.compile(rf"\s*(?:export\s+)?(?P<key>{_KEY})\s*=(?P<value>.*)")
_FIRST_LINE = re.compile(rf"(?:[ \t]*(?:#.*)?\r?\n)*[ \t]*(?:export[ \t]+)?{_KEY}[ \t]*=")
_QUOTED = re.compile(r"""(?:'(?P<literal>[^']*)'|"(?P<escaped>(?:[^"\\]|\\.)*)")\s*(?:#.*)?""")
_PAIR = re.compile(r"(?<!\\)((?:\\\\)*)\\u([dD][89abAB]\w\w)\\u([dD][c-fC-F]\w\w)", re.ASCII)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}


def read_parameter_file(name: str, cwd: Path) -> dict[str, GivenValue]:
    """Returns the values of a parameter file by name; what is null there is not given.

    Args:
        name: its path, relative to `cwd`, or `-` for stdin.
        cwd: paths in stdin are relative to it; those in a file are relative to the file.

    Raises:
        DefinitionError: it cannot be read, or is neither; holds all problems.
    """
    file = _ParameterFile("stdin" if name == STDIN else name, cwd if name == STDIN else (cwd / name).parent)
    text = _decoded(file, _content(file, None if name == STDIN else cwd / name))
    is_lines = Path(name).suffix == ".env" or Path(name).name == ".env" or _FIRST_LINE.match(text)
    given = file.read_lines(text) if is_lines else file.read_mapping(text)
    if file.problems:
        raise DefinitionError(file.problems)
    return given


def _content(file: _ParameterFile, path: Path | None) -> bytes:
    """Returns what the file holds; without a path it is stdin, which the caller may have closed."""
    if path is None and sys.stdin is None:
        raise DefinitionError([Problem("the parameter file cannot be read: it is closed", file.name)])
    try:
        return sys.stdin.buffer.read() if path is None else path.read_bytes()
    except OSError as error:
        raise DefinitionError([Problem(f"the parameter file cannot be read: {error.strerror}", file.name)]) from error


def _decoded(file: _ParameterFile, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DefinitionError(
            [Problem("the file is not UTF-8", file.name, line, 1, hint="save it as UTF-8")]
        ) from error


def _with_whole_characters(text: str) -> str:
    """Returns JSON with the escape of one character where it has those of its two halves, which YAML does not know."""

    def whole(match: re.Match[str]) -> str:
        high, low = int(match[2], 16), int(match[3], 16)
        return f"{match[1]}\\U{0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00):08x}"

    return _PAIR.sub(whole, text)


class _ParameterFile:
    """One file being read. No problem shows its line, since a secret may stand there."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.folder = folder
        self.problems: list[Problem] = []

    def read_mapping(self, text: str) -> dict[str, GivenValue]:
        """Reads YAML, of which JSON is a part."""
        try:
            root, flaws = read_yaml(_with_whole_characters(text) if text.lstrip().startswith("{") else text)
        except UnreadableError as error:
            root, flaws = None, [error.flaw]
        for flaw in flaws:
            self._refuse(flaw)
        if root is None or root.value is None:
            return {}
        if not isinstance(root.value, dict):
            self._refuse(Flaw("a parameter file is a mapping, or lines KEY=VALUE", root.line, root.column))
            return {}
        return {key: self._given(node.plain(), node) for key, node in root.value.items() if node.value is not None}

    def _given(self, value: object, node: Node) -> GivenValue:
        return GivenValue(value, self.folder, self.name, node.line, node.column)

    def read_lines(self, text: str) -> dict[str, GivenValue]:
        """Reads lines `KEY=VALUE`: blank ones and comments are left out, quotes and `export` are taken off."""
        given: dict[str, GivenValue] = {}
        for number, key, value, column in self._pairs(text):
            if key in given:
                hint = f"it stands in line {given[key].line} already"
                self._refuse(Flaw(f"parameter {key!r} is given twice", number, 1, hint))
            given[key] = GivenValue(value, self.folder, self.name, number, column)
        return given

    def _pairs(self, text: str) -> Iterator[tuple[int, str, str, int]]:
        for number, line in enumerate(text.split("\n"), 1):
            if not line.strip() or line.lstrip().startswith("#"):
                continue
            found = _LINE.fullmatch(line)
            if found is None:
                self._refuse(Flaw("this line is not KEY=VALUE", number, 1))
            else:
                yield number, found["key"], self._value(found["value"].strip(), number), found.start("value") + 1

    def _value(self, written: str, line: int) -> str:
        """Takes quotes and a comment off; in double quotes a backslash escapes, in single ones nothing does."""
        if written[:1] not in ("'", '"'):
            return re.split(r"(?:^|\s+)#", written, maxsplit=1)[0]
        quoted = _QUOTED.fullmatch(written)
        if quoted is None:
            self._refuse(Flaw("this quote is not closed, or text follows it", line, 1))
            return ""
        if quoted["literal"] is not None:
            return quoted["literal"]
        return re.sub(r"\\(.)", lambda match: _ESCAPES.get(match[1], match[1]), quoted["escaped"])

    def _refuse(self, flaw: Flaw) -> None:
        self.problems.append(Problem(flaw.message, self.name, flaw.line, flaw.column, hint=flaw.hint))
