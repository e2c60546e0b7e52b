"""The column types that tables get in a database that SQLAlchemy speaks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl
    import sqlalchemy as sa

_KEY_LENGTH = 255
_MYSQL = ("mysql", "mariadb")


def column_type(dtype: pl.DataType, *, is_key: bool) -> sa.types.TypeEngine[Any]:
    """Returns the column type for items of this type; a text of a key has a length, which some indexes need."""
    import polars as pl
    import sqlalchemy as sa
    from sqlalchemy.dialects import mysql

    if isinstance(dtype, pl.Decimal):
        return sa.Numeric(dtype.precision, dtype.scale)
    if isinstance(dtype, pl.Datetime):
        kept = sa.DateTime(timezone=dtype.time_zone is not None)
        return kept.with_variant(mysql.DATETIME(fsp=6), *_MYSQL)
    if dtype.is_integer():
        return sa.BigInteger()
    simple: dict[Any, sa.types.TypeEngine[Any]] = {
        pl.Float32: sa.Double(),
        pl.Float64: sa.Double(),
        pl.Boolean: sa.Boolean(),
        pl.Date: sa.Date(),
        pl.Time: sa.Time().with_variant(mysql.TIME(fsp=6), *_MYSQL),
        pl.Binary: sa.LargeBinary().with_variant(mysql.LONGBLOB(), *_MYSQL),
    }
    text = sa.String(_KEY_LENGTH) if is_key else sa.Text().with_variant(mysql.LONGTEXT(), *_MYSQL)
    return simple.get(dtype.base_type(), text)


def checkpoint_table() -> sa.Table:
    """Returns the table `batchrun_checkpoint`."""
    import polars as pl
    import sqlalchemy as sa

    def key(name: str, kind: sa.types.TypeEngine[Any]) -> sa.Column[Any]:
        return sa.Column(name, kind, primary_key=True, autoincrement=False)

    return sa.Table(
        "batchrun_checkpoint",
        sa.MetaData(),
        key("repository_id", sa.String(64)),
        key("instance_id", sa.BigInteger()),
        key("step_name", sa.String(_KEY_LENGTH)),
        key("partition", sa.String(_KEY_LENGTH)),
        sa.Column("token", sa.BigInteger(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("checkpoint", column_type(pl.String(), is_key=False), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
    )
