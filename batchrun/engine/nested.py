"""The work of a state that holds flows: the branches of a parallel state, or the one of a nested flow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextvars import copy_context
from threading import Thread

from batchrun.domain.position import Inside
from batchrun.engine.ending import Ending, of_all
from batchrun.engine.flow import FlowWalk
from batchrun.engine.stop import LOOK_SECONDS
from batchrun.engine.work import StepWork


class FlowsWork(StepWork):
    """Runs the flows inside a state to their ends, several at the same time.

    Each branch has a thread of its own, so that branches inside branches wait for no free one. All are awaited: one
    that fails does not cancel the others.
    """

    _ended: Ending | None = None

    def execute(self) -> None:
        """Walks each flow from where it stands; a branch that has completed comes to its end at once."""
        run = self.run.within(self.should_stop)
        outside, name, visit = self.visit.address, self.definition.name, self.step.visit
        walks = [
            FlowWalk(run, flow, self.run_visit, (*outside, Inside(name, visit, place)), self.step)
            for place, flow in enumerate(self.definition.flows)
        ]
        self._ended = of_all(_together([walk.to_end for walk in walks]))

    def ending(self) -> Ending:
        """Returns how the flows ended together."""
        return self._ended or super().ending()


def _together(walks: Sequence[Callable[[], Ending]]) -> list[Ending]:
    """Calls all at the same time and waits for them; raises the first exception in order, once all have ended."""
    branches = [_Branch(walk) for walk in walks]
    if len(branches) == 1:
        branches[0].run()
    else:
        for branch in branches:
            branch.thread.start()
        for branch in branches:
            while branch.thread.is_alive():
                branch.thread.join(LOOK_SECONDS)
    return [branch.result() for branch in branches]


class _Branch:
    """One walk in a thread; a daemon, so that a second Ctrl-C ends the process at once."""

    def __init__(self, walk: Callable[[], Ending]) -> None:
        self._walk = walk
        self._ending: Ending | None = None
        self._error: BaseException | None = None
        self.thread = Thread(target=copy_context().run, args=(self.run,), name="branch", daemon=True)

    def run(self) -> None:
        try:
            self._ending = self._walk()
        except BaseException as error:
            self._error = error

    def result(self) -> Ending:
        if self._error is not None:
            raise self._error
        assert self._ending is not None
        return self._ending
