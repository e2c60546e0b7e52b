"""The parameters that a command is given: `key=value` arguments, and parameter files under them."""

from __future__ import annotations

from collections.abc import Sequence


def given_parameters(arguments: Sequence[str], files: Sequence[str] = ()) -> dict[str, object]:
    """Returns the given values by name; an argument wins over a file, and a file over those before it.

    Args:
        arguments: `key=value`, split at the first `=`.
        files: paths of parameter files; `-` is stdin.

    Raises:
        UsageError: an argument is none, or a key stands twice.
        DefinitionError: a file cannot be read.
    """
    given = split_parameters(arguments)
    return {**_files(files), **given}


def split_parameters(arguments: Sequence[str]) -> dict[str, str]:
    """Returns the texts of `key=value` arguments by name.

    Raises:
        UsageError: an argument is none, or a key stands twice.
    """
    from batchrun.errors import UsageError

    given: dict[str, str] = {}
    for argument in arguments:
        key, equals, value = argument.partition("=")
        if not (key and equals):
            raise UsageError(
                f"{argument!r} is not a parameter: it needs a name, = and a value",
                hint=f"{key or 'name'}=VALUE",
            )
        if key in given:
            raise UsageError(f"parameter {key!r} is given twice", hint="give it once")
        given[key] = value
    return given


def _files(files: Sequence[str]) -> dict[str, object]:
    if not files:
        return {}
    from pathlib import Path

    from batchrun.definition import read_parameter_file
    from batchrun.errors import UsageError

    if files.count("-") > 1:
        raise UsageError("--params - stands twice, and there is one stdin")
    given: dict[str, object] = {}
    for file in files:
        given.update(read_parameter_file(file, Path.cwd()))
    return given
