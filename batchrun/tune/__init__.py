"""Tune: measures chunk size and read-ahead of a job's chunk steps on copies, and says which others gain."""

from batchrun.tune.choice import LEAST_GAIN, Candidate
from batchrun.tune.plan import Launched, plan_of
from batchrun.tune.preparing import prepared
from batchrun.tune.search import Search, Series
from batchrun.tune.setting import Measurement, Setting
from batchrun.tune.tuning import LEAST_ROUNDS, StepReport, TuneReport, TuneSettings, Tuning

__all__ = [
    "LEAST_GAIN",
    "LEAST_ROUNDS",
    "Candidate",
    "Launched",
    "Measurement",
    "Search",
    "Series",
    "Setting",
    "StepReport",
    "TuneReport",
    "TuneSettings",
    "Tuning",
    "plan_of",
    "prepared",
]
