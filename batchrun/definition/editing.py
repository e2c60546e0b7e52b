"""Puts another chunk size or read-ahead into a job file's text, and leaves all else there as it is."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from batchrun.definition.document import Document, DocumentPath
from batchrun.definition.loaded import LoadedJob
from batchrun.definition.unreadable import UnreadableError
from batchrun.definition.yaml12 import Node, Source, read_yaml
from batchrun.domain.definition import ChunkDefinition
from batchrun.errors import UsageError

Key = Literal["chunk", "read_ahead"]

_NUMBER = re.compile(r"(?:&\S+\s+)?(\d+)(?![\w.])")
_COMMENT = re.compile(r"\s+#.*$")
_BYTE_ORDER_MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"


@dataclass(frozen=True, slots=True)
class Edit:
    """A number to be put into a text.

    Attributes:
        source: the text, with its file.
        line: 1-based: where the number stands, or will.
        old: what says it there, such as `chunk: 1000`; empty where it is to be added.
        new: what is to say it.
        span: offsets in the text of what is replaced; None where the change has to be made by hand.
        text: what is put there.
    """

    source: Source
    line: int
    old: str
    new: str
    span: tuple[int, int] | None = None
    text: str = ""

    @property
    def file(self) -> Path:
        """The file that it is for."""
        return self.source.file


def edit_of(job: LoadedJob, step: str, key: Key, value: int) -> Edit:
    """Returns how a job file is to say another chunk size or read-ahead.

    It is one to be made by hand where the text says the number in a way that cannot be changed for this step alone: by
    an alias, or in a file that the job includes more than once.

    Args:
        job: from its file.
        step: the full name of a chunk step.
        key: which of both.
        value: the number.
    """
    work = job.definition.step(step).work
    assert isinstance(work, ChunkDefinition)
    document = job.document
    path = document.parse_path(work.reader.path)[:-1]
    edit = _edit(document, path, key, value)
    return (
        edit
        if edit.span is not None and _is_only(document, edit, value)
        else Edit(edit.source, edit.line, edit.old, edit.new)
    )


def applied(edits: Sequence[Edit]) -> str:
    """Returns a text with all its edits made; they are of one file, and none has to be made by hand."""
    text = edits[0].source.text
    for edit in sorted(edits, key=lambda each: each.span or (0, 0), reverse=True):
        assert edit.span is not None
        text = text[: edit.span[0]] + edit.text + text[edit.span[1] :]
    return text


def write_edits(edits: Sequence[Edit]) -> None:
    """Makes edits in their files, each file at once or not at all.

    Raises:
        UsageError: a file has changed since it was read, or cannot be written; or an edit has to be made by hand.
    """
    by_file: dict[Path, list[Edit]] = {}
    for edit in edits:
        if edit.span is None:
            raise UsageError(
                f"{edit.file}:{edit.line}: this can only be changed by hand: {edit.new}",
                hint="the text there stands for other steps too",
            )
        by_file.setdefault(edit.file, []).append(edit)
    for file, of_file in by_file.items():
        try:
            _write(file.resolve(), of_file[0].source.text, applied(of_file))
        except OSError as error:
            raise UsageError(f"{file} cannot be written: {error.strerror}") from error


def _write(file: Path, before: str, after: str) -> None:
    content = file.read_bytes().decode("utf-8", "replace")
    mark = _BYTE_ORDER_MARK if content.startswith(_BYTE_ORDER_MARK) else ""
    if content != mark + before:
        raise UsageError(f"{file} has changed meanwhile", hint="make the change by hand, or run it again")
    handle, made = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    try:
        with os.fdopen(handle, "wb") as opened:
            opened.write((mark + after).encode())
            os.fchmod(opened.fileno(), file.stat().st_mode & 0o7777)
            os.fsync(opened.fileno())
        Path(made).replace(file)
    except BaseException:
        with suppress(OSError):
            Path(made).unlink()
        raise


# --- where the number stands ---


def _edit(document: Document, path: DocumentPath, key: Key, value: int) -> Edit:
    node = document.node((*path, key))
    if node is None:
        return _inserted(document, path, key, value)
    if isinstance(node.value, dict):
        if "items" not in node.value:
            return _inserted(document, (*path, key), "items", value)
        return _replaced(document, (*path, key, "items"), value)
    return _replaced(document, (*path, key), value)


def _replaced(document: Document, path: DocumentPath, value: int) -> Edit:
    node, source = document.node(path), document.place(path).source
    assert node is not None
    offset = _offset(source.text, node.line, node.column)
    found = _NUMBER.match(source.text, offset)
    if found is None:
        return Edit(source, node.line, f"{path[-1]}: {node.value}", f"{path[-1]}: {value}")
    line = source.line(node.line)
    start = found.start(1) - (offset - node.column + 1)
    changed = line[:start] + str(value) + line[start + len(found[1]) :]
    old, new = _shown(line), _shown(changed)
    if len(old) > _MOST_SHOWN:
        old, new = f"{path[-1]}: {found[1]}", f"{path[-1]}: {value}"
    return Edit(source, node.line, old, new, found.span(1), str(value))


_MOST_SHOWN = 60


def _shown(line: str) -> str:
    return _COMMENT.sub("", line).strip()


def _inserted(document: Document, path: DocumentPath, key: str, value: int) -> Edit:
    """Returns an edit that adds a key to a mapping, behind `chunk` or else the first; in braces, before the second."""
    node, source = document.node(path), document.place(path).source
    assert node is not None
    places = sorted(node.keys.values())
    text = f"{key}: {value}"
    if node.inline:
        line, column = places[1] if len(places) > 1 else places[0]
        offset = _offset(source.text, line, column)
        return Edit(source, line, "", text, (offset, offset), f"{text}, ")
    line, column = node.keys["chunk"] if "chunk" in node.value and node.value["chunk"].inline else places[0]
    offset = _offset(source.text, line + 1, 1)
    new_line = "\r\n" if "\r\n" in source.text else "\n"
    own = f"{' ' * (column - 1)}{text}"
    is_last = offset == len(source.text) and not source.text.endswith("\n")
    return Edit(source, line + 1, "", text, (offset, offset), new_line + own if is_last else own + new_line)


def _offset(text: str, line: int, column: int) -> int:
    """Returns the offset of a place, which lies at the end at most."""
    offset = 0
    for _ in range(line - 1):
        following = text.find("\n", offset)
        if following < 0:
            return len(text)
        offset = following + 1
    return min(offset + column - 1, len(text))


# --- whether it is said for this step alone ---


def _is_only(document: Document, edit: Edit, value: int) -> bool:
    """Tells whether an edit changes one number of the job, and nothing else."""
    files = [each for each in _sources(document.root, document.source) if each.file == edit.file]
    if len(files) != 1:
        return False
    try:
        before, _ = read_yaml(edit.source.text)
        after, flaws = read_yaml(applied([edit]))
    except UnreadableError:
        return False
    if before is None or after is None or flaws:
        return False
    changes = list(_changes(before.plain(), after.plain()))
    return len(changes) == 1 and changes[0] == value


def _sources(node: Node, source: Source) -> Iterator[Source]:
    """Yields the text of the document and those that it includes, as often as it does."""
    yield source
    pending = [node]
    while pending:
        each = pending.pop()
        if each.source is not None:
            yield each.source
        value = each.value
        pending += value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def _changes(before: Any, after: Any) -> Iterator[Any]:
    """Yields the values that are new or other; something of no value for what is gone."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in before.keys() | after.keys():
            yield from _changes(before.get(key), after.get(key))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for one, other in zip(before, after, strict=True):
            yield from _changes(one, other)
    elif before != after:
        yield after
