"""The commands that describe a job without running it: explain and graph."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from batchrun.cli.invocation import Invocation, Output
from batchrun.cli.options import JobArgument, OutputOption, PlainCommand

if TYPE_CHECKING:
    from batchrun.app import Application
    from batchrun.operations.graph import JobGraph


class GraphFormat(StrEnum):
    """A form of a graph."""

    TREE = "tree"
    MERMAID = "mermaid"
    SVG = "svg"
    DOT = "dot"


def add_to(program: typer.Typer) -> None:
    """Adds the commands of this group."""
    program.command(cls=PlainCommand, epilog="\b\nExample:\n  batchrun explain load_flights")(explain)
    program.command(
        cls=PlainCommand,
        epilog="\b\nExamples:\n  batchrun graph load_flights\n  batchrun graph 7 --format svg -o run.svg",
    )(graph)


def explain(context: typer.Context, job: JobArgument, output: OutputOption = Output.TEXT) -> int:
    """Tell what a job does and promises, and what costs speed.

    Of each step: what it does, what holds after a crash and why, and where it goes on.

    Nothing is run, and no database is asked.
    """
    invocation: Invocation = context.obj
    with invocation.application() as application:
        explanation = application.explain(application.load_job(job))
    if output is Output.JSON:
        from batchrun.cli.documents import as_json
        from batchrun.cli.explanation_documents import explanation_document

        invocation.stdout.write(as_json(explanation_document(explanation)))
    else:
        from batchrun.cli.rendering.explanation import show_explanation

        show_explanation(invocation.stdout, explanation)
    return 0


def graph(
    context: typer.Context,
    job: Annotated[
        str,
        typer.Argument(metavar="JOB|ID", help="A job, as launch takes it; or an execution, whose states are marked."),
    ],
    format: Annotated[
        GraphFormat, typer.Option("--format", "-f", metavar="FORM", help="tree, mermaid, svg or dot.")
    ] = GraphFormat.TREE,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write it into a file; else to stdout.")
    ] = None,
) -> int:
    """Draw a job's flow: steps, branches, transitions and ends.

    Nothing is run, and no database of the job is asked.
    """
    invocation: Invocation = context.obj
    with invocation.application() as application:
        drawn = _graph(invocation, application, job)
    if output is not None:
        _write(output, _document(drawn, format))
    elif format is GraphFormat.TREE:
        from batchrun.cli.rendering.graph.tree import show_tree

        show_tree(invocation.stdout, drawn)
    else:
        invocation.stdout.write(_document(drawn, format))
    return 0


def _graph(invocation: Invocation, application: Application, job: str) -> JobGraph:
    from batchrun.operations.graph import graph_of

    if not job.isdecimal():
        return graph_of(application.load_job(job).definition)
    attempts = application.explorer.attempts(application.explorer.execution(int(job)))
    loaded = application.job_of(attempts[-1])
    if loaded.text != attempts[-1].job_text and not invocation.options.quiet:
        message = f"{loaded.title} has changed since execution {job}; this is the flow as it is now"
        invocation.stderr.print_labelled("warning", message)
    return graph_of(loaded.definition, attempts)


def _document(graph: JobGraph, format: GraphFormat) -> str:
    match format:
        case GraphFormat.MERMAID:
            from batchrun.cli.rendering.graph.mermaid import mermaid_of

            return mermaid_of(graph)
        case GraphFormat.DOT:
            from batchrun.cli.rendering.graph.dot import dot_of

            return dot_of(graph)
        case GraphFormat.SVG:
            from batchrun.cli.rendering.graph.svg import svg_of

            return svg_of(graph)
        case GraphFormat.TREE:
            from batchrun.cli.rendering.graph.tree import tree_of

            return tree_of(graph)


def _write(path: Path, text: str) -> None:
    from batchrun.cli.outputs import writing

    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
