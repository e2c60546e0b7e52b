"""The JSON form of what was measured of a job's chunk steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from batchrun.definition.editing import Edit
from batchrun.tune import Candidate, Series, Setting, StepReport, TuneReport


def tune_document(report: TuneReport, edits: Sequence[Edit], *, is_written: bool) -> dict[str, Any]:
    """Returns what was measured, and what is to be changed."""
    return {
        "job_name": report.job_name,
        "rounds": report.rounds,
        "runs": report.runs,
        "steps": [_step(each) for each in report.steps],
        "skipped": [{"name": name, "reason": reason} for name, reason in report.skipped.items()],
        "copied_tables": list(report.copied),
        "changes": [_edit(each) for each in edits],
        "written": is_written and bool(edits),
    }


def _step(step: StepReport) -> dict[str, Any]:
    search = step.search
    return {
        "name": step.name,
        "items": step.items,
        "present": _setting(search.present),
        "recommended": _setting(search.chosen),
        "chunk": _series(search.chunks),
        "read_ahead": [] if search.read_aheads is None else _series(search.read_aheads),
    }


def _series(series: Series) -> list[dict[str, Any]]:
    return [_candidate(each) for each in series.candidates()]


def _setting(setting: Setting) -> dict[str, Any]:
    return {"chunk": setting.chunk, "read_ahead": setting.read_ahead}


def _candidate(candidate: Candidate) -> dict[str, Any]:
    typical = candidate.typical
    return {
        **_setting(candidate.setting),
        "items_per_second": round(typical.rate, 1),
        "ratio": round(candidate.ratio, 4),
        "spread": round(candidate.spread, 4),
        "rounds": len(candidate.runs),
        "peak_bytes": typical.peak,
        "seconds": round(typical.seconds, 6),
        "times": typical.times.as_dict(),
    }


def _edit(edit: Edit) -> dict[str, Any]:
    return {
        "file": str(edit.file),
        "line": edit.line,
        "old": edit.old or None,
        "new": edit.new,
        "by_hand": edit.span is None,
    }
