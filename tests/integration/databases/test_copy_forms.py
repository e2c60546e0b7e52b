"""What goes to PostgreSQL in the binary form of COPY is what would go there as text, and all else goes as text."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from batchrun.components.databases.postgres import PostgresSession
from batchrun.components.databases.postgres_copy import encode
from batchrun.components.databases.session import RefusedError, TableName, quote
from batchrun.errors import DatabaseError
from tests.integration.databases.conftest import World, chunk_of

Rows = list[tuple[Any, ...]]
WIDE = Decimal("99999999999999999999999999.999999999999")
EVERY_MOMENT = [datetime(1, 1, 1), datetime(1969, 12, 31, 23, 59, 59, 999999), datetime(9999, 12, 31, 23, 59, 59), None]


FAR_DAYS = pl.Series([-2_440_588, -719_163, 0, 2_932_897, 95_026_234, None], dtype=pl.Int32)
"""Since 1970: the first day of PostgreSQL, of the years 1 BC, 1970 and 10000, and one of the last days of polars."""


ODD = """it's 5 %, "a" \\ {b}"""


def kept(world: World, kind: str, values: pl.Series, *, as_text: bool) -> Rows:
    """Copies a column into a table of this type; returns what the table says of it, in words."""
    session: PostgresSession
    with world.session() as session:  # type: ignore[assignment]
        session.execute("SET timezone = 'Asia/Kathmandu'")
        session.execute("DROP TABLE IF EXISTS t")
        session.execute(f"CREATE TABLE t (at serial, v {kind})")
        encoded = encode(values.alias("v").to_frame(), session.describe(TableName("t")))
        if not as_text:
            assert encoded.binary, "this is to be about the binary form"
        session.copy("t", ["v"], replace(encoded, binary=()) if as_text else encoded)
        return session.fetch("SELECT CAST(v AS text), pg_typeof(v)::text FROM t ORDER BY at")


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("smallint", pl.Series([-(2**15), 2**15 - 1, None], dtype=pl.Int64)),
        ("integer", pl.Series([-(2**31), 2**31 - 1, None], dtype=pl.Int64)),
        ("bigint", pl.Series([-(2**63), 2**63 - 1, None], dtype=pl.Int64)),
        ("bigint", pl.Series([0, 255], dtype=pl.UInt8)),
        ("bigint", pl.Series([1, None], dtype=pl.Int128)),
        ("numeric(40,0)", pl.Series([2**64 - 1, 0], dtype=pl.UInt64)),
        ("numeric", pl.Series([-1, 10_000, 0], dtype=pl.Int32)),
        ("numeric", pl.Series(["0.00", "-0.01", "10.10", "12345678.90", None]).cast(pl.Decimal(38, 2))),
        ("numeric(6,1)", pl.Series(["1.25", "-1.35", "9999.94"]).cast(pl.Decimal(12, 2))),  # rounded by the server
        ("numeric", pl.Series([WIDE, -WIDE], dtype=pl.Decimal(38, 12))),
        ("real", pl.Series([0.1, float("nan"), float("-inf"), 1e-40, None], dtype=pl.Float32)),
        ("double precision", pl.Series([0.1, float("nan"), float("inf"), 5e-324, -0.0, None])),
        ("boolean", pl.Series([True, False, None])),
        ("text", pl.Series(["", None, 'é\n"x",\\.', "a" * 70_000, "NULL", "\\N"])),
        ("varchar(3)", pl.Series(["abc", "ab "])),
        ("varchar(3)", pl.Series(["abc   "])),  # too long by blanks only, which are cut
        ("char(5)", pl.Series(["ab", "ab "])),
        ("text", pl.Series(["a", "b", None], dtype=pl.Categorical)),
        ("text", pl.Series(["a", None], dtype=pl.Enum(["a"]))),
        ("json", pl.Series(['{"b": 1, "a":  [null]}', "null", None])),
        ("jsonb", pl.Series(['{"b": 1, "a":  [null]}', '"é"', None])),
        ("uuid", pl.Series(["6f1c2a3e-0000-4000-8000-00000000000F", None])),
        ("bytea", pl.Series([b"\x00\xff", b"", None, b"a" * 70_000])),
        ("date", pl.Series([date(1, 1, 1), date(1999, 12, 31), date(9999, 12, 31), None])),
        ("time", pl.Series([time(0, 0), time(23, 59, 59, 999999), None])),
        ("time(2)", pl.Series([time(1, 2, 3, 456789)])),
        ("timestamp", pl.Series(EVERY_MOMENT, dtype=pl.Datetime("us"))),
        ("timestamp", pl.Series([datetime(2026, 11, 26, 1, 2, 3, 456000)], dtype=pl.Datetime("ms"))),
        ("timestamp", pl.Series([datetime(2026, 11, 26, 1, 2, 3, 456789)], dtype=pl.Datetime("ns"))),
        ("timestamp(3)", pl.Series([datetime(2026, 11, 26, 1, 2, 3, 456789)])),
        ("timestamptz", pl.Series(EVERY_MOMENT, dtype=pl.Datetime("us"))),
        ("timestamptz", pl.Series(EVERY_MOMENT, dtype=pl.Datetime("us", "UTC"))),
        ("timestamptz", pl.Series([datetime(2026, 11, 26)]).dt.replace_time_zone("Asia/Seoul")),
        ("timestamptz(3)", pl.Series(EVERY_MOMENT, dtype=pl.Datetime("ms"))),
        ("timestamptz", pl.Series(EVERY_MOMENT, dtype=pl.Datetime("us", "Europe/Berlin"))),
        ("date", FAR_DAYS.cast(pl.Date)),
        ("timestamp", FAR_DAYS.cast(pl.Date).cast(pl.Datetime("us"))),
        ("timestamptz", FAR_DAYS.cast(pl.Date).cast(pl.Datetime("ms"))),
        ("timestamptz", FAR_DAYS.cast(pl.Date).cast(pl.Datetime("us", "Asia/Seoul"))),
        ("integer", pl.Series([None, None])),
        ("boolean", pl.Series([None], dtype=pl.Null)),
    ],
)
def test_the_binary_form_is_read_as_text_is(postgres: World, kind: str, values: pl.Series) -> None:
    as_text = kept(postgres, kind, values, as_text=True)
    assert kept(postgres, kind, values, as_text=False) == as_text
    assert len(as_text) == len(values)


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("smallint", pl.Series([1, 2**15])),  # the server is to say of the second one that it is out of range
        ("real", pl.Series([0.1])),
        ("double precision", pl.Series([0.1], dtype=pl.Float32)),
        ("numeric", pl.Series([0.1])),
        ("integer", pl.Series(["1"])),
        ("uuid", pl.Series(["6F1C2A3E-0000-4000-8000-000000000000", "{6f1c2a3e-0000-4000-8000-000000000000}"])),
        ("uuid", pl.Series(["6f1c2a3e000040008000000000000000"])),
        ("uuid", pl.Series(["6f1c2a3e-0000-4000-8000-0000000000"])),  # the server is to say that two are missing
        ("text[]", pl.Series(["{a}"])),
        ("timestamp", pl.Series([datetime(2026, 11, 26)]).dt.replace_time_zone("UTC")),
        ("timestamp", pl.Series([date(2026, 11, 26)])),
        ("interval", pl.Series(["1 day"])),
    ],
)
def test_what_has_no_form_that_is_read_alike_goes_as_text(postgres: World, kind: str, values: pl.Series) -> None:
    with postgres.session() as session:
        session.execute(f"CREATE TABLE t (v {kind})")
        assert not encode(values.alias("v").to_frame(), session.describe(TableName("t"))).binary


