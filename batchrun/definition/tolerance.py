"""Makes the domain's tolerance and chunk limits of a chunk step's node, whose shape has been found right."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from fractions import Fraction
from typing import Any

from batchrun.domain.definition import DEFAULT_CHUNK_ITEMS, CompletionDefinition
from batchrun.domain.durations import parse_duration
from batchrun.domain.tolerance import (
    BackoffDefinition,
    ErrorRules,
    OnWriteError,
    RetryDefinition,
    SkipDefinition,
    ToleranceDefinition,
)

_SHARE = re.compile(r"(\d{1,3}(?:\.\d+)?)\s*%", re.ASCII)
_MULTIPLIER = 2.0


def parse_share(text: str) -> Fraction:
    """Reads a percentage such as `5%` or `0.1%` as a part of 1.

    Raises:
        ValueError: it is none, or more than all.
    """
    match = _SHARE.fullmatch(text.strip())
    share = Fraction(match[1]) / 100 if match else None
    if share is None or share > 1:
        raise ValueError(f"{text!r} is no percentage such as 5%")
    return share


def completion_definition(node: Mapping[str, Any]) -> CompletionDefinition:
    """Returns when the chunks of a step are full."""
    chunk = node.get("chunk", DEFAULT_CHUNK_ITEMS)
    if not isinstance(chunk, Mapping):
        return CompletionDefinition(int(chunk))
    seconds = chunk.get("seconds")
    return CompletionDefinition(
        items=int(chunk.get("items") or DEFAULT_CHUNK_ITEMS),
        time=None if seconds is None else timedelta(seconds=seconds),
        policy=chunk.get("policy"),
    )


def tolerance_definition(node: Mapping[str, Any]) -> ToleranceDefinition:
    """Returns what a step makes of errors; without `skip` and `retry` the first one fails it."""
    skip, retry = node.get("skip"), node.get("retry")
    return ToleranceDefinition(
        skip=SkipDefinition() if skip is None else _skip(skip),
        retry=RetryDefinition() if retry is None else _retry(retry),
        on_write_error=OnWriteError(node.get("on_write_error", OnWriteError.BISECT)),
    )


def _skip(node: Mapping[str, Any]) -> SkipDefinition:
    limit = node.get("limit")
    return SkipDefinition(
        rules=_rules(node),
        limit=None if limit is None or isinstance(limit, str) else int(limit),
        share=parse_share(limit) if isinstance(limit, str) else None,
        limits={name: int(count) for name, count in node.get("limits", {}).items()},
        policy=node.get("policy"),
    )


def _retry(node: Mapping[str, Any]) -> RetryDefinition:
    timeout = node.get("timeout")
    return RetryDefinition(
        rules=_rules(node),
        limit=int(node.get("limit", RetryDefinition.__dataclass_fields__["limit"].default)),
        timeout=None if timeout is None else parse_duration(timeout),
        backoff=_backoff(node.get("backoff") or {}),
        policy=node.get("policy"),
    )


def _backoff(node: Mapping[str, Any]) -> BackoffDefinition:
    is_growing = node.get("type") == "exponential"
    durations = {"initial": node.get("initial"), "most": node.get("max") if is_growing else node.get("initial")}
    return BackoffDefinition(
        multiplier=float(node.get("multiplier") or _MULTIPLIER) if is_growing else 1.0,
        jitter=node.get("jitter", False),
        policy=node.get("policy"),
        **{name: parse_duration(text) for name, text in durations.items() if text is not None},
    )


def _rules(node: Mapping[str, Any]) -> ErrorRules:
    return ErrorRules(tuple(node.get("errors", ())), tuple(node.get("except", ())))
