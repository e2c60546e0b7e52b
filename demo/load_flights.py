"""The demo: launches the job load_flights, or continues it where it was interrupted, and says what to try next."""

from __future__ import annotations

import json
import os
import shlex
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

JOB = "load_flights"
DATABASE = Path("data/flights.db")
BATCHRUN = Path(sys.executable).with_name("batchrun")

NEXT = """
Try next (PATH=$PWD/{bin}:$PATH saves typing {bin}/):

  see what happened        {bin}/batchrun history
                           {bin}/batchrun show {execution}
  look at the result       head {report}
  kill it in the middle    timeout -s KILL 1 {bin}/batchrun launch {job} input={input} run={next_run}
  and let it continue      {bin}/batchrun launch {job} input={input} run={next_run}
  the same launch again    is refused now: run={next_run} is done; another run=N is another job instance
  make a job of your own   {job_file} is the whole of this one, README.md explains it
"""


def last_execution() -> dict[str, Any] | None:
    """Returns the job's last execution in this folder's repository."""
    command = [str(BATCHRUN), "history", "--job", JOB, "--limit", "1", "--output", "json"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise SystemExit(ended.stderr)
    executions: list[dict[str, Any]] = json.loads(ended.stdout)
    return executions[0] if executions else None


def run_after(last: dict[str, Any] | None) -> int:
    """Returns the `run` to launch: the last one again where it is not done, so that it continues, else the next."""
    if last is None:
        return 1
    run: int = last["parameters"]["run"]
    return run + 1 if last["status"] == "COMPLETED" else run


def counted_flights() -> int:
    """Counts what is in the database."""
    with closing(sqlite3.connect(DATABASE)) as connection:
        count: int = connection.execute("SELECT count(*) FROM flights").fetchone()[0]
    return count


def main(source: Path) -> int:
    """Runs the demo on a flights table; returns the exit code of the launch."""
    run = run_after(last_execution())
    command = [os.path.relpath(BATCHRUN), "launch", JOB, f"input={source}", f"run={run}"]
    print(f"$ {shlex.join(command)}", flush=True)
    ended = subprocess.run(command, check=False)
    if ended.returncode:
        return ended.returncode
    done = last_execution()
    assert done is not None
    print(f"\n{counted_flights():,} flights are in {DATABASE}, table flights, each exactly once.")
    print(
        NEXT.format(
            bin=os.path.relpath(BATCHRUN.parent),
            execution=done["execution_id"],
            report="data/carriers.csv",
            job=JOB,
            job_file=f"jobs.d/{JOB}.yaml",
            input=source,
            next_run=run + 1,
        ),
        end="",
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
