"""The project folder: where it begins, what its settings say, and which job files it has."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path

from batchrun.errors import DefinitionError, Problem, UsageError, did_you_mean

SETTINGS_FILE = "batchrun.toml"
JOBS_FOLDER = "jobs.d"
_SUFFIXES = (".yaml", ".yml")


def project_of(start: Path) -> Path:
    """Returns the nearest folder from `start` upwards that holds a `batchrun.toml`, else the current directory."""
    for folder in (start, *start.parents):
        if (folder / SETTINGS_FILE).is_file():
            return folder
    return Path.cwd()


def find_job(job: str, folder: Path, base: Path | None = None) -> Path:
    """Returns the absolute path of a job file, given its path, or the name of a job in the folder.

    A name is the file's without its suffix, or what the file says under `name`.

    Args:
        job: path or name.
        folder: where names are looked for.
        base: what a path is relative to; None is the current directory.

    Raises:
        DefinitionError: no job in the folder has that name, or several have.
    """
    path = (base or Path.cwd()) / job
    if path.suffix in _SUFFIXES or os.sep in job or path.is_file():
        return path
    files = sorted(each for each in folder.glob("*") if each.suffix in _SUFFIXES) if folder.is_dir() else []
    found = [each for each in files if each.stem == job] or [each for each in files if _says_name(each, job)]
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(each.name for each in found)
        raise DefinitionError([Problem(f"several jobs are called {job!r}: {names}", str(folder), hint="give a path")])
    stems = [each.stem for each in files]
    listed = f"the jobs there: {', '.join(stems)}" if stems else "give the path of a job file"
    raise DefinitionError([Problem(f"there is no job {job!r}", str(folder), hint=did_you_mean(job, stems) or listed)])


def _says_name(file: Path, name: str) -> bool:
    """Tells whether a job file has this name, by its text alone: the other files may be as wrong as they like."""
    line = re.compile(rf"""^name:\s*["']?{re.escape(name)}["']?\s*(#.*)?$""", re.MULTILINE)
    try:
        return line.search(file.read_text(encoding="utf-8")) is not None
    except (OSError, UnicodeDecodeError):
        return False


def settings_of(project: Path) -> dict[str, str]:
    """Returns the settings of a project, none where it has no file of them.

    Raises:
        UsageError: the file cannot be read, or has a setting that there is not.
    """
    path = project / SETTINGS_FILE
    if not path.is_file():
        return {}
    try:
        settings = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from error
    unknown = sorted(set(settings) - {"repository"})
    if unknown:
        raise UsageError(f"{path}: unknown setting {unknown[0]!r}", hint="the one setting is: repository")
    if not isinstance(settings.get("repository", ""), str):
        raise UsageError(f"{path}: expected repository to be a text, got: {settings['repository']!r}")
    return settings


def absolute(url: str, project: Path) -> str:
    """Makes the path of a SQLite URL absolute; any other URL stays as it is."""
    prefix = "sqlite:///"
    if not url.startswith(prefix) or url.startswith(f"{prefix}:memory:"):
        return url
    return f"{prefix}{project / url.removeprefix(prefix)}"
