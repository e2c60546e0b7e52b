"""The composition root: the one module that picks concrete classes, for the command line and for embedding.

What runs jobs is imported where a job is run: a command that only reads the history does without it.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from batchrun.domain.parameters import RUN_ID
from batchrun.errors import UsageError
from batchrun.operations.explorer import JobExplorer
from batchrun.operations.job_files import JobFiles
from batchrun.operations.project import JOBS_FOLDER, absolute, project_of, settings_of

if TYPE_CHECKING:
    from batchrun.definition import BuiltJob, LoadedJob
    from batchrun.domain.execution import JobExecution
    from batchrun.domain.parameters import JobParameters
    from batchrun.domain.purge import PurgedExecution
    from batchrun.engine import StopSignal
    from batchrun.operations.assembly import Assembly
    from batchrun.operations.detaching import DetachedStart, Streams
    from batchrun.operations.explanation import JobExplanation
    from batchrun.operations.export_file import Export
    from batchrun.operations.following import Follower
    from batchrun.operations.log_reading import LogLine
    from batchrun.operations.operator import Begun
    from batchrun.operations.plan import JobPlan
    from batchrun.operations.plan.planner import JobPlanner
    from batchrun.operations.purging import Purge
    from batchrun.operations.reject_operator import RejectOperator
    from batchrun.registry import Registry
    from batchrun.repository import RepositoryState
    from batchrun.spi.listener import Listener
    from batchrun.spi.repository import JobRepository

REPOSITORY_VARIABLE = "BATCHRUN_REPOSITORY"
DEFAULT_REPOSITORY = ".batchrun/repository.db"


class Application:
    """One project with its repository; connects to nothing until something is asked of it.

    A context manager; `close` gives the repository's connections back.

    Attributes:
        log_level: how much the logs of executions tell.
    """

    def __init__(
        self,
        directory: Path,
        repository: str | JobRepository | None = None,
        log_level: int = logging.INFO,
        *,
        is_project: bool = False,
    ) -> None:
        folder = directory.resolve()
        self._jobs = JobFiles(folder if is_project else project_of(folder), is_project)
        self.log_level = log_level
        self._given_url = repository if isinstance(repository, str) else None
        self._given_repository = None if isinstance(repository, str) else repository
        self._repository: JobRepository | None = None

    @classmethod
    def open(
        cls,
        *,
        repository: str | JobRepository | None = None,
        directory: Path | None = None,
        project: Path | None = None,
        log_level: int = logging.INFO,
    ) -> Application:
        """Returns the application of a project.

        Args:
            repository: its URL, or a repository that its owner closes.
            directory: the project is the one around it, by default around the current directory.
            project: the project folder, whatever it holds and wherever its jobs stand.
            log_level: how much the logs of executions tell.
        """
        directory = project or directory or Path.cwd()
        return cls(directory, repository, log_level, is_project=project is not None)

    def __enter__(self) -> Application:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the repository, if it was opened here."""
        if self._repository is not None:
            self._repository.close()
            self._repository = None

    @property
    def project(self) -> Path:
        """The project folder."""
        return self._jobs.project

    @property
    def repository_url(self) -> str:
        """The repository's URL: given, from the environment, from `batchrun.toml`, or SQLite in the project folder.

        Empty for a repository that was given itself.

        Raises:
            UsageError: `batchrun.toml` cannot be read.
        """
        if self._given_repository is not None:
            return ""
        url = self._given_url or os.environ.get(REPOSITORY_VARIABLE) or settings_of(self.project).get("repository")
        return absolute(url or f"sqlite:///{DEFAULT_REPOSITORY}", self.project)

    @property
    def repository(self) -> JobRepository:
        """The repository, opened at the first call unless it was given."""
        if self._given_repository is not None:
            return self._given_repository
        if self._repository is None:
            from batchrun.repository import open_repository

            self._repository = open_repository(self.repository_url)
        return self._repository

    def look_at_repository(self) -> RepositoryState:
        """Returns what is at the repository's URL, and changes nothing there."""
        from batchrun.repository import look

        return look(self.repository_url)

    def upgrade_repository(self) -> RepositoryState:
        """Brings the repository's tables to the version that this batchrun needs, and returns what is there then."""
        from batchrun.repository import upgrade

        upgrade(self.repository_url)
        return self.look_at_repository()

    def load_job(self, job: str) -> LoadedJob:
        """Reads a job file, given its path or its name in the project's `jobs.d/`; the project becomes the job's.

        Raises:
            DefinitionError: the file cannot be read or is wrong; holds all problems.
        """
        path = self._jobs.find(job)
        if self._repository is None:
            self._jobs.move_to(path.parent)
        return self._jobs.read(path)

    def load_built(self, job: BuiltJob) -> LoadedJob:
        """Reads a job built in code; the project becomes that around its folder, if it has one.

        Raises:
            DefinitionError: the job is wrong; holds all problems.
        """
        if job.folder is not None and self._repository is None:
            self._jobs.move_to(job.folder)
        return self._jobs.built(job)

    def launch(
        self,
        job: LoadedJob,
        given: Mapping[str, object],
        *,
        next_run: bool = False,
        listeners: Sequence[Listener] = (),
        begun: Begun | None = None,
        stop: StopSignal | None = None,
    ) -> JobExecution:
        """Launches the job with the given parameters and returns the ended execution, whatever its status.

        In the main thread, SIGINT and SIGTERM stop it at the next commit; a second SIGINT aborts at once
        (KeyboardInterrupt).

        Args:
            job: as `load_job` or `load_built` returned it.
            given: by name, texts, values of Python's own types, or those of a parameter file.
            next_run: add the job's next `run.id`.
            listeners: observe the run.
            begun: called when the execution has an id and a log, before anything of it runs.
            stop: stops it at the next commit, in place of signals.

        Raises:
            UsageError: `run.id` is given, and `next_run` is to give it.
            DefinitionError: the parameters or options are wrong; nothing was written.
            LaunchRefusedError: the state of the job instance forbids it.
            RepositoryError: the repository cannot be used.
        """
        assembly = self._launched(job, given, next_run=next_run)
        return self._run(assembly, listeners, begun, stop, next_run=next_run)

    def restart(
        self,
        execution_id: int,
        given: Mapping[str, object],
        *,
        job: BuiltJob | None = None,
        allow_changed: bool = False,
        listeners: Sequence[Listener] = (),
        begun: Begun | None = None,
        stop: StopSignal | None = None,
    ) -> JobExecution:
        """Continues an execution and returns the new one, ended.

        Args:
            execution_id: the last execution of its instance.
            given: values for non-identifying parameters.
            job: the job as code builds it now; by default its file is read.
            allow_changed: continue although the job file's steps changed before the one to resume.
            listeners: observe the run.
            begun: called when the execution has an id and a log, before anything of it runs.
            stop: stops it at the next commit, in place of signals.

        Raises:
            NoSuchExecutionError: there is no such execution.
            DefinitionError: the job file as it is now, or a parameter, is wrong.
            LaunchRefusedError: the state of the instance, or a changed job file, forbids it; or the job was built in
                code, and is not given.
        """
        assembly = self._restarted(execution_id, given, job)
        return self._run(assembly, listeners, begun, stop, restart_of=execution_id, allow_changed=allow_changed)

    def plan_launch(self, job: LoadedJob, given: Mapping[str, object], *, next_run: bool = False) -> JobPlan:
        """Returns what a launch would do with each step; runs nothing, and raises as `launch` would."""
        return self._planner().plan(self._launched(job, given, next_run=next_run), is_new=next_run)

    def plan_restart(self, execution_id: int, given: Mapping[str, object], *, allow_changed: bool = False) -> JobPlan:
        """Returns what a restart would do with each step; runs nothing, and raises as `restart` would."""
        return self._planner().plan(self._restarted(execution_id, given), execution_id, allow_changed=allow_changed)

    def explain(self, job: LoadedJob) -> JobExplanation:
        """Returns what a job does and promises; connects to nothing."""
        from batchrun.operations.explanation import explain

        return explain(job, self.project, self.repository_url)

    def _planner(self) -> JobPlanner:
        from batchrun.operations.plan.planner import JobPlanner

        return JobPlanner(self.repository, self._jobs.child)

    def _launched(self, job: LoadedJob, given: Mapping[str, object], *, next_run: bool) -> Assembly:
        if next_run and RUN_ID in given:
            raise UsageError(f"{RUN_ID} is given, and the next one is asked for", hint="leave one of them out")
        return self._assembly(job, given, numbers_runs=next_run)

    def _restarted(self, execution_id: int, given: Mapping[str, object], job: BuiltJob | None = None) -> Assembly:
        """Returns the job of an execution as it is now, with the execution's parameters and those given anew."""
        from batchrun.definition import refuse_identifying

        previous = self.repository.find_execution(execution_id)
        loaded = self.job_of(previous) if job is None else self.load_built(job)
        refuse_identifying(loaded, given)
        return self._assembly(loaded, given, previous=previous.parameters)

    @property
    def rejects(self) -> RejectOperator:
        """What shows the items that runs have skipped, and replays them."""
        from batchrun.operations.reject_operator import RejectOperator

        return RejectOperator(self.repository, self._jobs, self._assembly, self._run)

    def export(self, execution_id: int) -> Export:
        """Returns all that a restart of an execution on another machine needs; `write_export` makes a file of it.

        One whose process is dead is set to FAILED. The instance counts as a carried one from here on.

        Raises:
            NoSuchExecutionError: there is none.
            LaunchRefusedError: it runs, or a later one of its instance has superseded it.
        """
        from batchrun.engine import is_gone
        from batchrun.operations.export_file import Export

        instances = self.repository.export_instance(execution_id, is_gone)
        return Export(str(self._jobs.project_of(instances[0].last)), tuple(instances))

    def take_in(
        self, export: Export, given: Mapping[str, object], *, job: str | None = None
    ) -> tuple[int, Mapping[str, object]]:
        """Takes an export into the repository; returns the execution to restart, and the parameters left to give to it.

        Args:
            export: as `read_export` returned it.
            given: parameters for the restart; an identifying one may be given anew where it is a path.
            job: the job's path or name here; by default its file has the same place in the project.

        Raises:
            DefinitionError: the job file here, or a path, is wrong.
            LaunchRefusedError: the instance has gone on here, or another one of its name and parameters is here.
        """
        from batchrun.engine import is_gone
        from batchrun.operations.moving import found_job, placed

        path = found_job(export, self.project, job)
        self._jobs.move_to(path.parent)
        here, left = placed(export, self._jobs.read(path), given, self.project)
        return self.repository.import_instances(here.instances, is_gone), left

    def job_of(self, execution: JobExecution) -> LoadedJob:
        """Reads the job of an execution from its file as it is now; the project becomes the file's."""
        return self._jobs.of(execution)

    def _assembly(
        self,
        job: LoadedJob,
        given: Mapping[str, object],
        *,
        previous: JobParameters | None = None,
        numbers_runs: bool = False,
    ) -> Assembly:
        from batchrun.binding import Secrets
        from batchrun.definition import read_parameters
        from batchrun.operations.assembly import Assembly

        secrets = Secrets()
        parameters = read_parameters(
            job,
            given,
            Path.cwd(),
            project=self.project,
            secrets=secrets,
            previous=previous,
            numbers_runs=numbers_runs,
        )
        assembly = Assembly(job, parameters, self.project, self.repository, self.repository_url, secrets)
        self.rejects.give_replayed(assembly)
        return assembly

    def _run(
        self,
        assembly: Assembly,
        listeners: Sequence[Listener],
        begun: Begun | None,
        stop: StopSignal | None,
        *,
        restart_of: int | None = None,
        allow_changed: bool = False,
        next_run: bool = False,
    ) -> JobExecution:
        from batchrun.engine import StopSignal
        from batchrun.operations.masked_log import masked_log
        from batchrun.operations.operator import JobOperator
        from batchrun.operations.signals import stopped_by_signals

        signals = stopped_by_signals if stop is None else nullcontext
        stop = stop or StopSignal()
        with signals(stop), masked_log(assembly.secrets.mask):
            operator = JobOperator(self.repository, self._jobs.child, listeners, stop, self._attended)
            return operator.launch(assembly, restart_of, allow_changed=allow_changed, next_run=next_run, begun=begun)

    @contextmanager
    def _attended(self, execution: JobExecution, mask: Callable[[str], str]) -> Iterator[Listener]:
        from batchrun.operations.execution_log import ExecutionLog

        log = ExecutionLog(self.log_file(execution), level=self.log_level, mask=mask)
        with log.open(execution):
            yield log

    def start_detached(self, arguments: Sequence[str], streams: Streams | None = None) -> DetachedStart:
        """Runs `batchrun ARGUMENTS`, a launch or restart, as a process of its own; returns when it has begun.

        Raises:
            DetachError: the process was killed, or could not be started.
        """
        from batchrun.operations.detaching import start_detached

        return start_detached(arguments, streams)

    def wait(
        self, execution_id: int, *, listeners: Sequence[Listener] = (), timeout: timedelta | None = None
    ) -> JobExecution:
        """Waits until an execution has ended, whichever process runs it, and returns it; writes nothing.

        One whose process is dead is returned as FAILED, as the next launch, restart or recover will set it.

        Args:
            execution_id: of any execution.
            listeners: are told what the repository knows of the run meanwhile, by the thread that waits.
            timeout: how long to wait at most.

        Raises:
            NoSuchExecutionError: there is none.
            StillRunningError: the time is over.
        """
        return self._follower().wait(execution_id, listeners, timeout=timeout)

    def _follower(self) -> Follower:
        from batchrun.engine import is_gone
        from batchrun.operations.following import Follower

        return Follower(self.repository, is_gone)

    def log_file(self, execution: JobExecution | PurgedExecution) -> Path:
        """Returns where the log of an execution stands, if it is on this machine and has not been removed."""
        from batchrun.operations.execution_log import log_file

        return log_file(self._jobs.project_of(execution), self.repository.id, execution.id)

    def log_lines(self, execution: JobExecution, *, follow: bool = False) -> Iterator[LogLine]:
        """Yields the records of an execution's log; with `follow`, also those to come, until the execution ends.

        Raises:
            NoLogError: the log is not there.
        """
        from batchrun.operations.log_reading import read_log

        return read_log(self.log_file(execution), execution, self._follower().look_again if follow else None)

    def stop(self, execution_id: int) -> JobExecution:
        """Asks a running execution to stop at its next commit; returns it as it is now.

        Raises:
            NoSuchExecutionError: there is none.
            NotRunningError: it does not run.
        """
        from batchrun.engine import is_gone

        return self.repository.request_stop(execution_id, is_gone)

    def recover(self, execution_id: int, *, force: bool = False) -> JobExecution:
        """Sets an execution whose process is dead to FAILED, and returns it; any other stays as it is.

        Raises:
            NoSuchExecutionError: there is none.
            ExecutionRunningError: its process lives, and `force` is false.
        """
        from batchrun.engine import is_gone

        return self.repository.recover(execution_id, is_gone, force=force)

    def abandon(self, execution_id: int) -> JobExecution:
        """Sets an execution to ABANDONED, so that its instance never starts again, and returns it.

        Raises:
            NoSuchExecutionError: there is none.
            LaunchRefusedError: it runs, has completed, or a later one has superseded it.
        """
        from batchrun.engine import is_gone

        return self.repository.abandon(execution_id, is_gone)

    @property
    def explorer(self) -> JobExplorer:
        """What reads the history."""
        return JobExplorer(self.repository)

    def purge(self) -> Purge:
        """Returns what deletes old executions, with their logs and rejects on this machine."""
        from batchrun.operations.purging import Purge

        return Purge(self.repository, self._remove_files)

    def _remove_files(self, executions: Sequence[PurgedExecution]) -> None:
        from batchrun.operations.execution_log import remove_logs
        from batchrun.operations.rejects import remove_rejects

        remove_logs(map(self.log_file, executions))
        remove_rejects({(self._jobs.project_of(each), each.instance_id) for each in executions}, self.repository.id)

    def registry(self) -> Registry:
        """Returns the components that jobs of this project can name."""
        from batchrun.registry import Registry

        return Registry(self.project / JOBS_FOLDER)

    def exit_code(self, execution: JobExecution, *, fails_on_skips: bool = False) -> int:
        """Returns the exit code of the process for an ended execution (SEMANTICS section 9).

        Args:
            execution: ended.
            fails_on_skips: it has skipped items, and they are to be a failure.
        """
        from batchrun.operations.exit_codes import process_exit_code

        return process_exit_code(execution, fails_on_skips=fails_on_skips)
