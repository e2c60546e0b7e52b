"""Tasklet `files`: copies, moves, deletes, compresses or decompresses files."""

from __future__ import annotations

import glob
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

from batchrun.components.files.part_file import part_tag
from batchrun.components.files.transfer import Action, Format, Transfer, sync_folders
from batchrun.errors import StepStoppedError, TaskletError
from batchrun.spi.checkpoint import CheckpointStore
from batchrun.spi.scope import ComponentScope
from batchrun.spi.spec import Capabilities, ComponentSpec, Options, OptionsProblem, component, option
from batchrun.spi.tasklet import RepeatStatus, StepContribution

_FILES_A_CALL = 100
_BYTES_A_CALL = 64 << 20
_STATE = "files"

Doing = list[tuple[str, str | None]]
"""Source and target of each file that the next call works on."""


class FilesOptions(Options, kw_only=True):
    """Options of the tasklet `files`."""

    action: Annotated[Action, option("What happens to the files.")]
    files: Annotated[
        str | list[str],
        option("Paths or patterns (`*`, `?`, `[a-z]`, `**` for any folders), relative to the project folder."),
    ]
    to: Annotated[str, option("The folder they go to, made where it is missing.", min_length=1)] | None = None
    name: (
        Annotated[str, option("The name that the file gets there, where it is one file.", pattern=r"^[^/]+$")] | None
    ) = None
    format: Annotated[Format, option("What `compress` makes; zstd needs the extra `zstd`.")] = "gzip"
    keep: Annotated[bool, option("Keeps the file that was compressed or decompressed.")] = False
    if_exists: Annotated[
        Literal["fail", "replace", "skip"], option("What to do where the target is there already.")
    ] = "fail"
    missing: Annotated[Literal["fail", "ignore"], option("What to do where a path or pattern finds no file.")] = "fail"

    def check(self) -> list[OptionsProblem]:
        """Checks that the options fit the action."""
        problems = []
        if not self.files:
            problems.append(OptionsProblem("there is no file", ("files",)))
        if self.action in ("copy", "move") and self.to is None:
            problems.append(OptionsProblem(f"{self.action} needs `to`", (), "the folder that the files go to"))
        if self.action == "delete":
            given = [key for key in ("to", "name") if getattr(self, key) is not None]
            problems += [OptionsProblem(f"delete has no use for {key!r}", (key,)) for key in given]
        return problems


SPEC = ComponentSpec(
    role="tasklet",
    name="files",
    summary="Copies, moves, deletes, compresses or decompresses files.",
    options=FilesOptions,
    example="""
type: files
action: move
files: data/incoming/*.csv
to: data/archive
""",
    capabilities=Capabilities(restartable=True, idempotent=True),
    description=(
        "A file gets its new name at once, when it is whole, and keeps its times and rights. What is to be done next "
        "is saved before it is done, about a hundred files at a time, so a restart goes on where the last attempt was, "
        "and what that one had done already is no error. Without `to`, compressed and decompressed files stand beside "
        "their originals. The read count is the number of files looked at, the filter count of those skipped because "
        "the target was there, the write count of those done."
    ),
)


