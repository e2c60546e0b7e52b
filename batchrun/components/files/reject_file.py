"""What reject sinks into files share: whose rejects a file holds, and how far they are committed."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, takewhile
from pathlib import Path
from typing import NamedTuple

from batchrun.components.files.growing_file import GrowingFile
from batchrun.components.files.source import reason
from batchrun.components.reject_records import record_of
from batchrun.domain.execution import JsonObject
from batchrun.errors import InputError, OutputError
from batchrun.spi.checkpoint import CheckpointStore
from batchrun.spi.rejects import Reject, RejectRecord, reject_folder
from batchrun.spi.scope import ComponentScope

_NO_NAME = re.compile(r"[^\w.-]")


class Placed(NamedTuple):
    """A record of a file.

    Attributes:
        start: where its bytes begin.
    """

    record: RejectRecord
    start: int


def default_path(scope: ComponentScope, suffix: str) -> str:
    """Returns where the rejects of a step stand in the project folder, unless the job file says otherwise."""
    step = _NO_NAME.sub("_", scope.step_name)
    return f"{reject_folder(scope.repository_id, scope.instance_id)}/{step}.{suffix}"


class FileRejectSink(ABC):
    """Appends rejects to a file of one step in one job instance."""

    def __init__(self, path: str, scope: ComponentScope) -> None:
        self._scope = scope
        self._path = scope.path(path)
        self._file = GrowingFile(self._path, path)
        self._run = 0
        self._base = 0
        self._count = 0

    @abstractmethod
    def encode(self, records: Sequence[RejectRecord]) -> bytes:
        """Returns records as they stand in the file."""

    @abstractmethod
    def decode(self, path: Path) -> Iterable[Placed]:
        """Yields the records of a file; raises ValueError, KeyError, TypeError or AttributeError for what is none."""

    def head(self) -> bytes:
        """Returns what an empty file begins with."""
        return b""

    def open(self, state: JsonObject | None, run: int, store: CheckpointStore | None) -> None:
        """Takes the file, cut back to what is committed.

        Raises:
            OutputError: it holds rejects of another step or job instance, has been cut or edited, or cannot be written.
            InputError: it holds something else.
        """
        del store
        self._run = run
        if state is None:
            self._base, self._count = self._end_of_earlier_runs(), 0
        else:
            self._base, self._count = state["base"], state["count"]
            self._refuse_edited(state["bytes"])
        self._file.open(self._base if state is None else state["bytes"])

    def write(self, rejects: Sequence[Reject]) -> None:
        """Appends the rejects of a chunk."""
        numbers = range(self._count + 1, self._count + len(rejects) + 1)
        records = [record_of(*each, self._run, self._scope) for each in zip(rejects, numbers, strict=True)]
        self._file.write((b"" if self._file.size else self.head()) + self.encode(records))
        self._count += len(rejects)

    def state(self) -> JsonObject | None:
        """Makes the file durable; None as long as the run has no reject."""
        if not self._count:
            return None
        return {"bytes": self._file.sync(), "count": self._count, "base": self._base}

    def cut_back(self, state: JsonObject | None) -> None:
        """Drops the rejects of a chunk that was not committed."""
        self._count = 0 if state is None else state["count"]
        self._file.cut(self._base if state is None else state["bytes"])

    def records(self) -> Iterator[RejectRecord]:
        """Yields what is in the file.

        Raises:
            InputError: the file cannot be read, or holds something else.
        """
        return (placed.record for placed in self._placed())

    def close(self) -> None:
        """Closes the file."""
        self._file.close()

    def _placed(self) -> Iterator[Placed]:
        last = 0
        try:
            for placed in self.decode(self._path):
                last = placed.start
                yield placed
        except FileNotFoundError:
            return
        except OSError as error:
            raise InputError(f"{self._file.name}: {reason(error)}") from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(
                f"{self._file.name}: what follows byte {last} is no reject: {type(error).__name__}: {error}"
            ) from error

    def _refuse_edited(self, size: int) -> None:
        """Refuses a file that would be cut elsewhere than behind the last reject that is committed."""
        if not self._path.exists() or self._path.stat().st_size < size:
            return
        before = (
            placed.record.run == self._run for placed in takewhile(lambda each: each.start < size, self._placed())
        )
        found = len(list(islice(filter(None, before), self._count)))
        with self._path.open("rb") as file:
            file.seek(size - 1)
            is_end = file.read(1) == b"\n"
        if found < self._count or not is_end:
            raise OutputError(
                f"{self._file.name}: it has been changed since the step has written it",
                hint="give the file back as it was, or launch the job as a new instance; rejects are edited when their "
                "step has completed",
            )

    def _end_of_earlier_runs(self) -> int:
        """Returns where the rejects end that earlier runs of the step have left; what follows was never committed."""
        for record, start in self._placed():
            if (record.instance_id, record.step) != (self._scope.instance_id, self._scope.step_name):
                raise OutputError(
                    f"{self._file.name}: it holds rejects of step {record.step!r} of job instance "
                    f"{record.instance_id} ({record.job})",
                    hint="each step needs a file of its own, with ${execution.instance_id} in its path",
                )
            if record.run == self._run:
                return start
        return self._path.stat().st_size if self._path.exists() else 0
