"""Writes components.md from the specs of the built-in components, so that the manual cannot differ from the program."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

from batchrun.cli.component_documents import component_document
from batchrun.registry import Registry
from batchrun.spi.spec import ROLES, ComponentSpec

TARGET = Path(__file__).with_name("components.md")

HEAD = """\
# Components

What `type` may name in a [job file](job-file.md); `make generate` writes this page from the components' specs, and
`batchrun components NAME` shows the same for one of them, plugins included. An option without a default is required.
"""
MEANINGS = {
    "reader": "Readers read the items of a chunk step.",
    "processor": "Processors change items between reader and writer, or drop them; they stand in a list.",
    "writer": "Writers write the items of a chunk step.",
    "reject_sink": "Reject sinks keep the items that a chunk step skips, each chunk's with its commit.",
    "tasklet": "Tasklets are the whole work of a step that has no items.",
    "decider": "Deciders say which way a decision of the flow goes.",
    "listener": "Listeners observe a job or a step at its points; they stand in a list.",
}
KEYS = {"decider": "decision", "reject_sink": "rejects"}
"""What the key of a step is called that holds a component, where it is not called as the role."""


def page() -> str:
    """Returns the page."""
    registry = Registry()
    parts = [HEAD]
    for role in ROLES:
        if names := [name for name in registry.names(role) if _is_ours(registry, role, name)]:
            parts.append(f"\n## {role.capitalize().replace('_', ' ')}s\n\n{MEANINGS[role]}\n")
            parts += [_section(registry.spec(role, name)) for name in names]
    return "".join(parts)


def _is_ours(registry: Registry, role: str, name: str) -> bool:
    return registry.component(role, name).__module__.startswith("batchrun.")


def _section(spec: ComponentSpec) -> str:
    told = component_document(spec)
    texts = [textwrap.fill(text, 120) for text in (told["summary"], *told["description"].split("\n\n")) if text]
    if promise := _promise(spec):
        texts.append(f"Guarantee: {promise}.")
    rows = [_row(option) for option in told["options"]]
    table = ["| option | type | default | |", "|---|---|---|---|", *rows]
    return "\n".join([f"\n### `{spec.name}`\n", "\n\n".join(texts), "", *table, "", "```yaml", _node(spec), "```", ""])


def _promise(spec: ComponentSpec) -> str:
    """Returns what a restart after a crash means for the component's work."""
    return spec.capabilities.guarantee if spec.role in ("writer", "reject_sink", "tasklet") else ""


def _row(option: dict[str, Any]) -> str:
    default = "" if option["required"] else f"`{_yaml(option['default'])}`"
    kind = option["type"].replace("|", "\\|") + (f", {option['unit']}" if option["unit"] else "")
    return f"| `{option['name']}` | {kind} | {default} | {option['summary'].replace('|', chr(92) + '|')} |"


def _yaml(value: Any) -> str:
    """Returns a default as a job file would say it."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return repr(value).replace("'", '"') if not value.isalnum() else value
    return str(value).replace("'", '"')


def _node(spec: ComponentSpec) -> str:
    """Returns the example in its place in a job."""
    example = spec.example.strip()
    key = KEYS.get(spec.role, spec.role)
    if spec.role in ("processor", "listener"):
        return f"{spec.role}s:\n  - " + textwrap.indent(example, "    ").lstrip()
    if example.startswith("{"):
        return f"{key}: {example}"
    return f"{key}:\n" + textwrap.indent(example, "  ")


if __name__ == "__main__":
    TARGET.write_text(page(), encoding="utf-8")
