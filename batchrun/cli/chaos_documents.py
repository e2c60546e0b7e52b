"""The JSON form of a chaos trial."""

from __future__ import annotations

from typing import Any

from batchrun.chaos import Difference, Kind, RoundReport, TrialReport


def chaos_document(report: TrialReport) -> dict[str, Any]:
    """Returns what came of a trial, with the rounds that differ."""
    return {
        "job_name": report.job_name,
        "kill_at": report.schedule.text,
        "seed": report.schedule.seed,
        "suspend": report.suspends,
        "equal": report.is_equal,
        "boundaries": len(report.boundaries),
        "compared": dict(report.compared),
        "rounds": len(report.rounds),
        "kills": report.total("kills"),
        "suspensions": report.total("suspensions"),
        "restarts": report.total("restarts"),
        "rows_lost": report.differing(Kind.LOST),
        "rows_twice": report.differing(Kind.TWICE),
        "differing_files": report.differing(Kind.FILE),
        "manual_repairs": report.differing(Kind.REPAIR),
        "differing_rounds": [_round(each) for each in report.rounds if each.differences],
    }


def _round(report: RoundReport) -> dict[str, Any]:
    return {
        "kill_at": ",".join(map(str, report.numbers)),
        "boundaries": list(report.boundaries),
        "kept": None if report.kept is None else str(report.kept),
        "differences": [_difference(each) for each in report.differences],
    }


def _difference(difference: Difference) -> dict[str, Any]:
    return {
        "kind": str(difference.kind),
        "where": difference.where,
        "message": difference.message,
        "count": difference.count,
        "examples": list(difference.examples),
    }
