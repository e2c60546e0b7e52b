"""What the commands share: arguments, options, and the class that shows how to call them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
import typer.core

from batchrun.cli.invocation import Output
from batchrun.cli.outputs import Form


class PlainCommand(typer.core.TyperCommand):
    """A command whose usage line names a required argument as JOB, where typer has {JOB}."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Returns the parts of the usage line after the command's name."""
        return [piece.strip("{}") for piece in super().collect_usage_pieces(ctx)]


def _job_names(incomplete: str) -> list[str]:
    """Completes a job: names in `jobs.d/`, and YAML files by their path."""
    names = [path.stem for path in sorted(Path("jobs.d").glob("*.yaml"))]
    files = [str(path) for path in sorted(Path().glob(f"{incomplete}*")) if path.suffix in (".yaml", ".yml")]
    folders = [f"{path}/" for path in sorted(Path().glob(f"{incomplete}*")) if path.is_dir()] if incomplete else []
    return [each for each in (*names, *files, *folders) if each.startswith(incomplete)]


JobArgument = Annotated[
    str,
    typer.Argument(
        metavar="JOB", help="Path of a job file, or the name of a job in jobs.d/.", autocompletion=_job_names
    ),
]
MAX_NUMBER = 2**63 - 1
"""The largest number that a repository takes."""

ExecutionArgument = Annotated[
    int, typer.Argument(metavar="ID", min=0, max=MAX_NUMBER, help="Id of an execution, as history lists them.")
]
OptionalExecutionArgument = Annotated[
    int | None,
    typer.Argument(metavar="[ID]", min=0, max=MAX_NUMBER, help="Id of an execution; by default the last one."),
]
OptionalRestartableArgument = Annotated[
    int | None,
    typer.Argument(
        metavar="[ID]", min=0, max=MAX_NUMBER, help="Id of an execution; left out: the last one that can be restarted."
    ),
]
ParameterArguments = Annotated[
    list[str] | None, typer.Argument(metavar="[KEY=VALUE]...", help="Parameters of the job, in any number.")
]
ParameterFileOption = Annotated[
    list[str] | None,
    typer.Option(
        "--params",
        metavar="FILE",
        help="More parameters: a YAML or JSON mapping, or KEY=VALUE lines; - is stdin. KEY=VALUE here wins.",
    ),
]
OutputOption = Annotated[
    Output, typer.Option("--output", "-o", metavar="FORM", help="Form of the result on stdout: text or json.")
]
OutputsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FORM[=FILE]",
        help="Form of the result: text, json, junit or github; with =FILE in a file as well. Repeatable.",
        autocompletion=lambda incomplete: [form for form in Form if form.startswith(incomplete)],
    ),
]
DetachOption = Annotated[
    bool,
    typer.Option("--detach", "-d", help="Run in a process of its own, and return with the execution's id at once."),
]
FailOnSkipsOption = Annotated[
    bool, typer.Option("--fail-on-skips", help="Exit with 10 if the job completes but has skipped items.")
]
