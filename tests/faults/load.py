"""A load that is killed and restarted, through the command line, and what its target must hold afterwards."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

JOB = """\
name: load-rows
parameters:
  input: {{type: path, required: true}}
databases:
  target: "{target}"
steps:
  - name: load
    chunk: 5000
    reader:
      type: csv
      path: ${{params.input}}
      columns: {{id: integer, kind: string, amount: "decimal(12,2)", day: date, note: string}}
    processors:
      - {{type: filter, where: "kind <> 'none'"}}
      - {{type: derive, set: {{doubled: id * 2}}}}
    writer: {{type: table, database: target, table: rows, create: true}}
  - name: count
    tasklet: {{type: sql, database: target, statement: [
      "CREATE TABLE IF NOT EXISTS runs (n INTEGER)", "INSERT INTO runs SELECT count(*) FROM rows"]}}
"""

FACTS = "SELECT count(*), count(DISTINCT id), sum(id), sum(doubled), sum(amount), sum(length(note)), min(day) FROM rows"


def write_input(path: Path, rows: int) -> tuple[Any, ...]:
    """Writes the input and returns the facts that its target must show."""
    import polars as pl

    frame = pl.DataFrame({"id": pl.int_range(rows, eager=True)}).select(
        "id",
        kind=pl.when(pl.col("id") % 10 == 7).then(pl.lit("none")).otherwise(pl.lit("some")),
        amount=(pl.col("id") * 7 % 100_000 / 100).cast(pl.Decimal(12, 2)),
        day=pl.date(2024, 1, 1) + pl.duration(days=pl.col("id") % 366),
        note=pl.when(pl.col("id") % 3 == 0)
        .then(pl.lit('a "quoted", note\nof two lines'))
        .otherwise(pl.concat_str(pl.lit("note "), pl.col("id").cast(pl.String))),
    )
    frame.write_csv(path)
    kept = frame.filter(pl.col("kind") != "none")
    ids = int(kept["id"].sum())
    return (
        kept.height,
        kept.height,
        ids,
        2 * ids,
        Decimal(str(kept["amount"].sum())),
        int(kept["note"].str.len_chars().sum()),
        "2024-01-01",
    )


def ended(process: subprocess.Popen[str], seconds: float) -> tuple[str, str]:
    """Returns what the process said when it has ended; one that takes longer is killed, and fails the test."""
    try:
        return process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise


@dataclass(frozen=True)
class Load:
    """A job file with its input, a target and a repository of its own."""

    folder: Path
    input: Path
    repository: str

    @classmethod
    def make(cls, folder: Path, input_path: Path, target: str, repository: str) -> Load:
        folder.mkdir(parents=True)
        (folder / "batchrun.toml").touch()
        (folder / "load.yaml").write_text(JOB.format(target=target))
        return cls(folder, input_path, repository)

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "batchrun", "--repository", self.repository, *arguments]

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.command(*arguments),
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env={**os.environ, "NO_COLOR": "1"},
        )

    def run(self, *arguments: str, expect: int = 0) -> Any:
        """Runs a command with JSON output and returns what it says."""
        process = self.start(*arguments, "--output", "json")
        out, err = ended(process, 300)
        assert process.returncode == expect, f"{arguments} ended with {process.returncode}\n{out}\n{err}"
        assert "Traceback" not in err, err
        return json.loads(out)

    def launch_arguments(self) -> tuple[str, ...]:
        return ("launch", "load.yaml", f"input={self.input}")

    def kill_after(self, seconds: float, *arguments: str) -> bool:
        """Starts a command and kills it; returns whether it was still at work then."""
        process = self.start(*arguments)
        try:
            process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return process.returncode == -signal.SIGKILL

    def last_execution(self) -> dict[str, Any] | None:
        history = self.run("history", "--limit", "1")
        return history[0] if history else None

    def duration(self) -> float:
        """Runs the load undisturbed and returns the seconds it took."""
        begun = time.monotonic()
        assert self.run(*self.launch_arguments())["status"] == "COMPLETED"
        return time.monotonic() - begun

    def survive(self, duration: float, kills: int, chance: random.Random) -> int:
        """Kills the load up to `kills` times at random moments, restarts it each time; returns the kills that hit."""
        hits = 0
        arguments = self.launch_arguments()
        for _ in range(kills):
            if not self.kill_after(chance.uniform(0.2, duration), *arguments):
                break
            hits += 1
            if (last := self.last_execution()) is not None:
                arguments = ("restart", str(last["execution_id"]))
        last = self.last_execution()
        if last is None or last["status"] != "COMPLETED":
            self.run(*arguments)
        return hits
