"""A workplace: the folder of one run on copies, with what its processes note there about what they use."""

from __future__ import annotations

import json
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

NOT_COPIED = frozenset({".git", ".venv", ".batchrun", "__pycache__", "node_modules"})
"""What of a project no job needs: left out of the copies, and of what is compared."""

FOLDER_PREFIX = "batchrun-copies-"
"""How the folder of copies begins; it lies in the project where TMPDIR does, and is then not copied into itself."""


_LINKED_SIZE = 1 << 20
LARGEST_COPIED = 256 << 20
"""Size in bytes above which `copy_small` leaves a file out."""


@dataclass(frozen=True, slots=True)
class Workplace:
    """One copy of a project with a repository of its own.

    Attributes:
        folder: everything of it is below.
        original: the project that it is a copy of.
        repository_url: of its own repository.
        schema: how its scratch schemas in PostgreSQL begin.
        shared_schema: how those begin that all workplaces of the command share.
    """

    folder: Path
    original: Path
    repository_url: str
    schema: str
    shared_schema: str = ""

    @property
    def project(self) -> Path:
        """The copy of the project."""
        return self.folder / "project"

    def mapped(self, path: Path) -> Path:
        """Returns the copy's path of a path in the original project, and any other as it is."""
        path = path.resolve()
        is_of_original = path.is_relative_to(self.original) and not self.holds(path)
        return self.project / path.relative_to(self.original) if is_of_original else path

    def readable(self, path: Path) -> Path:
        """Returns the original of a file that was too large to be copied, and any other path as it is."""
        if path.is_relative_to(self.project) and path.is_file() and not path.stat().st_size:
            original = self.original / path.relative_to(self.project)
            if original.is_file() and original.stat().st_size > LARGEST_COPIED:
                return original
        return path

    def holds(self, path: Path) -> bool:
        """Tells whether a path lies in the workplace, wherever links lead."""
        return path.resolve().is_relative_to(self.folder)

    def note(self, kind: str, fact: dict[str, Any]) -> None:
        """Keeps a fact for whoever looks at the workplace later; the same fact is kept once."""
        text = json.dumps(fact, sort_keys=True)
        folder = self.folder / "notes" / kind
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / sha256(text.encode()).hexdigest()[:16]
        made = file.with_name(f".{file.name}.{os.getpid()}")
        made.write_text(text, encoding="utf-8")
        made.replace(file)

    def noted(self, kind: str) -> list[dict[str, Any]]:
        """Returns the facts of a kind."""
        folder = self.folder / "notes" / kind
        files = sorted(folder.glob("[!.]*")) if folder.is_dir() else []
        return [json.loads(file.read_text(encoding="utf-8")) for file in files]

    def plain(self, text: str) -> str:
        """Returns a text with the original project in the place of what differs from one workplace to the next."""
        return text.replace(str(self.project), str(self.original)).replace(str(self.folder), "")

    def remove(self) -> None:
        """Removes the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)


def copy_project(source: Path, target: Path, copy: Callable[[str, str], object] = shutil.copy2) -> None:
    """Copies a project's files; what links lead to is copied as files, so that nothing leads out of the copy.

    Args:
        source: the project.
        target: is not there yet.
        copy: copies a file.
    """
    shutil.copytree(source, target, ignore=_ignored, ignore_dangling_symlinks=True, copy_function=copy)


def copy_small(source: str, target: str) -> None:
    """Copies a file; in the place of a large one comes an empty one, for `Workplace.readable` to tell."""
    if Path(source).stat().st_size > LARGEST_COPIED:
        Path(target).touch()
    else:
        shutil.copy2(source, target)


def link_large(source: str, target: str) -> None:
    """Copies a file of a template; a second name is enough for one that takes long to copy."""
    if Path(source).stat().st_size > _LINKED_SIZE:
        with suppress(OSError):
            os.link(source, target)
            return
    shutil.copy2(source, target)


def _ignored(folder: str, names: list[str]) -> set[str]:
    """Leaves out what is not to be copied, and what cannot be: sockets, pipes, and what is gone meanwhile."""
    return {name for name in names if _is_left_out(name) or not _is_copied(Path(folder, name))}


def _is_left_out(name: str) -> bool:
    return name in NOT_COPIED or name.startswith(FOLDER_PREFIX)


def _is_copied(path: Path) -> bool:
    with suppress(OSError):
        mode = path.stat().st_mode
        return stat.S_ISREG(mode) or (stat.S_ISDIR(mode) and not _leads_up(path))
    return False


def _leads_up(path: Path) -> bool:
    """Tells whether a folder is a link to one around it, whose copy would have no end."""
    return path.is_symlink() and path.parent.resolve().is_relative_to(path.resolve())


def files_of(workplace: Workplace) -> Iterator[Path]:
    """Yields the files of the copied project, sorted, but for what was not copied."""
    for folder, names, files in os.walk(workplace.project):
        names[:] = sorted(name for name in names if not _is_left_out(name))
        yield from (Path(folder, name) for name in sorted(files))
