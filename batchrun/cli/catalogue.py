"""The command that shows what jobs are made of: components."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from batchrun.cli.invocation import Invocation, Output
from batchrun.cli.options import OutputOption, PlainCommand

if TYPE_CHECKING:
    from batchrun.registry import Registry
    from batchrun.spi.spec import ComponentSpec


def add_to(program: typer.Typer) -> None:
    """Adds the commands of this group."""
    program.command(
        cls=PlainCommand,
        epilog="\b\nExamples:\n  batchrun components\n  batchrun components csv\n  batchrun components writer.table",
    )(components)


def components(
    context: typer.Context,
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="A component, such as csv or reader.csv; else all.")
    ] = None,
    output: OutputOption = Output.TEXT,
) -> int:
    """Show what jobs are made of, or one component with its options."""
    invocation: Invocation = context.obj
    with invocation.application() as application:
        registry = application.registry()
        if name is None:
            _list_all(invocation, registry, output)
        else:
            _show_named(invocation, registry, name, output)
    return 0


def _list_all(invocation: Invocation, registry: Registry, output: Output) -> None:
    from batchrun.cli.component_documents import component_summary

    summaries = [component_summary(spec) for spec in _loadable(invocation, registry, _all_names(registry))]
    if output is Output.JSON:
        from batchrun.cli.documents import as_json

        invocation.stdout.write(as_json(summaries))
    else:
        from batchrun.cli.rendering.components import show_components

        show_components(invocation.stdout, summaries)


def _show_named(invocation: Invocation, registry: Registry, name: str, output: Output) -> None:
    from batchrun.cli.component_documents import component_document

    documents = [component_document(registry.spec(role, each)) for role, each in _named(registry, name)]
    if output is Output.JSON:
        from batchrun.cli.documents import as_json

        invocation.stdout.write(as_json(documents))
    else:
        from batchrun.cli.rendering.components import show_component

        for document in documents:
            show_component(invocation.stdout, document, is_last=document is documents[-1])


def _loadable(invocation: Invocation, registry: Registry, names: list[tuple[str, str]]) -> list[ComponentSpec]:
    """Returns the specs; a plugin that cannot be loaded is told of and hides no other."""
    from batchrun.errors import BatchrunError

    specs = []
    for role, name in names:
        try:
            specs.append(registry.spec(role, name))
        except BatchrunError as error:
            invocation.stderr.print_labelled("warning", str(error))
    return specs


def _all_names(registry: Registry) -> list[tuple[str, str]]:
    from batchrun.spi.spec import ROLES

    return [(role, name) for role in ROLES for name in registry.names(role)]


def _named(registry: Registry, name: str) -> list[tuple[str, str]]:
    """Returns role and name of the components that are meant: `csv` is a reader and a writer, `reader.csv` is one."""
    from batchrun.errors import UsageError, did_you_mean

    known = _all_names(registry)
    found = [(role, each) for role, each in known if name in (each, f"{role}.{each}")]
    if not found:
        spelt = [*dict.fromkeys(each for _, each in known), *(f"{role}.{each}" for role, each in known)]
        raise UsageError(
            f"there is no component {name!r}", hint=did_you_mean(name, spelt) or "batchrun components lists them"
        )
    return found
