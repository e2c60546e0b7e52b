"""What a benchmark is made of: a contest on one task, the contenders in it, and what batchrun aims at."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks.place import Place

Check = Callable[[Place], None]
"""Makes sure that a contender has done the whole task; raises AssertionError else."""


@dataclass(frozen=True, slots=True)
class Command:
    """A whole command, timed from its start to its end.

    Attributes:
        argv: the program and its arguments.
        variables: of the environment, besides the usual ones.
        exit_codes: those it ends with when all is well.
    """

    argv: Sequence[str]
    variables: Mapping[str, str] = field(default_factory=dict)
    exit_codes: Sequence[int] = (0,)


@dataclass(frozen=True, slots=True)
class Contender:
    """A tool that does a contest's task.

    Attributes:
        name: as the tables have it.
        command: makes the command; called before each run, untimed.
        missing: says what is to be installed, or nothing where all is there.
        own_seconds: reads in what the command printed how long the work itself took, without the program's start.
        largest: the scale above which it takes too long to wait for.
        check: in the place of the contest's, for one that does less.
    """

    name: str
    command: Callable[[Place], Command]
    missing: Callable[[Place], str] = lambda _place: ""
    own_seconds: Callable[[str], float] | None = None
    largest: float = 100
    check: Check | None = None


@dataclass(frozen=True, slots=True)
class Aim:
    """What batchrun is to reach: a ratio of medians, of `name` to `against`; or seconds, where it is against nobody.

    Attributes:
        smallest: scale from which on it counts; with fewer rows the start of a process weighs more than they do.
    """

    against: str | None
    most: float
    name: str = "batchrun"
    of_own_seconds: bool = False
    smallest: float = 0


@dataclass(frozen=True, slots=True)
class Contest:
    """One task, done by each contender in turn, several rounds.

    Attributes:
        title: the task in words.
        contenders: the first is the one that all others are compared with.
        prepare: brings the target back to how it was, before each run; untimed.
        check: after each run; untimed.
        aims: what batchrun is to reach.
        rows: how many the task has at scale 1; None where rows mean nothing.
        scales: at which it is run, unless others are asked for.
    """

    title: str
    contenders: Sequence[Contender]
    prepare: Callable[[Place], None] = lambda _place: None
    check: Check = lambda _place: None
    aims: Sequence[Aim] = ()
    rows: int | None = 6_001_215
    scales: Sequence[float] = (0.1, 1)
