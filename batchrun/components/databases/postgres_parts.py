"""Writes parts of a chunk that PostgreSQL refused: all of it is sent once, and the server tells which.

Sent anew, each part would cost six messages to the server for each bad item. Here the chunk stands in a temporary table
without constraints, and a temporary function inserts a few rows at a time from there, and one by one where that is
refused. It goes on behind a refused row, and tells of all of them at its end.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from batchrun.components.databases.postgres_copy import CopyData, CopyPart
from batchrun.components.databases.session import RefusedError, TableName, names

if TYPE_CHECKING:
    from batchrun.components.databases.postgres import PostgresSession

_PLACE = "batchrun_place"
_AT_ONCE = 12
"""Rows a subtransaction; measured: with 1 % of bad rows, 8 to 12 are the quickest, and 40 take half as long again."""

_MOST_REFUSED = 1000
"""How many refusals the server comes to before it tells them: a step may have enough of them long before."""

_IS_PLAIN = "SELECT 1 FROM pg_class WHERE oid = to_regclass(:table) AND relkind IN ('r', 'p') AND NOT relhasrules"
_STAGE = """
SET LOCAL client_min_messages = warning;
CREATE TEMPORARY TABLE IF NOT EXISTS {stage} ON COMMIT DELETE ROWS AS
    SELECT 0 AS {place}, {columns} FROM {table} WITH NO DATA;
CREATE INDEX IF NOT EXISTS {stage}_place ON {stage} ({place});
TRUNCATE {stage};
CREATE OR REPLACE FUNCTION pg_temp.{stage}_write(
    first int, behind int
) RETURNS TABLE (at int, code text, message text, detail text, column_ text, hint text) LANGUAGE plpgsql AS $batchrun$
#variable_conflict use_column
<<batchrun>>
DECLARE
    until int;
    refused int := 0;
BEGIN
    at := first;
    WHILE at < behind AND refused < {most_refused} LOOP
        until := least(at + {at_once}, behind);
        BEGIN
            {insert} WHERE {place} >= {stage}_write.at AND {place} < batchrun.until {action};
            at := until;
            CONTINUE;
        EXCEPTION WHEN OTHERS OR assert_failure THEN NULL;
        END;
        WHILE at < until LOOP
            BEGIN
                {insert} WHERE {place} = {stage}_write.at {action};
            EXCEPTION WHEN OTHERS OR assert_failure THEN
                GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT, column_ = COLUMN_NAME,
                    detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
                IF code ~ '^({database_fails})' THEN RAISE; END IF;
                RETURN NEXT;
                refused := refused + 1;
            END;
            at := at + 1;
        END LOOP;
    END LOOP;
    code := NULL;
    RETURN NEXT;
END $batchrun$
"""


class PostgresParts:
    """The parts of one chunk at a time, in the transaction of a session."""

    def __init__(self, session: PostgresSession, database_fails: Sequence[str]) -> None:
        """Takes the codes of errors that are about the database as a whole, or what those begin with."""
        self._session = session
        self._database_fails = "|".join(database_fails)
        self._staged: CopyData | None = None
        self._not_staged: CopyData | None = None

    def forget(self) -> None:
        """Takes note that the server has undone what was sent."""
        self._staged = None

    def write(self, table: TableName, part: CopyPart, action: str) -> bool:
        """Writes a part of a chunk; returns False, having done nothing, where the chunk cannot be staged.

        Args:
            table: where it goes.
            part: the items.
            action: what stands behind the INSERT: nothing, or ON CONFLICT ….

        Raises:
            RefusedError: items are refused; the others are kept, as far as it says.
        """
        stage = f"batchrun_part_{zlib.crc32(repr((table, part.whole.columns, action)).encode()):08x}"
        if self._staged is not part.whole and not self._stage(stage, table, part.whole, action):
            return False
        behind = part.start + part.length
        *refused, (end, *_) = self._session.fetch_plain(f"SELECT * FROM pg_temp.{stage}_write({part.start}, {behind})")
        if refused:
            first, *further = [self._session.refusal_told(*told, index=at - part.start) for at, *told in refused]
            first.decided, first.further = end - part.start, further
            raise first
        return True

    def _stage(self, stage: str, table: TableName, whole: CopyData, action: str) -> bool:
        """Sends a chunk into a table of the columns' types; false where a value is refused there already."""
        if self._not_staged is whole:
            return False
        session = self._session
        session.savepoint()
        try:
            if not session.fetch(_IS_PLAIN, {"table": table.quoted}):
                raise RefusedError(f"{table} is no plain table")
            session.execute_plain(self._definition(stage, table, whole.columns, action))
            session.copy(stage, [_PLACE, *whole.columns], whole.numbered())
        except RefusedError:
            session.rollback_to_savepoint()
            self._not_staged = whole
            return False
        session.release()
        self._staged = whole
        return True

    def _definition(self, stage: str, table: TableName, columns: Sequence[str], action: str) -> str:
        # COPY writes given values into identity columns too.
        insert = (
            f"INSERT INTO {table.quoted} ({names(columns)}) OVERRIDING SYSTEM VALUE "
            f"SELECT {names(columns)} FROM {stage}"
        )
        return _STAGE.format(
            stage=stage,
            table=table.quoted,
            columns=names(columns),
            place=_PLACE,
            at_once=_AT_ONCE,
            most_refused=_MOST_REFUSED,
            insert=insert,
            action=action,
            database_fails=self._database_fails,
        )
