"""A chunk that a table refuses, narrowed down through the writer: what is kept, what is told, in how many writes."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from batchrun.domain.tolerance import ErrorRules, class_names
from batchrun.engine.narrowing import Narrowing, refusals_of
from batchrun.errors import DatabaseError, ItemError
from batchrun.spi.chunk import Chunk
from batchrun.spi.scope import Database
from tests.integration.databases.conftest import World, chunk_of

CONSTRAINED = "CREATE TABLE t (id integer PRIMARY KEY, n integer NOT NULL CHECK (n <> 613), name text)"


class Narrowed:
    """Writes a frame in one transaction as a step would do whose errors may all be skipped."""

    def __init__(self, world: World, frame: pl.DataFrame, **options: Any) -> None:
        self.refused: list[tuple[int, str]] = []
        self.errors: list[Exception] = []
        self.attempts = 0
        self.written = 0
        with world.writing(table="t", **options) as writing:
            self.writer, self.store = writing.writer, writing.store
            chunk = chunk_of(frame)
            self.whole = self.writer.prepare(chunk)
            self.done = 0
            self.store.begin()
            self.attempts += 1
            try:
                self.written = self.writer.write(self.whole)
            except ItemError as error:
                self.store.rollback()
                self.store.begin()
                Narrowing(self._part, self._set_aside).run(chunk, error)
            self.writer.state()
            writing.store.commit(writing.checkpoint.after(1, {}, {}, writing.checkpoint.counts))

    def _part(self, part: Chunk) -> int | Exception:
        self.store.savepoint()
        outcome = self._attempt(part, self.writer.prepare_part(self.whole, self.done, part))
        if isinstance(outcome, int):
            self.store.release()
        else:
            self.store.rollback_to_savepoint()
        return outcome

    def _attempt(self, part: Chunk, payload: Any) -> int | Exception:
        self.attempts += 1
        try:
            self.written += self.writer.write(payload)
        except ItemError as error:
            refusals = refusals_of(error, len(part))
            for each in refusals:
                assert each.place is not None
                self.refused.append((part.rows[each.place]["id"], each.reason))
                self.errors.append(each)
            self.written += error.decided - len(refusals)
            self.done += error.decided
            return error.decided or error
        self.done += len(part)
        return len(part)

    def _set_aside(self, item: Chunk, error: Exception) -> None:
        assert isinstance(error, ItemError)
        self.refused.append((item.rows[0]["id"], error.reason))
        self.errors.append(error)
        self.done += 1

    @property
    def ids(self) -> list[int]:
        return [each for each, _ in self.refused]


@pytest.mark.parametrize("mode", ["insert", "upsert"])
def test_each_refused_item_costs_about_one_write(world: World, mode: str) -> None:
    world.sql(CONSTRAINED)
    bad = {7, 8, 613, 1999}
    ids = range(2000)
    numbers = [None if each in bad else each for each in ids]
    numbers[613] = 613
    names = [f'a "{each}",\r\n\n' if each % 7 == 0 else None if each % 3 else "" for each in ids]
    narrowed = Narrowed(world, pl.DataFrame({"id": ids, "n": numbers, "name": names}), mode=mode, key=["id"])
    assert narrowed.ids == sorted(bad)
    assert narrowed.written == 2000 - len(bad)
    assert narrowed.attempts <= (9 if (world.kind, mode) == ("postgres", "insert") else 16)
    for error in narrowed.errors:
        assert ErrorRules(["IntegrityError"]).mean(error)
    rows = world.sql("SELECT id, n, name FROM t ORDER BY id")
    assert rows == [(each, each, names[each]) for each in ids if each not in bad]


def test_keys_that_are_there_or_come_twice_are_told_with_their_class(world: World) -> None:
    world.sql(CONSTRAINED)
    world.sql("INSERT INTO t VALUES (5, 5, 'x')")
    frame = pl.DataFrame({"id": [*range(10), 3, *range(11, 40)], "n": [1] * 40})
    narrowed = Narrowed(world, frame)
    assert narrowed.ids == [5, 3]
    assert world.sql("SELECT count(*), min(name) FROM t") == [(39, "x")]
    for error in narrowed.errors:
        assert ErrorRules(["IntegrityError"]).mean(error)
    if world.kind == "postgres":
        assert narrowed.refused[0][1].startswith("table t: duplicate key value violates")
        assert narrowed.refused[0][1].endswith("Key (id)=(5) already exists.")
        causes = {name for each in class_names(narrowed.errors[0].__cause__.__cause__) for name in each}  # type: ignore[arg-type,union-attr]
        assert "psycopg.errors.UniqueViolation" in causes


@pytest.mark.parametrize(
    "spoiled",
    [
        "CREATE TRIGGER g AFTER INSERT ON t BEGIN INSERT INTO log VALUES (1); END",
        "CREATE TRIGGER g BEFORE INSERT ON t WHEN NEW.id = 2 BEGIN SELECT RAISE(IGNORE); END",
        "CREATE INDEX u ON t (name)",
    ],
)
def test_no_item_comes_twice_or_is_lost_where_sqlite_cannot_tell_how_far_it_came(sqlite: World, spoiled: str) -> None:
    sqlite.sql("CREATE TABLE log (id integer)")
    sqlite.sql("CREATE TABLE t (id integer, n integer NOT NULL, name text UNIQUE ON CONFLICT IGNORE)")
    sqlite.sql(spoiled)
    frame = pl.DataFrame({"id": range(20), "n": [None if each == 11 else each for each in range(20)]})
    frame = frame.with_columns(name=pl.when(pl.col("id") < 4).then(pl.lit("same")).otherwise(pl.col("id").cast(str)))
    narrowed = Narrowed(sqlite, frame)
    assert narrowed.ids == [11]
    written = [each for (each,) in sqlite.sql("SELECT id FROM t ORDER BY id")]
    assert written == [each for each in range(20) if each not in (1, 2, 3, 11)]


@pytest.mark.parametrize(
    ("table", "bad"),
    [
        ("CREATE TABLE t (id integer, name varchar(3))", [4, 17]),
        ("CREATE TABLE t (id integer GENERATED ALWAYS AS IDENTITY, name text CHECK (length(name) < 4))", [4, 17]),
        ("CREATE DOMAIN short AS text CHECK (length(VALUE) < 4); CREATE TABLE t (id integer, name short)", [4, 17]),
        (
            "CREATE TABLE t (id integer, name text CHECK (length(name) < 4)); "
            "CREATE RULE r AS ON INSERT TO t DO INSTEAD NOTHING",
            [4, 17],
        ),
    ],
)
def test_tables_of_every_kind_take_the_good_items_alone(postgres: World, table: str, bad: list[int]) -> None:
    for statement in table.split("; "):
        postgres.sql(statement)
    frame = pl.DataFrame({"id": range(30), "name": ["long" if each in bad else "x" for each in range(30)]})
    assert Narrowed(postgres, frame).ids == bad
    assert postgres.sql("SELECT id, name FROM t ORDER BY id") == [(n, "x") for n in range(30) if n not in bad]


def test_foreign_keys_and_triggers_refuse_items_of_parts(postgres: World) -> None:
    postgres.sql("CREATE TABLE parent (id integer PRIMARY KEY)")
    postgres.sql("INSERT INTO parent SELECT generate_series(0, 30) EXCEPT SELECT 9")
    postgres.sql("CREATE TABLE t (id integer REFERENCES parent)")
    narrowed = Narrowed(postgres, pl.DataFrame({"id": range(30)}))
    assert narrowed.ids == [9]
    assert 'is not present in table "parent"' in narrowed.refused[0][1]
    assert postgres.sql("SELECT count(*) FROM t") == [(29,)]


@pytest.mark.parametrize(("code", "name"), [("MY001", "DatabaseError"), ("23999", "IntegrityError")])
def test_a_trigger_may_refuse_items_with_a_code_of_its_own(postgres: World, code: str, name: str) -> None:
    postgres.sql("CREATE TABLE t (id integer)")
    postgres.sql(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION 'not this one' USING ERRCODE = '{code}'; END $$"
    )
    postgres.sql("CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW WHEN (NEW.id IN (3, 20)) EXECUTE FUNCTION refuse()")
    narrowed = Narrowed(postgres, pl.DataFrame({"id": range(30)}))
    assert narrowed.refused == [(3, "table t: not this one"), (20, "table t: not this one")]
    for error in narrowed.errors:
        assert ErrorRules([name]).mean(error)
    assert postgres.sql("SELECT count(*) FROM t") == [(28,)]


@pytest.mark.parametrize("mode", ["insert", "upsert"])
@pytest.mark.parametrize("names", [("at", "code", "until", "first"), ("found", "message", "behind", "refused")])
def test_columns_may_be_called_as_anything_of_the_function_is(
    postgres: World, mode: str, names: tuple[str, ...]
) -> None:
    key, *others = names
    columns = ", ".join(f'"{each}" integer' for each in others)
    postgres.sql(f'CREATE TABLE t (id integer CHECK (id <> 9), "{key}" integer PRIMARY KEY, {columns})')
    frame = pl.DataFrame({each: range(30) for each in ("id", *names)})
    assert Narrowed(postgres, frame, mode=mode, key=[key]).ids == [9]
    assert postgres.sql(f'SELECT count(*), sum("{key}") FROM t') == [(29, sum(range(30)) - 9)]


def test_an_assertion_of_a_trigger_refuses_items(postgres: World) -> None:
    postgres.sql("CREATE TABLE t (id integer)")
    postgres.sql(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN ASSERT NEW.id NOT IN (3, 20), 'not this one'; RETURN NEW; END $$"
    )
    postgres.sql("CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION refuse()")
    narrowed = Narrowed(postgres, pl.DataFrame({"id": range(30)}))
    assert narrowed.refused == [(3, "table t: not this one"), (20, "table t: not this one")]
    assert postgres.sql("SELECT count(*) FROM t") == [(28,)]


def test_a_table_that_another_session_has_locked_is_no_fault_of_the_items(postgres: World) -> None:
    postgres.sql("CREATE TABLE t (id integer)")
    hasty = Database("db", f"{postgres.database.url}%20-clock_timeout%3D50")
    with postgres.session() as other:
        other.begin()
        other.execute("LOCK TABLE t IN SHARE MODE")
        with pytest.raises(DatabaseError, match="lock timeout"):
            World("postgres", hasty, postgres.folder).write(pl.DataFrame({"id": [1]}), table="t")


def test_an_upsert_without_the_right_to_a_temporary_table_is_no_fault_of_the_items(postgres: World) -> None:
    postgres.sql("CREATE TABLE t (id integer PRIMARY KEY)")
    with postgres.session() as session:
        ((name,),) = session.fetch("SELECT current_schema()")
        session.execute(f"CREATE ROLE {name}")
        session.execute(f"GRANT ALL ON SCHEMA {name} TO {name}")
        session.execute(f"GRANT ALL ON t TO {name}")
        ((database,),) = session.fetch("SELECT current_database()")
        session.execute(f"REVOKE TEMPORARY ON DATABASE {database} FROM public")
    as_role = Database("db", f"{postgres.database.url}%20-crole%3D{name}")
    try:
        with pytest.raises(DatabaseError, match="permission denied to create temporary tables") as caught:
            World("postgres", as_role, postgres.folder).write(
                pl.DataFrame({"id": [1]}), table="t", mode="upsert", key=["id"]
            )
        assert "GRANT TEMPORARY" in str(caught.value.hint)
    finally:
        with postgres.session() as session:
            session.execute(f"GRANT TEMPORARY ON DATABASE {database} TO public")
            session.execute(f"DROP OWNED BY {name}")
            session.execute(f"DROP ROLE {name}")


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        (
            "CREATE TABLE t (id integer); CREATE TRIGGER g BEFORE INSERT ON t WHEN NEW.id IN (3, 20) "
            "BEGIN SELECT RAISE(ABORT, 'not this one'); END",
            "not this one",
        ),
        ("CREATE TABLE t (id integer CHECK (id NOT IN (3, 20) OR json('{') IS NULL))", "malformed JSON"),
        (
            "CREATE TABLE t (id integer, n integer AS (abs(iif(id IN (3, 20), -9223372036854775807 - 1, 1))) STORED)",
            "integer overflow",
        ),
    ],
)
def test_what_a_trigger_or_function_of_sqlite_says_in_its_own_words_refuses_items(
    sqlite: World, table: str, reason: str
) -> None:
    for statement in table.split("; CREATE"):
        sqlite.sql(statement if statement.startswith("CREATE") else f"CREATE{statement}")
    narrowed = Narrowed(sqlite, pl.DataFrame({"id": range(30)}))
    assert narrowed.refused == [(3, f"table t: {reason}"), (20, f"table t: {reason}")]
    for error in narrowed.errors:
        assert ErrorRules(["IntegrityError"]).mean(error)
    assert sqlite.sql("SELECT count(*) FROM t") == [(28,)]


def test_a_trigger_of_sqlite_that_rolls_all_back_is_told_of(sqlite: World) -> None:
    sqlite.sql("CREATE TABLE t (id integer)")
    sqlite.sql("CREATE TRIGGER g BEFORE INSERT ON t WHEN NEW.id = 3 BEGIN SELECT RAISE(ROLLBACK, 'not this one'); END")
    with pytest.raises(DatabaseError, match="no such savepoint") as caught:
        Narrowed(sqlite, pl.DataFrame({"id": range(30)}))
    assert "RAISE(ABORT" in str(caught.value.hint)
    assert sqlite.sql("SELECT count(*) FROM t") == [(0,)]


def test_more_refused_items_than_a_server_tells_at_once_are_all_told(postgres: World) -> None:
    postgres.sql("CREATE TABLE t (id integer CHECK (id % 100 = 0))")
    narrowed = Narrowed(postgres, pl.DataFrame({"id": range(2500)}))
    assert narrowed.ids == [each for each in range(2500) if each % 100]
    assert narrowed.written == 25
    assert postgres.sql("SELECT id FROM t ORDER BY id") == [(each,) for each in range(0, 2500, 100)]
