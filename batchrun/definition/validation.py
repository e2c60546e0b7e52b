"""Validates plain values against a JSON schema and says what is wrong in words, with did-you-mean."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from batchrun.definition.document import DocumentPath
from batchrun.definition.wording import kind_of, shown
from batchrun.errors import did_you_mean, nearest

_MOST_LISTED = 24

_Error = Any
"""jsonschema's ValidationError; its stubs leave most attributes open."""

Owner = Callable[[DocumentPath], tuple[str, DocumentPath]]
"""Tells whose option a path is, and the rest of the path: ("step 'load'", ("chunk",))."""

FormatCheck = Callable[[str, Any], "Complaint | None"]
"""(format, value) → what is wrong with the notation of a value, or None."""


@dataclass(frozen=True, slots=True)
class Complaint:
    """What is wrong with one value.

    Attributes:
        path: where.
        key: it is the key that is wrong, not the value.
        option: the option that a misspelt one was probably meant to be.
    """

    message: str
    hint: str | None = None
    path: DocumentPath = ()
    key: bool = False
    option: str | None = None


def validate(
    value: Any, schema: Mapping[str, Any], owner: Owner, check_format: FormatCheck, *, references: bool = False
) -> list[Complaint]:
    """Returns everything wrong with a value.

    Args:
        value: plain lists, mappings and scalars.
        schema: as msgspec makes it.
        owner: names what a path belongs to, for the messages.
        check_format: checks the notations of `spi.spec.option`.
        references: a text that holds a late-binding reference fits everywhere.
    """
    translator = _Translator(owner, references)
    found: list[Complaint] = []
    for error in _validator_class()(schema, format_checker=check_format).iter_errors(value):
        found += translator.complaints(error)
    return _without_consequences(found)


@cache
def _validator_class() -> Any:
    """Returns the draft's validator with `format` checked by the FormatCheck that an instance is given."""
    from jsonschema import ValidationError
    from jsonschema.validators import Draft202012Validator, extend

    def check(validator: Any, notation: str, instance: Any, _schema: Any) -> Iterator[_Error]:
        complaint = validator.format_checker(notation, instance) if isinstance(instance, str) else None
        if complaint is not None:
            error: _Error = ValidationError(complaint.message)
            error.complaint = complaint
            yield error

    return extend(Draft202012Validator, {"format": check})  # type: ignore[no-untyped-call]


def _without_consequences(found: list[Complaint]) -> list[Complaint]:
    """Drops what is only said to be missing because its name is misspelt."""
    misspelt = {(each.path[:-1], each.option) for each in found if each.key and each.option}
    return [each for each in found if each.key or each.option is None or (each.path, each.option) not in misspelt]


