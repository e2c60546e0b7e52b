"""What contests have come to, kept one file a contest, so that each can be run alone."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from benchmarks.measuring import Run
from benchmarks.place import ROOT

FOLDER = ROOT / "benchmarks" / "results"


@dataclass(slots=True)
class Result:
    """What a contest at a scale has come to.

    Attributes:
        runs: by contender, one for each round.
        left_out: why a contender did not take part, by its name.
        machine: what it ran on, and when.
    """

    contest: str
    scale: float
    machine: Mapping[str, str]
    runs: dict[str, list[Run]] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)

    def median(self, name: str, *, own: bool = False) -> float | None:
        """Returns the median of a contender's seconds, or of those of the work itself; None where it has none."""
        runs = self.runs.get(name, [])
        seconds = [each.own_seconds if own else each.seconds for each in runs]
        known = [each for each in seconds if each is not None]
        return median(known) if known else None

    def ratio(self, name: str, against: str, *, own: bool = False) -> float | None:
        """Returns the ratio of two medians."""
        one, other = self.median(name, own=own), self.median(against, own=own)
        return one / other if one is not None and other else None

    def save(self) -> None:
        """Writes the file of this contest at this scale."""
        FOLDER.mkdir(exist_ok=True)
        runs = {name: [each.as_dict() for each in made] for name, made in self.runs.items()}
        told = {
            "contest": self.contest,
            "scale": self.scale,
            "machine": dict(self.machine),
            "runs": runs,
            "left_out": self.left_out,
        }
        _file(self.contest, self.scale).write_text(json.dumps(told, indent=1) + "\n")


def read_results(contest: str, scales: Sequence[float]) -> list[Result]:
    """Returns what is kept of a contest."""
    return [_read(_file(contest, scale)) for scale in scales if _file(contest, scale).exists()]


def _read(path: Path) -> Result:
    told = json.loads(path.read_text())
    runs = {name: [Run(**each) for each in made] for name, made in told.pop("runs").items()}
    return Result(**told, runs=runs)


def _file(contest: str, scale: float) -> Path:
    return FOLDER / f"{contest}-{scale:g}.json"
