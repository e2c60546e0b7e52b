"""What steps need of the data: by the names in their options."""

from __future__ import annotations

from typing import Any

from batchrun.domain.definition import (
    ChunkDefinition,
    ComponentDefinition,
    FlowDefinition,
    JobDefinition,
    StepDefinition,
    TaskletDefinition,
)
from batchrun.tune.needs import Needs

DATABASES = {"main": "sqlite:///main.db", "same": "sqlite:///main.db", "other": "sqlite:///other.db"}


def needs(*steps: StepDefinition) -> Needs:
    flow = FlowDefinition(steps, steps[0].name)
    return Needs.of(JobDefinition("job", flow, databases=DATABASES), lambda component: ":" not in component.type)


def sql(name: str, *statements: str, database: str = "main") -> StepDefinition:
    options = {"database": database, "statements": list(statements)}
    return StepDefinition(name, TaskletDefinition(ComponentDefinition("tasklet", "sql", options)))


def chunk(name: str, reader: dict[str, Any], writer: dict[str, Any]) -> StepDefinition:
    parts = [ComponentDefinition(role, "x", options) for role, options in (("reader", reader), ("writer", writer))]
    return StepDefinition(name, ChunkDefinition(*parts))


def query(text: str, database: str = "main") -> dict[str, Any]:
    return {"database": database, "query": text}


def table(name: str, database: str = "main", **more: Any) -> dict[str, Any]:
    return {"database": database, "table": name, **more}


def test_a_step_that_nothing_prepares_reads_the_original() -> None:
    found = needs(chunk("copy", query("SELECT * FROM trades"), table("archive")))
    assert not found.reads_copies
    assert found.databases["main"].filled == {"archive"}
    assert not found.databases["main"].has_rows("trades")


def test_a_step_reads_copies_where_an_earlier_one_writes_what_it_reads() -> None:
    found = needs(
        chunk("load", {"path": "in.csv"}, table("public.Staging")),
        chunk("copy", query("SELECT * FROM staging JOIN desks USING (desk)", "same"), table("trades", "same")),
    )
    assert found.reads_copies == {"copy"}
    assert found.databases["main"].has_rows("Desks")
    assert not found.databases["main"].has_rows("staging")
    assert found.copied == {"main", "same"}


def test_a_table_of_another_database_is_another_one() -> None:
    found = needs(
        chunk("load", {"path": "in.csv"}, table("trades")),
        chunk("copy", query("SELECT * FROM trades", "other"), table("archive")),
    )
    assert not found.reads_copies
    assert found.copied == {"main"}


def test_sql_fills_what_it_inserts_into_and_needs_the_rows_of_the_rest() -> None:
    main = needs(
        sql("a", "TRUNCATE TABLE staging", 'INSERT INTO "Day" SELECT * FROM raw', "UPDATE desks SET n = 0")
    ).databases["main"]
    assert [main.has_rows(each) for each in ("staging", "Day", "raw", "desks", "else")] == [
        False,
        False,
        True,
        True,
        False,
    ]
    assert [main.may_write(each) for each in ("staging", "Day", "raw", "desks")] == [True, True, False, True]


def test_what_was_deleted_from_is_filled_by_the_writer_behind_it() -> None:
    found = needs(sql("clear", "DELETE FROM trades WHERE day = :day"), chunk("load", {"path": "x"}, table("trades")))
    assert not found.databases["main"].has_rows("trades")


def test_an_upsert_needs_rows_unless_the_job_has_filled_the_table() -> None:
    upsert = chunk("update", {"path": "x"}, table("trades", mode="upsert", key=["id"]))
    assert needs(upsert).databases["main"].upserted == {"trades"}
    assert needs(sql("new", "TRUNCATE trades"), upsert).databases["main"].upserted == set()


def test_behind_code_of_the_user_everything_has_rows_and_is_read_from_copies() -> None:
    python = StepDefinition("own", TaskletDefinition(ComponentDefinition("tasklet", "python", {"call": "mine:do"})))
    own = StepDefinition("own", TaskletDefinition(ComponentDefinition("tasklet", "mine:Task", {})))
    copy = chunk("copy", query("SELECT * FROM trades", "other"), table("archive"))
    found = needs(python, copy)
    assert found.reads_copies == {"copy"}
    assert found.copied == set(DATABASES)
    assert found.databases["other"].has_rows("trades")
    assert not found.databases["main"].has_rows("archive")
    assert needs(own, copy).is_open
    assert not needs(copy, python).reads_copies


def test_a_component_of_the_user_that_is_given_a_database_may_read_and_write_anything_there() -> None:
    reader = ComponentDefinition("reader", "mine:Reader", {"from": "other"})
    writer = ComponentDefinition("writer", "x", table("archive"))
    assert needs(StepDefinition("own", ChunkDefinition(reader, writer))).reads_copies == {"own"}
    files = ComponentDefinition("reader", "mine:Reader", {"path": "in.bin"})
    assert not needs(StepDefinition("own", ChunkDefinition(files, writer))).is_open
