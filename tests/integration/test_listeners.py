"""SEMANTICS section 6 through YAML and the installed command: components, classes and decorated functions."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.project import Project, step

HOOKS = """\
from batchrun.listeners import *
from pathlib import Path

@before_job
def begin(execution, log):
    log.info("hook before_job of %s", execution.job_name)

@before_step
def prepare(step, context):
    context["chunks"] = 0

@on_filter
def dropped(item, log):
    log.info("hook dropped %s", item["id"])

@before_write
def count(chunk, context):
    context["chunks"] += 1

@after_step
def end(step, context, log):
    log.info("hook after_step with %s chunks", context["chunks"])
    return "COMPLETED WITH REMARKS"

@after_job
def finish(execution, log):
    log.info("hook after_job %s", execution.exit_status.code)
"""

WATCH = """\
from batchrun.spi import ComponentScope, ComponentSpec, Listener, Options, component

class WatchOptions(Options, kw_only=True):
    word: str

@component(ComponentSpec("listener", "watch", "Watches.", WatchOptions, "{type: watch, word: x}"))
class Watch(Listener):
    def __init__(self, options: WatchOptions, scope: ComponentScope) -> None:
        self.word, self.scope = options.word, scope

    def before_step(self, execution, step):
        self.scope.log.info("watch says %s in %s", self.word, step.step_name)

class Failing(Watch):
    def after_step(self, execution, step):
        raise ValueError("no")
"""

JOB = """\
name: watched
parameters:
  run: {type: integer, default: 1}
steps:
  - name: load
    chunk: 2
    reader: {type: csv, path: data/in.csv, columns: {id: integer, quantity: integer}}
    processors: [{type: filter, where: quantity > 0}]
    writer: {type: json_lines, path: data/out.jsonl}
    listeners: [%s]
listeners: [%s]
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = Project.make(tmp_path)
    project.write("data/in.csv", "id,quantity\n1,5\n2,0\n3,7\n4,0\n5,9\n")
    project.write("jobs.d/hooks.py", HOOKS)
    project.write("jobs.d/watch.py", WATCH)
    return project


def job(project: Project, of_step: str = "", of_job: str = "") -> None:
    project.write("jobs.d/watched.yaml", JOB % (of_step, of_job))


def log_of(project: Project) -> list[tuple[str, str, str]]:
    """Returns level, step and text of the lines of the first execution's log."""
    [file] = project.folder.glob(".batchrun/logs/*/1.log")
    lines = [line.split(maxsplit=3) for line in file.read_text().splitlines()]
    return [(level, name, text) for _, level, name, text in lines]


def test_decorated_functions_beside_a_job_listen_to_it(project: Project) -> None:
    job(project, of_job="{type: python, module: hooks}")
    execution = project.execution("launch", "watched")
    assert (execution["status"], step(execution, "load")["exit_code"]) == ("COMPLETED", "COMPLETED WITH REMARKS")
    hooks = [(name, text) for _, name, text in log_of(project) if text.startswith("hook")]
    assert hooks == [
        ("-", "hook before_job of watched"),
        ("load", "hook dropped 2"),
        ("load", "hook dropped 4"),
        ("load", "hook after_step with 3 chunks"),
        ("-", "hook after_job COMPLETED WITH REMARKS"),
    ]


def test_a_class_beside_a_job_is_a_listener_with_options(project: Project) -> None:
    job(project, of_step="{type: 'watch:Watch', word: '${execution.job_name}'}")
    project.batchrun("launch", "watched")
    assert ("INFO", "load", "watch says watched in load") in log_of(project)


def test_a_failing_listener_fails_its_step_and_a_restart_goes_on(project: Project) -> None:
    job(project, of_step="{type: 'watch:Failing', word: x}")
    execution = project.execution("launch", "watched", expect=1)
    assert step(execution, "load")["exit_description"] == "listener 'watch' failed at after_step: ValueError: no"
    ended = project.batchrun("show", str(execution["execution_id"]))
    assert "listener 'watch' failed at after_step: ValueError: no" in " ".join(ended.out.split())
    job(project)
    assert project.execution("launch", "watched")["status"] == "COMPLETED"
    assert len((project.folder / "data" / "out.jsonl").read_text().splitlines()) == 3


def test_a_listener_that_only_warns_leaves_the_warning_in_the_log(project: Project) -> None:
    job(project, of_step="{type: 'watch:Failing', word: x, on_error: warn}")
    assert project.execution("launch", "watched")["status"] == "COMPLETED"
    assert ("WARNING", "load", "listener 'watch' failed at after_step: ValueError: no") in log_of(project)


def test_the_listeners_of_the_job_hear_before_those_of_the_step(project: Project) -> None:
    job(project, "{type: 'watch:Watch', word: step}", "{type: 'watch:Watch', word: job}")
    project.batchrun("launch", "watched")
    said = [text for _, _, text in log_of(project) if text.startswith("watch says")]
    assert said == ["watch says job in load", "watch says step in load"]


def test_an_exception_at_a_point_of_an_item_names_the_line_it_came_from(project: Project) -> None:
    project.write(
        "jobs.d/picky.py",
        "from batchrun.listeners import after_read\n\n@after_read\ndef check(item):\n    1 / (item['id'] - 4)\n",
    )
    job(project, of_step="{type: python, call: 'picky:check'}")
    execution = project.execution("launch", "watched", expect=1)
    assert step(execution, "load")["exit_description"] == (
        "data/in.csv:5: listener 'picky:check' failed at after_read: ZeroDivisionError: division by zero"
    )


def test_the_built_in_listeners_tell_of_a_run(project: Project) -> None:
    log = "{type: log, at: [after_chunk, on_filter], level: warning}"
    job(project, of_job=f"{log}, {{type: metrics, path: 'data/${{execution.job_name}}.prom'}}")
    project.batchrun("launch", "watched")
    warned = [text for level, name, text in log_of(project) if (level, name) == ("WARNING", "load")]
    assert "on_filter: item {'id': 2, 'quantity': 0}" in warned
    assert "after_chunk: 1 item of data/in.csv:6, 32 of 32 bytes" in warned
    prom = (project.folder / "data" / "watched.prom").read_text()
    assert 'batchrun_job_completed{job="watched"} 1\n' in prom
    assert 'batchrun_step_filter_count{job="watched",step="load"} 2\n' in prom
