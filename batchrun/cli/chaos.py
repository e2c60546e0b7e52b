"""The command that kills a job at its commits, on copies, and compares what restarts make of it: chaos."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from batchrun.cli.interrupting import on_copies
from batchrun.cli.invocation import Invocation, Output
from batchrun.cli.options import JobArgument, OutputOption, ParameterArguments, ParameterFileOption, PlainCommand
from batchrun.cli.parameters import given_parameters

if TYPE_CHECKING:
    from batchrun.chaos import TrialReport

_MOST_SIDE_BY_SIDE = 64

KillAtOption = Annotated[
    str,
    typer.Option(
        "--kill-at",
        metavar="WHERE",
        help="every-commit: at each boundary of a commit in turn; random:N: N kills, several in a round; "
        "12,7: one round, at boundary 12, and at 7 of the restart.",
    ),
]
SuspendOption = Annotated[
    bool,
    typer.Option("--suspend", help="Stop the process instead, and wake it when a successor has taken over."),
]
IgnoreOption = Annotated[
    list[str] | None,
    typer.Option(
        "--ignore",
        metavar="NAME",
        help="Leave out TABLE.COLUMN, TABLE, a database or files like this. Repeatable.",
    ),
]
RepositoryOption = Annotated[
    str | None,
    typer.Option(
        "--chaos-repository",
        metavar="URL",
        help="Keep the runs' repositories in scratch schemas of this PostgreSQL database, not in SQLite.",
    ),
]


def add_to(program: typer.Typer) -> None:
    """Adds the commands of this group."""
    program.command(
        cls=PlainCommand,
        epilog="\b\nExamples:\n"
        "  batchrun chaos load_flights input=data/flights.csv\n"
        "  batchrun chaos load_flights input=data/flights.csv --kill-at random:50 --seed 7\n"
        "  batchrun chaos load_flights input=data/flights.csv --suspend",
    )(chaos)


def chaos(
    context: typer.Context,
    job: JobArgument,
    parameters: ParameterArguments = None,
    params: ParameterFileOption = None,
    kill_at: KillAtOption = "every-commit",
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Of the random numbers.")] = 1,
    suspend: SuspendOption = False,
    ignore: IgnoreOption = None,
    with_effects: Annotated[
        bool, typer.Option("--with-effects", help="Also run steps that act outside: shell, http and launch.")
    ] = False,
    repository: RepositoryOption = None,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the copies of the rounds that differ.")] = False,
    jobs: Annotated[
        int, typer.Option("--jobs", metavar="N", min=1, max=_MOST_SIDE_BY_SIDE, help="Rounds side by side.")
    ] = 1,
    output: OutputOption = Output.TEXT,
) -> int:
    """Kill a job at its commits and see that restarts mend it.

    It runs on temporary copies of the project and its databases, never on the originals: twice undisturbed, then in
    rounds that are killed before and after commits and restarted until they end. Exits with 0 if each round has left
    what the undisturbed run has, with 1 if not.
    """
    from batchrun.chaos import Ignored, Schedule, Settings, Trial, subject_of
    from batchrun.cli.rendering.chaos import chaos_progress

    invocation: Invocation = context.obj
    schedule = Schedule.read(kill_at, seed)
    given = given_parameters(parameters or (), params or ())
    with invocation.application() as application:
        loaded = application.load_job(job)
        subject = subject_of(loaded, application.project, given, with_effects=with_effects)
    settings = Settings(schedule, suspend, repository, Ignored(tuple(ignore or ())), keep, jobs)
    with on_copies(), chaos_progress(invocation.stderr, quiet=invocation.options.quiet) as told:
        report = Trial(subject, settings).run(told)
    return _tell(invocation, report, output)


def _tell(invocation: Invocation, report: TrialReport, output: Output) -> int:
    if output is Output.JSON:
        from batchrun.cli.chaos_documents import chaos_document
        from batchrun.cli.documents import as_json

        invocation.stdout.write(as_json(chaos_document(report)))
    else:
        from batchrun.cli.rendering.chaos import show_chaos

        if not (report.is_equal and invocation.options.quiet):
            show_chaos(invocation.stdout, report)
    return 0 if report.is_equal else 1
