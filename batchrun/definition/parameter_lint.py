"""Lints the declared parameters: options that do not go with the type, and defaults that break their own rules."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from batchrun.binding import BindingError, Reference, parse
from batchrun.definition.document import DocumentPath
from batchrun.definition.findings import Findings
from batchrun.definition.formats import Formats
from batchrun.definition.outline import Outline
from batchrun.definition.parameter_declaration import constraints_of, has_references, undecided
from batchrun.definition.parameter_values import ParameterValueError, broken_rules, convert
from batchrun.domain.constraints import Constraints
from batchrun.domain.definition import ParameterDefinition
from batchrun.domain.parameters import ParameterType as T

_ORDERED = (T.INTEGER, T.FLOAT, T.DECIMAL, T.DATE, T.DATETIME, T.DURATION)
_TYPES_OF_OPTION: dict[str, tuple[T, ...]] = {
    "choices": (T.CHOICE,),
    "items": (T.LIST,),
    "min": _ORDERED,
    "max": _ORDERED,
    "min_length": (T.STRING, T.SECRET, T.LIST),
    "max_length": (T.STRING, T.SECRET, T.LIST),
    "pattern": (T.STRING, T.SECRET),
    "must_exist": (T.PATH,),
}
"""The types that an option goes with; but for a length, a list has the options of its items too."""

_LENGTHS = ("min_length", "max_length")


def lint_parameters(outline: Outline, formats: Formats, findings: Findings) -> None:
    """Adds what does not fit together in the declared parameters, and validators that cannot be called."""
    for name, node in outline.parameters.items():
        if not findings.is_wrong(("parameters", name)):
            _ParameterLint(name, node, formats, findings).run()
    validators = outline.plain.get("validators")
    for index, reference in enumerate(validators if isinstance(validators, list) else ()):
        lint_validator(reference, ("validators", index), formats, findings)


def lint_validator(reference: object, path: DocumentPath, formats: Formats, findings: Findings) -> None:
    """Adds a validator that cannot be loaded, or cannot be called with one value."""
    if not isinstance(reference, str) or findings.is_wrong(path):
        return
    if complaint := formats.check("reference", reference):
        findings.add(path, complaint.message, complaint.hint)
    elif not _takes_one(formats.modules.load(reference)):
        findings.add(path, f"{reference!r} cannot be called with one value", "def check(value): …")


def _takes_one(function: Callable[..., Any]) -> bool:
    try:
        inspect.signature(function).bind(None)
    except TypeError:
        return False
    except ValueError:  # a built-in that does not tell
        return True
    return True


class _ParameterLint:
    """Looks at one declaration whose shape is right."""

    def __init__(self, name: str, node: Mapping[str, Any], formats: Formats, findings: Findings) -> None:
        self.name = name
        self.node = node
        self.formats = formats
        self.findings = findings
        self.path: DocumentPath = ("parameters", name)
        self.title = f"parameter {name!r}"
        self.declared = undecided(name, node)

    def run(self) -> None:
        self.options()
        if self.declared.type is T.SECRET:
            self.secret()
        lint_validator(self.node.get("validator"), (*self.path, "validator"), self.formats, self.findings)
        if not self.findings.is_wrong(self.path):
            self.limits()
        if not self.findings.is_wrong(self.path):
            self.default()

    def options(self) -> None:
        """Adds options that the type has not, and those that it lacks."""
        kinds = (self.declared.type, self.declared.items)
        for option, types in _TYPES_OF_OPTION.items():
            is_own = kinds[0] in types or (kinds[0] is T.LIST and kinds[1] in types and option not in _LENGTHS)
            if option in self.node and not is_own and self.node[option] not in ([], None):
                message = f"{self.title} has {option!r}, so its type must be {_either(types)}"
                self.findings.add((*self.path, option), message, _other_option(option, self.declared.type))
        if T.CHOICE in kinds and not self.declared.choices:
            self.findings.add(self.path, f"{self.title} needs 'choices'")

    def secret(self) -> None:
        """Adds what would store a secret: as part of the identity, or with the text of the file."""
        if self.node.get("identifying") is True:
            message = f"{self.title} is a secret, which cannot identify a job instance"
            self.findings.add((*self.path, "identifying"), message, "a secret is never stored; leave 'identifying' out")
        default = self.node.get("default")
        if default is not None and not _refers_only(default):
            message = f"default of {self.title}: a secret does not stand in a job file"
            self.findings.add((*self.path, "default"), message, "refer to it: ${secrets.NAME} or ${env.NAME}")

    def limits(self) -> None:
        """Adds limits that are not of the type, contradict each other, or are no pattern."""
        item = self.declared.item if self.declared.type is T.LIST else self.declared
        for option in ("min", "max"):
            self.attempt(option, item, self.node.get(option))
        pattern = self.node.get("pattern")
        if pattern is not None:
            try:
                re.compile(pattern)
            except re.error as error:
                self.findings.add((*self.path, "pattern"), f"pattern of {self.title}: {error}")
        if self.findings.is_wrong(self.path):
            return
        constraints = self.constraints()
        for low, high in (("min", "max"), _LENGTHS):
            least, greatest = getattr(constraints, low), getattr(constraints, high)
            if least is not None and greatest is not None:
                self.ordered((low, least), (high, greatest))

    def constraints(self) -> Constraints:
        return constraints_of(self.declared, self.node)

    def ordered(self, low: tuple[str, Any], high: tuple[str, Any]) -> None:
        try:
            is_wrong = low[1] > high[1]
        except TypeError:
            message = f"{low[0]!r} and {high[0]!r} of {self.title}: one has a time zone, the other has none"
            self.findings.add((*self.path, high[0]), message)
            return
        if is_wrong:
            message = f"{low[0]!r} of {self.title} is greater than {high[0]!r}, so that no value fits"
            self.findings.add((*self.path, low[0]), message)

    def default(self) -> None:
        """Adds a default that is not of the type or breaks the parameter's constraints, and one that is never used."""
        default = self.node.get("default")
        if default is None:
            return
        if not has_references(default) and self.attempt("default", self.declared, default):
            for broken in broken_rules(convert(default, self.declared), self.constraints(), self.declared):
                self.findings.add((*self.path, "default"), f"default of {self.title} {broken}")
        if self.declared.required:
            hint = "leave 'required' or 'default' out"
            self.findings.warn((*self.path, "default"), f"{self.title} is required, so its default is never used", hint)

    def attempt(self, option: str, declared: ParameterDefinition, given: Any) -> bool:
        """Adds a value that cannot be converted; returns whether it can."""
        try:
            convert(given, declared)
        except ParameterValueError as error:
            self.findings.add((*self.path, option), f"{option} of {self.title}: {error}", error.hint)
            return False
        return True


def _refers_only(default: object) -> bool:
    """Tells whether a default holds a reference, and none of them a text to fall back on."""
    try:
        parts = parse(default) if isinstance(default, str) else ()
    except BindingError:  # told by the lint of references
        return True
    references = [part for part in parts if isinstance(part, Reference)]
    return bool(references) and not any(each.default for each in references)


def _either(types: Sequence[T]) -> str:
    *first, last = map(str, types)
    return f"{', '.join(first)} or {last}" if first else last


def _other_option(option: str, kind: T) -> str | None:
    """Returns what was probably meant."""
    if option in ("min", "max") and kind in _TYPES_OF_OPTION["min_length"]:
        return f"its length is {option}_length"
    if option in _LENGTHS and kind in _ORDERED:
        return f"its value is {option.removesuffix('_length')}"
    return None
