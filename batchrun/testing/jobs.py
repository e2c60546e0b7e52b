"""Runs jobs in tests: in a project folder of their own, with a repository in memory, as often as the test likes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Self

from batchrun.domain.execution import JobExecution
from batchrun.embedding import Job, Run, history, launch, restart, start
from batchrun.embedding.launching import given_values
from batchrun.spi.listener import Listener
from batchrun.spi.repository import JobRepository
from batchrun.testing.memory_repository import MemoryJobRepository


class JobBench:
    """A project folder and a repository for one test.

    Args:
        folder: of the project, such as pytest's `tmp_path`; by default a temporary one, removed with the bench.
        repository: URL or object; by default one in memory, gone with the bench.

    Attributes:
        folder: what relative paths of the jobs, and files named here, are relative to.
        repository: keeps what was run here.
    """

    def __init__(self, folder: str | Path | None = None, repository: str | JobRepository | None = None) -> None:
        self._resources = ExitStack()
        made = folder or self._resources.enter_context(TemporaryDirectory(prefix="batchrun-"))
        self.folder = Path(made).resolve()
        self.repository = MemoryJobRepository() if repository is None else repository

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._resources.close()

    def path(self, name: str) -> Path:
        """Returns the path of a file of the project."""
        return self.folder / name

    def write(self, name: str, text: str) -> Path:
        """Writes a file of the project, and returns its path."""
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def read(self, name: str) -> str:
        """Returns the text of a file of the project."""
        return self.path(name).read_text(encoding="utf-8")

    def run(
        self,
        job: str | Path | Job,
        /,
        *,
        parameters: Mapping[str, object] | None = None,
        listeners: Sequence[Listener] = (),
        **values: object,
    ) -> JobExecution:
        """Launches a job as `batchrun.launch` does, and returns the ended execution."""
        return launch(
            job,
            parameters=given_values(parameters, values),
            listeners=listeners,
            repository=self.repository,
            project=self.folder,
            signals=False,
        )

    def start(
        self,
        job: str | Path | Job,
        /,
        *,
        parameters: Mapping[str, object] | None = None,
        listeners: Sequence[Listener] = (),
        **values: object,
    ) -> Run:
        """Launches a job in a thread, as `batchrun.start` does."""
        return start(
            job,
            parameters=given_values(parameters, values),
            listeners=listeners,
            repository=self.repository,
            project=self.folder,
        )

    def restart(
        self,
        execution_id: int | None = None,
        /,
        *,
        job: Job | None = None,
        parameters: Mapping[str, object] | None = None,
        listeners: Sequence[Listener] = (),
        **values: object,
    ) -> JobExecution:
        """Continues an execution, by default the last that can be, as `batchrun.restart` does."""
        return restart(
            execution_id,
            job=job,
            parameters=given_values(parameters, values),
            listeners=listeners,
            repository=self.repository,
            project=self.folder,
            signals=False,
        )

    def history(self) -> list[JobExecution]:
        """Returns what was run here, newest first."""
        return history(limit=None, repository=self.repository, project=self.folder)


def run_job(
    job: str | Path | Job, /, *, parameters: Mapping[str, object] | None = None, **values: object
) -> JobExecution:
    """Runs a job that needs no folder of its own, once and from its beginning; nothing of the run is kept but this."""
    with JobBench() as bench:
        return bench.run(job, parameters=given_values(parameters, values))
