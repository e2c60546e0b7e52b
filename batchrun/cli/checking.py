"""The commands about job files: validate and schema."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from batchrun.cli.invocation import Invocation
from batchrun.cli.options import JobArgument, OutputsOption, PlainCommand
from batchrun.cli.outputs import Form

if TYPE_CHECKING:
    from batchrun.definition import LoadedJob
    from batchrun.errors import DefinitionError


def add_to(program: typer.Typer) -> None:
    """Adds the commands of this group."""
    program.command(cls=PlainCommand, epilog="\b\nExample:\n  batchrun validate jobs.d/load_flights.yaml")(validate)
    program.command(cls=PlainCommand, epilog="\b\nExample:\n  batchrun schema --output-dir schemas")(schema)


def validate(context: typer.Context, job: JobArgument, output: OutputsOption = None) -> int:
    """Check a job file and show everything that is wrong in it.

    Nothing is run, and no database is asked.
    """
    from batchrun.errors import DefinitionError

    invocation: Invocation = context.obj
    invocation.take_outputs(output or ())
    with invocation.application() as application:
        try:
            return _tell_valid(invocation, application.load_job(job))
        except DefinitionError as error:
            return _tell_wrong(invocation, job, error)


def _tell_valid(invocation: Invocation, loaded: LoadedJob) -> int:
    from batchrun.cli.reports.check import CheckResult
    from batchrun.cli.reports.writing import write_forms

    result = CheckResult(loaded.title, _verdict(loaded), 0, loaded.warnings, loaded.definition.name)
    if invocation.outputs.stdout is Form.TEXT and not invocation.options.quiet:
        invocation.warn(loaded.warnings)
        invocation.stdout.print(result.verdict)
    write_forms(invocation, result)
    return 0


def _tell_wrong(invocation: Invocation, job: str, error: DefinitionError) -> int:
    from batchrun.cli.rendering.problems import show_problem
    from batchrun.cli.reports.check import CheckResult
    from batchrun.cli.reports.writing import write_forms

    if invocation.outputs.stdout is Form.TEXT:
        for problem in error.problems:
            show_problem(invocation.stderr, problem)
        invocation.stderr.print_labelled("error", error.message)
    write_forms(invocation, CheckResult(job, f"{job}: {error.message}", error.exit_code, error.problems))
    return error.exit_code


def _verdict(loaded: LoadedJob) -> str:
    steps = len(loaded.definition.steps)
    warnings = len(loaded.warnings)
    told = f", {warnings} warning{'' if warnings == 1 else 's'}" if warnings else ""
    return f"{loaded.title}: job {loaded.definition.name!r} is valid, {steps} step{'' if steps == 1 else 's'}{told}"


def schema(
    context: typer.Context,
    output_dir: Annotated[
        Path | None,
        typer.Option(
            "--output-dir", metavar="DIR", help="Write job.schema.json and flow.schema.json into this folder."
        ),
    ] = None,
) -> int:
    """Print the JSON Schema of job files, for editors.

    With --output-dir also that of the flows that jobs include.

    A job file names it in its first line: # yaml-language-server: $schema=../schemas/job.schema.json
    """
    from batchrun.definition.schema import job_schema, schema_text, write_schemas
    from batchrun.errors import UsageError

    invocation: Invocation = context.obj
    with invocation.application() as application:
        registry = application.registry()
    if output_dir is None:
        invocation.stdout.write(schema_text(job_schema(registry)))
        return 0
    try:
        written = write_schemas(output_dir, registry)
    except OSError as error:
        raise UsageError(f"{output_dir} cannot be written: {error.strerror}") from error
    for path in written:
        invocation.stderr.print(f"wrote {path}")
    return 0
