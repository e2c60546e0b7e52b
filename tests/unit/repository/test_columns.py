"""What the column types do to values that databases treat differently."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy.dialects import postgresql, sqlite

from batchrun.repository.columns import Prose, UtcDateTime

DIALECTS = [sqlite.dialect(), postgresql.dialect()]


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
def test_a_time_comes_back_in_utc(dialect: sqlite.dialect) -> None:
    column = UtcDateTime()
    seoul = datetime(2024, 3, 1, 8, 30, 0, 1, tzinfo=timezone(timedelta(hours=9)))
    back = column.process_result_value(column.process_bind_param(seoul, dialect), dialect)
    assert back == seoul
    assert back is not None
    assert back.tzinfo is UTC


def test_a_time_without_zone_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="expected a time with its zone"):
        UtcDateTime().process_bind_param(datetime(2024, 3, 1), DIALECTS[0])


def test_prose_escapes_what_no_database_stores() -> None:
    assert Prose().process_bind_param("a\0b caf\udce9 ☃", DIALECTS[0]) == r"a\x00b caf\udce9 ☃"
