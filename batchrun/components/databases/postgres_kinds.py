"""Types of PostgreSQL's columns without their sizes, and whether a table still has those that were counted on."""

from __future__ import annotations

import re
from collections.abc import Mapping

_SIZE = re.compile(r"\([^)]*\)")
_STILL = """
SELECT sqrt(count(*) - {count}) FROM pg_attribute
WHERE attrelid = to_regclass({table}) AND attname || ' ' || format_type(atttypid, NULL) = ANY ({columns})
"""
"""Each statement that goes with a commit counts; measured: a join takes twice as long, a list of pairs six times."""


def bare(kind: str) -> str:
    """Returns a type without its size."""
    return _SIZE.sub("", kind)


def checks(tables: Mapping[str, Mapping[str, str]]) -> str:
    """Returns statements that fail, by the root of a negative number, where a column is not of the type it was.

    Args:
        tables: the bare type by column name, by table, whose name is quoted where it needs to be.
    """
    return "".join(
        _STILL.format(
            count=len(kinds),
            table=_literal(table),
            columns=_literal(f"{{{','.join(_element(f'{name} {kind}') for name, kind in kinds.items())}}}"),
        ).strip()
        + "; "
        for table, kinds in tables.items()
    )


def _element(text: str) -> str:
    """Returns a text as an element of an array."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _literal(text: str) -> str:
    """Returns a text for a statement, read alike whatever the server makes of a backslash."""
    escaped = text.replace("\\", "\\\\").replace("'", "''")
    return f"E'{escaped}'"
