"""`--detach`: the launcher's side, which tells the id, and the run's own, which falls silent once it has one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from batchrun.cli.outputs import Form

if TYPE_CHECKING:
    from batchrun.app import Application
    from batchrun.cli.invocation import Invocation
    from batchrun.domain.execution import JobExecution
    from batchrun.operations.operator import Begun


def detach(invocation: Invocation) -> int | None:
    """Has a process of its own do what this command asks for, and returns the exit code of the launcher.

    Returns:
        None in that process itself.
    """
    from batchrun.operations.detaching import Detachment

    invocation.detachment = Detachment.of_this_process()
    if invocation.detachment is not None:
        return None
    with invocation.application() as application:
        started = application.start_detached(invocation.arguments)
        if started.execution_id is not None:
            _tell(invocation, application, started.execution_id)
    return started.exit_code


def begun(invocation: Invocation, application: Application) -> Begun | None:
    """Returns what a detached run does when its execution has begun; None for any other."""
    detachment = invocation.detachment
    if detachment is None:
        return None

    def tell_launcher(execution: JobExecution) -> None:
        detachment.begun(execution.id, application.log_file(execution))
        invocation.fall_silent()

    return tell_launcher


def _tell(invocation: Invocation, application: Application, execution_id: int) -> None:
    """Tells the id: alone on stdout, so that a script can take it."""
    if invocation.outputs.stdout is Form.JSON:
        from batchrun.cli.documents import as_json, execution_document

        invocation.stdout.write(as_json(execution_document(application.explorer.execution(execution_id))))
    else:
        invocation.stdout.write(f"{execution_id}\n")
    if invocation.stderr.is_watched and not invocation.options.quiet:
        ways = (invocation.command(*words) for words in (("wait", execution_id), ("logs", execution_id, "-f")))
        invocation.stderr.print_labelled("hint", "{} follows it, {} shows its log".format(*ways))
