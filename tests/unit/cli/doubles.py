"""An application in memory: it keeps executions, and its one job is a script of listener calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from batchrun.domain.definition import (
    ComponentDefinition,
    FlowDefinition,
    JobDefinition,
    StepDefinition,
    TaskletDefinition,
)
from batchrun.domain.execution import JobExecution, JobInstance, Owner, StepCounts, StepExecution
from batchrun.domain.parameters import JobParameter, JobParameters, ParameterType
from batchrun.domain.purge import PurgedExecution
from batchrun.domain.selection import EVERY, ExecutionFilter
from batchrun.domain.status import BatchStatus, ExitStatus
from batchrun.errors import NoSuchExecutionError, Problem
from batchrun.operations.detaching import DetachedStart
from batchrun.operations.exit_codes import process_exit_code
from batchrun.operations.explorer import JobExplorer
from batchrun.operations.log_reading import LogLine
from batchrun.operations.purging import Purge
from batchrun.registry import Registry
from batchrun.spi.chunk import Chunk
from batchrun.spi.listener import Listener, Progress
from batchrun.testing.memory_repository import MemoryJobRepository

BEGIN = datetime(2026, 7, 30, 5, 2, 11, tzinfo=UTC)


def step_of(
    name: str = "load",
    status: BatchStatus = BatchStatus.COMPLETED,
    *,
    code: str | None = None,
    description: str = "",
    seconds: float = 8.0,
    execution_id: int = 7,
    **counts: int,
) -> StepExecution:
    return StepExecution(
        id=1,
        job_execution_id=execution_id,
        step_name=name,
        status=status,
        exit_status=ExitStatus(code or status.name, description),
        counts=StepCounts(**counts),
        started_at=BEGIN,
        ended_at=None if status.is_running else BEGIN + timedelta(seconds=seconds),
    )


def execution_of(
    *steps: StepExecution,
    id: int = 7,
    status: BatchStatus = BatchStatus.COMPLETED,
    code: str | None = None,
    description: str = "",
    job_name: str = "load-trades",
    parameters: Sequence[JobParameter] = (),
    instance_id: int = 3,
    restart_of: int | None = None,
    job_file: str = "/project/jobs.d/load_trades.yaml",
) -> JobExecution:
    return JobExecution(
        id=id,
        instance=JobInstance(instance_id, job_name, "identity"),
        parameters=JobParameters(list(parameters)),
        owner=Owner("desk", 4711, "boot"),
        token=1,
        created_at=BEGIN,
        status=status,
        exit_status=ExitStatus(code or status.name, description),
        started_at=BEGIN,
        ended_at=None if status.is_running else BEGIN + timedelta(seconds=8.1),
        restart_of=restart_of,
        job_file=job_file,
        steps=list(steps),
    )


PARAMETERS = (
    JobParameter("input", "/data/trades.csv", ParameterType.PATH),
    JobParameter("day", BEGIN.date(), ParameterType.DATE),
    JobParameter("price", Decimal("12.50"), ParameterType.DECIMAL),
    JobParameter("limit", 100, ParameterType.INTEGER, identifying=False),
    JobParameter("ratio", 0.25, ParameterType.FLOAT),
    JobParameter("dry", True, ParameterType.BOOLEAN),
    JobParameter("wait", timedelta(seconds=90), ParameterType.DURATION),
    JobParameter("desks", ("A", "B"), ParameterType.LIST),
    JobParameter("note", None),
)


@dataclass(frozen=True)
class LoadedDouble:
    """What `load_job` returns, as far as the command line looks at it."""

    definition: JobDefinition
    title: str = "/project/jobs.d/load_trades.yaml"
    text: str = ""
    warnings: Sequence[Problem] = ()


def job_double(exit_codes: Mapping[str, int] | None = None, warnings: Sequence[Problem] = ()) -> LoadedDouble:
    work = TaskletDefinition(ComponentDefinition("tasklet", "shell", {}))
    steps = [StepDefinition("load", work), StepDefinition("settle", work)]
    definition = JobDefinition("load-trades", FlowDefinition(steps, "load"), exit_codes=exit_codes or {})
    return LoadedDouble(definition, warnings=warnings)


Script = Callable[[Listener, JobExecution], None]


@dataclass
class ApplicationDouble:
    """An application whose `launch` plays a script to the listeners and ends as the next execution says.

    Attributes:
        ends: what the next run ends as.
        raises: raised by whatever is asked next.
        detached_start: what comes of a run that is to be detached.
        log: of any execution.
        calls: what was asked, with what.
        repository: what `purge` cleans.
        forgotten: executions whose logs were to be deleted.
        dead: executions that run, but whose processes are gone.
    """

    executions: list[JobExecution] = field(default_factory=list)
    ends: JobExecution | None = None
    script: Script | None = None
    job: LoadedDouble = field(default_factory=job_double)
    raises: BaseException | None = None
    calls: list[tuple[object, ...]] = field(default_factory=list)
    components: Registry = field(default_factory=Registry)
    detached_start: DetachedStart = DetachedStart(7)  # noqa: RUF009 - it cannot be changed
    log: Sequence[LogLine] = ()
    repository: MemoryJobRepository = field(default_factory=MemoryJobRepository)
    forgotten: list[int] = field(default_factory=list)
    dead: set[int] = field(default_factory=set)

    def __call__(self, *, repository: str | None = None) -> ApplicationDouble:
        self.calls.append(("open", repository))
        return self

    def __enter__(self) -> ApplicationDouble:
        return self

    def __exit__(self, *_: object) -> None:
        self.calls.append(("close",))

    def load_job(self, job: str) -> LoadedDouble:
        self._called("load_job", job)
        return self.job

    def launch(
        self,
        job: LoadedDouble,
        given: Mapping[str, object],
        *,
        next_run: bool = False,
        listeners: Sequence[Listener] = (),
        begun: Callable[[JobExecution], None] | None = None,
    ) -> JobExecution:
        self._called("launch", dict(given), *(["next run"] if next_run else []))
        return self._run(listeners, begun)

    def restart(
        self,
        execution_id: int,
        given: Mapping[str, object],
        *,
        allow_changed: bool = False,
        listeners: Sequence[Listener] = (),
        begun: Callable[[JobExecution], None] | None = None,
    ) -> JobExecution:
        self._called("restart", execution_id, dict(given), allow_changed)
        return self._run(listeners, begun)

    def _run(self, listeners: Sequence[Listener], begun: Callable[[JobExecution], None] | None = None) -> JobExecution:
        assert self.ends is not None
        if begun is not None:
            begun(self.ends)
        if self.script is not None:
            for listener in listeners or [Listener()]:
                self.script(listener, self.ends)
        return self.ends

    def purge(self) -> Purge:
        def forget(executions: Sequence[PurgedExecution]) -> None:
            self.forgotten += [execution.id for execution in executions]

        return Purge(self.repository, forget, pause=lambda _seconds: None)

    @property
    def explorer(self) -> JobExplorer:
        return JobExplorer(RepositoryDouble(self))

    def start_detached(self, arguments: Sequence[str]) -> DetachedStart:
        self._called("start_detached", *arguments)
        return self.detached_start

    def wait(
        self, execution_id: int, *, listeners: Sequence[Listener] = (), timeout: timedelta | None = None
    ) -> JobExecution:
        self._called("wait", execution_id, timeout)
        return self._run(listeners) if self.ends is not None else self.explorer.execution(execution_id)

    def stop(self, execution_id: int) -> JobExecution:
        self._called("stop", execution_id)
        return self.explorer.execution(execution_id)

    def log_file(self, execution: JobExecution) -> Path:
        return Path(f"/project/.batchrun/logs/12345678/{execution.id}.log")

    def log_lines(self, execution: JobExecution, *, follow: bool = False) -> Iterator[LogLine]:
        self._called("log_lines", execution.id, follow)
        return iter(self.log)

    def registry(self) -> Registry:
        return self.components

    def exit_code(self, execution: JobExecution, *, fails_on_skips: bool = False) -> int:
        return process_exit_code(execution, fails_on_skips=fails_on_skips)

    def _called(self, *call: object) -> None:
        self.calls.append(call)
        if self.raises is not None:
            raise self.raises


@dataclass
class RepositoryDouble(MemoryJobRepository):
    """The reading part of a repository, on the executions of an application."""

    application: ApplicationDouble

    def find_execution(self, execution_id: int) -> JobExecution:
        self.application._called("find_execution", execution_id)
        found = [each for each in self.application.executions if each.id == execution_id]
        if not found:
            raise NoSuchExecutionError(execution_id)
        return found[0]

    def find_executions(self, chosen: ExecutionFilter = EVERY, *, limit: int | None = None) -> list[JobExecution]:
        self.application._called("find_executions", chosen, limit)
        found = [each for each in self.application.executions if chosen.admits(each)]
        return sorted(found, key=lambda each: -each.id)[:limit]

    def is_alive(self, execution_id: int, is_gone: Callable[[Owner], bool]) -> bool:
        return execution_id not in self.application.dead

    def later_execution_id(self, execution: JobExecution) -> int | None:
        executions = self.application.executions
        later = [each.id for each in executions if each.instance == execution.instance and each.id > execution.id]
        return min(later, default=None)

    def job_names(self) -> list[str]:
        return sorted({each.job_name for each in self.application.executions})


class _NoOrigins:
    def of(self, index: int) -> str:
        return f"list:{index}"

    def span(self) -> str:
        return "list"


CHUNK = Chunk(rows=[], position={}, origins=_NoOrigins())


def run_step(
    listener: Listener, execution: JobExecution, step: StepExecution, *reads: int, total: int | None = 1000
) -> None:
    """Plays a whole step: started, opened, a chunk for each number of items read so far, ended."""
    ended, step.status = step.status, BatchStatus.STARTED
    listener.before_step(execution, step)
    listener.after_chunk(execution, step, None, Progress(0, total, "items"))
    for read in reads:
        step.counts = StepCounts(read=read, write=read)
        listener.after_chunk(execution, step, CHUNK, Progress(read, total, "items"))
    step.status = ended
    listener.after_step(execution, step)
