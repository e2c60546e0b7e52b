"""Runs jobs: flow, step, chunk and tasklet on the contracts of spi; never sees YAML, SQL, HTTP or a terminal."""

from batchrun.engine.job import execute_job
from batchrun.engine.owner import current_owner, is_gone
from batchrun.engine.run import JobRun
from batchrun.engine.stop import StopSignal

__all__ = ["JobRun", "StopSignal", "current_owner", "execute_job", "is_gone"]
