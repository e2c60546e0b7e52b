"""The application of a run on copies: what it writes goes to copies only."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from batchrun.app import Application
from batchrun.copies.databases import OutsideError, copied, refuse_other_places
from batchrun.copies.workplace import Workplace
from batchrun.domain.definition import ComponentDefinition
from batchrun.operations.assembly import Assembly
from batchrun.operations.scope import StepScope
from batchrun.spi.scope import Database

ONLY_READ = frozenset({"reader", "processor", "decider"})
"""Roles that may look at what lies outside of the copies."""


class CopyApplication(Application):
    """Runs the copied project's jobs on copies of their databases."""

    def __init__(self, workplace: Workplace) -> None:
        super().__init__(workplace.project, workplace.repository_url, logging.INFO, is_project=True)
        self._workplace = workplace

    def _assembly(self, *arguments: Any, **named: Any) -> Assembly:
        made = super()._assembly(*arguments, **named)
        return CopyAssembly(**values(made), workplace=self._workplace)


def values(record: Any) -> dict[str, Any]:
    """Returns the fields of a dataclass by name, for one of a class below it."""
    return {each.name: getattr(record, each.name) for each in fields(record)}


@dataclass
class CopyAssembly(Assembly):
    """Builds components that write to nothing but copies."""

    workplace: Workplace = field(kw_only=True)

    def _build(self, component: ComponentDefinition, roots: Mapping[str, Any], scope: StepScope) -> Any:
        if component.role not in ONLY_READ:
            scope = GuardedScope(**values(scope), workplace=self.workplace, role=component.role)
        return super()._build(component, roots, scope)

    def _options(self, component: ComponentDefinition, roots: Mapping[str, Any]) -> Any:
        options = super()._options(component, roots)
        refuse_other_places(options, self.workplace)
        if component.role == "reject_sink" and (table := getattr(options, "table", None)):
            self.workplace.note("reject tables", {"database": getattr(options, "database", ""), "table": table})
        return options

    def _database(self, name: str) -> Database:
        return copied(super()._database(name), self.workplace)


@dataclass(frozen=True)
class GuardedScope(StepScope):
    """The scope of what may write: paths lead into the workplace only."""

    workplace: Workplace = field(kw_only=True)
    role: str = field(kw_only=True)

    def path(self, path: str) -> Path:
        """Returns the copy's path.

        Raises:
            OutsideError: it lies elsewhere.
        """
        here = self.workplace.mapped(super().path(path))
        if not self.workplace.holds(here):
            error = OutsideError(
                f"the {self.role} of step {self.step_name!r} would work on {here}, outside of the project",
                "give a path in the project for the output",
            )
            self.workplace.note("refusals", {"message": str(error), "hint": error.hint})
            raise error
        if self.role == "reject_sink":
            self.workplace.note("reject files", {"path": str(here)})
        return here
