"""Makes the copies that a job is run on, each in a workplace of its own, and removes them."""

from __future__ import annotations

import os
import secrets
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from batchrun.copies.child import Order
from batchrun.copies.databases import SQLITE
from batchrun.copies.leftovers import LOCK, SCHEMA_PREFIX, locked, remove_leftovers
from batchrun.copies.scratch_schema import copy_schema, drop_schema, in_schema, make_schema
from batchrun.copies.subject import Subject
from batchrun.copies.workplace import FOLDER_PREFIX, Workplace, copy_project
from batchrun.errors import UsageError

CopyFile = Callable[[str, str], object]
"""Copies a file, given both paths."""


class CopyError(UsageError):
    """The copies cannot be made."""

    def __init__(self, error: OSError) -> None:
        if isinstance(error, shutil.Error):  # it has all files that could not be copied
            file, _, reason = error.args[0][0]
        else:
            file, reason = error.filename or tempfile.gettempdir(), error.strerror
        super().__init__(
            f"the copies cannot be made: {file}: {reason}",
            hint="TMPDIR names the folder for them; a copy is as large as the project and the databases of the job",
        )


class Copies:
    """The copies of one command: a template of the project and an empty repository, and workplaces made of them."""

    def __init__(
        self,
        subject: Subject,
        repository: str | None = None,
        *,
        original: CopyFile = shutil.copy2,
        again: CopyFile = shutil.copy2,
    ) -> None:
        """Makes nothing yet.

        Args:
            subject: the job.
            repository: URL of the PostgreSQL database that keeps the workplaces' repositories in scratch schemas; None
                is SQLite.
            original: copies a file of the project.
            again: copies a file of the template.
        """
        self._subject = subject
        self._repository = repository
        self._copy_original, self._copy_again = original, again
        self._name = f"{SCHEMA_PREFIX}{os.getpid()}_{secrets.token_hex(3)}"
        self._folder = Path()
        self._kept = False
        self._shared: dict[str, str] = {}

    @contextmanager
    def made(self, folder: Path | None = None) -> Iterator[None]:
        """Makes the template, and removes all that is left at the end; first, what commands that were killed have left.

        Args:
            folder: where the copies lie; None is the folder for temporary files.

        Raises:
            CopyError: there is no room for the copies, or a file cannot be read.
        """
        try:
            parent = (folder or Path(tempfile.gettempdir())).resolve()
            remove_leftovers(parent)
            self._folder = parent / f"{FOLDER_PREFIX}{secrets.token_hex(8)}"
            try:  # whatever comes from here on finds a folder that is known
                self._folder.mkdir(mode=0o700)
                with locked(self._folder):
                    try:
                        self._make_template()
                        yield
                    finally:
                        self._clean_up()
            finally:
                if not self._kept:
                    shutil.rmtree(self._folder, ignore_errors=True)
        except OSError as error:
            raise CopyError(error) from error

    def _make_template(self) -> None:
        """Makes what all copies are copies of: the project as it is now, and an empty repository."""
        from batchrun.repository import open_repository

        copy_project(self._subject.project, self._folder / "template", self._copy_original)
        if self._repository is None:
            url = f"{SQLITE}{self._folder / 'template.db'}"
        else:
            self._note_schemas(self._repository)
            make_schema(self._repository, f"{self._name}_template")
            url = in_schema(self._repository, f"{self._name}_template")
        with closing(open_repository(url)) as repository:
            repository.job_names()
        if self._repository is None:
            with closing(sqlite3.connect(self._folder / "template.db")) as connection:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    @contextmanager
    def workplace(self, name: str) -> Iterator[Workplace]:
        """Gives a new workplace, and drops its scratch schemas and its folder afterwards."""
        workplace = self._workplace(name)
        try:
            yield workplace
        finally:
            if not self._is_kept(workplace):
                self._drop(workplace)

    def _workplace(self, name: str) -> Workplace:
        folder, schema = self._folder / name, f"{self._name}_{name.replace('-', '_')}"
        if self._repository is None:
            url = f"{SQLITE}{folder / 'repository.db'}"
        else:
            url = in_schema(self._repository, f"{schema}_repository")
            copy_schema(in_schema(self._repository, f"{self._name}_template"), f"{schema}_repository")
        folder.mkdir()
        shutil.copytree(self._folder / "template", folder / "project", copy_function=self._copy_again)
        if self._repository is None:
            shutil.copy(self._folder / "template.db", folder / "repository.db")
        return Workplace(folder, self._subject.project, url, schema, f"{self._name}_shared")

    def order(self, workplace: Workplace) -> Order:
        """Returns what the first process in a workplace is to do: launch the job there, from the same folder."""
        folder = workplace.mapped(Path.cwd())
        return Order(
            workplace=workplace,
            number=1,
            job=workplace.mapped(self._subject.job),
            given=self._subject.given_in(workplace),
            folder=folder if folder.is_dir() else workplace.project,
        )

    def keep(self, workplace: Workplace) -> Path:
        """Lets a workplace stay where it is, and returns its folder."""
        (workplace.folder / "kept").touch()
        self._kept = True
        return workplace.folder

    def _is_kept(self, workplace: Workplace) -> bool:
        return (workplace.folder / "kept").exists()

    def _drop(self, workplace: Workplace) -> None:
        for fact in workplace.noted("shared"):
            self._shared[fact["schema"]] = fact["original"]
            self._note_schemas(fact["original"])
        for fact in workplace.noted("databases"):
            if "schema" in fact:
                drop_schema(fact["original"], fact["schema"])
        if self._repository is not None:
            drop_schema(self._repository, f"{workplace.schema}_repository")
        workplace.remove()

    def _note_schemas(self, url: str) -> None:
        """Keeps that a database has scratch schemas, longer than a workplace stays."""
        whole = Workplace(self._folder, self._subject.project, "", self._name)
        whole.note("databases", {"original": url, "schema": self._name})

    def _clean_up(self) -> None:
        try:
            for schema, url in self._shared.items():
                drop_schema(url, schema)
            if self._repository is not None:
                drop_schema(self._repository, f"{self._name}_template")
        finally:
            self._remove_files()

    def _remove_files(self) -> None:
        shutil.rmtree(self._folder / "template", ignore_errors=True)
        (self._folder / "template.db").unlink(missing_ok=True)
        shutil.rmtree(self._folder / "notes", ignore_errors=True)
        (self._folder / LOCK).unlink(missing_ok=True)
