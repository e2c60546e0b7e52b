"""Chaos: runs a job on copies, strikes it down at its commits, and compares what restarts make of it."""

from batchrun.chaos.comparison import Difference, Kind
from batchrun.chaos.schedule import EVERY_COMMIT, Schedule
from batchrun.chaos.snapshot import Ignored
from batchrun.chaos.trial import RoundReport, Settings, Trial, TrialReport
from batchrun.copies.subject import Subject, subject_of

__all__ = [
    "EVERY_COMMIT",
    "Difference",
    "Ignored",
    "Kind",
    "RoundReport",
    "Schedule",
    "Settings",
    "Subject",
    "Trial",
    "TrialReport",
    "subject_of",
]