@pytest.mark.parametrize(
    "values",
    [
        pl.Series([0, 2**31 - 1], dtype=pl.Int32).cast(pl.Date),
        pl.Series([0, -(2**63)], dtype=pl.Int64).cast(pl.Datetime("us")),
        pl.Series([0, 2**62], dtype=pl.Int64).cast(pl.Datetime("ms", "UTC")),
    ],
)
def test_a_time_out_of_all_years_is_refused_by_name(values: pl.Series) -> None:
    with pytest.raises(RefusedError, match="column 'v' holds a time outside of the years") as refused:
        encode(values.alias("v").to_frame(), None)
    assert refused.value.index == 1


@pytest.mark.parametrize(
    ("kind", "values", "then"),
    [
        ("bigint", [1], "double precision"),  # as many bytes, which would be read as another number
        ("integer", [1], "bigint"),
        ("timestamp(3)", [datetime(2026, 1, 1)], "timestamptz"),
        ("text", ["a"], "bytea USING 'b'"),
    ],
)
def test_the_binary_form_of_another_type_than_the_column_has_now_is_not_kept(
    postgres: World, kind: str, values: list[Any], then: str
) -> None:
    postgres.sql(f"CREATE TABLE t (id bigint, {quote(ODD)} {kind})")
    frame = pl.DataFrame({"id": [1], ODD: values})
    with postgres.writing(table="t") as writing:
        writing.commit(frame)
        there = postgres.sql("SELECT t::text FROM t")
        postgres.sql(f"ALTER TABLE t ALTER {quote(ODD)} TYPE {then}")
        then_there = postgres.sql("SELECT t::text FROM t")
        with pytest.raises(DatabaseError, match="the type of a column has changed since the step looked at it") as told:
            writing.commit(frame)
        assert "a restart goes by the new type" in (told.value.hint or "")
    assert len(there) == 1
    assert postgres.sql("SELECT t::text FROM t") == then_there


