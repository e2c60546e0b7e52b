"""The jobs of a project: finds their files, reads them as they are now, and knows which project that makes it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from batchrun.errors import JobInCodeError
from batchrun.operations.project import JOBS_FOLDER, find_job, project_of

if TYPE_CHECKING:
    from batchrun.definition import BuiltJob, LoadedJob
    from batchrun.domain.execution import JobExecution
    from batchrun.domain.purge import PurgedExecution


@dataclass(slots=True)
class JobFiles:
    """Reads jobs; all of it raises DefinitionError, with all problems, where a file cannot be read or is wrong.

    Attributes:
        project: the project folder.
        stays: it was given, and is the project whatever job is read.
    """

    project: Path
    stays: bool = False

    def move_to(self, folder: Path) -> None:
        """Makes the project that around a job's folder, unless the project was given."""
        if not self.stays:
            self.project = project_of(folder)

    def find(self, job: str) -> Path:
        """Returns the file of a job, given its path or its name in the project's `jobs.d/`."""
        return find_job(job, self.project / JOBS_FOLDER)

    def read(self, path: Path) -> LoadedJob:
        """Reads a file, with those of its child jobs."""
        from batchrun.definition import load_job
        from batchrun.registry import Registry

        return load_job(path, Registry(path.parent), self._find_child)

    def built(self, job: BuiltJob) -> LoadedJob:
        """Reads a job built in code."""
        from batchrun.definition import load_built

        return load_built(job, self._find_child)

    def child(self, job: str) -> LoadedJob:
        """Reads the file of a child job as a job of this project names it."""
        return self.read(self._find_child(job))

    def of(self, execution: JobExecution) -> LoadedJob:
        """Returns the job of an execution as its file is now; of a replay, the one that replays a step of it.

        Raises:
            JobInCodeError: no file says what the job does.
        """
        from batchrun.operations.replaying import replay_job, replayed

        found = replayed(execution.job_name, execution.parameters)
        job = self.file_of(execution)
        return job if found is None else replay_job(job, *found)

    def file_of(self, execution: JobExecution) -> LoadedJob:
        """Reads the job file of an execution as it is now; the project becomes the file's.

        Raises:
            JobInCodeError: there is none.
        """
        if not execution.job_file:
            raise JobInCodeError(execution.job_name, execution.id)
        path = Path(execution.job_file)
        self.move_to(path.parent)
        return self.read(path)

    def project_of(self, execution: JobExecution | PurgedExecution) -> Path:
        """Returns the project folder of an execution, which need not be this one."""
        is_elsewhere = execution.job_file and not self.stays
        return project_of(Path(execution.job_file).parent) if is_elsewhere else self.project

    def _find_child(self, job: str) -> Path:
        """Returns the file of a child job; a path in a job file is relative to the project folder."""
        return find_job(job, self.project / JOBS_FOLDER, self.project)
