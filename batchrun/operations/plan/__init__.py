"""The plan of a launch or restart: what it would do with each step, told before anything runs."""

from batchrun.operations.plan.record import Action, JobPlan, PlannedStep
from batchrun.operations.plan.walk import Facts, Resumption, plan_flow

__all__ = ["Action", "Facts", "JobPlan", "PlannedStep", "Resumption", "plan_flow"]
