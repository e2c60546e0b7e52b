"""Tasklet `launch`: another job as a process of its own."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal

from batchrun.components import program
from batchrun.components.stopping import POLL_SECONDS
from batchrun.domain.parameters import value_text
from batchrun.domain.status import COMPLETED, BatchStatus, ExitStatus
from batchrun.errors import ExecutionRunningError, ExitCode, StepStoppedError, TaskletError
from batchrun.spi.checkpoint import CheckpointStore
from batchrun.spi.scope import ComponentScope
from batchrun.spi.spec import Capabilities, ComponentSpec, Options, component, option
from batchrun.spi.tasklet import RepeatStatus, StepContribution

_STATE = "launch"
_AGAIN_SECONDS = 2.0
_STOP_SECONDS = 60.0  # one whose process has died since never tells its end


class LaunchOptions(Options, kw_only=True):
    """Options of the tasklet `launch`."""

    job: Annotated[str, option("The job: a name in `jobs.d/`, or a path relative to the project folder.", min_length=1)]
    parameters: Annotated[
        dict[str, Any],
        option("Its parameters; a path is relative to the project folder.", examples=[{"day": "2026-07-31"}]),
    ] = {}
    if_complete: Annotated[
        Literal["fail", "skip"], option("What to do where these parameters had completed before this step.")
    ] = "fail"
    wait: Annotated[
        bool, option("Whether to wait for its end; if not, the step is done when its execution begins.")
    ] = True


SPEC = ComponentSpec(
    role="tasklet",
    name="launch",
    summary="Launches another job as a process of its own, and waits for it.",
    options=LaunchOptions,
    example="""
