"""A job file's text as its execution keeps it: what is asked of it after the run, whatever the file says by then."""

from __future__ import annotations

from batchrun.definition.unreadable import UnreadableError
from batchrun.definition.yaml12 import Node, read_yaml


def stored_exit_codes(text: str) -> dict[str, int]:
    """Returns the job's `exit_codes`: exit codes of the process by those of the job."""
    found = _keys(text).get("exit_codes")
    return dict(found.plain() or {}) if found is not None else {}


def stored_step_lines(text: str) -> dict[str, int]:
    """Returns the line where each step begins, by its name; a text that cannot be read has none."""
    found = _keys(text).get("steps")
    steps = found.value if found is not None and isinstance(found.value, list) else []
    named = [step for step in steps if isinstance(step.value, dict) and "name" in step.value]
    return {str(step.value["name"].value): step.line for step in named}


def _keys(text: str) -> dict[str, Node]:
    try:
        root, _ = read_yaml(text)
    except UnreadableError:
        return {}
    return root.value if root is not None and isinstance(root.value, dict) else {}
