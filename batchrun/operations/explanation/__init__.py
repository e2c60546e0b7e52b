"""What a job does and promises, told without connecting to anything."""

from batchrun.operations.explanation.job import explain
from batchrun.operations.explanation.record import (
    ExplainedDatabase,
    ExplainedParameter,
    ExplainedStep,
    JobExplanation,
)

__all__ = ["ExplainedDatabase", "ExplainedParameter", "ExplainedStep", "JobExplanation", "explain"]
