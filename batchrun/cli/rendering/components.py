"""Components on the screen: the list by role, and one with its options and example."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from rich.text import Text

from batchrun.cli.rendering.screen import Screen
from batchrun.cli.rendering.table import Column, Table

_INDENT = 2
_SIDE_BY_SIDE = 100
_PROSE_WIDTH = 100
_PLAIN_WORD = re.compile(r"[\w./-]+")


def show_components(screen: Screen, summaries: Sequence[dict[str, Any]]) -> None:
    """Prints names with summaries, grouped by role."""
    widest = max((len(each["name"]) for each in summaries), default=0)
    for role, group in groupby(summaries, key=lambda each: each["role"]):
        screen.print(Text(f"{role}s", style="bold"))
        for each in group:
            line = Text.assemble((each["name"].ljust(widest), "cyan"), "  ", each["summary"])
            screen.print(*screen.wrapped(line, first_indent=_INDENT, indent=widest + 2 * _INDENT))
        screen.print("")
    screen.print(Text("batchrun components NAME shows one with its options", style="dim"))


def show_component(screen: Screen, document: dict[str, Any], *, is_last: bool = True) -> None:
    """Prints one component: summary, description, promises, options, example."""
    screen.print(Text.assemble((document["role"], "dim"), " ", (document["name"], "bold cyan")))
    _show_prose(screen, document["summary"])
    for paragraph in filter(None, document["description"].split("\n\n")):
        screen.print("")
        _show_prose(screen, " ".join(paragraph.split()))
    screen.print("", Text.assemble(("promises  ", "bold"), _promises(document)))
    if document["options"]:
        screen.print("", Text("options", style="bold"))
        _show_options(screen, document["options"])
    screen.print("", Text("example", style="bold"))
    screen.print(*(Text(" " * _INDENT + line) for line in document["example"].strip("\n").splitlines()))
    if not is_last:
        screen.print("")


def _show_prose(screen: Screen, text: str, *, indent: int = _INDENT) -> None:
    screen.print(*screen.wrapped(Text(text), first_indent=indent, indent=indent, most=_PROSE_WIDTH))


def _promises(document: dict[str, Any]) -> str:
    """Returns what the component keeps; for one that writes, also what that comes to for an item."""
    capabilities = document["capabilities"]
    kept = [name for name, is_kept in capabilities.items() if is_kept]
    if document["role"] in ("writer", "tasklet"):
        what = "each item is written" if document["role"] == "writer" else "its work is done"
        kept.append(f"so {what} {document['guarantee']}")
    return ", ".join(kept) or "not restartable"


def _show_options(screen: Screen, options: Sequence[dict[str, Any]]) -> None:
    """Prints a table where there is room for one, else each option in a paragraph."""
    if screen.width is None or screen.width >= _SIDE_BY_SIDE:
        table = Table(Column("option"), Column("type", least=12), Column("default", least=8), Column("meaning"))
        for each in options:
            table.add(Text(each["name"], style="cyan"), each["type"], _default_text(each), _meaning(each))
        if screen.width is None or table.natural_width + _INDENT < screen.width:
            screen.print(*table.lines(screen.width, indent=_INDENT))
            return
    for each in options:
        default = _default_text(each)
        told = default if each["required"] else f"default {default}" if default else ""
        head = Text.assemble((each["name"], "cyan"), "  ", (", ".join(filter(None, (each["type"], told))), "dim"))
        screen.print(*screen.wrapped(head, first_indent=_INDENT, indent=3 * _INDENT))
        _show_prose(screen, _meaning(each), indent=3 * _INDENT)


def _default_text(option: dict[str, Any]) -> str:
    if option["required"]:
        return "required"
    default = option["default"]
    if default is None or default in ([], {}):
        return ""
    return default if isinstance(default, str) and _PLAIN_WORD.fullmatch(default) else json.dumps(default)


def _meaning(option: dict[str, Any]) -> str:
    marks = [
        f"in {option['unit']}" if option["unit"] else "",
        "secret" if option["secret"] else "",
        "advanced" if option["advanced"] else "",
    ]
    told = ", ".join(filter(None, marks))
    return f"{option['summary']} ({told})" if told else str(option["summary"])
