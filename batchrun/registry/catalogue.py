"""Finds components by role and name; imports one at a time, and nothing before it is asked for.

Built-ins and plugins come the same way, by entry points of the group `batchrun.components`, such as
`reader.csv = "package.module:Class"`. A job's own component is named `module:Class`, from a Python file beside the job.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from batchrun.errors import did_you_mean
from batchrun.registry.errors import DuplicateComponentError, RegistryError, UnknownComponentError
from batchrun.registry.local_modules import LocalModules
from batchrun.spi.listener import Listener
from batchrun.spi.spec import ROLES, ComponentSpec

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "batchrun.components"


class Registry:
    """The components that jobs of a folder can name.

    Args:
        folder: where `module:Class` is looked for first; None looks only among importable modules.
        extra: more component classes, for embedding and tests; they must not take a name that is taken.
        given: functions and classes that a job built in code brings itself, by reference such as `module:Class`.

    Attributes:
        modules: the Python files of the folder, and what is given.
    """

    def __init__(
        self,
        folder: Path | None = None,
        extra: Iterable[type] = (),
        given: Mapping[str, Callable[..., Any]] | None = None,
    ) -> None:
        self.modules = LocalModules(folder, given)
        self._extra: dict[tuple[str, str], type] = {}
        self._installed: dict[tuple[str, str], list[EntryPoint]] | None = None
        for each in extra:
            spec = _spec_of(each, repr(each))
            if (spec.role, spec.name) in self._extra:
                raise DuplicateComponentError(spec.role, spec.name, ["extra"])
            self._extra[spec.role, spec.name] = each

    def component(self, role: str, type: str) -> type:
        """Returns the component's class; its attribute `spec` is of the role.

        Raises:
            UnknownComponentError: the role has no such name.
            DuplicateComponentError: several distributions bring it.
            RegistryError: it cannot be imported, or is no component of the role.
        """
        if ":" in type:
            return _of_role(self.modules.load(type), role, type)
        entries = self._entries().get((role, type), [])
        if (given := self._extra.get((role, type))) is not None:
            if entries:
                raise DuplicateComponentError(role, type, [_distribution(entries[0]), "extra"])
            return given
        if not entries:
            raise self._unknown(role, type)
        if len(entries) > 1:
            raise DuplicateComponentError(role, type, sorted(map(_distribution, entries)))
        return _of_role(_loaded(entries[0]), role, type)

    def spec(self, role: str, type: str) -> ComponentSpec:
        """Returns the component's spec; raises as `component` does."""
        return _spec_of(self.component(role, type), type)

    def names(self, role: str) -> list[str]:
        """Returns the names of the role in alphabetical order, without importing anything."""
        return sorted({name for each, name in (*self._entries(), *self._extra) if each == role})

    def specs(self) -> list[ComponentSpec]:
        """Returns the specs of all components, by role and name; imports them all."""
        return [self.spec(role, name) for role in ROLES for name in self.names(role)]

    def _entries(self) -> dict[tuple[str, str], list[EntryPoint]]:
        if self._installed is None:
            from importlib.metadata import entry_points

            self._installed = {}
            for entry in entry_points(group=GROUP):
                role, _, name = entry.name.partition(".")
                same = self._installed.setdefault((role, name), [])
                if not any((each.value, _distribution(each)) == (entry.value, _distribution(entry)) for each in same):
                    same.append(entry)
        return self._installed

    def _unknown(self, role: str, type: str) -> UnknownComponentError:
        names = self.names(role)
        near = did_you_mean(type, names)
        others = [other for other in ROLES if other != role and type in self.names(other)]
        if others:
            near = f"{type!r} is a {others[0]}" + (f"; {near}" if near else "")
        return UnknownComponentError(role, type, near, names)


def _distribution(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist is not None else "an unknown distribution"


def _loaded(entry: EntryPoint) -> Any:
    try:
        return entry.load()
    except Exception as error:  # whatever a plugin's module raises must not look like a defect of batchrun
        raise RegistryError(
            f"{entry.name.replace('.', ' ', 1)} of the distribution {_distribution(entry)!r} cannot be loaded: "
            f"{type(error).__name__}: {error}",
            hint=f"reinstall or remove {_distribution(entry)!r}; it names {entry.value}",
        ) from error


def _of_role(found: Any, role: str, name: str) -> type:
    spec = _spec_of(found, name)
    if spec.role != role:
        raise RegistryError(f"{name!r} is a {spec.role}, not a {role}")
    if role == "listener" and not issubclass(found, Listener):
        raise RegistryError(
            f"{name!r} does not extend Listener", hint=f"class {found.__name__}(Listener), with batchrun.spi.Listener"
        )
    made: type = found
    return made


def _spec_of(found: Any, name: str) -> ComponentSpec:
    spec = getattr(found, "spec", None)
    if not isinstance(found, type) or not isinstance(spec, ComponentSpec):
        raise RegistryError(
            f"{name!r} is no component", hint="a component is a class marked by @component(ComponentSpec(…))"
        )
    return spec
