"""Says what is wrong with a text that is no YAML, in the words of somebody who writes a job file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import yaml


@dataclass(frozen=True, slots=True)
class Flaw:
    """Something wrong in the text itself, with its 1-based place."""

    message: str
    line: int
    column: int
    hint: str | None = None


class UnreadableError(Exception):
    """The text cannot be read as YAML at all, so that this is the only thing to say about it."""

    def __init__(self, flaw: Flaw) -> None:
        super().__init__(flaw.message)
        self.flaw = flaw


_TAB = re.compile(r"[ ]*\t")


def unreadable(error: yaml.YAMLError, text: str) -> Flaw:
    """Returns the flaw that the parser stopped at."""
    import yaml

    if isinstance(error, yaml.reader.ReaderError):
        return _forbidden_character(error.position, text)
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return Flaw(f"the file is no YAML: {error}", 1, 1)
    lines = text.splitlines() or [""]
    place = (error.problem_mark.line, error.problem_mark.column)
    return (
        _tab(lines, place[0])
        or _star(error)
        or _reserved(lines, place)
        or _colon(error, lines, place)
        or _unclosed(error, lines)
        or Flaw(f"this is no YAML: {error.problem}", place[0] + 1, place[1] + 1)
    )


def _tab(lines: list[str], line: int) -> Flaw | None:
    """The parser notices a tab at the line it stands in or at the next one."""
    for number in (line, line - 1):
        if 0 <= number < len(lines) and (match := _TAB.match(lines[number])):
            return Flaw("a tab indents this line", number + 1, match.end(), "YAML is indented by spaces only")
    return None


def _star(error: yaml.MarkedYAMLError) -> Flaw | None:
    mark: Any = error.context_mark
    if mark is None or "alias" not in (error.context or ""):
        return None
    return Flaw("a value cannot begin with * in YAML", mark.line + 1, mark.column + 1, 'quote it: "*"')


def _reserved(lines: list[str], place: tuple[int, int]) -> Flaw | None:
    character = _at(lines, place)
    if character and character in "@`%":
        return Flaw(f"a value cannot begin with {character} in YAML", place[0] + 1, place[1] + 1, "quote it")
    return None


def _colon(error: yaml.MarkedYAMLError, lines: list[str], place: tuple[int, int]) -> Flaw | None:
    if "mapping values are not allowed" not in (error.problem or ""):
        return None
    before = lines[place[0]][: place[1]]
    if ":" in before:
        hint = "quote a value that holds a colon with a space after it"
    else:
        hint = "the line is indented deeper than the one above it allows, or a value goes on in it"
    return Flaw("a colon cannot stand here", place[0] + 1, place[1] + 1, hint)


def _unclosed(error: yaml.MarkedYAMLError, lines: list[str]) -> Flaw | None:
    mark: Any = error.context_mark
    where = error.context or ""
    if mark is None:
        return None
    if "quoted scalar" in where:
        return Flaw("this quote is not closed", mark.line + 1, mark.column + 1)
    if "flow" not in where or error.problem_mark is None:
        return None
    end = error.problem_mark
    line = lines[end.line] if end.line < len(lines) else ""
    bare = re.search(r"(?<![\"'\w$])\$\{", line)
    if bare is not None and bare.start() < end.column:
        return Flaw(
            "${…} must be quoted inside { } and [ ]", end.line + 1, bare.start() + 1, 'as in {path: "${params.input}"}'
        )
    sign = _at(lines, (mark.line, mark.column))
    closing = {"{": "}", "[": "]"}.get(sign, "bracket")
    return Flaw(
        f"{sign or 'a bracket'} is not closed", mark.line + 1, mark.column + 1, f"a comma or {closing} is missing"
    )


def _at(lines: list[str], place: tuple[int, int]) -> str:
    line = lines[place[0]] if 0 <= place[0] < len(lines) else ""
    return line[place[1]] if 0 <= place[1] < len(line) else ""


def _forbidden_character(position: int, text: str) -> Flaw:
    before = text[:position]
    column = position - (before.rfind("\n") + 1) + 1
    code = f"U+{ord(text[position]):04X}" if position < len(text) else "a control character"
    return Flaw(f"the character {code} is not allowed in YAML", before.count("\n") + 1, column, "remove it")
