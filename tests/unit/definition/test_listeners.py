"""Listeners in the file of a job, at the job and at its steps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from batchrun.definition.schema import job_schema
from batchrun.registry import Registry
from batchrun.spi import ComponentSpec, Listener, Options, component
from tests.unit.definition.doubles import EXTRA, JobFolder


class WatchOptions(Options, kw_only=True):
    size: int = 0


@component(ComponentSpec("listener", "watch", "Watches.", WatchOptions, "{type: watch}"))
class WatchListener(Listener):
    pass


@component(ComponentSpec("listener", "loose", "No listener.", WatchOptions, "{type: loose}"))
class LooseListener:
    pass


@pytest.fixture
def job(tmp_path: Path) -> JobFolder:
    folder = JobFolder(tmp_path)
    folder.registry = Registry(tmp_path, extra=(*EXTRA, WatchListener))
    return folder


def text(of_step: str = "", of_job: str = "") -> str:
    return f"""\
name: j
parameters: {{day: {{type: date}}}}
steps:
  - name: a
    tasklet: {{type: run, statement: x}}
{f"    listeners: [{of_step}]" if of_step else ""}
{f"listeners: [{of_job}]" if of_job else ""}
"""


def test_listeners_stand_at_the_job_and_at_a_step_in_their_order(job: JobFolder) -> None:
    loaded = job.load(text("{type: watch, size: 1}, {type: watch, size: 2}", "{type: watch, on_error: warn}"))
    [step], of_job = loaded.definition.steps, loaded.definition.listeners
    assert [(each.component.type, each.component.options) for each in step.listeners] == [
        ("watch", {"size": 1}),
        ("watch", {"size": 2}),
    ]
    assert [each.component.path for each in step.listeners] == ["steps[0].listeners[0]", "steps[0].listeners[1]"]
    assert [(each.component.options, each.component.path) for each in of_job] == [({}, "listeners[0]")]


@pytest.mark.parametrize(("says", "is_lenient"), [("", False), (", on_error: fail", False), (", on_error: warn", True)])
def test_on_error_says_what_an_exception_does(job: JobFolder, says: str, is_lenient: bool) -> None:
    [listener] = job.load(text(of_job=f"{{type: watch{says}}}")).definition.listeners
    assert listener.is_lenient is is_lenient


@pytest.mark.parametrize(
    ("node", "told"),
    [
        ("{type: watch, on_eror: warn}", "unknown option 'on_eror' of listener 'watch'; did you mean 'on_error'?"),
        (
            "{type: watch, zzz: 1}",
            "unknown option 'zzz' of listener 'watch'; the options there are: on_error, size",
        ),
        (
            "{type: watch, on_error: wrn}",
            "'on_error' of listener 'watch' cannot be 'wrn'; did you mean 'warn'?",
        ),
        (
            '{type: watch, on_error: "${params.day}"}',
            "'on_error' of listener 'watch' cannot be '${params.day}'; one of fail, warn",
        ),
        ("{type: wotch}", "unknown listener 'wotch'; did you mean 'watch'?"),
        ("{type: run}", "unknown listener 'run'; 'run' is a tasklet"),
        (
            "{type: 'tests.unit.definition.test_listeners:LooseListener'}",
            "'tests.unit.definition.test_listeners:LooseListener' does not extend Listener; "
            "class LooseListener(Listener), with batchrun.spi.Listener",
        ),
        ("watch", "expected 'listeners[0]' of step 'a' to be a mapping, got 'watch'"),
        ("{type: watch, size: '${step.counts}'}", "${step.counts} names nothing; write ${step.context.KEY}"),
        ("{type: watch, size: '${params.dy}'}", "unknown parameter 'dy'; did you mean 'day'?"),
    ],
)
def test_what_is_wrong_with_a_listener_is_told(job: JobFolder, node: str, told: str) -> None:
    [problem] = job.told(text(of_step=node))
    assert problem.partition(": ")[2] == told


@pytest.mark.parametrize(
    "reference", ["params.day", "env.HOME", "execution.id", "job.context.last", "step.context.x", "steps.a.status"]
)
def test_a_listener_of_a_step_knows_what_a_step_knows(job: JobFolder, reference: str) -> None:
    assert job.load(text(of_step=f"{{type: watch, size: '${{{reference}}}'}}"))


@pytest.mark.parametrize(
    ("reference", "is_known"),
    [
        ("params.day", True),
        ("secrets.TOKEN", True),
        ("execution.id", True),
        ("job.context.last", True),
        ("step.context.x", False),
        ("steps.a.status", False),
    ],
)
def test_a_listener_of_the_job_knows_no_step(job: JobFolder, reference: str, is_known: bool) -> None:
    node = f"{{type: watch, size: '${{{reference}}}'}}"
    if is_known:
        assert job.load(text(of_job=node))
    else:
        [problem] = job.told(text(of_job=node))
        assert "is not known here; known here: params, env, secrets, execution, job" in problem


HOOKS = """\
from batchrun.listeners import after_step, before_step

@after_step
def end(step): pass

def plain(step): pass
"""


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ("module: hocks", "there is no hocks.py beside the job file, and no installed module 'hocks'; "),
        ("module: hooks.py", "there is no hooks/py.py beside the job file"),
        ("module: 'my hooks'", "'my hooks' is no name of a Python module; write it without .py"),
        (
            "module: empty",
            "module 'empty' has no function that is decorated with a point to listen at; "
            "put @after_step or another decorator of batchrun.listeners before it",
        ),
        ("call: 'hooks:ende'", "hooks.py has no 'ende'; did you mean 'end'?"),
        ("call: 'hooks:plain'", "'hooks:plain' is not decorated with a point to listen at; "),
        ("module: broken", "broken.py:3: TypeError: after_step does not give end a 'stepp'; did you mean 'step'?"),
        ("module: misspelt", "misspelt.py:1: ImportError: cannot import name 'after_stepp' from 'batchrun.listeners'"),
    ],
)
def test_what_is_wrong_with_a_file_of_functions_is_told(job: JobFolder, options: str, told: str) -> None:
    (job.folder / "hooks.py").write_text(HOOKS)
    (job.folder / "empty.py").write_text("")
    (job.folder / "broken.py").write_text(HOOKS.replace("end(step)", "end(stepp)"))
    (job.folder / "misspelt.py").write_text("from batchrun.listeners import after_stepp")
    [problem] = job.told(text(of_step=f"{{type: python, {options}}}"))
    assert told in problem


def test_the_editor_knows_on_error_of_every_listener(job: JobFolder) -> None:
    definitions: dict[str, Any] = job_schema(job.registry)["definitions"]
    for name in ("listener", "listener.watch", "listener.log"):
        assert definitions[name]["properties"]["on_error"]["enum"] == ["fail", "warn"]
    assert "on_error" not in definitions["reader.lines"]["properties"]
