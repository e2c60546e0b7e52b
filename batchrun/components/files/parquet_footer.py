"""The footer of a Parquet file: where it stands, and where it tells what.

Rules: github.com/apache/parquet-format, README.md and src/main/thrift/parquet.thrift.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path

from batchrun.components.files.thrift import parsed

MAGIC = b"PAR1"
LENGTH = struct.Struct("<I")
_TAIL = LENGTH.size + len(MAGIC)

# Numbers of fields, by the struct that has them.
NUM_ROWS, ROW_GROUPS = 3, 4  # FileMetaData
GROUP_ROWS = 3  # RowGroup


def cut_footer(file: bytes) -> tuple[bytes, bytes]:
    """Returns what is between the first magic number and the footer of a whole file, and the footer."""
    (length,) = LENGTH.unpack_from(file, len(file) - _TAIL)
    begin = len(file) - _TAIL - length
    return file[len(MAGIC) : begin], file[begin:-_TAIL]


def footer_of(path: Path) -> bytes:
    """Returns the footer of a file; nothing, or any other bytes of it, where it is no Parquet file.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _TAIL))
        tail = file.read()
        length = LENGTH.unpack_from(tail)[0] if len(tail) == _TAIL else 0
        if length > size - _TAIL:
            return b""
        file.seek(size - _TAIL - length)
        return file.read(length)


def group_rows(footer: bytes) -> list[int]:
    """Returns the number of rows of each row group.

    Raises:
        ValueError: the bytes are no footer.
    """
    groups = parsed(footer).get(ROW_GROUPS)
    if groups is None:
        raise ValueError("no row groups")
    return [group.get(GROUP_ROWS) for group in groups.values]
