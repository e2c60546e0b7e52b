"""psycopg: the rows of a query in their key's order, passed on unread in COPY's binary format and committed at once."""

import sys

import psycopg

url, *key = sys.argv[1:]
with psycopg.connect(url) as source, psycopg.connect(url) as target:
    rows = f"COPY (SELECT * FROM source ORDER BY {', '.join(key)}) TO STDOUT (FORMAT binary)"
    written = "COPY lineitem FROM STDIN (FORMAT binary)"
    with source.cursor().copy(rows) as read, target.cursor().copy(written) as write:
        for row in read:
            write.write(row)
