"""What is written as YAML is read back as it was, whatever the texts look like."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from batchrun.definition.writing import write_yaml
from batchrun.definition.yaml12 import read_yaml

LOOKING_LIKE_SOMETHING_ELSE = st.sampled_from(
    [
        *("on", "no", "1e5", "0o17", "0x1F", "012", "12:30:00", "2026-01-31", "~", "", "null", "=", "- a", "a: b"),
        *("#x", "*", "&a", "decimal(12,2)", "${params.x}", "a\nb\n", "a\n  b\n\n", "\ta", " a", "a ", "\n"),
        *(" \n b", "\x85", "\u2028"),
    ]
)
TEXTS = st.text() | LOOKING_LIKE_SOMETHING_ELSE
KEYS = TEXTS.filter(lambda text: text != "<<")  # a merge key in YAML 1.1, which a job file refuses even in quotes
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=15
)


@given(st.dictionaries(KEYS, VALUES, max_size=4))
def test_what_is_written_is_read_back(plain: dict[str, Any]) -> None:
    root, flaws = read_yaml(write_yaml(plain))
    assert flaws == []
    assert root is not None
    assert repr(root.plain()) == repr(plain)


def test_a_text_of_several_lines_is_a_block() -> None:
    assert write_yaml({"sql": "DELETE\n  FROM t\n"}) == "sql: |\n  DELETE\n    FROM t\n"
