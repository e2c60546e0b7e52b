"""What a command that was killed has left of its copies: found by its folder, whose lock nobody holds any more."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from batchrun.copies.scratch_schema import drop_schemas
from batchrun.copies.workplace import FOLDER_PREFIX
from batchrun.errors import BatchrunError

SCHEMA_PREFIX = "batchrun_copies_"
LOCK = "lock"
_NAME = re.compile(rf"{SCHEMA_PREFIX}\d+_[0-9a-f]+")


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Holds the lock that tells that a folder's command is there; the system gives it back however that ends."""
    made = folder / f"{LOCK}.new"
    with made.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        made.rename(folder / LOCK)  # nobody sees it before it is held
        yield


def remove_leftovers(parent: Path) -> None:
    """Removes the folders of copies in a folder that nobody uses, with their scratch schemas.

    What was kept on purpose stays, and so does what cannot be removed now, such as that of a server that is down.
    """
    for folder in parent.glob(f"{FOLDER_PREFIX}*"):
        with suppress(OSError, BatchrunError), (folder / LOCK).open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(lock.fileno()).st_uid == os.geteuid() and not any(folder.glob("*/kept")):
                for url, name in _schemas(folder):
                    drop_schemas(url, name)
                _remove(folder)


def _remove(folder: Path) -> None:
    """Removes a folder, its lock last: what cannot be removed now is found again."""
    for each in folder.iterdir():
        if each.is_dir() and not each.is_symlink():
            shutil.rmtree(each)
        elif each.name != LOCK:
            each.unlink()
    shutil.rmtree(folder)


def _schemas(folder: Path) -> set[tuple[str, str]]:
    """Returns the URLs of the databases that have scratch schemas, and how the names of those begin."""
    files = [*folder.glob("notes/databases/[!.]*"), *folder.glob("*/notes/databases/[!.]*")]
    facts = [json.loads(file.read_text(encoding="utf-8")) for file in files]
    found = {(fact["original"], _NAME.match(fact["schema"])) for fact in facts if "schema" in fact}
    return {(url, match[0]) for url, match in found if match}
