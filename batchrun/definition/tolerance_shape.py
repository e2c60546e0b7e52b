"""The shapes of what a chunk step makes of errors, and of when its chunks are full."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from batchrun.definition.node_shape import Duration, NotNegative, Positive, Shape, Text, says

_Seconds = Annotated[float, msgspec.Meta(gt=0)]
_Factor = Annotated[float, msgspec.Meta(ge=1)]
_Share = Annotated[str, msgspec.Meta(extra_json_schema={"format": "share"})]
_Policy = Annotated[str, msgspec.Meta(extra_json_schema={"format": "reference"})]
_Errors = Annotated[
    list[Text],
    says("Classes of errors by name, with their subclasses.", examples=[["ParseError", "IntegrityError"]]),
]
_Except = Annotated[list[Text], says("Classes among them that are not meant.")]


class ChunkShape(Shape, kw_only=True):
    """When a chunk is full: by the number of its items, by time, or as a policy says."""

    items: Annotated[Positive | None, says("The commit interval, in items; by default 1000.")] = None
    seconds: Annotated[
        _Seconds | None, says("How long its items may take to be read and processed, in seconds; then it closes.")
    ] = None
    policy: Annotated[
        _Policy | None, says("A CompletionPolicy that says when it is full.", examples=["policies:ByOrder"])
    ] = None


class SkipShape(Shape, kw_only=True):
    """Which errors are skipped, and how many at most; each skipped item goes to the step's rejects."""

    errors: _Errors = []
    except_: _Except = msgspec.field(name="except", default_factory=list)
    limit: Annotated[
        NotNegative | _Share | None,
        says("How many items in one execution, or what part of those read; by default any.", examples=[100, "5%"]),
    ] = None
    limits: Annotated[dict[Text, NotNegative], says("How many by class of error.", examples=[{"ParseError": 10}])] = {}
    policy: Annotated[_Policy | None, says("A SkipPolicy that decides instead.", examples=["policies:Lenient"])] = None


class BackoffShape(Shape, kw_only=True):
    """How long to wait before the next attempt; at least as long as the error itself asks for (Retry-After)."""

    type: Annotated[
        Literal["fixed", "exponential"], says("Always the same time, or longer from attempt to attempt.")
    ] = "fixed"
    initial: Annotated[Duration, says("The wait after the first attempt.", examples=["200ms"])] = "200ms"
    multiplier: Annotated[_Factor | None, says("How many times as long each further wait is; by default 2.")] = None
    max: Annotated[Duration, says("The longest wait.", examples=["10s"])] = "30s"
    jitter: Annotated[bool, says("Wait a random time from half of it on, so that not all come back together.")] = False
    policy: Annotated[_Policy | None, says("A BackoffPolicy that decides instead.", examples=["policies:Politely"])] = (
        None
    )


class RetryShape(Shape, kw_only=True):
    """Which errors are tried again."""

    errors: _Errors = []
    except_: _Except = msgspec.field(name="except", default_factory=list)
    limit: Annotated[Positive, says("How many attempts in all; the first one counts.")] = 3
    timeout: Annotated[
        Duration | None, says("How long after the first attempt no further one begins.", examples=["1m"])
    ] = None
    backoff: Annotated[BackoffShape | None, says("How long to wait before the next attempt.")] = None
    policy: Annotated[
        _Policy | None, says("A RetryPolicy that decides instead.", examples=["policies:WhileLocked"])
    ] = None
