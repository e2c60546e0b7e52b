"""The session: one connection to a database of the job, in the one shape that readers, writers and tasklets use."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from batchrun.errors import InputError, did_you_mean

if TYPE_CHECKING:
    import polars as pl

    from batchrun.spi.text import ItemText

_PART = r'("(?:[^"]|"")+"|[^."]+)'
_TABLE_NAME = re.compile(rf"(?:{_PART}\.)?{_PART}")


class RefusedError(Exception):
    """The database refuses items; says which, where it is known.

    Attributes:
        reason: the database's own words with its detail, in one line.
        index: the place of the refused item in the frame that was written, where it is certain, or None.
        decided: how many items, from the first, are written or refused by name, and stay so unless the transaction or
            savepoint is rolled back; 0 where all is undone.
        further: of more items that are refused, each with its index, in order.
        hint: the way out, or None.
    """

    def __init__(
        self,
        reason: str,
        index: int | None = None,
        *,
        hint: str | None = None,
        decided: int = 0,
        further: Sequence[RefusedError] = (),
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.index = index
        self.hint = hint
        self.decided = decided
        self.further = further

    def of_source(self, database: str) -> InputError:
        """Returns it as an error of reading from the database."""
        return InputError(f"database {database!r}: {self.reason}", hint=self.hint)


class IntegrityError(RefusedError):
    """The items break a constraint; for drivers whose own error does not go by this name, as the DB-API has it."""


@dataclass(frozen=True, slots=True)
class TableName:
    """A table's name, perhaps in a schema; kept exactly as written.

    Attributes:
        schema: None means the database's own search order.
    """

    name: str
    schema: str | None = None

    @classmethod
    def parse(cls, text: str) -> TableName:
        """Reads `table`, `schema.table`, or either part in double quotes where it holds a dot.

        Raises:
            ValueError: it is none of these.
        """
        match = _TABLE_NAME.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is no table's name: `table` or `schema.table`")
        return cls(_unquoted(match[2]), match[1] and _unquoted(match[1]))

    @property
    def quoted(self) -> str:
        """The name for an SQL text in standard quotes."""
        return quote(self.name) if self.schema is None else f"{quote(self.schema)}.{quote(self.name)}"

    def __str__(self) -> str:
        return self.name if self.schema is None else f"{self.schema}.{self.name}"


def _unquoted(part: str) -> str:
    return part[1:-1].replace('""', '"') if part.startswith('"') else part


def quote(name: str) -> str:
    """Returns a name in the quotes of the SQL standard."""
    return '"' + name.replace('"', '""') + '"'


def names(columns: Iterable[str]) -> str:
    """Returns a list of quoted names for an SQL text."""
    return ", ".join(quote(column) for column in columns)


def near(name: str, known: Iterable[str]) -> str:
    """Returns a did-you-mean, or the names there are."""
    there_are = list(known)
    return did_you_mean(name, there_are) or f"there are: {', '.join(there_are) or 'none'}"


@dataclass(frozen=True, slots=True)
class TableShape:
    """What a table looks like.

    Attributes:
        columns: the declared type by column name, in order.
        unique: the sets of columns that a unique index or the primary key covers.
        folds_case: column names are the same whatever their case.
    """

    columns: Mapping[str, str]
    unique: tuple[frozenset[str], ...] = ()
    folds_case: bool = False

    def has(self, column: str) -> bool:
        """Tells whether the table has the column."""
        return self._fold(column) in {self._fold(each) for each in self.columns}

    def declared(self, column: str) -> str:
        """Returns the declared type of a column; empty where it has none or is not there."""
        return next((kind for name, kind in self.columns.items() if self._fold(name) == self._fold(column)), "")

    def is_unique(self, key: Iterable[str]) -> bool:
        """Tells whether exactly these columns have a unique index."""
        wanted = {self._fold(each) for each in key}
        return any({self._fold(each) for each in columns} == wanted for columns in self.unique)

    def _fold(self, name: str) -> str:
        return name.lower() if self.folds_case else name


@dataclass(frozen=True, slots=True)
class Page:
    """Rows in the order of their key.

    Attributes:
        items: the rows.
        keys: the key of each as the database is to get it back, to read what is behind it.
        twice: a key that two rows have; None where there is none.
    """

    items: pl.DataFrame | ItemText
    keys: Sequence[tuple[Any, ...]]
    twice: tuple[Any, ...] | None

    @classmethod
    def of(cls, items: pl.DataFrame, keys: Sequence[tuple[Any, ...]]) -> Page:
        """Returns the page of these rows, having looked for a key that comes twice."""
        return cls(items, keys, next((before for before, after in pairwise(keys) if before == after), None))


class QueryRows(Protocol):
    """The rows of one query, with the types of its columns settled."""

    def columns(self) -> list[str]:
        """Returns the names of the columns that come out."""
        ...

    def has_null_key(self, key: Sequence[str]) -> bool:
        """Tells whether a row has a null among the key columns."""
        ...

    def page(self, key: Sequence[str], last: Sequence[Any] | None, limit: int) -> Page:
        """Reads up to `limit` rows whose key is greater than `last`, in the order of the key.

        Nothing stays open in the database when it returns.
        """
        ...

    def skip(self, count: int) -> None:
        """Begins behind as many rows from the first one on; called once, before `next_rows`."""
        ...

    def next_rows(self, limit: int) -> pl.DataFrame | ItemText:
        """Reads the next rows in the query's own order; fewer than `limit` only at the end."""
        ...

    def close(self) -> None:
        """Ends what `skip` began."""
        ...


