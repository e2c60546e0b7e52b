"""CSV → PostgreSQL: killed by -9 at 90 % of the rows and restarted, against the whole load."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time

import psycopg

from benchmarks.contest import Aim, Command, Contender, Contest
from benchmarks.contests.csv_to_postgres import JOB
from benchmarks.peers import batchrun, step_seconds
from benchmarks.place import Place, check_postgres, lineitem_table

WHOLE = batchrun("load", JOB, {"input": "{lineitem}", "target": "{url}"}, label="batchrun, the whole load")


def _killed(place: Place) -> Command:
    """Launches the load, and kills it when its row in the target says that 90 % are committed."""
    aim = int(0.9 * place.sums[0])  # type: ignore[call-overload]
    launch = WHOLE.command(place)
    with subprocess.Popen(
        launch.argv, cwd=place.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as running:
        while _read_count(place) < aim:
            assert running.poll() is None, "the load has ended before it could be killed"
            time.sleep(0.005)
        os.kill(running.pid, signal.SIGKILL)
    return Command(place.batchrun("restart", "1", "--output", "json"))


def _read_count(place: Place) -> int:
    try:
        rows = place.sql("SELECT checkpoint FROM batchrun_checkpoint")
    except psycopg.errors.UndefinedTable:
        return 0
    counts = [json.loads(str(checkpoint))["counts"]["read_count"] for (checkpoint,) in rows]
    return max(counts, default=0)


def _prepare(place: Place) -> None:
    lineitem_table(place)
    place.sql("DROP TABLE IF EXISTS batchrun_checkpoint")


CONTEST = Contest(
    title="CSV → PostgreSQL, restarted after a kill -9 at 90 % of the rows",
    contenders=[WHOLE, Contender("batchrun restart", _killed, own_seconds=step_seconds)],
    prepare=_prepare,
    check=check_postgres,
    aims=[Aim(WHOLE.name, 0.15, "batchrun restart", smallest=1)],
    rows=None,
    scales=(1,),
)
