"""A job file as read: its values, and the place in the text of each, for whoever has something to say about one."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from batchrun.definition.unreadable import Flaw, UnreadableError
from batchrun.definition.yaml12 import Node, Source, read_yaml
from batchrun.errors import DefinitionError, Problem, did_you_mean

DocumentPath = tuple[str | int, ...]
"""Where a value stands: `("steps", 0, "reader", "path")`."""

JOB_FILE = "a job file with name and steps"
FLOW_FILE = "a flow file with steps"

_STEP = re.compile(r"\[(\d+)\]|\.?([^.\[]+)")


def path_text(path: DocumentPath) -> str:
    """Returns the notation for people: `steps[0].reader.path`."""
    text = "".join(f"[{each}]" if isinstance(each, int) else f".{each}" for each in path)
    return text.removeprefix(".")


class Place(NamedTuple):
    """A place in a text, 1-based."""

    source: Source
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Document:
    """One file's text and tree; a part of the tree may stand in another file.

    Attributes:
        root: a mapping, or an empty one where the file holds something else.
        flaws: what is wrong in the text itself.
    """

    source: Source
    root: Node = field(repr=False)
    flaws: tuple[Flaw, ...] = ()

    @property
    def file(self) -> Path:
        """The file, absolute."""
        return self.source.file

    def node(self, path: DocumentPath) -> Node | None:
        """Returns the node of a path, or None."""
        found = self._find(path)
        return found[0] if found is not None else None

    def _find(self, path: DocumentPath) -> tuple[Node, Source] | None:
        node, source = self.root, self.source
        for step in path:
            try:
                node = node.value[step]
            except (KeyError, IndexError, TypeError):
                return None
            source = node.source or source
        return node, source

    def place(self, path: DocumentPath, *, key: bool = False) -> Place:
        """Returns the place of a value, or of the nearest thing around it that exists.

        A value that begins on a line of its own, or is nothing, is shown by its key.

        Args:
            path: where it stands.
            key: the place of its key instead.
        """
        while (found := self._find(path)) is None:
            path, key = path[:-1], False
        node, source = found
        if path and isinstance(path[-1], str) and (key or (not node.inline and node.source is None)):
            around = self._find(path[:-1])
            assert around is not None
            return Place(around[1], *around[0].keys[path[-1]])
        return Place(source, node.line, node.column)

    def line_text(self, path: DocumentPath, *, seen_from: DocumentPath) -> str:
        """Returns the line of a value in words, with its file where that is another than that of `seen_from`."""
        place = self.place(path)
        if place.source.title:
            return path_text(path)
        is_here = place.source.file == self.place(seen_from).source.file
        return f"line {place.line}" if is_here else f"line {place.line} of {place.source.file.name}"

    def parse_path(self, text: str) -> DocumentPath:
        """Reads the notation of `path_text` as far as the document has it; a key may hold dots itself."""
        steps: list[str | int] = [int(number) if number else name for number, name in _STEP.findall(text)]
        path: DocumentPath = ()
        while steps:
            for length in range(len(steps), 0, -1):
                names = steps[:length]
                key = names[0] if length == 1 else ".".join(map(str, names))
                if self.node((*path, key)) is not None:
                    path, steps = (*path, key), steps[length:]
                    break
            else:
                return (*path, *steps)
        return path

    def problem(
        self,
        path: DocumentPath,
        message: str,
        hint: str | None = None,
        *,
        key: bool = False,
        part: str | None = None,
        severity: str = "error",
    ) -> Problem:
        """Returns a problem with the place of the path, or of a part of the value there if its line shows it."""
        place = self.place(path, key=key)
        if part:
            place = place._replace(column=_column_of(part, place.source.line(place.line), place.column))
        return _problem(place, message, hint, path_text(path), severity)

    def flaw(self, flaw: Flaw) -> Problem:
        """Returns a flaw of the text as a problem."""
        return _problem(Place(self.source, flaw.line, flaw.column), flaw.message, flaw.hint)

    def order(self, problem: Problem) -> tuple[bool, str, int, int]:
        """Returns what sorts a problem into the order of the text; those of other files come behind it."""
        if problem.line is None and problem.file == self.source.title:
            place = self.place(self.parse_path(problem.path))
            return False, problem.file, place.line, place.column
        is_elsewhere = problem.file != (self.source.title or str(self.file))
        return is_elsewhere, problem.file, problem.line or 0, problem.column or 0

    def plain(self) -> dict[str, Any]:
        """Returns the whole as dictionaries, lists and scalars."""
        plain: dict[str, Any] = self.root.plain()
        return plain


def _problem(place: Place, message: str, hint: str | None, path: str = "", severity: str = "error") -> Problem:
    if place.source.title:
        return Problem(message, place.source.title, path=path, hint=hint, severity=severity)
    return Problem(
        message,
        str(place.source.file),
        place.line,
        place.column,
        source=place.source.line(place.line),
        path=path,
        hint=hint,
        severity=severity,
    )


def _column_of(part: str, line: str, column: int) -> int:
    """Returns the column of a part in its line from `column` on, or `column`; a word counts only as a whole one."""
    before, after = (r"(?<!\w)" if part[0].isalnum() else "", r"(?!\w)" if part[-1].isalnum() else "")
    found = re.compile(before + re.escape(part) + after).search(line, column - 1)
    return found.start() + 1 if found else column


def read_document(file: Path, kind: str = JOB_FILE) -> Document:
    """Reads a job file, or a file of another kind.

    Args:
        file: absolute.
        kind: what such a file is called, with what it has.

    Raises:
        DefinitionError: it cannot be read, or is no mapping; one problem.
    """
    return parse_document(Source(file, _read_text(file)), kind)


def parse_document(source: Source, kind: str = JOB_FILE) -> Document:
    """Returns the document of a text.

    Raises:
        DefinitionError: it is no mapping; one problem.
    """
    try:
        root, flaws = read_yaml(source.text)
    except UnreadableError as error:
        raise DefinitionError([Document(source, Node({}, 1, 1)).flaw(error.flaw)]) from error
    what, has = kind.split(" with ")
    if root is None or root.value is None:
        raise _alone(source.file, "the file is empty", f"{what} has at least {has}")
    document = Document(source, root, tuple(flaws))
    if not isinstance(root.value, dict):
        is_list = "a list" if isinstance(root.value, list) else "a single value"
        flaw = Flaw(f"{what} is a mapping, with {has}, not {is_list}", root.line, root.column)
        raise DefinitionError([document.flaw(flaw)])
    return document


def _read_text(file: Path) -> str:
    try:
        content = file.read_bytes()
    except FileNotFoundError as error:
        raise _alone(file, "there is no such file", _similar(file)) from error
    except IsADirectoryError as error:
        raise _alone(file, "this is a folder, not a job file", _job_files(file)) from error
    except OSError as error:
        raise _alone(file, f"the file cannot be read: {error.strerror}") from error
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8", "replace")
        column = len(before) - (before.rfind("\n") + 1) + 1
        problem = Problem(
            f"the file is not UTF-8: byte 0x{content[error.start]:02X}",
            str(file),
            before.count("\n") + 1,
            column,
            source=Source(file, content.decode("utf-8", "replace")).line(before.count("\n") + 1),
            hint="save it as UTF-8",
        )
        raise DefinitionError([problem]) from error


def _alone(file: Path, message: str, hint: str | None = None) -> DefinitionError:
    return DefinitionError([Problem(message, str(file), hint=hint)])


def _similar(file: Path) -> str | None:
    if not file.parent.is_dir():
        return f"there is no folder {file.parent}"
    return did_you_mean(file.stem, _job_names(file.parent)) or _job_files(file.parent)


def _job_files(folder: Path) -> str | None:
    names = _job_names(folder)
    return f"the job files in that folder: {', '.join(names)}" if 0 < len(names) <= 20 else None


def _job_names(folder: Path) -> list[str]:
    try:
        return sorted(each.stem for each in folder.iterdir() if each.suffix in (".yaml", ".yml"))
    except OSError:
        return []
