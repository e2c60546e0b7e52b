"""The processors: what they make of items, what they refuse, and the columns they foretell."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from batchrun.errors import ProcessError
from batchrun.registry import Registry
from batchrun.spi.chunk import Chunk
from batchrun.spi.item import ChunkProcessor
from batchrun.spi.spec import OptionsError
from batchrun.testing.processing import processed
from batchrun.testing.scope import scope_in

ROWS = [
    {"id": 1, "price": Decimal("1.50"), "kind": "a", "day": date(2024, 1, 1)},
    {"id": 2, "price": None, "kind": "b", "day": date(2024, 2, 29)},
    {"id": 3, "price": Decimal("3.25"), "kind": None, "day": None},
]
SCHEMA = pl.Schema({"id": pl.Int64, "price": pl.Decimal(12, 2), "kind": pl.String, "day": pl.Date})


class Lines:
    def of(self, index: int) -> str:
        return f"f:{index + 1}"

    def span(self) -> str:
        return "f:1-3"


def chunk() -> Chunk:
    return Chunk(frame=pl.DataFrame(ROWS, schema=SCHEMA), position={}, origins=Lines())


Make = Callable[..., ChunkProcessor]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    registry = Registry(tmp_path)

    def made(type: str, **options: Any) -> ChunkProcessor:
        component = registry.component("processor", type)
        parsed = registry.spec("processor", type).parse(options)
        assert parsed.check() == []
        processor: ChunkProcessor = component(parsed, scope_in(tmp_path))
        return processor

    return made


def schema(type: str, **options: Any) -> pl.Schema | None:
    spec = Registry().spec("processor", type)
    assert spec.schema is not None
    return spec.schema(spec.parse(options), SCHEMA)


def foretold(type: str, **options: Any) -> list[tuple[tuple[str | int, ...], str, str | None]]:
    """Returns the problems that an option has with the columns: place, message, hint."""
    with pytest.raises(OptionsError) as refused:
        schema(type, **options)
    return [(problem.at, problem.message, problem.hint) for problem in refused.value.problems]


class TestFilter:
    def test_items_for_which_the_condition_is_false_or_null_are_dropped(self, make: Make) -> None:
        kept = make("filter", where="price > 1.5").process_chunk(chunk())
        assert kept.rows == [ROWS[2]]
        assert (kept.read_count, kept.origin(0)) == (3, "f:3")

    def test_a_condition_without_columns_takes_all_or_nothing(self, make: Make) -> None:
        assert len(make("filter", where="1 = 1").process_chunk(chunk())) == 3
        assert len(make("filter", where="1 = 2").process_chunk(chunk())) == 0

    def test_dates_compare_with_date_literals(self, make: Make) -> None:
        assert make("filter", where="day > DATE '2024-01-01'").process_chunk(chunk()).rows == [ROWS[1]]

    @pytest.mark.parametrize(
        ("where", "problem"),
        [
            ("prize > 1", "there is no column 'prize'"),
            ("price +", "'price +' is no expression: "),
            ("id + 1", "'id + 1' is a int64, not a condition"),
            ("day > 'x'", "does not fit the columns"),
        ],
    )
    def test_a_condition_that_cannot_be_is_foretold(self, where: str, problem: str) -> None:
        [(at, message, _)] = foretold("filter", where=where)
        assert at == ("where",)
        assert problem in message

    def test_a_misspelt_column_gets_its_right_spelling(self) -> None:
        assert foretold("filter", where="prize > 1")[0][2] == "did you mean 'price'?"

    def test_columns_stay(self) -> None:
        assert schema("filter", where="id > 1") == SCHEMA


class TestDerive:
    def test_later_expressions_see_earlier_columns(self, make: Make) -> None:
        rows = make("derive", set={"double": "id * 2", "more": "double + 1"}).process_chunk(chunk()).rows
        assert [(row["double"], row["more"]) for row in rows] == [(2, 3), (4, 5), (6, 7)]

    def test_a_column_that_is_there_is_replaced_in_its_place(self, make: Make) -> None:
        frame = make("derive", set={"id": "id + 1"}).process_chunk(chunk()).frame
        assert frame.columns == list(SCHEMA)
        assert frame["id"].to_list() == [2, 3, 4]

    def test_its_columns_are_foretold_with_their_types(self, make: Make) -> None:
        options = {"set": {"double": "id * 2", "amount": "price * id", "is_large": "price > 2"}}
        assert schema("derive", **options) == make("derive", **options).process_chunk(chunk()).frame.schema

    def test_each_mistake_is_foretold_at_its_expression(self) -> None:
        problems = foretold("derive", set={"a": "idd * 2", "b": "a + 1", "c": "prize"})
        assert [at for at, _, _ in problems] == [("set", "a"), ("set", "c")]

    def test_what_fails_at_run_time_names_the_first_item_on_which_it_does(self, make: Make) -> None:
        text = "CAST(REPLACE(kind, 'a', '1') AS INTEGER)"
        with pytest.raises(ProcessError, match=r"^f:2: set 'n' to .CAST\(REPLACE") as caught:
            make("derive", set={"n": text}).process_chunk(chunk())
        assert caught.value.raw is not None
        assert "'kind': 'b'" in caught.value.raw

    def test_what_cannot_be_on_any_item_names_the_chunk(self, make: Make) -> None:
        with pytest.raises(ProcessError, match=r"^f:1-3: set 'n' to 'none \+ 1': unable to find column"):
            make("derive", set={"n": "none + 1"}).process_chunk(chunk())

    @pytest.mark.parametrize("text", ["SUM(id)", "id - avg (id)", "ROW_NUMBER() OVER (ORDER BY id)"])
    def test_what_goes_over_several_items_is_foretold(self, text: str) -> None:
        ((at, message, _),) = foretold("derive", set={"n": text})
        assert at == ("set", "n")
        assert message.endswith("goes over several items, but an expression is about one")

    def test_names_and_texts_that_look_so_are_none(self) -> None:
        assert schema("derive", set={"n": "id + 1", "m": "'sum(id)' || kind -- max(id)"}) is not None


class TestRename:
    def test_columns_keep_their_order(self, make: Make) -> None:
        options = {"columns": {"price": "cost", "id": "key"}}
        assert make("rename", **options).process_chunk(chunk()).frame.columns == ["key", "cost", "kind", "day"]
        assert list(schema("rename", **options) or ()) == ["key", "cost", "kind", "day"]

    def test_names_can_be_swapped(self, make: Make) -> None:
        frame = make("rename", columns={"id": "kind", "kind": "id"}).process_chunk(chunk()).frame
        assert frame.columns == ["kind", "price", "id", "day"]

    def test_mistakes_are_foretold(self) -> None:
        assert foretold("rename", columns={"prize": "cost", "id": "kind"}) == [
            (("columns", "prize"), "there is no column 'prize'", "did you mean 'price'?"),
            (("columns", "id"), "there is a column 'kind' already", None),
        ]

    def test_two_columns_cannot_get_one_name(self) -> None:
        spec = Registry().spec("processor", "rename")
        assert [each.at for each in spec.parse({"columns": {"id": "x", "day": "x"}}).check()] == [("columns", "day")]

    def test_a_missing_column_is_an_error(self, make: Make) -> None:
        with pytest.raises(ProcessError, match="there is no column 'prize'"):
            make("rename", columns={"prize": "cost"}).process_chunk(chunk())


class TestSelect:
    @pytest.mark.parametrize(
        ("options", "columns"),
        [({"columns": ["day", "id"]}, ["day", "id"]), ({"drop": ["price", "kind"]}, ["id", "day"])],
    )
    def test_columns_are_kept_or_dropped(self, make: Make, options: dict[str, Any], columns: list[str]) -> None:
        assert make("select", **options).process_chunk(chunk()).frame.columns == columns
        assert list(schema("select", **options) or ()) == columns

    @pytest.mark.parametrize("options", [{}, {"columns": ["id"], "drop": ["day"]}, {"columns": ["id", "id"]}])
    def test_one_of_the_two_is_given_and_no_column_twice(self, options: dict[str, Any]) -> None:
        assert len(Registry().spec("processor", "select").parse(options).check()) == 1

    def test_misspelt_columns_are_foretold_at_their_place(self) -> None:
        assert foretold("select", columns=["id", "prize"]) == [
            (("columns", 1), "there is no column 'prize'", "did you mean 'price'?")
        ]
        assert foretold("select", drop=["dayy"])[0][0] == ("drop", 0)


class TestCast:
    def test_values_are_converted(self, make: Make) -> None:
        rows = make("cast", columns={"id": "string", "day": "string", "price": "float"}).process_chunk(chunk()).rows
        assert rows[0] == {"id": "1", "price": 1.5, "kind": "a", "day": "2024-01-01"}

    def test_its_types_are_foretold(self, make: Make) -> None:
        options = {"columns": {"id": "string", "price": "decimal(14,3)"}}
        assert schema("cast", **options) == make("cast", **options).process_chunk(chunk()).frame.schema

    def test_a_value_that_is_not_of_the_type_is_an_error_with_its_origin(self, make: Make) -> None:
        with pytest.raises(ProcessError, match=r"^f:1: column 'kind': 'a' is not an integer$"):
            make("cast", columns={"kind": "integer"}).process_chunk(chunk())

    def test_decimals_are_not_rounded(self, make: Make) -> None:
        with pytest.raises(ProcessError, match=r"^f:1: column 'price'"):
            make("cast", columns={"price": "decimal(12,0)"}).process_chunk(chunk())

    def test_fractions_are_not_cut_off(self, make: Make) -> None:
        with pytest.raises(ProcessError, match=r"^f:1: column 'price': Decimal\('1.50'\) is not an integer$"):
            make("cast", columns={"price": "integer"}).process_chunk(chunk())


FUNCTIONS = """\
import polars as pl

