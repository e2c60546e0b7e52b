"""Runs contests: `python -m benchmarks [CONTEST …]`. See README.md."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from benchmarks.contest import Contender, Contest
from benchmarks.contests import all_contests
from benchmarks.machine import describe_machine
from benchmarks.measuring import CommandFailedError, Run, measured
from benchmarks.place import ROOT, Place
from benchmarks.report import write_report
from benchmarks.results import Result
from benchmarks.server import server


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs what the command line asks for, and writes RESULTS.md anew."""
    given = _parser().parse_args(arguments)
    contests = _chosen(all_contests(), given.contests)
    if given.report:
        write_report(all_contests())
        return 0
    given.data.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="batchrun-bench-") as folder, server() as url:
        place = Place(Path(folder), given.data.resolve(), 1, url, given.peers)
        for name, contest in contests.items():
            for scale in given.scale or contest.scales:
                _run(name, contest, place.at(scale, name), given)
                write_report(all_contests())
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("contests", nargs="*", metavar="CONTEST", help="names or patterns; all of them by default")
    parser.add_argument("--scale", type=float, action="append", help="of TPC-H; each contest has its own")
    parser.add_argument("--rounds", type=int, default=3, help="how often each contender runs (default 3)")
    parser.add_argument("--only", action="append", metavar="TEXT", help="contenders whose name holds this text")
    parser.add_argument("--data", type=Path, default=ROOT / "data" / "benchmarks", help="where generated data is kept")
    parser.add_argument(
        "--peers", type=Path, default=ROOT / ".venv-peers" / "bin" / "python", help="Python of the peers"
    )
    parser.add_argument("--report", action="store_true", help="only write RESULTS.md anew from benchmarks/results")
    return parser


def _chosen(contests: dict[str, Contest], patterns: Sequence[str]) -> dict[str, Contest]:
    if unknown := [each for each in patterns if not any(fnmatchcase(name, each) for name in contests)]:
        sys.exit(f"there is no contest {unknown[0]!r}; there are: {', '.join(contests)}")
    return {
        name: each
        for name, each in contests.items()
        if not patterns or any(fnmatchcase(name, pattern) for pattern in patterns)
    }


def _run(name: str, contest: Contest, place: Place, given: argparse.Namespace) -> None:
    print(f"\n{contest.title}, scale {place.scale:g}", flush=True)
    result = Result(name, place.scale, describe_machine(place))
    contenders = []
    for each in contest.contenders:
        why = each.missing(place)
        if not why and place.scale > each.largest:
            why = f"it would take too long at this scale; see scale {each.largest:g}"
        if why:
            result.left_out[each.name] = why
        elif not given.only or any(text in each.name for text in given.only):
            contenders.append(each)
    for number in range(given.rounds):
        for each in _turned(contenders, number):
            if each.name in result.left_out:
                continue
            try:
                run = _measured(contest, each, place)
            except (CommandFailedError, AssertionError) as error:
                result.left_out[each.name] = f"it failed: {error}"
                print(f"  {each.name:40} FAILED: {error}", flush=True)
                result.runs.pop(each.name, None)
                continue
            result.runs.setdefault(each.name, []).append(run)
            own = "" if run.own_seconds is None else f"   {run.own_seconds:8.3f} s of its own"
            print(f"  {each.name:40} {run.seconds:9.3f} s   {run.peak >> 20:5} MB{own}", flush=True)
    if not given.only:
        result.save()


def _turned(contenders: Sequence[Contender], number: int) -> Sequence[Contender]:
    """Returns them in another order each round, so that none always follows the same one."""
    start = number % max(len(contenders), 1)
    return [*contenders[start:], *contenders[:start]]


def _measured(contest: Contest, contender: Contender, place: Place) -> Run:
    contest.prepare(place)
    command = contender.command(place)
    run, printed = measured(command, place.folder)
    (contender.check or contest.check)(place)
    if contender.own_seconds is None:
        return run
    return Run(run.seconds, run.processor_seconds, run.peak, contender.own_seconds(printed))


if __name__ == "__main__":
    sys.exit(main())