type: launch
job: load_flights
parameters: {input: data/flights.csv}
""",
    capabilities=Capabilities(restartable=True, idempotent=True),
    description=(
        "The other job runs on the same repository, under a process, a lease and a log of its own, and outlives this "
        "one's death: a restart then waits for it, or takes it as done. Its exit code becomes the step's where it "
        "COMPLETED; where it did not, the step fails, and a restart continues it. A stop asks it to stop too, and "
        "waits for that. With `wait: false` the step is done as soon as the execution has begun, as by "
        "`launch --detach`, and what comes of it is its own business; a restart finds it again. Parameters reach it on "
        "its stdin, so that a secret among them shows in no list of processes. The step's context keeps the id of its "
        "execution as `execution_id`."
    ),
)


@component(SPEC)
class LaunchTasklet:
    """Notes in one call which executions there are, and launches in the next: what is newer then is its own."""

    def __init__(self, options: LaunchOptions, scope: ComponentScope) -> None:
        self._options = options
        self._scope = scope
        self._given = {name: _text(value) for name, value in options.parameters.items() if value is not None}

    def open(self) -> CheckpointStore | None:
        """Has no transaction."""
        return None

    def execute(self, contribution: StepContribution) -> RepeatStatus | None:
        """Prepares the launch, or launches and waits.

        Raises:
            TaskletError: the launch was refused, or the job did not complete.
            StepStoppedError: it was stopped, as this execution was asked to.
        """
        if _STATE not in contribution.context:
            contribution.context[_STATE] = {"before": self._newest()}
            return RepeatStatus.CONTINUABLE
        before = int(contribution.context[_STATE]["before"])
        execution = self._execution(before)
        contribution.context["execution_id"] = execution["execution_id"]
        if not self._options.wait and execution["execution_id"] > before:
            return RepeatStatus.FINISHED
        self._judge(execution, is_own=execution["execution_id"] > before)
        if execution["exit_code"] != COMPLETED.code:
            contribution.exit_status = ExitStatus(execution["exit_code"], execution["exit_description"])
        return RepeatStatus.FINISHED

    def close(self) -> None:
        """Has nothing to give back: a process is ended where it was started."""

    def _newest(self) -> int:
        ended = program.run(self._scope, "history", "--limit", "1")
        if ended.code != ExitCode.COMPLETED:
            raise TaskletError(f"job {self._options.job!r} cannot be launched: {ended.message}")
        return max((execution["execution_id"] for execution in ended.result or ()), default=0)

    def _execution(self, before: int) -> dict[str, Any]:
        """Launches the job, and returns its execution when it has ended.

        One that a former attempt launched, and that goes on although that attempt died, is waited for.
        """
        while True:
            ended = self._launched()
            if isinstance(ended.result, dict):
                return ended.result
            error = ended.error or {}
            if error.get("type") == ExecutionRunningError.__name__ and error["execution_id"] > before:
                if not self._options.wait:
                    return self._shown(error["execution_id"])
                self._await(error["execution_id"])
            elif self._scope.should_stop():
                raise StepStoppedError(f"job {self._options.job!r} was not launched because of the stop")
            else:
                raise TaskletError(f"job {self._options.job!r} was not launched: {ended.message}")

    def _launched(self) -> program.Ended:
        how = () if self._options.wait else ("--detach",)
        arguments = ("launch", self._options.job, "--params", "-", "--if-complete", "skip", *how)
        with program.started(self._scope, *arguments, stdin=_mapping(self._given)) as command:
            is_asked = False
            while (ended := command.ended()) is None:
                if not is_asked and self._scope.should_stop():
                    command.end()
                    is_asked = True
        return ended

    def _shown(self, execution_id: int) -> dict[str, Any]:
        shown = program.run(self._scope, "show", str(execution_id))
        if not isinstance(shown.result, dict):
            raise TaskletError(f"execution {execution_id} of job {self._options.job!r}: {shown.message}")
        return shown.result

    def _status(self, execution_id: int) -> BatchStatus:
        return BatchStatus[self._shown(execution_id)["status"]]

    def _await(self, execution_id: int) -> None:
        """Waits some time for an execution of another process; a stop goes to it too, and its end is waited for."""
        again_at = time.monotonic() + _AGAIN_SECONDS
        while not self._scope.should_stop():
            if time.monotonic() > again_at:
                return
            time.sleep(POLL_SECONDS)
        self._stop(execution_id)
        raise StepStoppedError(f"execution {execution_id} of job {self._options.job!r} was stopped too")

    def _stop(self, execution_id: int) -> None:
        program.run(self._scope, "stop", str(execution_id))
        given_up_at = time.monotonic() + _STOP_SECONDS
        while self._status(execution_id).is_running:
            if time.monotonic() > given_up_at:
                raise StepStoppedError(f"execution {execution_id} of job {self._options.job!r} was asked to stop too")

    def _judge(self, execution: dict[str, Any], *, is_own: bool) -> None:
        """Passes an execution that has done the step's work.

        Raises:
            TaskletError: it has not.
            StepStoppedError: it was stopped, as this execution was asked to.
        """
        number, status = execution["execution_id"], BatchStatus[execution["status"]]
        what = f"execution {number} of job {execution['job_name']!r}"
        if status is BatchStatus.STOPPED and self._scope.should_stop():
            raise StepStoppedError(f"{what} was stopped too")
        if status is not BatchStatus.COMPLETED:
            said = f": {execution['exit_description']}" if execution["exit_description"] else ""
            raise TaskletError(f"{what} ended {status.name}{said}", hint=f"batchrun show {number} tells more")
        if not is_own and self._options.if_complete == "fail":
            raise TaskletError(
                f"job {execution['job_name']!r} had completed with these parameters before: execution {number}",
                hint="give it other identifying parameters, or say `if_complete: skip`",
            )


def _mapping(texts: Mapping[str, str | list[str]]) -> str:
    """Returns the parameters as a parameter file, in ASCII: YAML would take some characters for the end of a line."""
    text = json.dumps(texts, ensure_ascii=False)
    return re.sub(r"[^ -~]", lambda character: f"\\U{ord(character[0]):08x}", text)


def _text(value: Any) -> str | list[str]:
    """Returns a parameter's value as the command line takes it; of a list, one for each item."""
    if isinstance(value, list | tuple):
        return [_scalar_text(each) for each in value]
    return _scalar_text(value)


def _scalar_text(value: Any) -> str:
    return f"{value_text(value)}s" if isinstance(value, timedelta) else value_text(value)
