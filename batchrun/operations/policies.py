"""Builds the policies of a chunk step: those that its options describe, or the user's own, named as `module:Class`."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from batchrun.domain.definition import CompletionDefinition
from batchrun.domain.tolerance import BackoffDefinition, RetryDefinition, SkipDefinition
from batchrun.engine.policies import (
    ExponentialBackoffPolicy,
    LimitedCompletionPolicy,
    LimitedRetryPolicy,
    LimitedSkipPolicy,
)
from batchrun.errors import BatchrunError, DefinitionError, Problem
from batchrun.operations.scope import StepScope
from batchrun.spi.policies import BackoffPolicy, CompletionPolicy, RetryPolicy, SkipPolicy

Tell = Callable[[tuple[str, ...], str, str | None], Problem]
"""(place in the step, what is wrong, way out) → the problem."""


@dataclass(frozen=True, slots=True)
class PolicyBuilder:
    """Builds them for one step execution.

    A class of the user's is called with the ComponentScope, or with nothing where it takes nothing.
    """

    scope: StepScope
    tell: Tell

    def completion(self, definition: CompletionDefinition) -> CompletionPolicy:
        """Returns what says when a chunk is full."""
        return self._own(definition.policy, CompletionPolicy, "chunk") or LimitedCompletionPolicy(definition)

    def skip(self, definition: SkipDefinition) -> SkipPolicy:
        """Returns what says which items are skipped."""
        return self._own(definition.policy, SkipPolicy, "skip") or LimitedSkipPolicy(definition)

    def retry(self, definition: RetryDefinition) -> RetryPolicy:
        """Returns what says what is tried again."""
        return self._own(definition.policy, RetryPolicy, "retry") or LimitedRetryPolicy(definition)

    def backoff(self, definition: BackoffDefinition) -> BackoffPolicy:
        """Returns what says how long to wait."""
        return self._own(definition.policy, BackoffPolicy, "retry", "backoff") or ExponentialBackoffPolicy(definition)

    def _own(self, reference: str | None, contract: type, *at: str) -> Any:
        """Returns the user's policy, or None where there is none.

        Raises:
            DefinitionError: it cannot be made, or has not the contract's methods.
        """
        if reference is None:
            return None
        place = (*at, "policy")
        try:
            made = self.scope.load(reference)
            policy = made(self.scope) if inspect.signature(made).parameters else made()
        except BatchrunError as error:
            raise DefinitionError([self.tell(place, error.message, error.hint)]) from error
        except Exception as error:
            message = f"{reference!r} cannot be made: {type(error).__name__}: {error}"
            raise DefinitionError([self.tell(place, message, "it is called with the step's ComponentScope")]) from error
        methods = [name for name in vars(contract) if not name.startswith("_")]
        if missing := [name for name in methods if not callable(getattr(policy, name, None))]:
            message = f"{reference!r} is no {contract.__name__}: it has no method {missing[0]!r}"
            raise DefinitionError([self.tell(place, message, f"it needs {' and '.join(methods)}")])
        return policy
