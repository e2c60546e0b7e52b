"""Receives what COPY sends, many rows at a time, by the fewest calls for each row that the driver allows."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import BytesIO
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from batchrun.components.databases.postgres_copy import BINARY_HEADER, BINARY_TRAILER, COPY_BINARY

if TYPE_CHECKING:
    import psycopg
    from psycopg.abc import PQGen
    from psycopg.pq.abc import PGconn


@dataclass(frozen=True, slots=True)
class Received:
    """Rows in one of COPY's formats, without what it has before the first and behind the last.

    Attributes:
        places: where each row begins, and where the last one ends.
    """

    data: bytes
    places: Sequence[int]

    @property
    def count(self) -> int:
        """Number of rows."""
        return len(self.places) - 1

    def cut(self, start: int, length: int) -> bytes:
        """Returns the rows from `start` on, at most `length`."""
        return self.data[self.places[start] : self.places[min(start + length, self.count)]]


@contextmanager
def receiving(
    connection: psycopg.Connection[Any], sql: str, values: Mapping[str, Any] | None, form: str
) -> Iterator[Callable[[int], Received]]:
    """Runs a COPY … TO STDOUT; gives what receives its next rows, fewer than it is asked for only at the end.

    Leaving the context cancels what still runs.

    Raises:
        psycopg.Error: the server refuses the query, or fails; also what receives rows raises it.
    """
    with suppress(_GivenUpError), connection.cursor() as cursor, cursor.copy(sql, values):
        stream = _Stream(connection, is_binary=form == COPY_BINARY)
        yield stream.receive
        if not stream.is_over:
            raise _GivenUpError  # the driver cancels a copy that an exception leaves


class _GivenUpError(Exception):
    """Nobody wants the rest of the rows."""


class _Stream:
    """A COPY that the connection is receiving."""

    def __init__(self, connection: psycopg.Connection[Any], *, is_binary: bool) -> None:
        self._connection = connection
        self._trailer_size = len(BINARY_TRAILER) if is_binary else 0
        self._has_header = is_binary
        self.is_over = False

    def receive(self, limit: int) -> Received:
        """Returns the next rows, at most `limit`."""
        buffer = BytesIO()
        lengths: list[int] = []
        if not self.is_over:
            self._connection.wait(self._rows(buffer.write, lengths, limit))
        return self._without_header(buffer.getvalue(), lengths)

    def _without_header(self, data: bytes, lengths: list[int]) -> Received:
        """Takes off what comes in front of the first row, in one piece with it or, where there is none, the trailer."""
        if self._has_header and lengths:
            self._has_header = False
            lengths[0] -= len(BINARY_HEADER)
            if lengths[0] <= self._trailer_size:
                data = data[lengths.pop(0) :]
            data = data[len(BINARY_HEADER) :]
        return Received(data, list(accumulate(lengths, initial=0)))

    def _rows(self, write: Callable[[memoryview], int], lengths: list[int], limit: int) -> PQGen[None]:
        """Writes the next rows, each of which the server sends by itself, and notes their lengths."""
        connection = self._connection.pgconn
        receive, note, left = connection.get_copy_data, lengths.append, limit
        while left:
            length, row = receive(1)
            if length > self._trailer_size:
                note(write(row))
                left -= 1
            elif length == 0:
                yield from _arrival(connection)
            elif length < 0:
                self.is_over = True
                yield from _end(connection)
                break


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
