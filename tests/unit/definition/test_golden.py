"""Whole texts as a terminal shows them, held equal to files in golden/."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.definition.doubles import JobFolder

TEN_MISTAKES = """
name: load-trades
parameters:
  input: {type: path, required: true}
  limit: {type: integer, default: many}
databases:
  warehouse: sqlite:///warehouse.db
steps:
  - name: load
    chunk: five
    reader:
      type: lines
      path: ${params.inptu}
      delimeter: ";"
      columns:
        trade_id: integer
        price: decimel(12,2)
        trade_id: integer
    processors:
      - {type: kepe, where: quantity > 0}
      - {type: call, call: "transforms:enrich"}
    writer: {type: store, database: warehuose, table: trades}
  - name: settle
    tasklet: {type: run, statement: "UPDATE t SET day = 1", parameters: {day: "${params.day"}}
    reader: {type: lines, path: x}
flow:
  - {from: load, to: setle}
"""


def test_ten_mistakes_get_their_errors_in_one_go(
    job: JobFolder, golden: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(job.folder)
    (job.folder / "transforms.py").write_text("def enrcih(item): return item\n")
    golden("ten_mistakes.txt", job.rendered(TEN_MISTAKES))


def test_an_unquoted_star_gives_one_error(job: JobFolder, golden: Callable[[str, str], None]) -> None:
    text = TEN_MISTAKES.replace("from: load, to", "from: load, on: *, to")
    golden("unquoted_star.txt", job.rendered(text))


def test_a_tab_gives_one_error(job: JobFolder, golden: Callable[[str, str], None]) -> None:
    golden("tab.txt", job.rendered(TEN_MISTAKES.replace("    reader:\n      type", "    reader:\n\t  type")))


FLOW_MISTAKES = """
name: nightly
start: lod
steps:
  - name: load
    tasklet: {type: run, statement: SELECT 1}
  - name: settle
    tasklet: {type: run, statement: SELECT 1}
  - name: report
    tasklet: {type: run, statement: SELECT 1}
  - name: forgotten
    tasklet: {type: run, statement: SELECT 1}
flow:
  - {from: load, on: FAILED, fail: BAD INPUT}
  - {from: settle, to: report}
  - {from: settle, on: COMPLETED*, end: DONE}
  - {from: report, to: settel, end: DONE}
  - {from: repotr, on: X, stop: , restart: lode}
  - {from: load, on: Y, restart: load}
"""


def test_mistakes_of_a_flow(job: JobFolder, golden: Callable[[str, str], None]) -> None:
    golden("flow_mistakes.txt", job.rendered(FLOW_MISTAKES))


BRANCH_MISTAKES = """
name: nightly
steps:
  - name: load
    tasklet: {type: run, statement: SELECT 1}
  - name: enough
    promote: [count]
    decision: {type: fixed, code: EMPTY}
  - name: exports
    parallel: [[by_dsek], [load, load], []]
  - name: by_desk
    tasklet: {type: run, statement: SELECT 1}
  - name: checks
    include: flows/checks.yaml
flow:
  - {from: load, to: exports}
  - {from: by_desk, to: enough}
  - {from: enough, on: OK, to: checks}
"""

CHECKS = """\
steps:
  - name: count
    tasklet: {type: run, statement: SELECT 1, command: "${steps.laod.status}"}
  - name: deep
    steps:
      - {name: inner, tasklet: {type: rnu}}
    flow:
      - {from: inner, to: inner}
"""


def test_mistakes_of_branches_decisions_and_included_flows(job: JobFolder, golden: Callable[[str, str], None]) -> None:
    (job.folder / "flows").mkdir()
    (job.folder / "flows" / "checks.yaml").write_text(CHECKS)
    golden("branch_mistakes.txt", job.rendered(BRANCH_MISTAKES))


def test_the_golden_files_are_all_used() -> None:
    folder = Path(__file__).parent / "golden"
    assert {each.name for each in folder.iterdir()} == {
        "ten_mistakes.txt",
        "unquoted_star.txt",
        "tab.txt",
        "flow_mistakes.txt",
        "branch_mistakes.txt",
    }