def enrich(item):
    return {**item, "kind": (item["kind"] or "?").upper()}

def drop_second(item):
    return None if item["id"] == 2 else item

def break_on_third(item):
    return 1 / (item["id"] - 3)

def wrong(item):
    return [item]

def leave(_):
    raise SystemExit(3)

def whole(frame):
    return frame.with_columns(n=pl.len())
"""


class TestPython:
    @pytest.fixture(autouse=True)
    def functions(self, tmp_path: Path) -> None:
        (tmp_path / "transforms.py").write_text(FUNCTIONS)

    def test_an_item_is_replaced_by_what_the_function_returns(self, make: Make) -> None:
        made = processed(make("python", call="transforms:enrich"), chunk())
        assert [row["kind"] for row in made.rows] == ["A", "B", "?"]
        assert made.frame.schema == SCHEMA

    def test_none_drops_the_item(self, make: Make) -> None:
        made = processed(make("python", call="transforms:drop_second"), chunk())
        assert ([row["id"] for row in made.rows], made.origin(1)) == ([1, 3], "f:3")

    def test_an_exception_names_its_item(self, make: Make) -> None:
        with pytest.raises(ProcessError, match=r"^f:1: a processor returned float"):
            processed(make("python", call="transforms:break_on_third"), chunk())
        with pytest.raises(ProcessError, match=r"^f:3: ZeroDivisionError: "):
            processed(make("python", call="transforms:break_on_third"), chunk().slice(2, 1))

    @pytest.mark.parametrize(("per", "place"), [("item", "f:1"), ("chunk", "f:1-3")])
    def test_ending_the_process_is_an_error(self, make: Make, per: str, place: str) -> None:
        with pytest.raises(ProcessError, match=f"^{place}: SystemExit: 3$"):
            processed(make("python", call="transforms:leave", per=per), chunk())

    def test_another_result_is_an_error(self, make: Make) -> None:
        with pytest.raises(ProcessError, match="returned list where a dict or None is expected"):
            processed(make("python", call="transforms:wrong"), chunk())

    def test_a_whole_frame_at_a_time(self, make: Make) -> None:
        made = processed(make("python", call="transforms:whole", per="chunk"), chunk())
        assert made.frame["n"].to_list() == [3, 3, 3]
        assert not made.has_rows

    def test_a_chunk_function_must_return_a_frame(self, make: Make) -> None:
        with pytest.raises(ProcessError, match="transforms:wrong returned list where a polars DataFrame is expected"):
            processed(make("python", call="transforms:wrong", per="chunk"), chunk())
