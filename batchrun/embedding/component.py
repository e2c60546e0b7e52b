"""Components of jobs built in code: by their registry names, or classes, functions and objects of the caller's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Component:
    """A component with its options, as it stands under `reader`, in `processors` and so on.

    Attributes:
        what: a registry name, `module:Class`, a class that is a component, a function, or an object of the role.
        options: what its node says besides `type`.
    """

    def __init__(self, what: str | type[Any] | Callable[..., Any] | object, /, **options: Any) -> None:
        self.what = what
        self.options = options

    def __repr__(self) -> str:
        options = ", ".join(f"{name}={value!r}" for name, value in self.options.items())
        return f"Component({', '.join(filter(None, (repr(self.what), options)))})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Component) and (self.what, self.options) == (other.what, other.options)

    __hash__ = None  # type: ignore[assignment]


class ComponentNames:
    """The components of one role as attributes: `readers.csv(path=…)`; those of plugins are among them."""

    def __init__(self, role: str) -> None:
        self._role = role

    def __getattr__(self, name: str) -> Callable[..., Component]:
        if name.startswith("_"):
            raise AttributeError(name)

        def declared(**options: Any) -> Component:
            return Component(name, **options)

        declared.__name__ = declared.__qualname__ = name
        declared.__doc__ = f"Declares the {self._role} {name!r} with its options."
        return declared

    def __dir__(self) -> list[str]:
        from batchrun.registry import Registry

        return Registry().names(self._role)

    def __repr__(self) -> str:
        return f"<the {self._role}s: {', '.join(dir(self))}>"


readers = ComponentNames("reader")
processors = ComponentNames("processor")
writers = ComponentNames("writer")
tasklets = ComponentNames("tasklet")
deciders = ComponentNames("decider")