def test_other_sizes_and_other_columns_are_no_other_types(postgres: World) -> None:
    postgres.sql("CREATE TABLE t (v varchar(9), n numeric(9,2), gone int)")
    frame = pl.DataFrame({"n": [Decimal("1.25")], "v": ["a"]})
    with postgres.writing(table="t") as writing:
        writing.commit(frame)
        postgres.sql("ALTER TABLE t ALTER v TYPE varchar(2), ALTER n TYPE numeric(9,1), DROP gone, ADD more date")
        writing.commit(frame)
    assert postgres.sql("SELECT v, n::text, more FROM t") == [("a", "1.3", None), ("a", "1.3", None)]


def test_without_the_encoder_all_goes_as_text(postgres: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pgpq", None)
    postgres.sql("CREATE TABLE t (a bigint)")
    assert postgres.write(pl.DataFrame({"a": [1, 2]}), table="t") == 2
    assert postgres.sql("SELECT a FROM t ORDER BY a") == [(1,), (2,)]


def test_a_table_that_the_writer_makes_is_known_to_the_next_chunk(postgres: World) -> None:
    with postgres.writing(table="t", create=True) as writing:
        first = writing.writer.prepare(chunk_of(pl.DataFrame({"a": [1, 2]})))
        assert not first.encoded.binary
        writing.commit(pl.DataFrame({"a": [1, 2]}))
        then = writing.writer.prepare(chunk_of(pl.DataFrame({"a": [3]})))
        assert then.encoded.binary
        writing.commit(pl.DataFrame({"a": [3]}))
    assert postgres.sql("SELECT a FROM t ORDER BY a") == [(1,), (2,), (3,)]


@pytest.mark.parametrize("as_text", [False, True])
def test_a_line_that_is_refused_tells_its_item(postgres: World, as_text: bool) -> None:
    items = pl.DataFrame({"v": ["a\nb", "c\r\n", "d" * 4, "e"], "n": [1, 2, 3, 4]})
    with postgres.session() as session:
        session.execute("CREATE TABLE t (v varchar(3), n bigint)")
        encoded = session.encode(items, session.describe(TableName("t")))
        assert encoded.binary
        with pytest.raises(RefusedError, match="too long for type character varying") as refused:
            session.insert(TableName("t"), replace(encoded, binary=()) if as_text else encoded)
    assert refused.value.index == 2


NUMBERS = st.decimals(-(10**25), 10**25, places=6) | st.decimals(-1, 1, places=6)


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(numbers=st.lists(st.none() | NUMBERS, min_size=1, max_size=40))
def test_any_number_is_read_alike(postgres: World, numbers: list[Decimal | None]) -> None:
    values = pl.Series(numbers, dtype=pl.Decimal(38, 6))
    assert kept(postgres, "numeric", values, as_text=False) == kept(postgres, "numeric", values, as_text=True)


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(st.none() | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))))
def test_any_text_is_read_alike(postgres: World, texts: list[str | None]) -> None:
    values = pl.Series(["one", *texts], dtype=pl.String)
    assert kept(postgres, "text", values, as_text=False) == kept(postgres, "text", values, as_text=True)
