"""Types of PostgreSQL's columns without their sizes, and whether a table still has those that were counted on."""

from __future__ import annotations

import re
from collections.abc import Mapping

_SIZE = re.compile(r"\([^)]*\)")
_STILL = """
SELECT sqrt(count(*) - {count}) FROM pg_attribute
    JOIN unnest(ARRAY[{names}]::text[], ARRAY[{kinds}]::text[]) AS sent (name, kind)
        ON attname = sent.name AND format_type(atttypid, NULL) = sent.kind
WHERE attrelid = to_regclass({table})
"""


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
            names=", ".join(map(_literal, kinds)),
            kinds=", ".join(map(_literal, kinds.values())),
            table=_literal(table),
        ).strip()
        + "; "
        for table, kinds in tables.items()
    )


def _literal(text: str) -> str:
    """Returns a text for a statement, read alike whatever the server makes of a backslash."""
    escaped = text.replace("\\", "\\\\").replace("'", "''")
    return f"E'{escaped}'"
