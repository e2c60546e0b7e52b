"""What must hold between the keys of a step and of the steps: one kind of work each, and names of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from batchrun.definition.document import DocumentPath
from batchrun.definition.findings import Findings
from batchrun.definition.outline import Outline
from batchrun.errors import nearest

_CHUNK_KEYS = ("reader", "processors", "writer", "chunk", "read_ahead")


def check_steps(outline: Outline, findings: Findings) -> None:
    """Adds steps with no work, half of it or two kinds of it, and names used twice."""
    first: dict[str, int] = {}
    for path, step in outline.steps:
        _check_work(path, step, findings)
        name = step.get("name")
        if isinstance(name, str):
            if name in first:
                line = findings.document.place(("steps", first[name], "name"))[0]
                findings.add((*path, "name"), f"there is a step {name!r} already, in line {line}", "rename one of them")
            first.setdefault(name, int(path[-1]))


def _check_work(path: DocumentPath, step: Mapping[str, Any], findings: Findings) -> None:
    title = f"step {step['name']!r}" if isinstance(step.get("name"), str) else "the step"
    chunk_keys = [key for key in step if key in _CHUNK_KEYS]
    if "tasklet" in step:
        if chunk_keys:
            findings.add(
                (*path, chunk_keys[0]),
                f"{title} has a tasklet and {chunk_keys[0]!r}: a step does one kind of work",
                "make two steps of it",
                key=True,
            )
        return
    missing = [key for key in ("reader", "writer") if key not in step]
    if not missing or any(_meant(path, key, findings) in (*missing, "tasklet") for key in step):
        return
    if len(missing) == 2 and not chunk_keys:
        findings.add(path, f"{title} has no work", "give it a reader and a writer, or a tasklet")
    else:
        findings.add(
            path, f"{title} needs a {' and a '.join(missing)}", "chunk work is read by one and written by the other"
        )


def _meant(path: DocumentPath, key: str, findings: Findings) -> str | None:
    """Returns the kind of work that an unknown key of the step is likely a misspelling of."""
    return nearest(key, (*_CHUNK_KEYS, "tasklet")) if (*path, key) in findings.wrong else None