@dataclass(frozen=True, slots=True)
class _Translator:
    """Turns a validator's errors into complaints."""

    owner: Owner
    references: bool

    def complaints(self, error: _Error) -> Iterator[Complaint]:
        """Yields what an error means; one error may mean several things."""
        value, path = error.instance, tuple(error.absolute_path)
        if self.references and isinstance(value, str) and "${" in value:
            return
        if hasattr(error, "complaint"):
            yield replace(error.complaint, path=path)
            return
        translate = getattr(self, f"_{str(error.validator).lower()}", None)
        if translate is None:
            yield Complaint(f"{self._name(path)} is wrong: {error.message}", path=path)
            return
        yield from translate(error, path)

    def _name(self, path: DocumentPath) -> str:
        owner, rest = self.owner(path)
        return f"{_option(rest)} of {owner}" if rest else owner

    def _additionalproperties(self, error: _Error, path: DocumentPath) -> Iterator[Complaint]:
        known = list(error.schema.get("properties", {}))
        for key in [each for each in error.instance if each not in known]:
            listed = f"the options there are: {', '.join(known)}" if 0 < len(known) <= _MOST_LISTED else None
            yield Complaint(
                f"unknown option {key!r} of {self._name(path)}",
                did_you_mean(key, known) or listed,
                (*path, key),
                key=True,
                option=nearest(key, known),
            )

    def _required(self, error: _Error, path: DocumentPath) -> Iterator[Complaint]:
        missing = error.message.split("'")[1]
        yield Complaint(f"{self._name(path)} needs {missing!r}", path=path, option=missing)

    def _type(self, error: _Error, path: DocumentPath) -> Iterator[Complaint]:
        yield self._unexpected(path, kind_of(error.schema), error.instance, error.schema.get("format"))

    def _anyof(self, error: _Error, path: DocumentPath) -> Iterator[Complaint]:
        """Goes into the one branch that the value was meant for; else names what all of them expect."""
        branches: dict[int, list[_Error]] = {}
        for each in error.context or []:
            branches.setdefault(int(each.schema_path[0]), []).append(each)
        meant = [errors for errors in branches.values() if not _is_other_type(errors, path)]
        others = [branch for branch in error.validator_value if branch != {"type": "null"}]
        if len(meant) == 1 or (len(others) == 1 and error.instance is not None):
            for each in meant[0] if meant else branches[error.validator_value.index(others[0])]:
                yield from self.complaints(each)
            return
        kinds = " or ".join(dict.fromkeys(kind_of(each) for each in others))
        yield self._unexpected(path, kinds, error.instance)

    def _enum(self, error: _Error, path: DocumentPath) -> Iterator[Complaint]:
        words = list(map(str, error.validator_value))
        value = error.instance
        near = did_you_mean(value, words) if isinstance(value, str) else None
        message = f"{self._name(path)} cannot be {shown(value)}"
        yield Complaint(message, near or f"one of {', '.join(words)}", path)

    def _pattern(self, error: _Error, path: DocumentPath) -> Iterator[Complaint]:
        if list(error.absolute_schema_path)[-2:-1] == ["propertyNames"]:
            message = f"{error.instance!r} is no name for an entry of {self._name(path)}"
            yield Complaint(message, _NAME_HINT, (*path, error.instance), key=True)
            return
        yield Complaint(f"{self._name(path)} cannot be {shown(error.instance)}", _pattern_hint(error), path)

    def _minimum(self, error: _Error, path: DocumentPath) -> Iterator[Complaint]:
        yield self._bound(error, path, "at least")

    def _maximum(self, error: _Error, path: DocumentPath) -> Iterator[Complaint]:
        yield self._bound(error, path, "at most")

    def _exclusiveminimum(self, error: _Error, path: DocumentPath) -> Iterator[Complaint]:
        yield self._bound(error, path, "more than")

    def _exclusivemaximum(self, error: _Error, path: DocumentPath) -> Iterator[Complaint]:
        yield self._bound(error, path, "less than")

    def _minlength(self, error: _Error, path: DocumentPath) -> Iterator[Complaint]:
        if not error.instance:
            yield Complaint(f"{self._name(path)} must not be empty", path=path)
        else:
            yield self._length(error, path, "at least")

    def _maxlength(self, error: _Error, path: DocumentPath) -> Iterator[Complaint]:
        yield self._length(error, path, "at most")

    _minitems = _minproperties = _minlength
    _maxitems = _maxproperties = _maxlength

    def _bound(self, error: _Error, path: DocumentPath, words: str) -> Complaint:
        got = shown(error.instance)
        return Complaint(f"{self._name(path)} must be {words} {error.validator_value}, got {got}", path=path)

    def _length(self, error: _Error, path: DocumentPath, words: str) -> Complaint:
        units = "characters" if isinstance(error.instance, str) else "entries"
        if error.validator_value == 1:
            units = units.replace("entries", "entry").removesuffix("s")
        message = f"{self._name(path)} must have {words} {error.validator_value} {units}, got {shown(error.instance)}"
        return Complaint(message, path=path)

    def _unexpected(self, path: DocumentPath, kind: str, value: Any, notation: str | None = None) -> Complaint:
        hint = "write it in quotes" if kind == "a text" and isinstance(value, int | float) else None
        if notation == "duration":
            kind, hint = "a duration", "with its unit, as in 30s"
        if isinstance(value, str) and "${" in value:
            hint = "references stand only in the options of components and in databases"
        return Complaint(f"expected {self._name(path)} to be {kind}, got {shown(value)}", hint, path)


_NAME_HINT = "a name has letters, digits, _, - and ., and begins with a letter, a digit or _"


def _pattern_hint(error: _Error) -> str:
    from batchrun.definition.node_shape import NAME

    return _NAME_HINT if error.validator_value == NAME else f"it must match {error.validator_value}"


def _option(path: DocumentPath) -> str:
    text = "".join(f"[{each}]" if isinstance(each, int) else f".{each}" for each in path).removeprefix(".")
    return repr(text)


def _is_other_type(errors: list[_Error], path: DocumentPath) -> bool:
    """Tells whether a branch fails because the value itself is of another type than it wants."""
    return any(each.validator == "type" and tuple(each.absolute_path) == path for each in errors)
