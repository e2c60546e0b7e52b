"""The command that measures chunk size and read-ahead of a job on copies: tune."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from batchrun.cli.interrupting import on_copies
from batchrun.cli.invocation import Invocation, Output
from batchrun.cli.options import JobArgument, OutputOption, ParameterArguments, ParameterFileOption, PlainCommand
from batchrun.cli.parameters import given_parameters

if TYPE_CHECKING:
    from batchrun.definition import LoadedJob
    from batchrun.definition.editing import Edit
    from batchrun.tune import TuneReport

_MOST_ROUNDS = 100

SampleOption = Annotated[
    int | None,
    typer.Option(
        "--sample",
        metavar="N",
        min=1000,
        help="Items that each run reads, from the beginning; by default up to 100,000, fewer where they take long.",
    ),
]
StepOption = Annotated[
    list[str] | None,
    typer.Option("--step", metavar="NAME", help="Measure this step alone; by default all chunk steps. Repeatable."),
]
RoundsOption = Annotated[
    int | None,
    typer.Option(
        "--rounds",
        metavar="N",
        min=3,
        max=_MOST_ROUNDS,
        help="How often each setting is measured; by default 5, or 3 where it would take long.",
    ),
]


def add_to(program: typer.Typer) -> None:
    """Adds the commands of this group."""
    program.command(
        cls=PlainCommand,
        epilog="\b\nExamples:\n"
        "  batchrun tune load_flights input=data/flights.csv\n"
        "  batchrun tune load_flights input=data/flights.csv --step load --sample 500000\n"
        "  batchrun tune load_flights input=data/flights.csv --write",
    )(tune)


def tune(
    context: typer.Context,
    job: JobArgument,
    parameters: ParameterArguments = None,
    params: ParameterFileOption = None,
    step: StepOption = None,
    sample: SampleOption = None,
    rounds: RoundsOption = None,
    with_effects: Annotated[
        bool, typer.Option("--with-effects", help="Also run steps that act outside of the copies, in each run.")
    ] = False,
    write: Annotated[bool, typer.Option("--write", help="Put what is recommended into the job file.")] = False,
    output: OutputOption = Output.TEXT,
) -> int:
    """Measure which chunk size and read-ahead are fastest.

    Runs the job on temporary copies of the project and its databases, with a sample of the real source, once for each
    setting in several rounds. Only a change that gains more than 5 % and more than the rounds differ is recommended, as
    lines of the job file. Exits with 0 whether or not one is.
    """
    from batchrun.cli.rendering.tuning import tune_progress
    from batchrun.tune import TuneSettings, prepared

    invocation: Invocation = context.obj
    given = given_parameters(parameters or (), params or ())
    with invocation.application() as application:
        loaded = application.load_job(job)
        settings = TuneSettings(sample, rounds, with_effects, application.repository_url)
        tuning = prepared(loaded, application.project, given, step or (), settings)
    with on_copies(), tune_progress(invocation.stderr, quiet=invocation.options.quiet) as told:
        report = tuning.run(told)
    edits = _edits(loaded, report)
    from batchrun.definition.editing import write_edits
    from batchrun.errors import UsageError

    try:
        if write:
            write_edits(edits)
    except UsageError:
        if output is Output.TEXT:  # what was measured is told all the same
            _tell(invocation, report, edits, output, is_written=False)
        raise
    _tell(invocation, report, edits, output, is_written=write)
    return 0


def _edits(loaded: LoadedJob, report: TuneReport) -> list[Edit]:
    """Returns what is to be changed in the job file, in its order."""
    from batchrun.definition.editing import edit_of

    edits: list[Edit] = []
    for step in report.steps:
        present, chosen = step.search.present, step.search.chosen
        if chosen.chunk is not None and chosen.chunk != present.chunk:
            edits.append(edit_of(loaded, step.name, "chunk", chosen.chunk))
        if chosen.read_ahead != present.read_ahead:
            edits.append(edit_of(loaded, step.name, "read_ahead", chosen.read_ahead))
    return edits


def _tell(invocation: Invocation, report: TuneReport, edits: list[Edit], output: Output, *, is_written: bool) -> None:
    if output is Output.JSON:
        from batchrun.cli.documents import as_json
        from batchrun.cli.tune_documents import tune_document

        invocation.stdout.write(as_json(tune_document(report, edits, is_written=is_written)))
    else:
        from batchrun.cli.rendering.tuning import show_tune

        show_tune(invocation.stdout, report, edits, is_written=is_written)
