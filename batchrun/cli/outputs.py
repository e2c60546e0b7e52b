"""What `--output` asks for: forms of a command's result, one on stdout and any number in files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

_OPTION, _SHORT = "--output", "-o"


class Form(StrEnum):
    """A form of a result."""

    TEXT = "text"
    JSON = "json"
    JUNIT = "junit"
    GITHUB = "github"


class Outputs(NamedTuple):
    """Where the result of a command goes, and in which forms.

    Attributes:
        stdout: the form on stdout.
        files: forms with the files that get them.
        github: annotations go to stderr, and a summary to the file that GitHub Actions names.
    """

    stdout: Form = Form.TEXT
    files: tuple[tuple[Form, Path], ...] = ()
    github: bool = False

    @property
    def has_report(self) -> bool:
        """Tells whether a form is wanted that lists steps which earlier executions completed."""
        return self.github or Form.JUNIT in (self.stdout, *(form for form, _ in self.files))

    def make_ready(self) -> None:
        """Makes sure that the files can be written, before anything runs, and takes away those of an earlier run.

        Raises:
            UsageError: one cannot.
        """
        for _, path in self.files:
            if path.is_file() or path.is_dir() or not path.exists():  # a pipe is left alone
                with writing(path):
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.open("a").close()
                    path.unlink()


class writing:  # noqa: N801 - reads as the statement that it is
    """Turns the failure to write a file into wrong usage; a context manager."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        """Has nothing to prepare."""

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        """Raises UsageError for an OSError."""
        if isinstance(error, OSError):
            from batchrun.errors import UsageError

            raise UsageError(f"{self._path} cannot be written: {error.strerror}") from error


def read_outputs(given: Sequence[str], variables: Mapping[str, str]) -> Outputs:
    """Reads the values of `--output`: `FORM` for stdout, `FORM=FILE` for a file.

    The form github is on by itself under GitHub Actions, unless another form is asked for on stdout.

    Args:
        given: the values in their order.
        variables: of the environment.

    Raises:
        UsageError: there is no such form, or two are to go to one place.
    """
    shown: list[Form] = []
    files: dict[Path, Form] = {}
    for value in given:
        word, equals, file = value.partition("=")
        if not equals:
            shown.append(_form(word))
        elif (path := Path(file)) in files:
            raise _refused(f"{file} is given for two forms")
        else:
            files[path] = _file_form(word, file)
    stdout = list(dict.fromkeys(form for form in shown if form is not Form.GITHUB))
    if len(stdout) > 1:
        raise _refused(f"stdout takes one form, got: {' and '.join(stdout)}", f"{_OPTION} {stdout[1]}=FILE")
    github = Form.GITHUB in shown or (not shown and variables.get("GITHUB_ACTIONS") == "true")
    return Outputs(stdout[0] if stdout else Form.TEXT, tuple((form, path) for path, form in files.items()), github)


def _form(word: str) -> Form:
    from batchrun.errors import did_you_mean

    try:
        return Form(word)
    except ValueError:
        known = f"{', '.join(list(Form)[:-1])} or {list(Form)[-1]}"
        raise _refused(f"expected {_OPTION} to be {known}, got: {word!r}", did_you_mean(word, map(str, Form))) from None


def _file_form(word: str, file: str) -> Form:
    form = _form(word)
    if form is Form.GITHUB:
        raise _refused("the form github goes to the log and to $GITHUB_STEP_SUMMARY, not to a file")
    if not file:
        raise _refused(f"{_OPTION} {word}= needs a file", f"{_OPTION} {word}=FILE")
    return form


def _refused(message: str, hint: str | None = None) -> Exception:
    from batchrun.errors import UsageError

    return UsageError(message, hint=hint)


def asked_outputs(arguments: Sequence[str], variables: Mapping[str, str]) -> Outputs:
    """Returns what the arguments of a process ask for, as far as they can be read.

    A command that cannot even be parsed tells that in the form that its caller reads.
    """
    from batchrun.errors import UsageError

    try:
        return read_outputs(list(_values(arguments)), variables)
    except UsageError:
        return read_outputs((), variables)


def _values(arguments: Sequence[str]) -> Iterator[str]:
    left = iter(arguments)
    for argument in left:
        if argument == "--":
            return
        if argument in (_OPTION, _SHORT):
            yield from [next(left, "")]
        elif argument.startswith(f"{_OPTION}="):
            yield argument.partition("=")[2]
        elif argument.startswith(_SHORT) and len(argument) > len(_SHORT):
            yield argument.removeprefix(_SHORT)
