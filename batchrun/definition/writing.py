"""Writes plain values as the YAML 1.2 that `yaml12` reads back to the same values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from batchrun.definition.scalars import resolve

_TAGS = {str: "str", bool: "bool", int: "int", float: "float", type(None): "null"}
_WIDTH = 120


class _Dumper(yaml.SafeDumper):
    """Quotes whatever the core schema would not read as text; PyYAML by itself goes by YAML 1.1."""

    def resolve(self, kind: type[yaml.Node], value: Any, implicit: Any) -> str:
        """Returns the tag that a node is read with."""
        if kind is yaml.ScalarNode and implicit[0]:
            return f"tag:yaml.org,2002:{_TAGS[type(resolve(value))]}"
        tag: str = super().resolve(kind, value, implicit)  # type: ignore[no-untyped-call]
        return tag

    def ignore_aliases(self, data: Any) -> bool:
        """Writes out what stands twice."""
        del data
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        """Indents the entries of a list below its key."""
        del indentless
        super().increase_indent(flow, False)


def _text(dumper: _Dumper, text: str) -> yaml.Node:
    """Writes several lines as a block, such as SQL, and what is not printable with escapes."""
    is_printable = all(line.isprintable() for line in text.split("\n"))
    style = ("|" if "\n" in text else None) if is_printable else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def write_yaml(plain: Mapping[str, Any]) -> str:
    """Returns the text of a mapping of texts, numbers, booleans, None, lists and mappings with texts as keys."""
    return yaml.dump(
        dict(plain), Dumper=_Dumper, sort_keys=False, allow_unicode=True, default_flow_style=False, width=_WIDTH
    )
