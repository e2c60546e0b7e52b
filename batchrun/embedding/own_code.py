"""The caller's own functions, classes and objects: how the text of a job refers to them, and what stands behind."""

from __future__ import annotations

import sys
from collections.abc import Callable
from itertools import count
from typing import Any, TypeGuard

from batchrun.embedding.component import Component
from batchrun.registry import Registry
from batchrun.spi.decider import Decider
from batchrun.spi.item import ChunkProcessor, ItemProcessor, ItemReader, ItemWriter
from batchrun.spi.listener import Listener
from batchrun.spi.spec import ComponentSpec, Options, component
from batchrun.spi.tasklet import Tasklet

HERE = "<code>:"
"""Begins a reference that only this program can follow; no module has such a name."""

_CONTRACTS: dict[str, tuple[type, ...]] = {
    "reader": (ItemReader,),
    "processor": (ItemProcessor, ChunkProcessor),
    "writer": (ItemWriter,),
    "tasklet": (Tasklet,),
    "decider": (Decider,),
    "listener": (Listener,),
}


class NoComponentError(Exception):
    """Something stands for a component and is none of the role.

    Attributes:
        hint: the way out.
    """

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


class OwnCode:
    """What one job brings of its program, each under its reference.

    Attributes:
        given: functions and component classes by reference.
    """

    def __init__(self) -> None:
        self.given: dict[str, Callable[..., Any]] = {}
        self._behind: dict[str, tuple[object, str]] = {}

    def node(self, role: str, declared: Component) -> dict[str, Any]:
        """Returns `type` of a component's node, and what else it needs besides the options.

        Raises:
            NoComponentError: what is declared is no component of the role.
        """
        what = declared.what
        if isinstance(what, str):
            return {"type": what}
        if isinstance(getattr(what, "spec", None), ComponentSpec) and isinstance(what, type):
            return {"type": self.reference(what)}
        if not _plays(role, what) and callable(what) and not isinstance(what, type):
            if "python" in Registry().names(role):
                return {"type": "python", "call": self.reference(what)}
            return {"type": self._made(role, what, what)}
        _check(role, what)
        return {"type": self._made(role, what, what if isinstance(what, type) else lambda: what)}

    def reference(self, function: Callable[..., Any]) -> str:
        """Returns the text that stands for a function or class: `module:name` if any program can follow it."""
        text = _importable(function) or self.name_here(function)
        self.given[text] = function
        return text

    def name_here(self, found: object, role: str = "", *, name: str = "") -> str:
        """Returns the reference to something that only this program has; the same whenever it is asked for again.

        Args:
            found: what is referred to.
            role: in which it stands behind a component; a function may do so in several.
            name: what to call it; by default as it or its class is called.
        """
        name = name or getattr(found, "__name__", type(found).__name__)
        for number in count(1):
            text = f"{HERE}{name}" if number == 1 else f"{HERE}{name}-{number}"
            known, known_role = self._behind.setdefault(text, (found, role))
            if known is found and known_role == role:
                break
        return text

    def _made(self, role: str, what: object, make: Callable[[], Any]) -> str:
        """Returns the reference to a component that is made by a call of the caller's own."""
        text = self.name_here(what, role)
        self.given[text] = _component_class(role, make)
        return text


def is_here(text: object) -> TypeGuard[str]:
    """Tells whether a value of a job's text is a reference that only its program can follow."""
    return isinstance(text, str) and text.startswith(HERE)


def _importable(found: object) -> str | None:
    module, name = getattr(found, "__module__", None), getattr(found, "__qualname__", None)
    if not isinstance(module, str) or not isinstance(name, str) or module == "__main__":
        return None
    there: object = sys.modules.get(module)
    for part in name.split("."):
        there = getattr(there, part, None)
    return f"{module}:{name}" if there is found else None


def _methods(contract: type) -> list[str]:
    return [name for name in vars(contract) if not name.startswith("_")]


def _plays(role: str, what: object) -> bool:
    return any(all(hasattr(what, name) for name in _methods(contract)) for contract in _CONTRACTS[role])


def _check(role: str, what: object) -> None:
    if _plays(role, what):
        return
    contract = _CONTRACTS[role][0]
    missing = [name for name in _methods(contract) if not hasattr(what, name)]
    title = f"class {what.__name__!r}" if isinstance(what, type) else f"an object of class {type(what).__name__!r}"
    raise NoComponentError(
        f"{title} is no {role}: it has no {', '.join(missing)}", f"batchrun.spi.{contract.__name__} says what it needs"
    )


def _component_class(role: str, make: Callable[[], Any]) -> type:
    """Returns a component without options; what it makes is the caller's."""

    def made(cls: type, options: Options, scope: object) -> Any:
        del cls, options, scope
        return make()

    bases = (Listener,) if role == "listener" else ()
    spec = ComponentSpec(role, getattr(make, "__name__", role), "", Options, "", schema=_unknown)
    return component(spec)(type("OwnComponent", bases, {"__new__": made, "__doc__": _component_class.__doc__}))


def _unknown(options: Options, columns: Any) -> None:
    """Tells that nobody knows the columns of what is not declared."""
    del options, columns
