import json
import shlex
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from batchrun.binding import BindingError, Reference, Secrets, bind, parse, references

ROOTS = {
    "params": {"day": date(2026, 1, 31), "limit": 5, "run.id": 7, "names": ("a", "b"), "none": None, "empty": ""},
    "steps": {"load.all": {"write_count": 3, "exit_code": "COMPLETED"}},
    "env": {"HOME": "/root", "EMPTY": ""},
}


def message(value: object, roots: object = ROOTS) -> str:
    with pytest.raises(BindingError) as caught:
        bind(value, roots)  # type: ignore[arg-type]
    return f"{caught.value}; {caught.value.hint}"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${params.day}", date(2026, 1, 31)),
        ("${params.limit}", 5),
        ("${params.names}", ("a", "b")),
        ("${params.none}", None),
        ("${params.run.id}", 7),
        ("${steps.load.all.write_count}", 3),
    ],
)
def test_a_value_that_is_one_reference_keeps_its_type(text: str, value: object) -> None:
    assert bind(text, ROOTS) == value
    assert type(bind(text, ROOTS)) is type(value)


def test_a_reference_inside_a_text_is_rendered_as_text() -> None:
    roots = {"p": {"d": date(2026, 1, 31), "b": True, "n": Decimal("1.50"), "t": timedelta(seconds=90)}}
    assert bind("x-${p.d}-${p.b}-${p.n}-${p.t}", roots) == "x-2026-01-31-true-1.50-90"


def test_values_are_bound_deep_and_the_rest_stays() -> None:
    value = {"a": ["${params.limit}", {"b": "n=${params.limit}"}], "${params.limit}": 1, "c": 2.5}
    assert bind(value, ROOTS) == {"a": [5, {"b": "n=5"}], "${params.limit}": 1, "c": 2.5}


@pytest.mark.parametrize(
    "name", ["env.MISSING", "env.EMPTY", "params.none", "params.empty", "nowhere.x", "params.gone"]
)
def test_the_default_stands_for_what_is_missing_or_empty(name: str) -> None:
    assert bind(f"${{{name}:-sqlite:///a-b.db}}", ROOTS) == "sqlite:///a-b.db"


def test_an_empty_default_is_an_empty_text() -> None:
    assert bind("${env.MISSING:-}", ROOTS) == ""


def test_two_dollars_are_a_literal() -> None:
    assert bind("$${params.day} costs $5 or ${params.limit}", ROOTS) == "${params.day} costs $5 or 5"
    assert references("$${params.day}") == []


@pytest.mark.parametrize("text", ["${params.x", "${}", "${ params.x }", "${params..x}", "${a.b:-${c.d}}", "${a.b|c}"])
def test_a_malformed_reference_is_an_error(text: str) -> None:
    with pytest.raises(BindingError):
        parse(text)


def test_errors_say_what_is_missing_and_what_to_do() -> None:
    assert message("${params.dya}") == "there is no parameter 'dya'; did you mean 'day'?"
    assert message("${param.day}") == "${param.day}: 'param' is not known here; did you mean 'params'?"
    assert (
        message("${env.GONE}")
        == "the environment variable 'GONE' is not set; set it, or give a default: ${env.GONE:-…}"
    )
    assert message("a${params.none}") == (
        "${params.none} has no value to put into a text; give it one, or a default: ${params.none:-…}"
    )
    assert message("${steps.load.all}") == "${steps.load.all} is no single value; it has write_count, exit_code"


def test_an_error_knows_its_reference_and_where_it_stands() -> None:
    with pytest.raises(BindingError) as caught:
        bind({"a": ["x", "${params.gone}"]}, ROOTS)
    assert caught.value.reference == "${params.gone}"
    assert caught.value.at == ("a", 1)


def test_references_are_found_with_their_places() -> None:
    found = references({"a": ["${x.y:-z}", "b ${params.run.id} ${e.f}"], "c": 3})
    assert found == [
        Reference("x", ("y",), "z", "${x.y:-z}"),
        Reference("params", ("run", "id"), None, "${params.run.id}"),
        Reference("e", ("f",), None, "${e.f}"),
    ]
    assert [each.at for each in found] == [("a", 0), ("a", 1), ("a", 1)]


def test_a_secret_comes_from_the_environment_before_the_file(tmp_path: Path) -> None:
    (tmp_path / "PASSWORD").write_text("from-file\n")
    (tmp_path / "TOKEN").write_text("t0ken\n")
    secrets = Secrets(tmp_path, {"PASSWORD": "from-env"})
    assert bind("${secrets.PASSWORD}:${secrets.TOKEN}", {"secrets": secrets}) == "from-env:t0ken"


def test_the_secrets_folder_comes_from_the_environment(tmp_path: Path) -> None:
    assert Secrets(environment={"BATCHRUN_SECRETS_DIR": str(tmp_path)}).folder == tmp_path
    assert Secrets(environment={}).folder == Path("/run/secrets")


def test_a_missing_secret_says_where_it_is_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BATCHRUN_SECRETS_DIR", str(tmp_path))
    told = message("${secrets.NOWHERE}", {"secrets": Secrets(environment={})})
    assert told == (
        f"the secret 'NOWHERE' is not known; set the environment variable NOWHERE, or put it into {tmp_path}/NOWHERE"
    )


def test_an_unreadable_secret_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "S").mkdir()
    assert "cannot be read: Is a directory" in message("${secrets.S}", {"secrets": Secrets(tmp_path, {})})


def test_what_was_given_out_is_masked_the_longest_first() -> None:
    secrets = Secrets(environment={"A": "abc", "B": "abcdef", "C": "p@ss/w", "D": "unasked", "E": ""})
    for name in "ABCE":
        secrets[name]
    assert secrets.mask("abcdef abc p@ss/w p%40ss%2Fw unasked") == "*** *** *** *** unasked"


@pytest.mark.parametrize("hidden", ["two\nlines", 'say "x"', "it's", "caf\udce9", "plain"])
def test_what_is_hidden_is_masked_in_every_form_that_a_message_may_have(hidden: str) -> None:
    secrets = Secrets(environment={})
    secrets.hide(hidden)
    for form in (hidden, repr(hidden)[1:-1], json.dumps(hidden)[1:-1]):
        assert secrets.mask(f"<{form}>") == "<***>"
    command = shlex.join(["echo", f"<{hidden}>"])
    assert "<***>" in secrets.mask(command)
    assert "<***>" in secrets.mask(repr(command))
    assert list(secrets) == []


def test_each_line_of_a_secret_is_masked_where_it_could_tell_something() -> None:
    secrets = Secrets(environment={})
    secrets.hide('{\n  "private": "k3y"\n  MIIEow\r\n}\n')
    assert secrets.mask('got {} and "private": "k3y"') == "got {} and ***"
    assert secrets.mask("; MIIEow; }") == "; ***; }"
