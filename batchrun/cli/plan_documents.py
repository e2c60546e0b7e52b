"""The JSON form of a plan."""

from __future__ import annotations

from typing import Any

from batchrun.operations.plan import JobPlan, PlannedStep


def plan_document(plan: JobPlan) -> dict[str, Any]:
    """Returns a plan with its steps, those of nested flows inside their own."""
    last = plan.last
    return {
        "job_name": plan.job_name,
        "continues": None if last is None else last.id,
        "status": None if last is None else last.status.name,
        "is_dead": plan.is_dead,
        "steps": [_step_document(step) for step in plan.steps],
    }


def _step_document(step: PlannedStep) -> dict[str, Any]:
    return {
        "name": step.name,
        "kind": step.kind,
        "action": step.action.value,
        "is_certain": step.is_certain,
        "condition": step.condition,
        "reason": step.reason,
        "execution_id": step.execution_id,
        "position": step.position,
        "position_is_exact": step.is_exact,
        "child_execution_id": step.child_id,
        "flows": [[_step_document(each) for each in flow] for flow in step.inside],
    }
