"""SQL text with parameters by name (`:day`), read once and rendered for any driver; values are never pasted into it.

A colon inside a string, a quoted name, a comment or a dollar-quoted body is no parameter, nor is a `::cast`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from batchrun.errors import did_you_mean
from batchrun.spi.spec import OptionsProblem

_TOKEN = re.compile(
    r"""
    (?P<opaque>
        --[^\n]*
      | /\*.*?(?:\*/|\Z)
      | (?<!\w)[eE]'(?:[^'\\]|\\.|'')*(?:'|\Z)
      | '(?:[^']|'')*(?:'|\Z)
      | "(?:[^"]|"")*(?:"|\Z)
      | `[^`]*(?:`|\Z)
      | (?<!\w)\$(?P<tag>(?:[A-Za-z_]\w*)?)\$.*?(?:\$(?P=tag)\$|\Z)
      | ::
    )
  | (?<!\w):(?P<name>[A-Za-z_]\w*)
  | (?P<end>;)
    """,
    re.VERBOSE | re.DOTALL,
)
_BLANK = re.compile(r"(?:\s|--[^\n]*(?:\n|\Z)|/\*.*?\*/|;)*", re.DOTALL)
_TRANSACTION_WORDS = ("BEGIN", "START", "COMMIT", "END", "ROLLBACK", "SAVEPOINT", "RELEASE", "ABORT")


@dataclass(frozen=True, slots=True)
class Parameter:
    """A place in a statement where a value is bound."""

    name: str


@dataclass(frozen=True, slots=True)
class Statement:
    """One SQL statement, split at its parameters.

    Attributes:
        parts: text and parameters in their order.
        is_single: nothing follows the statement's end.
    """

    parts: tuple[str | Parameter, ...]
    is_single: bool

    @classmethod
    def parse(cls, sql: str) -> Statement:
        """Reads a statement; a semicolon at its end is dropped."""
        return _parse(sql)

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters' names, each once, in the order of their first place."""
        return tuple(dict.fromkeys(part.name for part in self.parts if isinstance(part, Parameter)))

    @property
    def first_word(self) -> str:
        """The statement's first word in capitals, such as SELECT; empty where there is none."""
        text = next((part for part in self.parts if isinstance(part, str)), "")
        match = re.match(r"\(*\s*([A-Za-z]+)", text[_blank_length(text) :])
        return match[1].upper() if match else ""

    @property
    def text(self) -> str:
        """The statement as it was written, without the semicolon at its end."""
        return self.render(lambda name: f":{name}")

    def render(self, mark: Callable[[str], str], escape: Callable[[str], str] = str) -> str:
        """Returns the SQL with each parameter replaced by `mark(name)`, and all other text passed through `escape`."""
        return "".join(mark(part.name) if isinstance(part, Parameter) else escape(part) for part in self.parts)

    def values(self, parameters: Mapping[str, Any]) -> list[Any]:
        """Returns the values in the order of `names`."""
        return [parameters[name] for name in self.names]


@lru_cache(maxsize=256)
def _parse(sql: str) -> Statement:
    parts: list[str | Parameter] = []
    start, is_single = 0, True
    for token in _TOKEN.finditer(sql):
        if token["name"]:
            parts += [sql[start : token.start()], Parameter(token["name"])]
            start = token.end()
        elif token["end"] and _blank_length(sql[token.end() :]) == len(sql) - token.end():
            sql = sql[: token.start()]
            break
        elif token["end"]:
            is_single = False
    parts.append(sql[start:])
    return Statement(tuple(part for part in parts if part), is_single)


def _blank_length(text: str) -> int:
    match = _BLANK.match(text)
    return match.end() if match else 0


def statement_problems(sql: str, parameters: Mapping[str, Any], at: tuple[str | int, ...]) -> list[OptionsProblem]:
    """Returns what is wrong in a statement as an option: no value for a parameter, or more than one statement."""
    statement = Statement.parse(sql)
    problems = [
        OptionsProblem(
            f"no value for the parameter :{name}", at, did_you_mean(name, parameters) or "add it to `parameters`"
        )
        for name in statement.names
        if name not in parameters
    ]
    if not statement.first_word:
        problems.append(OptionsProblem("there is no SQL statement", at))
    elif not statement.is_single and statement.first_word != "CREATE":
        problems.append(OptionsProblem("more than one SQL statement", at, "one statement for each entry of a list"))
    if statement.first_word in _TRANSACTION_WORDS:
        problems.append(
            OptionsProblem(
                f"{statement.first_word} is not for a job file", at, "batchrun begins and commits the transaction"
            )
        )
    return problems


def unused_problems(statements: Collection[str], parameters: Mapping[str, Any]) -> list[OptionsProblem]:
    """Returns a problem for each parameter that no statement names, and for each value that SQL cannot hold."""
    used = {name for sql in statements for name in Statement.parse(sql).names}
    unused = [
        OptionsProblem(f"no statement uses the parameter {name!r}", ("parameters", name), did_you_mean(name, used))
        for name in parameters
        if name not in used
    ]
    compound = [
        OptionsProblem(f"the parameter {name!r} is not a single value", ("parameters", name))
        for name, value in parameters.items()
        if isinstance(value, list | dict)
    ]
    return unused + compound
