"""What sets the pace of a chunk step: the phase that all others wait for."""

from __future__ import annotations

from batchrun.domain.execution import StepTimes

AHEAD = ("read", "process", "encode")
"""The phases of the thread that makes chunks ready."""

_BEHIND = ("write", "commit")
_EVEN = 0.9


def pacesetters(times: StepTimes) -> list[str]:
    """Returns the phase that takes longest in the thread that has more to do; one of each where both have as much.

    Nothing where no time was taken. Where nothing is made ahead, all phases follow each other, and the longest is it.
    """
    seconds = times.as_dict()
    sides = [AHEAD, _BEHIND] if times.wait else [(*AHEAD, *_BEHIND)]
    sums = [sum(seconds[phase] for phase in side) for side in sides]
    most = max(sums)
    return [
        max(side, key=seconds.__getitem__)
        for side, total in zip(sides, sums, strict=True)
        if total and total >= _EVEN * most
    ]
