"""JobInstance, JobExecution, StepExecution: the record of a run, as the engine moves it and people read it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

from batchrun.domain.parameters import JobParameters
from batchrun.domain.position import FlowPosition
from batchrun.domain.status import EXECUTING, BatchStatus, ExitStatus

JsonObject = dict[str, Any]
"""What survives a restart as JSON: positions, contexts, flow state."""


@dataclass(frozen=True, slots=True)
class InstanceOrigin:
    """Where a job instance began: the repository and its id there, by which targets know it wherever it is carried."""

    repository_id: str
    instance_id: int


@dataclass(frozen=True, slots=True)
class JobInstance:
    """One logical run: a job's name with its identifying parameters.

    Attributes:
        id: given by the repository that holds it.
        origin: where it began, if that was another repository.
        is_exported: a copy of it has been given away.
    """

    id: int
    job_name: str
    identity: str
    origin: InstanceOrigin | None = None
    is_exported: bool = False

    @property
    def is_carried(self) -> bool:
        """Tells whether other repositories may know the instance too."""
        return self.is_exported or self.origin is not None

    @property
    def first_id(self) -> int:
        """The id that it had where it began, which what a job names by it keeps."""
        return self.id if self.origin is None else self.origin.instance_id

    def known_as(self, repository_id: str) -> InstanceOrigin:
        """Returns what targets know it by, given the repository that holds it."""
        return self.origin or InstanceOrigin(repository_id, self.id)


@dataclass(frozen=True, slots=True)
class Owner:
    """The process that runs an execution.

    Attributes:
        host: the machine's name.
        pid: process id on that host.
        boot_id: changes when the machine boots or the process lives in another pid namespace, so that a pid
            is compared only where it means the same.
        started_ticks: start time of the process in the kernel's clock ticks; tells a reused pid apart; 0 if unknown.
    """

    host: str
    pid: int
    boot_id: str
    started_ticks: int = 0


@dataclass(slots=True)
class StepCounts:
    """What a step did so far, in items and transactions.

    Attributes:
        read: items read; skipped reads are not among them.
        write: items that commits kept.
        filter: items that a processor dropped on purpose.
        commit: transactions committed; an empty final read makes none.
        rollback: transactions and savepoints rolled back.
    """

    read: int = 0
    write: int = 0
    filter: int = 0
    read_skip: int = 0
    process_skip: int = 0
    write_skip: int = 0
    commit: int = 0
    rollback: int = 0

    @property
    def skip(self) -> int:
        """All skipped items, whatever the phase."""
        return self.read_skip + self.process_skip + self.write_skip

    def as_dict(self) -> dict[str, int]:
        """Returns `{"read_count": …, "write_count": …}`, the names used in JSON, tables and bindings."""
        return {f"{count.name}_count": getattr(self, count.name) for count in fields(self)}

    @classmethod
    def from_dict(cls, counts: dict[str, int]) -> StepCounts:
        """Reads what `as_dict` wrote; a missing count is 0."""
        return cls(**{count.name: counts.get(f"{count.name}_count", 0) for count in fields(cls)})

    def copy(self) -> StepCounts:
        """Returns counts of their own with the same values."""
        return StepCounts(**{count.name: getattr(self, count.name) for count in fields(self)})


@dataclass(slots=True)
class StepTimes:
    """Where the time of a chunk step went, in seconds by phase.

    Chunks are read, processed and encoded ahead of those that are written, by a thread of their own: so all phases
    together may have taken longer than the step.

    Attributes:
        write: until the target has taken the items.
        commit: until the commit is made, with its rejects, and the repository knows of it.
        wait: for the next chunk to be ready to be written; 0 where nothing is made ahead.
    """

    read: float = 0
    process: float = 0
    encode: float = 0
    write: float = 0
    commit: float = 0
    wait: float = 0

    def as_dict(self) -> dict[str, float]:
        """Returns the seconds by phase, to the microsecond."""
        return {phase.name: round(getattr(self, phase.name), 6) for phase in fields(self)}

    @classmethod
    def from_dict(cls, stored: dict[str, float] | None) -> StepTimes:
        """Reads what `as_dict` wrote, or what an older version has not."""
        return cls(**(stored or {}))


STEP_FACTS = (*StepCounts().as_dict(), "status", "exit_code", "visit")
"""What references, expressions and decisions may ask of a step."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """All that a restart needs of a step, committed with each chunk (DESIGN section 5).

    Attributes:
        run: number of this run of the step; a restart continues the run, a loop back to the step or a rerun of a
            completed one begins another. A checkpoint of another run is out of date.
        attempt: number of the StepExecution that committed it, whose counts these are; 0 before the first commit.
        sequence: number of chunks committed in this run, over all its executions; 0 before the first.
        position: where the reader goes on; None is the beginning.
        contexts: state of the step's components by their key, such as `{"writer": {"bytes": 1024}}`.
        counts: the counts of the step execution that wrote it.
        finished: nothing is left to do; only the repository may not know yet.
    """

    run: int = 0
    attempt: int = 0
    sequence: int = 0
    position: JsonObject | None = None
    contexts: dict[str, JsonObject] = field(default_factory=dict)
    counts: StepCounts = field(default_factory=StepCounts)
    finished: bool = False

    def after(
        self,
        attempt: int,
        position: JsonObject | None,
        contexts: dict[str, JsonObject],
        counts: StepCounts,
        *,
        finished: bool = False,
    ) -> Checkpoint:
        """Returns the checkpoint of the next commit."""
        return Checkpoint(self.run, attempt, self.sequence + 1, position, contexts, counts, finished)

    def as_dict(self) -> JsonObject:
        """Returns the JSON form, as tables store it."""
        return {
            "run": self.run,
            "attempt": self.attempt,
            "sequence": self.sequence,
            "position": self.position,
            "contexts": self.contexts,
            "counts": self.counts.as_dict(),
            "finished": self.finished,
        }

    @classmethod
    def from_dict(cls, stored: JsonObject) -> Checkpoint:
        """Reads what `as_dict` wrote."""
        return cls(
            run=stored["run"],
            attempt=stored["attempt"],
            sequence=stored["sequence"],
            position=stored["position"],
            contexts=stored["contexts"],
            counts=StepCounts.from_dict(stored["counts"]),
            finished=stored["finished"],
        )


@dataclass(slots=True)
class StepExecution:
    """One attempt at a step in a job execution.

    Attributes:
        id: given by the repository.
        job_execution_id: the execution it belongs to.
        step_name: the step's name in the job file.
        visit: how many times the flow has entered the step in this job instance; 1 at first. A restart of an
            unfinished visit keeps its number, a loop back to the step counts one more.
        counts: of this attempt alone, not of earlier ones.
        times: of this attempt alone too; what a killed one took since its last commit is not known.
        checkpoint: where a restart of it goes on, as far as the repository knows; for a step with a transactional
            target the target's own row is the truth.
        parent_id: the attempt that it runs inside: of a parallel state, a nested flow, or a partitioned step.
        context: its ExecutionContext, JSON; what is durable of it is in the checkpoint, under `step`.
        number: what checkpoints call it, given by the repository too: its id where it began, and in an instance that
            came from another repository one that no repository gives again.
    """

    id: int
    job_execution_id: int
    step_name: str
    visit: int = 1
    status: BatchStatus = BatchStatus.STARTING
    exit_status: ExitStatus = EXECUTING
    counts: StepCounts = field(default_factory=StepCounts)
    checkpoint: Checkpoint = field(default_factory=Checkpoint)
    started_at: datetime | None = None
    ended_at: datetime | None = None
    parent_id: int | None = None
    context: JsonObject = field(default_factory=dict)
    number: int = 0
    times: StepTimes = field(default_factory=StepTimes)


@dataclass(slots=True)
class JobExecution:
    """One attempt at a job instance.

    Attributes:
        id: given by the repository, counting up over all jobs.
        token: fencing token of the owner; higher than that of any earlier execution of the instance.
        restart_of: the execution that this one continues, or None.
        stop_requested_at: when somebody asked it to stop, or None; only its owner acts on it.
        job_file: the job file's path as launched, absolute; empty for a job built in code.
        job_text: the job file's text as launched, or what it would be.
        batchrun_version: of the batchrun that launched it.
        parent_step_id: the step execution of another job that launched it as its child, or None.
        flow: where the flow stands.
        context: the job's ExecutionContext, JSON; given on to the execution that continues this one.
        steps: the attempts at steps, in order of their start.
    """

    id: int
    instance: JobInstance
    parameters: JobParameters
    owner: Owner
    token: int
    created_at: datetime
    status: BatchStatus = BatchStatus.STARTING
    exit_status: ExitStatus = EXECUTING
    started_at: datetime | None = None
    ended_at: datetime | None = None
    restart_of: int | None = None
    stop_requested_at: datetime | None = None
    job_file: str = ""
    job_text: str = ""
    batchrun_version: str = ""
    parent_step_id: int | None = None
    flow: FlowPosition = field(default_factory=FlowPosition)
    context: JsonObject = field(default_factory=dict)
    steps: list[StepExecution] = field(default_factory=list)

    @property
    def job_name(self) -> str:
        """The job's name in its file."""
        return self.instance.job_name

    @property
    def job_hash(self) -> str:
        """The SHA-256 (hex) of the job file's text."""
        return hashlib.sha256(self.job_text.encode("utf-8", "surrogatepass")).hexdigest()

    @property
    def completed(self) -> bool:
        """Tells whether it has ended COMPLETED."""
        return self.status is BatchStatus.COMPLETED

    @property
    def failed(self) -> bool:
        """Tells whether it has ended FAILED."""
        return self.status is BatchStatus.FAILED

    def step(self, name: str) -> StepExecution:
        """Returns the last attempt at a step in this execution.

        Raises:
            KeyError: there is none.
        """
        for step in reversed(self.steps):
            if step.step_name == name:
                return step
        names = ", ".join(dict.fromkeys(step.step_name for step in self.steps))
        raise KeyError(f"no step {name!r} in execution {self.id}, which has {names or 'none'}")
