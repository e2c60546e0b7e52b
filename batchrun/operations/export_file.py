"""The file that carries a job instance from one machine to another: JSON with a version and a checksum.

It is written whole or not at all, and a file that was cut off, changed or written by a newer batchrun is refused.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import tempfile
import zlib
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from batchrun.domain.carrying import CarriedInstance
from batchrun.domain.execution import JobExecution
from batchrun.errors import BatchrunError, ExitCode, UsageError
from batchrun.operations.export_records import instance_record, read_instance
from batchrun.version import __version__

VERSION = 1
"""Of the format; one that an older batchrun would misread gets the next."""

_KIND = "batchrun-export"
_GZIP = b"\x1f\x8b"


class ExportFileError(BatchrunError):
    """A file is no export that could be restarted here."""

    exit_code = ExitCode.DEFINITION

    def __init__(self, file: str, reason: str, hint: str) -> None:
        super().__init__(f"{file}: {reason}", hint=hint)


@dataclass(frozen=True, slots=True)
class Export:
    """What the file holds.

    Attributes:
        project: the job's project folder on the machine that it left.
        instances: the job's, and behind it those of its child jobs.
    """

    project: str
    instances: tuple[CarriedInstance, ...]

    @property
    def last(self) -> JobExecution:
        """The execution that a restart continues."""
        return self.instances[0].last


def export_bytes(export: Export, *, is_compressed: bool = False) -> bytes:
    """Returns the content of the file; the same state is the same bytes but for the time."""
    content = {
        "exported_at": datetime.now(UTC).isoformat(),
        "batchrun_version": __version__,
        "project": export.project,
        "instances": [instance_record(each) for each in export.instances],
    }
    document = {"kind": _KIND, "version": VERSION, "sha256": _checksum(content), "content": content}
    text = json.dumps(document, indent=1, allow_nan=False).encode() + b"\n"
    return gzip.compress(text, mtime=0) if is_compressed else text


def _checksum(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def write_export(path: Path, export: Export) -> int:
    """Writes the file, compressed where it is called `.gz`, in the place of what has the name; returns its size.

    A link is followed, and a device or pipe, such as `/dev/stdout`, is written to.

    Raises:
        UsageError: it cannot be written; what was there is as it was.
    """
    data = export_bytes(export, is_compressed=path.suffix == ".gz")
    made: str | None = None
    file_path = Path(os.path.realpath(path))
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(data)
            return len(data)
        file_path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, made = tempfile.mkstemp(prefix=f".{file_path.name}.", dir=file_path.parent)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(made, file_path)
    except OSError as error:
        if made is not None:
            with suppress(OSError):
                os.unlink(made)
        raise UsageError(f"{path} cannot be written: {error.strerror}") from error
    return len(data)


def read_export(path: Path) -> Export:
    """Reads what `write_export` wrote.

    Raises:
        UsageError: it cannot be read.
        ExportFileError: it is no export, a damaged one, or of a newer format.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read: {error.strerror}", hint="batchrun export ID --to FILE makes one"
        ) from error
    content = _checked_content(str(path), _document(str(path), data))
    try:
        instances = tuple(read_instance(each) for each in content["instances"])
        return Export(content["project"], (instances[0], *instances[1:]))
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise _damaged(str(path)) from error


def _document(file: str, data: bytes) -> Any:
    try:
        return json.loads(gzip.decompress(data) if data.startswith(_GZIP) else data)
    except (OSError, EOFError, zlib.error) as error:
        raise _damaged(file) from error
    except (ValueError, RecursionError) as error:
        # What begins like one has been cut off; anything else never was one.
        if _KIND.encode() in data[:100] or data.startswith(_GZIP):
            raise _damaged(file) from error
        raise _no_export(file) from error


def _checked_content(file: str, document: Any) -> Any:
    if not isinstance(document, dict) or document.get("kind") != _KIND:
        raise _no_export(file)
    version = document.get("version")
    if isinstance(version, int) and version > VERSION:
        raise ExportFileError(
            file,
            f"the export has format {version}, this batchrun reads up to {VERSION}",
            "upgrade batchrun: pip install --upgrade batchrun-cli",
        )
    if version != VERSION or document.get("sha256") != _checksum(document.get("content")):
        raise _damaged(file)
    return document["content"]


def _damaged(file: str) -> ExportFileError:
    hint = "export it again, or fetch the file again"
    return ExportFileError(file, "the export is damaged: it was cut off, or changed since it was made", hint)


def _no_export(file: str) -> ExportFileError:
    return ExportFileError(file, "this is no export of an execution", "batchrun export ID --to FILE makes one")