@component(SPEC)
class FilesTasklet:
    """In each call, does what the last one planned, and plans the next."""

    def __init__(self, options: FilesOptions, scope: ComponentScope) -> None:
        self._options = options
        self._scope = scope
        self._transfer = Transfer(options.action, options.format, options.keep, part_tag(scope), scope.should_stop)
        self._names: Iterator[str] | None = None

    def open(self) -> CheckpointStore | None:
        """Has no transaction."""
        return None

    def execute(self, contribution: StepContribution) -> RepeatStatus | None:
        """Does up to a hundred files, and decides on the next.

        Raises:
            TaskletError: a file is missing, or a target is there already.
            OutputError: the system refuses; names the file.
        """
        state = contribution.context.get(_STATE, {})
        left = self._do([(source, target) for source, target in state.get("doing", [])], contribution)
        last = state.get("last")
        if not left:
            left, last = self._plan(last, contribution)
        contribution.context[_STATE] = {"doing": left, "last": last}
        return RepeatStatus.CONTINUABLE if left else RepeatStatus.FINISHED

    def close(self) -> None:
        """Has nothing to give back."""

    def _do(self, doing: Doing, contribution: StepContribution) -> Doing:
        """Does what is planned, and returns what a stop has left of it."""
        touched: set[Path] = set()
        try:
            for place, (source_name, target_name) in enumerate(doing):
                if self._scope.should_stop():
                    return doing[place:]
                source = self._scope.path(source_name)
                target = None if target_name is None else self._scope.path(target_name)
                try:
                    contribution.counts.write += self._do_one(source, target)
                except StepStoppedError:
                    return doing[place:]
                touched.update((source,) if target is None else (source, target))
        finally:
            sync_folders(touched)
        return []

    def _do_one(self, source: Path, target: Path | None) -> int:
        if self._transfer.is_done(source, target):
            return 1
        if not source.is_file():
            if self._options.missing == "ignore":
                return 0
            raise TaskletError(f"{source} is gone", hint="give it back, then restart; or say `missing: ignore`")
        self._transfer.do(source, target)
        return 1

    def _plan(self, last: str | None, contribution: StepContribution) -> tuple[Doing, str | None]:
        """Returns what to do next, and the last name that was looked at."""
        if self._names is None:
            self._names = iter(self._found(last))
        doing: Doing = []
        size = 0
        for name in self._names:
            last = name
            contribution.counts.read += 1
            target = self._target(name)
            if target is not None and self._is_in_the_way(target):
                contribution.counts.filter += 1
                continue
            doing.append((name, target))
            size += _size(self._scope.path(name))
            if len(doing) == _FILES_A_CALL or size >= _BYTES_A_CALL:
                break
        return doing, last

    def _is_in_the_way(self, target: str) -> bool:
        """Tells whether a file is skipped because its target is there; fails where that is not allowed."""
        policy = self._options.if_exists
        if policy == "replace" or not self._scope.path(target).exists():
            return False
        if policy == "fail":
            raise TaskletError(f"{target} is there already", hint="remove it, or say `if_exists: replace` or `skip`")
        return True

    def _found(self, last: str | None) -> list[str]:
        """Returns the names of the files behind the last one looked at, in order."""
        patterns = [self._options.files] if isinstance(self._options.files, str) else self._options.files
        names: set[str] = set()
        for pattern in patterns:
            found = self._matching(pattern)
            if not found and last is None and self._options.missing == "fail":
                raise TaskletError(f"there is no file {pattern}", hint="`missing: ignore` lets the step pass")
            names.update(found)
        ordered = sorted(name for name in names if last is None or name > last)
        self._refuse_clashes(ordered, is_whole=last is None)
        return ordered

    def _matching(self, pattern: str) -> list[str]:
        if self._scope.path(pattern).is_file():  # also where a name has the signs of a pattern in it
            return [pattern]
        found = glob.glob(pattern, root_dir=self._scope.path("."), recursive=True)
        return [name for name in found if self._scope.path(name).is_file()]

    def _refuse_clashes(self, names: list[str], *, is_whole: bool) -> None:
        """Refuses two files that would become one."""
        if self._options.name is not None and is_whole and len(names) > 1:
            raise TaskletError(f"`name` is for one file, and there are {len(names)}: {names[0]}, {names[1]} …")
        sources: dict[str, str] = {}
        for name in names:
            target = self._target(name)
            if target is not None and target in sources:
                raise TaskletError(f"{sources[target]} and {name} would both become {target}")
            sources[target or name] = name

    def _target(self, name: str) -> str | None:
        """Returns the name of what a file becomes, or None where it is only removed."""
        if self._options.action == "delete":
            return None
        path = Path(name)
        made = self._transfer.target_name(path.name)
        if made is None:
            raise TaskletError(f"{name} is not compressed by gzip or zstd: its name ends with neither .gz nor .zst")
        folder = path.parent if self._options.to is None else Path(self._options.to)
        return str(folder / (self._options.name or made))


def _size(path: Path) -> int:
    """Returns a file's size; one that has just gone is told when its turn comes."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
