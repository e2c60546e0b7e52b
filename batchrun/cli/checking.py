"""The commands about job files: validate and schema."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from batchrun.cli.invocation import Invocation, Output
from batchrun.cli.options import JobArgument, OutputOption, PlainCommand

if TYPE_CHECKING:
    from batchrun.definition import LoadedJob
    from batchrun.errors import DefinitionError


def add_to(program: typer.Typer) -> None:
    """Adds the commands of this group."""
    program.command(cls=PlainCommand, epilog="\b\nExample:\n  batchrun validate jobs.d/load_flights.yaml")(validate)
    program.command(cls=PlainCommand, epilog="\b\nExample:\n  batchrun schema --output-dir schemas")(schema)


def validate(context: typer.Context, job: JobArgument, output: OutputOption = Output.TEXT) -> int:
    """Check a job file and show everything that is wrong in it.

    Nothing is run, and no database is asked.
    """
    from batchrun.errors import DefinitionError

    invocation: Invocation = context.obj
    with invocation.application() as application:
        try:
            loaded = application.load_job(job)
        except DefinitionError as error:
            if output is Output.TEXT:
                raise
            _write_document(invocation, None, error)
            return error.exit_code
    if output is Output.JSON:
        _write_document(invocation, loaded, None)
        return 0
    invocation.warn(loaded.warnings)
    invocation.stdout.print(_verdict(loaded))
    return 0


def _verdict(loaded: LoadedJob) -> str:
    steps = len(loaded.definition.steps)
    warnings = len(loaded.warnings)
    told = f", {warnings} warning{'' if warnings == 1 else 's'}" if warnings else ""
    return f"{loaded.path}: job {loaded.definition.name!r} is valid, {steps} step{'' if steps == 1 else 's'}{told}"


def _write_document(invocation: Invocation, loaded: LoadedJob | None, error: DefinitionError | None) -> None:
    from batchrun.cli.documents import as_json, problem_document

    problems = error.problems if error is not None else loaded.warnings if loaded is not None else ()
    document = {
        "valid": error is None,
        "job_name": None if loaded is None else loaded.definition.name,
        "problems": [problem_document(problem) for problem in problems],
    }
    invocation.stdout.write(as_json(document))


def schema(
    context: typer.Context,
    output_dir: Annotated[
        Path | None,
        typer.Option("--output-dir", metavar="DIR", help="Write job.schema.json into this folder; else to stdout."),
    ] = None,
) -> int:
    """Print the JSON Schema of job files, for editors.

    A job file names it in its first line: # yaml-language-server: $schema=../schemas/job.schema.json
    """
    from batchrun.definition.schema import schema_text, write_schemas
    from batchrun.errors import UsageError

    invocation: Invocation = context.obj
    with invocation.application() as application:
        registry = application.registry()
    if output_dir is None:
        invocation.stdout.write(schema_text(registry))
        return 0
    try:
        written = write_schemas(output_dir, registry)
    except OSError as error:
        raise UsageError(f"{output_dir} cannot be written: {error.strerror}") from error
    for path in written:
        invocation.stderr.print(f"wrote {path}")
    return 0
