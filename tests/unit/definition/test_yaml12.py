from __future__ import annotations

from typing import Any

import pytest

from batchrun.definition.unreadable import UnreadableError
from batchrun.definition.yaml12 import read_yaml


def plain(text: str) -> Any:
    root, flaws = read_yaml(text)
    assert flaws == []
    return root.plain() if root is not None else None


def flaws(text: str) -> list[str]:
    return [f"{each.line}:{each.column}: {each.message}; {each.hint}" for each in read_yaml(text)[1]]


def flaw(text: str) -> str:
    with pytest.raises(UnreadableError) as caught:
        read_yaml(text)
    found = caught.value.flaw
    return f"{found.line}:{found.column}: {found.message}" + (f"; {found.hint}" if found.hint else "")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("NO", "NO"),
        ("on", "on"),
        ("yes", "yes"),
        ("y", "y"),
        ("0123", 123),
        ("-7", -7),
        ("0o17", 15),
        ("0x1F", 31),
        ("0b11", "0b11"),
        ("1_000", "1_000"),
        ("12:30:00", "12:30:00"),
        ("2026-01-31", "2026-01-31"),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("1.", 1.0),
        ("-.inf", float("-inf")),
        ("true", True),
        ("False", False),
        ("~", None),
        ("", None),
        ("null", None),
        ("'1'", "1"),
        ('"true"', "true"),
        ("=", "="),
        ("9" * 5000, "9" * 5000),
    ],
)
def test_plain_scalars_are_read_by_the_core_schema_of_yaml_12(text: str, value: object) -> None:
    assert plain(f"a: {text}") == {"a": value}


def test_the_key_on_is_a_text_and_so_is_every_key() -> None:
    assert plain("on: 1\nno: 2\n3: 4\n~: 5") == {"on": 1, "no": 2, "3": 4, "~": 5}


def test_a_whole_document_with_blocks_and_comments() -> None:
    text = "# a\n---\na:\n- b: |\n    x\n    y\n- [1, {c: d}]\n...\n"
    assert plain(text) == {"a": [{"b": "x\ny\n"}, [1, {"c": "d"}]]}


def test_an_empty_document_has_no_root() -> None:
    assert plain("") is None
    assert plain("# nothing\n") is None


def test_aliases_stand_for_their_anchors() -> None:
    assert plain("a: &x {b: [1]}\nc: *x") == {
        "a": {"b": [1]},
        "c": {"b": [1]},
    }


def test_positions_are_one_based_lines_and_columns() -> None:
    root, _ = read_yaml("a:\n  - {b: 'ü', c: 2}\n")
    assert root is not None
    entry = root.value["a"].value[0]
    assert (entry.line, entry.column) == (2, 5)
    assert entry.keys == {"b": (2, 6), "c": (2, 14)}
    assert (entry.value["c"].line, entry.value["c"].column) == (2, 17)


def test_duplicate_keys_are_collected_and_the_first_counts() -> None:
    text = "a: 1\nb: {c: 1, c: [2]}\na: {d: 3}\n"
    root, _ = read_yaml(text)
    assert root is not None
    assert root.plain() == {"a": 1, "b": {"c": 1}}
    assert flaws(text) == [
        "2:11: duplicate key 'c'; it stands in line 2 already; remove one of them",
        "3:1: duplicate key 'a'; it stands in line 1 already; remove one of them",
    ]


def test_tags_are_refused() -> None:
    assert flaws("a: !!python/name:os.system x\nb: !x [1]\nc: !!int '3'") == [
        "1:4: tags such as !!python/name:os.system have no meaning in a job file; leave it out",
        "2:4: tags such as !x have no meaning in a job file; leave it out",
        "3:4: tags such as !!int have no meaning in a job file; leave it out",
    ]


def test_a_second_document_is_refused() -> None:
    assert flaws("a: 1\n---\na: 2\n---\n") == [
        "2:1: a job file is one document; a second one begins here; put it into a file of its own"
    ]


def test_merge_keys_and_keys_that_are_no_text_are_refused() -> None:
    assert flaws("a: &x {b: 1}\nc:\n  <<: *x\n  d: 1\n? [1]\n: 2") == [
        "3:3: merge keys (<<) are not part of YAML 1.2; write the options out, or alias them as a whole",
        "5:3: a key must be a text; None",
    ]


def test_an_unknown_alias_is_likely_an_unquoted_pattern() -> None:
    text = "f: [{on: *FAILED, to: b}]"
    assert flaws(text) == [
        '1:10: *FAILED is an alias in YAML, and there is no anchor &FAILED before it; quote it: "*FAILED"'
    ]
    root, _ = read_yaml(text)
    assert root is not None
    assert root.plain() == {"f": [{"on": "*FAILED", "to": "b"}]}


def test_an_alias_inside_what_it_stands_for_does_not_loop() -> None:
    assert len(flaws("a: &x [1, *x]")) == 1


def test_a_comma_that_cuts_a_type_in_two_is_told_once() -> None:
    text = "a: {p: decimal(12,2), d: date}\nb: [decimal(12,2)]\n"
    assert flaws(text) == [
        '1:8: the comma cuts this value in two; quote it: "decimal(12,2)"',
        '2:5: the comma cuts this value in two; quote it: "decimal(12,2)"',
    ]
    root, _ = read_yaml(text)
    assert root is not None
    assert root.plain() == {"a": {"p": "decimal(12,2)", "d": "date"}, "b": ["decimal(12,2)"]}


def test_an_alias_bomb_does_not_go_off() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]" for level in range(1, 12)]
    assert flaw("\n".join(lines)).endswith("aliases stand for more than 100,000 values")


def test_deep_nesting_is_refused() -> None:
    assert flaw("a: " + "[" * 5000).endswith("lists and mappings are nested more than 100 deep")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("on: *\n", '1:5: a value cannot begin with * in YAML; quote it: "*"'),
        ("f:\n  - {from: a, on: *, to: b}", '2:19: a value cannot begin with * in YAML; quote it: "*"'),
        ("a:\n\t- b\n", "2:1: a tab indents this line; YAML is indented by spaces only"),
        ("a:\n  b: 1\n\tc: 2\n", "3:1: a tab indents this line; YAML is indented by spaces only"),
        ("a:\n  b:\n  \t- c\n", "3:3: a tab indents this line; YAML is indented by spaces only"),
        ("a: b: c\n", "1:5: a colon cannot stand here; quote a value that holds a colon with a space after it"),
        ("a: [1, 2\nb: 3\n", "1:4: [ is not closed; a comma or ] is missing"),
        ("a: 'x\n", "1:4: this quote is not closed"),
        ("a: @x\n", "1:4: a value cannot begin with @ in YAML; quote it"),
        ("a: \x07\n", "1:4: the character U+0007 is not allowed in YAML; remove it"),
        (
            "a: {path: ${params.x}}\n",
            '1:11: ${…} must be quoted inside { } and [ ]; as in {path: "${params.input}"}',
        ),
    ],
)
def test_what_is_no_yaml_is_told_in_plain_words(text: str, told: str) -> None:
    assert flaw(text) == told
