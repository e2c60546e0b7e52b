"""The JobExplorer: reads what has been run, and changes nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from batchrun.domain.definition import ParameterDefinition
from batchrun.domain.execution import JobExecution
from batchrun.domain.launch import seen_dead
from batchrun.domain.parameters import ParameterType, value_text
from batchrun.domain.selection import EVERY, ExecutionFilter
from batchrun.domain.status import BatchStatus
from batchrun.errors import NoSuchExecutionError, UsageError

if TYPE_CHECKING:
    from batchrun.spi.repository import JobRepository

_PAGE = 500
_NEWEST = 200


@dataclass(frozen=True, slots=True)
class JobExplorer:
    """Finds executions in a repository.

    One that runs as the repository has it, but whose process is dead, is seen as FAILED: as it will be once somebody
    restarts it or recovers it.
    """

    repository: JobRepository

    def history(self, chosen: ExecutionFilter = EVERY, *, limit: int | None = None) -> Iterator[JobExecution]:
        """Yields executions with their steps, newest first, read page by page.

        Args:
            chosen: `job_names` may be patterns, where `*` stands for any characters and `?` for one.
            limit: how many at most.
        """
        found = self._with_names(chosen)
        while found is not None and limit != 0:
            size = _PAGE if limit is None else min(limit, _PAGE)
            page = self.repository.find_executions(_with_running(found), limit=size)
            seen = [each for each in map(self._seen, page) if not chosen.statuses or each.status in chosen.statuses]
            yield from seen
            limit = None if limit is None else limit - len(seen)
            found = replace(found, before_id=page[-1].id) if len(page) == size else None

    def _seen(self, execution: JobExecution) -> JobExecution:
        if not self._is_dead(execution):
            return execution
        return seen_dead(self.repository.find_execution(execution.id))  # it may have ended between the two questions

    def _is_dead(self, execution: JobExecution) -> bool:
        """Tells whether the repository has it as running, while its process is dead."""
        from batchrun.engine import is_gone

        return execution.status.is_running and not self.repository.is_alive(execution.id, is_gone)

    def _with_names(self, chosen: ExecutionFilter) -> ExecutionFilter | None:
        """Returns the filter with names for patterns, or None where no job's name is like any of them."""
        names = self.matching_names(chosen.job_names)
        return replace(chosen, job_names=names) if names or not chosen.job_names else None

    def matching_names(self, patterns: Collection[str]) -> Collection[str]:
        """Returns the names of jobs that are like one of the patterns, where `*` is any characters and `?` one."""
        plain = {each for each in patterns if not set(each) & set("*?[")}
        if len(plain) == len(patterns):
            return patterns
        return plain | {name for name in self.job_names() if any(fnmatchcase(name, each) for each in patterns)}

    def job_names(self) -> list[str]:
        """Returns the names of all jobs that have been launched, sorted."""
        return self.repository.job_names()

    def execution(self, execution_id: int) -> JobExecution:
        """Returns one execution with its steps.

        Raises:
            NoSuchExecutionError: there is none.
        """
        return self._seen(self.repository.find_execution(execution_id))

    def last(self, *, before: JobExecution | None = None) -> JobExecution:
        """Returns the newest execution, or the newest of the same job before a given one.

        Raises:
            UsageError: there is none.
        """
        chosen = EVERY if before is None else ExecutionFilter(job_names=[before.job_name], before_id=before.id)
        if found := self.repository.find_executions(chosen, limit=1):
            return self._seen(found[0])
        if before is None:
            raise UsageError("there are no executions in this repository yet", hint="batchrun launch JOB runs a job")
        raise UsageError(
            f"execution {before.id} is the first of job {before.job_name!r}",
            hint=f"batchrun history --job {before.job_name} lists the others",
        )

    def attempts(self, execution: JobExecution) -> list[JobExecution]:
        """Returns the executions that one continues, the first that is still kept first, and itself last."""
        chain = [execution]
        with suppress(NoSuchExecutionError):
            while (earlier := chain[0].restart_of) is not None:
                chain.insert(0, self.execution(earlier))
        return chain

    def last_restartable(self) -> JobExecution:
        """Returns the newest execution that `restart` can continue: FAILED, STOPPED, or of an owner that is dead.

        A child job's is none of them: it goes on with its parent.

        Raises:
            UsageError: there is none among the newest.
        """
        seen: set[int] = set()
        newest = self.repository.find_executions(limit=_NEWEST)
        for execution in newest:
            is_last = execution.instance.id not in seen
            seen.add(execution.instance.id)
            if not is_last or execution.parent_step_id is not None:
                continue
            if execution.status.is_restartable or self._is_dead(execution):
                return execution
        if len(newest) < _NEWEST:
            raise UsageError("there is no execution that can be restarted", hint="batchrun history lists all there are")
        raise UsageError(
            f"none of the last {_NEWEST} executions can be restarted", hint="batchrun restart ID names an older one"
        )

    def of_instance(self, execution: JobExecution) -> list[JobExecution]:
        """Returns the executions of the instance that one is of, as far as they are kept; the oldest first."""
        last = self.repository.last_execution(execution.job_name, execution.instance.identity)
        return self.attempts(last or execution)

    def later_execution_id(self, execution: JobExecution) -> int | None:
        """Returns the execution that came next in the same instance, or None."""
        return self.repository.later_execution_id(execution)


def _with_running(chosen: ExecutionFilter) -> ExecutionFilter:
    """Returns the filter with what may be seen as FAILED, where that is asked for."""
    if BatchStatus.FAILED not in chosen.statuses:
        return chosen
    running = {each for each in BatchStatus if each.is_running}
    return replace(chosen, statuses={*chosen.statuses, *running})


_LISTS = [(ParameterType.LIST, items) for items in ParameterType if items is not ParameterType.LIST]


def parameter_texts(given: Mapping[str, str]) -> dict[str, Sequence[str]]:
    """Returns the texts that a parameter's value has where it is what somebody typed, by each type that it may have.

    So `90s` finds the duration that is stored as `90`, `yes` the boolean `true`, and a path what it is from here.
    """
    return {name: sorted(_texts(text)) for name, text in given.items()}


def _texts(text: str) -> Iterator[str]:
    from batchrun.definition.parameter_values import ParameterValueError, absolute, convert

    yield text
    for kind, items in (*((kind, ParameterType.STRING) for kind in ParameterType), *_LISTS):
        try:
            value = convert(text, ParameterDefinition("", type=kind, items=items, choices=(text,)))
        except ParameterValueError:
            continue
        yield absolute(text, Path.cwd()) if kind is ParameterType.PATH else value_text(value)
