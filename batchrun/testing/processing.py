"""Runs a processor on a chunk as the engine does, for the tests of a component."""

from __future__ import annotations

from batchrun.domain.tolerance import RetryDefinition
from batchrun.engine.policies import ExponentialBackoffPolicy, LimitedRetryPolicy
from batchrun.engine.processing import Processing, Processor
from batchrun.engine.retrying import Retrying
from batchrun.spi.chunk import Chunk


def processed(processor: Processor, chunk: Chunk) -> Chunk:
    """Returns what the processor makes of the chunk, in a step that neither skips nor retries anything.

    Raises:
        ProcessError: it refuses or breaks on an item; names the item's origin.
    """
    never = RetryDefinition()
    retrying = Retrying(
        LimitedRetryPolicy(never), ExponentialBackoffPolicy(never.backoff), lambda *_: None, lambda _: None
    )
    return Processing(retrying, lambda _: False, lambda _: None).run([processor], chunk)
