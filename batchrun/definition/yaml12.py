"""Reads one YAML 1.2 document into nodes with positions; knows nothing of jobs.

PyYAML's parser (libyaml) gives the events; the tree is built here, because its composer resolves by YAML 1.1, lets
duplicate keys and tags pass, expands alias bombs and stops at the first flaw. Merge keys (`<<`) are YAML 1.1 and
refused; anchors and aliases work.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from batchrun.definition.scalars import resolve
from batchrun.definition.unreadable import Flaw, UnreadableError, unreadable

MOST_ALIASED_NODES = 100_000
MOST_NESTED = 100


@dataclass(frozen=True, slots=True)
class Source:
    """A text with the file that it is read from.

    Attributes:
        file: absolute.
        title: what problems call it in place of file and line, where no person wrote the text: a job built in code.
    """

    file: Path
    text: str = field(repr=False)
    title: str = ""

    def line(self, number: int) -> str:
        """Returns a line of the text, 1-based; empty where there is none."""
        lines = self.text.split("\n")
        return lines[number - 1].rstrip("\r") if 0 < number <= len(lines) else ""


_SKIPPED = object()
"""Stands for a key whose value is read and dropped, because the key is a flaw already told."""


@dataclass(slots=True, eq=False)
class Node:
    """A value of the document.

    Attributes:
        value: a scalar, a list of nodes, or nodes by key.
        line: 1-based, where the value begins.
        column: 1-based.
        keys: for a mapping, line and column of each key.
        inline: it is on the line of its key; false for a block and for nothing at all.
        size: number of nodes in it, aliases expanded.
        source: where it and what is in it stand, if that is another file than that of the nodes around it.
    """

    value: Any
    line: int
    column: int
    keys: dict[str, tuple[int, int]] = field(default_factory=dict)
    inline: bool = True
    size: int = 1
    source: Source | None = None

    def plain(self) -> Any:
        """Returns the value as lists, dictionaries and scalars."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value


@dataclass(slots=True)
class _Open:
    """A list or mapping whose end has not come yet."""

    node: Node
    key: Any = None
    key_place: tuple[int, int] = (0, 0)
    last: Node | None = None


def read_yaml(text: str) -> tuple[Node | None, list[Flaw]]:
    """Returns the document's root, None for an empty one, and the flaws that did not keep it from being read.

    Raises:
        UnreadableError: the text is no YAML; says where and how to mend it.
    """
    import yaml

    builder = _Builder()
    try:
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            builder.take(event)
    except yaml.YAMLError as error:
        raise UnreadableError(unreadable(error, text)) from error
    return builder.root, builder.flaws


class _Builder:
    """Builds the tree from parser events."""

    def __init__(self) -> None:
        self.root: Node | None = None
        self.flaws: list[Flaw] = []
        self._open: list[_Open] = []
        self._anchors: dict[str, Node] = {}
        self._aliased = 0
        self._documents = 0

    def take(self, event: Any) -> None:
        """Takes the next event; those of the stream itself say nothing."""
        kind = type(event).__name__
        place = (event.start_mark.line + 1, event.start_mark.column + 1)
        if kind == "DocumentStartEvent":
            self._documents += 1
            if self._documents == 2:
                self._flaw(
                    place, "a job file is one document; a second one begins here", "put it into a file of its own"
                )
        elif self._documents > 1:
            return
        elif kind == "AliasEvent":
            self._alias(event.anchor, place)
        elif kind == "ScalarEvent":
            self._scalar(event, place)
        elif kind in ("SequenceStartEvent", "MappingStartEvent"):
            self._begin(event, place, [] if kind == "SequenceStartEvent" else {})
        elif kind in ("SequenceEndEvent", "MappingEndEvent"):
            self._attach(self._open.pop().node)

    def _flaw(self, place: tuple[int, int], message: str, hint: str | None = None) -> None:
        self.flaws.append(Flaw(message, *place, hint))

    def _scalar(self, event: Any, place: tuple[int, int]) -> None:
        self._mark(event, place)
        plain = event.implicit[0]
        node = Node(resolve(event.value) if plain else event.value, *place, inline=bool(event.value) or not plain)
        self._anchor(event.anchor, node)
        self._attach(node, event.value)

    def _begin(self, event: Any, place: tuple[int, int], value: Any) -> None:
        self._mark(event, place)
        node = Node(value, *place, inline=bool(event.flow_style))
        if len(self._open) >= MOST_NESTED:
            raise UnreadableError(Flaw(f"lists and mappings are nested more than {MOST_NESTED} deep", *place))
        self._anchor(event.anchor, node)
        self._open.append(_Open(node))

    def _mark(self, event: Any, place: tuple[int, int]) -> None:
        if event.tag is not None:
            self._flaw(place, f"tags such as {_written(event.tag)} have no meaning in a job file", "leave it out")

    def _anchor(self, name: str | None, node: Node) -> None:
        if name is not None:
            self._anchors[name] = node

    def _alias(self, name: str, place: tuple[int, int]) -> None:
        node = self._anchors.get(name)
        if node is None or any(node is each.node for each in self._open):
            self._flaw(
                place,
                f"*{name} is an alias in YAML, and there is no anchor &{name} before it",
                f'quote it: "*{name}"',
            )
            node = Node(f"*{name}", *place)
        self._aliased += node.size
        if self._aliased > MOST_ALIASED_NODES:
            raise UnreadableError(Flaw(f"aliases stand for more than {MOST_ALIASED_NODES:,} values", *place))
        text = node.value if isinstance(node.value, str) else None
        self._attach(node, text, place)

    def _attach(self, node: Node, text: str | None = None, place: tuple[int, int] | None = None) -> None:
        if not self._open:
            self.root = node
            return
        parent = self._open[-1]
        if isinstance(parent.node.value, list):
            if not self._rejoined(parent, node.value, ","):
                parent.node.value.append(node)
                parent.node.size += node.size
                parent.last = node
        elif parent.key is None:
            self._begin_pair(parent, text, place or (node.line, node.column))
        else:
            self._end_pair(parent, node)

    def _begin_pair(self, parent: _Open, key: str | None, place: tuple[int, int]) -> None:
        parent.key, parent.key_place = _SKIPPED, place
        if key is None:
            self._flaw(place, "a key must be a text")
        elif key == "<<":
            self._flaw(
                place, "merge keys (<<) are not part of YAML 1.2", "write the options out, or alias them as a whole"
            )
        elif key in parent.node.value:
            first = parent.node.keys[key][0]
            self._flaw(place, f"duplicate key {key!r}; it stands in line {first} already", "remove one of them")
        else:
            parent.key = key

    def _end_pair(self, parent: _Open, node: Node) -> None:
        key, parent.key = parent.key, None
        if key is _SKIPPED or (node.value is None and not node.inline and self._rejoined(parent, key, ",")):
            return
        parent.node.value[key] = node
        parent.node.keys[key] = parent.key_place
        parent.node.size += node.size
        parent.last = node

    def _rejoined(self, parent: _Open, text: Any, comma: str) -> bool:
        """Puts `decimal(12,2)` together again, which a comma inside [ ] or { } has cut in two, and says so."""
        last = parent.last
        if not (parent.node.inline and last is not None and isinstance(last.value, str) and isinstance(text, str)):
            return False
        if not (last.value.count("(") > last.value.count(")") and ")" in text and "(" not in text):
            return False
        last.value += comma + text
        self._flaw((last.line, last.column), "the comma cuts this value in two", f'quote it: "{last.value}"')
        return True


def _written(tag: str) -> str:
    return tag.replace("tag:yaml.org,2002:", "!!")
