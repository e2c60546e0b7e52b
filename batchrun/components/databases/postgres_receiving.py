"""Receives what COPY sends, many rows at a time, by the fewest calls for each row that the driver allows."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import psycopg
    from psycopg.abc import PQGen
    from psycopg.pq.abc import PGconn

_MARKED = 1000
"""Rows between two places that are noted, so that rows are cut out without a search from the beginning."""


@dataclass(frozen=True, slots=True)
class Lines:
    """Rows in COPY's text format, a line for each.

    Attributes:
        marks: where every so many rows begin, from the first one on.
    """

    data: bytes
    count: int
    marks: list[int]

    def cut(self, start: int, length: int) -> bytes:
        """Returns the rows from `start` on, at most `length`."""
        return self.data[self._place(start) : self._place(min(start + length, self.count))]

    def _place(self, row: int) -> int:
        if row == self.count:
            return len(self.data)
        place = self.marks[row // _MARKED]
        for _ in range(row % _MARKED):
            place = self.data.index(b"\n", place) + 1
        return place


@contextmanager
def receiving(
    connection: psycopg.Connection[Any], sql: str, values: Mapping[str, Any] | None
) -> Iterator[Callable[[int], Lines]]:
    """Runs a COPY … TO STDOUT; gives what receives its next rows, fewer than it is asked for only at the end.

    Leaving the context cancels what still runs.

    Raises:
        psycopg.Error: the server refuses the query, or fails; also what receives rows raises it.
    """
    with suppress(_GivenUpError), connection.cursor() as cursor, cursor.copy(sql, values):
        stream = _Stream(connection)
        yield stream.receive
        if not stream.is_over:
            raise _GivenUpError  # the driver cancels a copy that an exception leaves


class _GivenUpError(Exception):
    """Nobody wants the rest of the rows."""


class _Stream:
    """A COPY that the connection is receiving."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        self.is_over = False

    def receive(self, limit: int) -> Lines:
        """Returns the next rows, at most `limit`."""
        buffer, count, marks = BytesIO(), 0, []
        while count < limit and not self.is_over:
            marks.append(buffer.tell())
            count += self._connection.wait(self._rows(buffer.write, min(_MARKED, limit - count)))
        return Lines(buffer.getvalue(), count, marks)

    def _rows(self, write: Callable[[memoryview], object], limit: int) -> PQGen[int]:
        """Writes the next rows, each of which the server sends by itself; returns how many there were."""
        connection = self._connection.pgconn
        receive, count = connection.get_copy_data, 0
        while count < limit:
            length, row = receive(1)
            if length > 0:
                write(row)
                count += 1
            elif length == 0:
                yield from _arrival(connection)
            else:
                self.is_over = True
                yield from _end(connection)
                break
        return count


def _arrival(connection: PGconn) -> PQGen[None]:
    """Waits for the server to send more."""
    from psycopg.waiting import Wait

    while not (yield Wait.R):
        continue
    connection.consume_input()


def _end(connection: PGconn) -> Generator[Any, Any, None]:
    """Takes what the server says behind the last row."""
    import psycopg

    results = []
    while True:
        while connection.is_busy():
            yield from _arrival(connection)
        if (result := connection.get_result()) is None:
            break
        results.append(result)
    for result in results:
        if result.status != psycopg.pq.ExecStatus.COMMAND_OK:
            raise psycopg.errors.error_from_result(result, encoding="utf-8")
