from __future__ import annotations

from pathlib import Path

from batchrun.definition import render
from batchrun.errors import Problem


def test_a_problem_shows_place_message_hint_line_and_caret() -> None:
    problem = Problem("unknown option 'x'", "/p/jobs.d/a.yaml", 3, 7, source="  ab: x: 1", hint="did you mean 'y'?")
    assert render(problem, Path("/p")) == (
        "jobs.d/a.yaml:3:7: error: unknown option 'x'; did you mean 'y'?\n      ab: x: 1\n          ^"
    )


def test_a_file_elsewhere_keeps_its_whole_path_and_a_warning_says_so() -> None:
    problem = Problem("m", "/q/a.yaml", severity="warning")
    assert render(problem, Path("/p")) == "/q/a.yaml: warning: m"


def test_the_caret_stands_under_the_sign_after_wide_signs_and_tabs() -> None:
    rendered = render(Problem("m", "a", 1, 7, source="한글\t: é x"), Path("/p"))
    assert rendered.splitlines()[1:] == ["    한글 : é x", "            ^"]


def test_a_very_long_line_is_cut_around_the_column() -> None:
    rendered = render(Problem("m", "a", 1, 500, source="x" * 499 + "Y" + "z" * 500), Path("/p"))
    _, line, caret = rendered.splitlines()
    assert len(line) < 170
    assert line[caret.index("^")] == "Y"
