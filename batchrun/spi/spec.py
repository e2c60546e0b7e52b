"""The component spec: one typed description that feeds parsing, validation, schemas, help and masking."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
import msgspec.inspect

from batchrun.domain.parameters import value_text

if TYPE_CHECKING:
    import polars as pl

ROLES = ("reader", "processor", "writer", "reject_sink", "tasklet", "decider", "listener")


class Options(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Options of a component: fields typed, each annotated by `option`; never changed once made.

    A subclass with a required option behind an optional one says `kw_only=True` itself: msgspec does not inherit it.
    """

    def check(self) -> list[OptionsProblem]:
        """Returns what is wrong in the options together that no single field's type can say."""
        return []


@dataclass(frozen=True, slots=True)
class OptionsProblem:
    """Something wrong in a component's options.

    Attributes:
        message: what, in one line.
        at: the option's path in the component's node, such as `("set", "amount")`; empty for the node itself.
        hint: the way out, or None.
    """

    message: str
    at: tuple[str | int, ...] = ()
    hint: str | None = None


def option(
    summary: str,
    *,
    format: str | None = None,
    unit: str | None = None,
    secret: bool = False,
    advanced: bool = False,
    examples: list[Any] | None = None,
    **constraints: Any,
) -> msgspec.Meta:
    """Makes the metadata of one option, for use inside `Annotated`.

    Args:
        summary: one sentence in the present tense.
        format: a checked notation: `column-type`, `duration`, `expression`, `reference` (`module:name`), `database`
            (a name in the job's `databases`), `encoding`, `sql`, `listener` (a decorated function as `module:name`) or
            `listeners` (a module of them).
        unit: the unit of a number, such as `bytes`.
        secret: masked wherever it could be shown.
        advanced: listed after the others.
        examples: values for help and editors.
        constraints: `ge`, `le`, `gt`, `lt`, `min_length`, `max_length`, `pattern`, as msgspec.Meta takes them.
    """
    schema: dict[str, Any] = {"format": format} if format else {}
    extra = {"unit": unit, "secret": secret, "advanced": advanced, "format": format}
    return msgspec.Meta(
        description=summary,
        examples=examples,
        extra_json_schema=schema or None,
        extra={key: value for key, value in extra.items() if value},
        **constraints,
    )


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a component promises.

    Attributes:
        restartable: a restart goes on where the last commit left it, without doing anything again.
        transactional: a writer or tasklet that commits its checkpoint with its work: exactly once.
        truncating: a writer whose target a restart cuts back to the last commit: exactly once.
        idempotent: doing a chunk again leaves the target as doing it once: effectively once.
    """

    restartable: bool = True
    transactional: bool = False
    truncating: bool = False
    idempotent: bool = False

    @property
    def guarantee(self) -> str:
        """How often the work of a writer or tasklet is done, after a crash and a restart."""
        if self.transactional or self.truncating:
            return "exactly once"
        return "effectively once" if self.idempotent else "at least once"


SchemaRule = Callable[[Any, "pl.Schema | None"], "pl.Schema | None"]
"""(options, columns that come in or None) → columns that go out, or None where nobody can know.

Raises OptionsError with the problems found, such as a misspelt column.
"""


ExitCodesRule = Callable[[Any], Sequence[str]]
"""(options) → all exit codes that a decider with these options gives."""


CostsRule = Callable[[Mapping[str, Any]], Sequence[str]]
"""(options as the file has them, with references) → what of them costs speed, each in a sentence."""


class OptionsError(Exception):
    """Options that do not fit the columns they work on; carries the problems.

    Attributes:
        problems: all of them.
        schema: the columns that go out nevertheless, such as a filter's, so that the mistakes behind it are found
            too; None where nobody can know.
    """

    def __init__(self, problems: list[OptionsProblem], schema: pl.Schema | None = None) -> None:
        super().__init__("; ".join(problem.message for problem in problems))
        self.problems = problems
        self.schema = schema


@dataclass(frozen=True, slots=True)
class ComponentSpec:
    """Typed description of a component.

    Attributes:
        role: one of `ROLES`.
        name: registry name, a snake_case word, unique in its role.
        summary: one sentence in the present tense.
        options: the options' class.
        example: a YAML node that works as it stands.
        capabilities: what it promises.
        description: more, in plain paragraphs; may be empty.
        schema: tells the columns that come out; None means the same as come in. What comes into a decider are the
            facts (`spi.facts`).
        exit_codes: tells which exit codes a decider gives; None means nobody can know.
        costs: tells what costs speed, for `explain`; None means nothing does.
    """

    role: str
    name: str
    summary: str
    options: type[Options]
    example: str
    capabilities: Capabilities = field(default_factory=Capabilities)
    description: str = ""
    schema: SchemaRule | None = None
    exit_codes: ExitCodesRule | None = None
    costs: CostsRule | None = None

    def parse(self, options: Mapping[str, Any]) -> Options:
        """Makes typed options of plain values, late binding done.

        A bound value becomes text where the option is a text, and text a number where it is a number: a date
        parameter fits into a path, an environment variable into a count.

        Raises:
            msgspec.ValidationError: a value is not of its option's type.
        """
        fitted = _as_text(dict(options), msgspec.inspect.type_info(self.options))
        return msgspec.convert(fitted, self.options, strict=False)


def _as_text(value: Any, expected: msgspec.inspect.Type) -> Any:
    """Returns the value with every scalar rendered as text that stands where only a text fits."""
    inspect = msgspec.inspect
    if isinstance(expected, inspect.Metadata):
        return _as_text(value, expected.type)
    if isinstance(expected, inspect.UnionType):
        kinds = [kind for kind in expected.types if not isinstance(kind, inspect.NoneType)]
        return _as_text(value, kinds[0]) if len(kinds) == 1 else value
    if isinstance(expected, inspect.StructType) and isinstance(value, dict):
        fields = {each.encode_name: each.type for each in expected.fields}
        return {name: _as_text(each, fields[name]) if name in fields else each for name, each in value.items()}
    if isinstance(expected, inspect.DictType) and isinstance(value, dict):
        return {name: _as_text(each, expected.value_type) for name, each in value.items()}
    if isinstance(expected, inspect.ListType) and isinstance(value, list | tuple):
        return [_as_text(each, expected.item_type) for each in value]
    if isinstance(expected, inspect.StrType) and not isinstance(value, str | dict | list | None):
        return value_text(value)
    return value


Class = TypeVar("Class", bound=type)


def component(spec: ComponentSpec) -> Callable[[Class], Class]:
    """Marks a class as the component that the spec describes, as its attribute `spec`; registers nothing.

    The class is constructed as `cls(options, scope)`.
    """

    def mark(cls: Class) -> Class:
        cls.spec = spec  # type: ignore[attr-defined]
        return cls

    return mark
