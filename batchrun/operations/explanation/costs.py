"""What costs speed in a job, by its definition: rows made of frames, the slower SQLite, waiting, small commits."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from batchrun.domain.definition import ChunkDefinition, ComponentDefinition, ListenerDefinition, StepDefinition
from batchrun.errors import BatchrunError
from batchrun.listeners import functions_of, points_of
from batchrun.operations.explanation.wording import option_extra, option_fields
from batchrun.registry import Registry
from batchrun.spi.listener import Listener

_FEW_ITEMS = 100
_ITEM_POINTS = ("after_read", "before_process", "after_process", "on_filter")


@dataclass(frozen=True, slots=True)
class Costs:
    """Finds what costs speed.

    Attributes:
        shared_databases: those in the SQLite file that the repository is in.
        listeners: the job's own, which hear all steps.
    """

    registry: Registry
    shared_databases: Collection[str]
    listeners: Sequence[ListenerDefinition]

    def of(self, state: StepDefinition, components: Sequence[ComponentDefinition]) -> list[str]:
        """Returns what costs speed in a state with these components, each in a sentence."""
        return [
            *(cost for component in components for cost in self._of_component(component)),
            *(self._of_chunks(state.work) if isinstance(state.work, ChunkDefinition) else ()),
            *(self._of_listeners(state) if isinstance(state.work, ChunkDefinition) else ()),
        ]

    def _of_component(self, component: ComponentDefinition) -> Iterator[str]:
        made = self.registry.component(component.role, component.type)
        spec = self.registry.spec(component.role, component.type)
        what = f"{component.role} {component.type}"
        if spec.costs is not None:
            yield from (f"{what}: {cost}" for cost in spec.costs(component.options))
        elif component.role == "processor" and not hasattr(made, "process_chunk"):
            yield f"{what}: makes a Python object of each item; process_chunk would take whole chunks"
        for each in option_fields(spec):
            database = component.options.get(each.encode_name)
            if option_extra(each).get("format") == "database" and database in self.shared_databases:
                yield (
                    f"{what}: Python's sqlite3 does the work, as the repository is in the file of {database!r}; "
                    "in a file of its own it is faster"
                )

    def _of_chunks(self, work: ChunkDefinition) -> Iterator[str]:
        capabilities = self.registry.spec(work.writer.role, work.writer.type).capabilities
        if not capabilities.transactional and not capabilities.truncating:
            yield f"writer {work.writer.type}: has no transactions, so what it wrote last may come twice after a crash"
        if work.read_ahead == 0:
            yield "read_ahead is 0: reading and processing wait for each commit"
        if work.completion.items < _FEW_ITEMS and work.completion.policy is None:
            yield f"a commit for every {work.completion.items} items; larger chunks are faster"

    def _of_listeners(self, state: StepDefinition) -> Iterator[str]:
        for listener in (*self.listeners, *state.listeners):
            heard = [point for point in _ITEM_POINTS if point in self._points(listener.component)]
            if heard:
                points = ", ".join(heard)
                yield f"listener {listener.component.type}: hears {points}, so a Python object is made of each item"

    def _points(self, component: ComponentDefinition) -> set[str]:
        """Returns the points that a listener hears, of those that cost."""
        made = self.registry.component(component.role, component.type)
        own = {point for point in _ITEM_POINTS if getattr(made, point, None) is not getattr(Listener, point)}
        return own.union(*map(points_of, self._functions(component)))

    def _functions(self, component: ComponentDefinition) -> Iterator[object]:
        """Yields the decorated functions that a listener stands for; a module that cannot be loaded has none here."""
        modules = self.registry.modules
        with suppress(BatchrunError):
            for each in option_fields(self.registry.spec(component.role, component.type)):
                named = component.options.get(each.encode_name)
                match option_extra(each).get("format"):
                    case "listeners" if named is not None:
                        yield from functions_of(modules.module(named)).values()
                    case "listener" if named is not None:
                        yield modules.load(named)