@runtime_checkable
class TextQueryRows(Protocol):
    """What QueryRows may offer besides: the text of items in several forms, as a TextReader has them."""

    def agree(self, takes: Callable[[ItemText], bool]) -> None:
        """Settles on the first form that is taken; before the first rows are read."""
        ...


class Session(Protocol):
    """One connection to a database.

    *Transactions*: `begin` … `commit`, `commit_if` or `rollback`; outside of them each statement commits by itself.
    Savepoints nest. *Parameters*: SQL text names them `:name`. *Threads*: one thread, except `encode`, which touches
    nothing of the connection, and `cancel`. *Errors*: RefusedError where items or their statement are refused,
    DatabaseError where the database fails as a whole; neither has a password in its text.
    """

    @property
    def database(self) -> str:
        """The database's name in the job file."""
        ...

    def quote(self, name: str) -> str:
        """Returns a name in this database's quotes."""
        ...

    def begin(self) -> None:
        """Begins a transaction that may write."""
        ...

    def commit(self) -> None:
        """Commits the transaction."""
        ...

    def commit_if(self, sql: str, parameters: Mapping[str, Any]) -> bool:
        """Runs a last statement and commits if it changed exactly one row; rolls back and returns False otherwise."""
        ...

    def rollback(self) -> None:
        """Rolls back; does nothing where no transaction is open, and raises nothing."""
        ...

    def savepoint(self) -> None:
        """Sets a savepoint inside the last one."""
        ...

    def release(self) -> None:
        """Forgets the last savepoint and keeps what was done since."""
        ...

    def rollback_to_savepoint(self) -> None:
        """Undoes what was done since the last savepoint, and forgets it."""
        ...

    def execute(self, sql: str, parameters: Mapping[str, Any] | None = None) -> int:
        """Runs a statement and returns how many rows it changed, 0 where that means nothing."""
        ...

    def cancel(self) -> bool:
        """Asks for the end of the running statement, from any thread; where none runs, nothing happens.

        A statement that is cancelled raises, and its transaction can only be rolled back. A server may hear of it
        late, so that the next statement is cancelled in its place.

        Returns:
            False where the driver cannot do that.
        """
        ...

    def fetch(self, sql: str, parameters: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """Returns all rows of a small result."""
        ...

    def query(self, sql: str, parameters: Mapping[str, Any], types: Mapping[str, str]) -> QueryRows:
        """Returns the rows of a query of any size.

        Args:
            sql: one SELECT, with parameters by name.
            parameters: their values.
            types: column types by column name, where they are not to be taken from the database.
        """
        ...

    def describe(self, table: TableName) -> TableShape | None:
        """Returns what the table looks like, or None where there is none."""
        ...

    def tables(self) -> list[str]:
        """Returns the names of the tables there are, for a did-you-mean."""
        ...

    def create_table(self, table: TableName, columns: pl.Schema, key: Sequence[str]) -> None:
        """Creates a table for items with these columns; the key becomes its primary key."""
        ...

    def create_checkpoint_table(self) -> None:
        """Creates the table `batchrun_checkpoint` where it is missing, in a transaction of its own."""
        ...

    def empty_table(self, table: TableName) -> None:
        """Deletes all rows, inside the transaction."""
        ...

    def can_upsert(self) -> bool:
        """Tells whether this kind of database knows an upsert."""
        ...

    def encode(self, frame: pl.DataFrame, shape: TableShape | None) -> Any:
        """Returns the frame in the form that `insert` and `upsert` take; any thread.

        Args:
            frame: the items.
            shape: of the table they go into; None where it is created from such frames.

        Raises:
            RefusedError: a value has no form that the database keeps exactly.
        """
        ...

    def part(self, encoded: Any, start: int, length: int) -> Any:
        """Returns some of the encoded items, from the one at `start` on; any thread."""
        ...

    def insert(self, table: TableName, encoded: Any) -> None:
        """Inserts encoded items; columns that they lack get their defaults."""
        ...

    def upsert(self, table: TableName, encoded: Any, key: Sequence[str]) -> None:
        """Inserts encoded items, or sets the other columns of the rows that have their key; no key comes twice."""
        ...

    def close(self) -> None:
        """Closes the connection; what is not committed is undone."""
        ...


@runtime_checkable
class TextSession(Protocol):
    """What a Session may offer besides: it takes the text of items that a database of its kind has sent."""

    def encode_text(self, text: ItemText, shape: TableShape) -> Any | None:
        """Returns the text of items in the form that `insert` takes, or None where it has to be encoded from a frame.

        Args:
            text: the items.
            shape: of the table they go into.
        """
        ...
