"""`--plan`: tells what a launch or restart would do, where it is not done."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from batchrun.cli.outputs import Form, read_outputs

if TYPE_CHECKING:
    from batchrun.cli.invocation import Invocation
    from batchrun.operations.plan import JobPlan

PlanOption = Annotated[
    bool,
    typer.Option("--plan", help="Run nothing: show what would become of each step, or why it would be refused."),
]


def refuse_beside_plan(output: Sequence[str], *, detached: bool) -> None:
    """Refuses what makes no sense where nothing is run.

    Args:
        output: the values of `--output`.
        detached: whether `--detach` is given.

    Raises:
        UsageError: something of it was asked for.
    """
    from batchrun.errors import UsageError

    if detached:
        raise UsageError("a plan runs nothing, so there is nothing to detach", hint="leave out --detach or --plan")
    outputs = read_outputs(output, {})
    if outputs.files or outputs.github or outputs.stdout not in (Form.TEXT, Form.JSON):
        raise UsageError("a plan is shown as text or json only", hint="--output json")


def tell_plan(invocation: Invocation, plan: JobPlan) -> int:
    """Shows the plan on stdout and returns the exit code of the process."""
    if invocation.outputs.stdout is Form.JSON:
        from batchrun.cli.documents import as_json
        from batchrun.cli.plan_documents import plan_document

        invocation.stdout.write(as_json(plan_document(plan)))
    else:
        from batchrun.cli.rendering.plan import show_plan

        show_plan(invocation.stdout, plan)
    return 0
