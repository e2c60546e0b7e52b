"""What can be wrong with a component or function that a job names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from batchrun.errors import BatchrunError, ExitCode


class RegistryError(BatchrunError):
    """A component or function that a job names cannot be had."""

    exit_code = ExitCode.DEFINITION


class UnknownComponentError(RegistryError):
    """No component of the role has this name.

    Attributes:
        names: the names there are in the role.
    """

    def __init__(self, role: str, type: str, near: str | None, names: Sequence[str]) -> None:
        super().__init__(
            f"unknown {role} {type!r}", hint=near or f"the {role}s there are: {', '.join(names) or 'none'}"
        )
        self.role = role
        self.type = type
        self.names = tuple(names)


class DuplicateComponentError(RegistryError):
    """Two installed distributions bring a component of the same name; neither wins silently."""

    def __init__(self, role: str, type: str, distributions: Iterable[str]) -> None:
        super().__init__(
            f"{role} {type!r} comes from several distributions: {', '.join(distributions)}",
            hint="uninstall all but one of them, or name the class itself: module:Class",
        )
