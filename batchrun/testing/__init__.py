"""Shipped for tests: running jobs, in-memory doubles, contract suites for every spi protocol, fault injection."""

from batchrun.testing.jobs import JobBench, run_job

__all__ = ["JobBench", "run_job"]
