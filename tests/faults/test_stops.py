"""Stopped in each kind of state, an execution ends STOPPED, and a restart completes it with everything done once.

A short form by default, each kind in one of the three ways; `make stops` sets BATCHRUN_STOPS=all for all of them.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.faults.stops import KINDS, Stopped, slow_server

WAYS = ["stop", "SIGINT", "SIGTERM"]
ALL = os.environ.get("BATCHRUN_STOPS") == "all"
CASES = [
    (kind, way) for place, kind in enumerate(KINDS) for turn, way in enumerate(WAYS) if ALL or turn == place % len(WAYS)
]


@pytest.mark.parametrize(("kind", "way"), CASES)
def test_what_is_stopped_at_work_ends_stopped_and_a_restart_does_everything_once(
    kind: str, way: str, tmp_path: Path
) -> None:
    with slow_server(tmp_path / "job") as url:
        job = Stopped.make(KINDS[kind], tmp_path / "job", url)
        running = job.launch()
        if way == "stop":
            job.commands.run("stop", "1")
        else:
            running.send(signal.Signals[way])
        ended = running.ended()
        assert ended.code == 4, ended
        job.check_stopped()
        job.restart()
        job.check_complete()
