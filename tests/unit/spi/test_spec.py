"""The spec: options from plain and late-bound values."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, Any

import msgspec
import pytest

from batchrun.spi.spec import ComponentSpec, Options, component, option


class Nested(Options):
    name: str
    size: int = 1


class SampleOptions(Options):
    path: Annotated[str, option("Where.", examples=["a.csv"])]
    limit: Annotated[int, option("How many.", unit="items", ge=1)] | None = None
    environment: Annotated[dict[str, str], option("Names.")] = {}
    parameters: Annotated[dict[str, Any], option("Values.")] = {}
    names: Annotated[list[str], option("Names.")] = []
    password: Annotated[str, option("Secret.", secret=True, format="reference")] | None = None
    nested: Nested | None = None


SPEC = ComponentSpec("reader", "sample", "Reads.", SampleOptions, "type: sample")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"path": date(2024, 2, 29)}, SampleOptions(path="2024-02-29")),
        ({"path": True}, SampleOptions(path="true")),
        ({"path": "x", "limit": "5"}, SampleOptions(path="x", limit=5)),
        ({"path": "x", "limit": None}, SampleOptions(path="x")),
        (
            {"path": "x", "environment": {"N": 1, "D": Decimal("1.5")}},
            SampleOptions(path="x", environment={"N": "1", "D": "1.5"}),
        ),
        ({"path": "x", "names": [1, timedelta(seconds=2)]}, SampleOptions(path="x", names=["1", "2"])),
        ({"path": "x", "nested": {"name": 3}}, SampleOptions(path="x", nested=Nested(name="3"))),
        (
            {"path": "x", "parameters": {"day": date(2024, 2, 29)}},
            SampleOptions(path="x", parameters={"day": date(2024, 2, 29)}),
        ),
    ],
)
def test_bound_values_fit_their_options(given: dict[str, Any], expected: SampleOptions) -> None:
    assert SPEC.parse(given) == expected


@pytest.mark.parametrize(
    "given", [{}, {"path": ["x"]}, {"path": "x", "limit": "many"}, {"path": "x", "limit": 0}, {"pth": "x"}]
)
def test_values_of_another_type_are_refused(given: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        SPEC.parse(given)


def test_marking_a_class_registers_nothing_but_its_spec() -> None:
    @component(SPEC)
    class Sample:
        spec: ComponentSpec

    assert Sample.spec is SPEC


def test_the_schema_carries_what_an_option_says() -> None:
    schema = msgspec.json.schema(SampleOptions)["$defs"]["SampleOptions"]["properties"]
    assert schema["path"] == {"type": "string", "description": "Where.", "examples": ["a.csv"]}
    assert schema["password"]["anyOf"][0]["format"] == "reference"
