"""What is asked of the text that an execution keeps."""

from __future__ import annotations

import pytest

from batchrun.definition.stored import stored_exit_codes, stored_step_lines

TEXT = """\
name: example
exit_codes: {NOTHING TO DO: 12}
steps:
  - name: load
    tasklet: {}
  - {name: tidy, tasklet: {}}
"""


def test_exit_codes_are_read_from_the_text() -> None:
    assert stored_exit_codes(TEXT) == {"NOTHING TO DO": 12}


def test_a_step_begins_at_its_line() -> None:
    assert stored_step_lines(TEXT) == {"load": 4, "tidy": 6}


@pytest.mark.parametrize("text", ["", "- a list", "steps: {", "steps: none", "steps: [word, {other: 1}]"])
def test_a_text_that_is_no_job_has_neither(text: str) -> None:
    assert stored_exit_codes(text) == {}
    assert stored_step_lines(text) == {}
