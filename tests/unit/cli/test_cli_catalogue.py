"""components: the list by role, and one with everything its spec tells."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import pytest

from batchrun.cli.component_documents import type_text
from batchrun.errors import BatchrunError
from batchrun.spi.spec import ROLES, Capabilities, ComponentSpec, Options, option
from tests.unit.cli.conftest import Result
from tests.unit.cli.doubles import ApplicationDouble

Run = Callable[..., Result]


class TableOptions(Options):
    table: Annotated[str, option("Name of the table.")]
    size: Annotated[int, option("Size of a block.", unit="bytes", advanced=True, ge=1)] = 1024
    mode: Annotated[Literal["insert", "upsert"], option("What to do.")] = "insert"
    password: Annotated[str | None, option("The password.", secret=True)] = None
    columns: Annotated[dict[str, Annotated[str, option("Type.", format="column-type")]], option("Columns.")] = (
        msgspec.field(default_factory=dict)
    )


def spec_of(role: str, name: str) -> ComponentSpec:
    return ComponentSpec(
        role=role,
        name=name,
        summary=f"Does what a {name} {role} does.",
        options=TableOptions,
        example=f"type: {name}\ntable: trades\n",
        capabilities=Capabilities(transactional=role == "writer"),
    )


class RegistryDouble:
    """Components by role and name, one of which may be broken."""

    def __init__(self, names: Sequence[tuple[str, str]], broken: tuple[str, str] | None = None) -> None:
        self._names = names
        self._broken = broken

    def names(self, role: str) -> list[str]:
        return sorted(name for each, name in self._names if each == role)

    def spec(self, role: str, name: str) -> ComponentSpec:
        if (role, name) == self._broken:
            raise BatchrunError(f"{role} {name} of the distribution 'extra' cannot be loaded")
        return spec_of(role, name)


@pytest.fixture
def application() -> ApplicationDouble:
    registry: Any = RegistryDouble([("writer", "table"), ("writer", "csv"), ("reader", "csv"), ("reader", "query")])
    return ApplicationDouble(components=registry)


def test_components_are_listed_by_role(batchrun: Run) -> None:
    assert batchrun("components").out == (
        "readers\n"
        "  csv    Does what a csv reader does.\n"
        "  query  Does what a query reader does.\n"
        "\n"
        "writers\n"
        "  csv    Does what a csv writer does.\n"
        "  table  Does what a table writer does.\n"
        "\n"
        "batchrun components NAME shows one with its options\n"
    )


def test_a_component_is_shown_with_options_promises_and_example(batchrun: Run) -> None:
    assert batchrun("components", "table").out == (
        "writer table\n"
        "  Does what a table writer does.\n"
        "\n"
        "promises  restartable, transactional, so each item is written exactly once\n"
        "\n"
        "options\n"
        "  OPTION    TYPE                    DEFAULT   MEANING\n"
        "  table     string                  required  Name of the table.\n"
        "  mode      insert | upsert         insert    What to do.\n"
        "  password  string                            The password. (secret)\n"
        "  columns   mapping to column-type            Columns.\n"
        "  size      integer                 1024      Size of a block. (in bytes, advanced)\n"
        "\n"
        "example\n"
        "  type: table\n"
        "  table: trades\n"
    )


def test_a_name_of_two_roles_shows_both_and_a_role_chooses_one(batchrun: Run) -> None:
    both = batchrun("components", "csv", "-o", "json").document
    assert [each["role"] for each in both] == ["reader", "writer"]
    one = batchrun("components", "writer.csv", "-o", "json").document
    assert [(each["role"], each["name"]) for each in one] == [("writer", "csv")]


def test_json_of_a_component_tells_types_defaults_units_and_marks(batchrun: Run) -> None:
    [document] = batchrun("components", "table", "-o", "json").document
    assert document["capabilities"] == {
        "restartable": True,
        "transactional": True,
        "truncating": False,
        "idempotent": False,
    }
    assert document["options"][-1] == {
        "name": "size",
        "type": "integer",
        "required": False,
        "default": 1024,
        "unit": "bytes",
        "secret": False,
        "advanced": True,
        "summary": "Size of a block.",
    }
    assert {each["name"] for each in document["options"] if each["secret"]} == {"password"}


def test_an_unknown_component_gets_the_right_spelling(batchrun: Run) -> None:
    result = batchrun("components", "tabel")
    assert result.code == 2
    assert result.err == "error: there is no component 'tabel'\nhint: did you mean 'table'?\n"


def test_a_plugin_that_cannot_be_loaded_hides_no_other(batchrun: Run, application: ApplicationDouble) -> None:
    registry: Any = RegistryDouble([("reader", "csv"), ("reader", "bad")], broken=("reader", "bad"))
    application.components = registry
    result = batchrun("components")
    assert result.code == 0
    assert "Does what a csv reader does." in result.out
    assert result.err == "warning: reader bad of the distribution 'extra' cannot be loaded\n"


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (str | None, "string"),
        (list[str] | str, "list of string or string"),
        (bool | Literal["auto"], "boolean or auto"),
        (dict[str, int], "mapping to integer"),
        (Annotated[str | None, option("x", format="duration")], "duration"),
        (Annotated[list[str], option("x", format="duration")], "list of string"),
        (tuple[str, ...], "list of string"),
        (Any, "any value"),
        (TableOptions, "{table, size, mode, password, columns}"),
    ],
)
def test_a_type_is_told_in_words(kind: Any, text: str) -> None:
    assert set(type_text(msgspec.inspect.type_info(kind)).split(" or ")) == set(text.split(" or "))


def test_every_built_in_that_is_there_can_be_shown(batchrun: Run, application: ApplicationDouble) -> None:
    from batchrun.registry import Registry

    application.components = Registry(Path("jobs.d"))
    for role in ROLES:
        for name in application.components.names(role):
            assert batchrun("components", f"{role}.{name}").code == 0
            assert batchrun("components", f"{role}.{name}", "-o", "json").code == 0
