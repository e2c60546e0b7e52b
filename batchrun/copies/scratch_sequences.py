"""Sequences of a scratch schema: whatever numbers a copied table, or a statement asks for, counts on in a copy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from batchrun.components.databases.session import quote

if TYPE_CHECKING:
    import psycopg

_STANDALONE = """
SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = current_schema() AND c.relkind = 'S'
    AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'i') ORDER BY c.oid"""
_OF_DEFAULTS = """
SELECT a.attname, pg_get_expr(d.adbin, d.adrelid), s.oid, quote_literal(s.oid::regclass::text),
       EXISTS (SELECT 1 FROM pg_depend o WHERE o.objid = s.oid AND o.deptype = 'a'
               AND o.refobjid = a.attrelid AND o.refobjsubid = a.attnum)
FROM pg_attribute a
    JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    JOIN pg_depend u ON u.classid = 'pg_attrdef'::regclass AND u.objid = d.oid AND u.refclassid = 'pg_class'::regclass
    JOIN pg_class s ON s.oid = u.refobjid AND s.relkind = 'S'
WHERE a.attrelid = quote_ident(%(table)s)::regclass ORDER BY a.attnum"""
_SEQUENCE = """
SELECT CASE n.nspname WHEN current_schema() THEN c.relname ELSE n.nspname || '.' || c.relname END,
       format('AS %%s START %%s INCREMENT %%s MINVALUE %%s MAXVALUE %%s CACHE %%s %%s', format_type(seqtypid, NULL),
              seqstart, seqincrement, seqmin, seqmax, seqcache, CASE WHEN seqcycle THEN 'CYCLE' ELSE 'NO CYCLE' END),
       CASE WHEN has_sequence_privilege(c.oid, 'SELECT, USAGE') THEN pg_sequence_last_value(c.oid) END
FROM pg_sequence JOIN pg_class c ON c.oid = seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = %(sequence)s"""


class ScratchSequences:
    """Copies sequences into one scratch schema, each once."""

    def __init__(self, connection: psycopg.Connection[Any], schema: str) -> None:
        self._connection = connection
        self._schema = schema
        self._copies: dict[int, str] = {}

    def copy_all(self) -> None:
        """Copies those of the connection's schema, but for those that belong to identity columns."""
        for (sequence,) in self._connection.execute(_STANDALONE).fetchall():
            self._copy(sequence)

    def number(self, table: str, copy: str) -> None:
        """Lets the defaults of a copied table take their numbers from copies of the sequences they have.

        Args:
            table: the original's name.
            copy: the copy's, quoted, with its schema.
        """
        for column, default, sequence, name, is_owned in self._connection.execute(_OF_DEFAULTS, {"table": table}):
            own = self._copy(sequence)
            row = self._connection.execute("SELECT quote_literal(%s)", (own,)).fetchone()
            assert row is not None
            self._connection.execute(
                f"ALTER TABLE {copy} ALTER {quote(column)} SET DEFAULT {default.replace(name, row[0])}".encode()
            )
            if is_owned:
                self._connection.execute(f"ALTER SEQUENCE {own} OWNED BY {copy}.{quote(column)}".encode())

    def _copy(self, sequence: int) -> str:
        """Returns the name of a sequence's copy, quoted, made now where there is none yet; it goes on where that is."""
        if sequence not in self._copies:
            row = self._connection.execute(_SEQUENCE, {"sequence": sequence}).fetchone()
            assert row is not None
            name, form, last = row
            self._copies[sequence] = own = f"{quote(self._schema)}.{quote(name)}"
            self._connection.execute(f"CREATE SEQUENCE {own} {form}".encode())
            if last is not None:
                self._connection.execute("SELECT setval(%s, %s)", (own, last))
        return self._copies[sequence]
