"""The JSON form of an explanation."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from batchrun.operations.explanation import JobExplanation


def explanation_document(job: JobExplanation) -> dict[str, Any]:
    """Returns an explanation as it is: its names are those of `JobExplanation` and its parts."""
    return asdict(job)
