"""Imports the Python files that stand beside a job, privately, and says plainly what is wrong with them."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from batchrun.errors import did_you_mean
from batchrun.registry.errors import RegistryError

_loading = threading.RLock()


class LocalModules:
    """Python files beside a job, imported under a private name, so that two jobs' `transforms.py` do not clash.

    A file that changed since it was imported is imported again. It may import files beside it; those stay private too.

    Args:
        folder: the job's folder; None looks only among importable modules.
        given: functions and classes that a job built in code brings itself, by reference.
    """

    def __init__(self, folder: Path | None, given: Mapping[str, Callable[..., Any]] | None = None) -> None:
        self._folder = folder.resolve() if folder is not None else None
        self._given = given or {}

    def load(self, reference: str) -> Callable[..., Any]:
        """Returns what `module:name` names, a function or class; the job's folder comes first.

        Raises:
            RegistryError: there is no such file, module or name, or the file has an error of its own; says which.
        """
        if reference in self._given:
            return self._given[reference]
        module_name, colon, name = reference.partition(":")
        if not colon or not name or not _is_name(module_name):
            raise RegistryError(f"{reference!r} is no reference to Python code", hint="write it as module:name")
        module = self._module(module_name)
        found: Any = module
        for part in name.split("."):
            if not hasattr(found, part):
                public = [each for each in vars(found) if not each.startswith("_")]
                where = self._shown(module) or f"module {module_name!r}"
                raise RegistryError(f"{where} has no {part!r}", hint=did_you_mean(part, public))
            found = getattr(found, part)
        if not callable(found):
            raise RegistryError(f"{reference!r} is neither a function nor a class")
        return found  # type: ignore[no-any-return]

    def module(self, name: str) -> ModuleType:
        """Returns a module; the job's folder comes first.

        Raises:
            RegistryError: there is no such file or module, or it has an error of its own; says which.
        """
        if not _is_name(name):
            raise RegistryError(f"{name!r} is no name of a Python module", hint="write it without .py")
        return self._module(name)

    def blame(self, reference: str, error: BaseException) -> str:
        """Returns where code that `load` gave failed, and how: `jobs.d/checks.py:12: KeyError: 'day'`."""
        return _broken(reference, error, within=self._folder).message

    def _module(self, name: str) -> ModuleType:
        file = self._file(name)
        if file is not None:
            with _loading:
                return self._local(name, file)
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name is None or not (name == error.name or name.startswith(f"{error.name}.")):
                raise _broken(f"module {name!r} cannot be imported", error) from error
            raise self._missing(name) from error
        except (Exception, SystemExit) as error:  # the module's own code may raise anything
            raise _broken(f"module {name!r} cannot be imported", error) from error

    def _missing(self, name: str) -> RegistryError:
        if self._folder is None:
            return RegistryError(f"there is no module {name!r}")
        files = [each.stem for each in self._folder.glob("*.py")]
        return RegistryError(
            f"there is no {name.replace('.', '/')}.py beside the job file, and no installed module {name!r}",
            hint=did_you_mean(name, files),
        )

    def _file(self, name: str) -> Path | None:
        if self._folder is None:
            return None
        place = self._folder.joinpath(*name.split("."))
        return next((each for each in (place.with_suffix(".py"), place / "__init__.py") if each.is_file()), None)

    def _local(self, name: str, file: Path) -> ModuleType:
        private = f"{self._package()}.{name}"
        stat = file.stat()
        stamp = (stat.st_mtime_ns, stat.st_size)
        known = sys.modules.get(private)
        if known is not None and getattr(known, "__batchrun_stamp__", None) == stamp:
            return known
        module = _new_module(private, file)
        module.__batchrun_stamp__ = stamp  # type: ignore[attr-defined]
        try:
            with self._neighbours_importable():
                module.__spec__.loader.exec_module(module)  # type: ignore[union-attr]
        except (Exception, SystemExit) as error:  # the user's code may raise anything
            del sys.modules[private]
            raise _broken(f"{_relative(file)} cannot be imported", error, within=self._folder) from error
        return module

    def _package(self) -> str:
        """Returns the name of the private package that stands for the folder, so that relative imports work."""
        assert self._folder is not None
        name = f"_batchrun_job_{hashlib.sha256(str(self._folder).encode()).hexdigest()[:16]}"
        if name not in sys.modules:
            package = ModuleType(name, "The Python files beside a job.")
            package.__path__ = [str(self._folder)]
            sys.modules[name] = package
        return name

    @contextmanager
    def _neighbours_importable(self) -> Iterator[None]:
        """Lets a file import those beside it by their plain names, which are free again afterwards."""
        folder = str(self._folder)
        before = set(sys.modules)
        sys.path.insert(0, folder)
        importlib.invalidate_caches()
        try:
            yield
        finally:
            sys.path.remove(folder)
            for name in set(sys.modules) - before:
                origin = getattr(sys.modules[name], "__file__", None) or ""
                if origin.startswith(f"{folder}/") and not name.startswith("_batchrun_job_"):
                    del sys.modules[name]

    def _shown(self, module: ModuleType) -> str | None:
        origin = getattr(module, "__file__", None)
        if self._folder is None or origin is None or not Path(origin).is_relative_to(self._folder):
            return None
        return _relative(Path(origin))


def _is_name(module: str) -> bool:
    return all(map(str.isidentifier, module.split(".")))


def _new_module(name: str, file: Path) -> ModuleType:
    search = [str(file.parent)] if file.name == "__init__.py" else None
    spec = importlib.util.spec_from_file_location(name, file, submodule_search_locations=search)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    return module


def _broken(what: str, error: BaseException, within: Path | None = None) -> RegistryError:
    """Says where the user's own code failed: the innermost of its lines, without a traceback."""
    if isinstance(error, SyntaxError) and error.filename:
        return RegistryError(f"{_relative(Path(error.filename))}:{error.lineno}: SyntaxError: {error.msg}")
    own = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if within is not None and Path(frame.filename).is_relative_to(within)
    ]
    where = f"{_relative(Path(own[-1].filename))}:{own[-1].lineno}" if own else what
    return RegistryError(f"{where}: {type(error).__name__}: {error}")


def _relative(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
