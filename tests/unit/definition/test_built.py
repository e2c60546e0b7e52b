"""A job built in code goes the way of a file, and its problems tell paths in place of lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from batchrun.definition import BuiltJob, LoadedJob, load_built, render
from batchrun.errors import DefinitionError

WORK = "{name: work, tasklet: {type: shell, command: echo}}"


def no_file(job: str) -> Path:
    raise AssertionError(f"{job} was looked for among files")


def built(text: str, **more: object) -> BuiltJob:
    return BuiltJob("x", f"name: x\n{text}", **more)  # type: ignore[arg-type]


def problems(job: BuiltJob) -> list[str]:
    with pytest.raises(DefinitionError) as refused:
        load_built(job, no_file)
    return [render(each) for each in refused.value.problems]


def load(job: BuiltJob) -> LoadedJob:
    return load_built(job, no_file)


def test_problems_tell_paths_in_the_order_of_the_job() -> None:
    text = "steps:\n- {name: a, tasklet: {type: shell, comand: x}}\n- {name: a, tasklet: {type: nothing}}\nstart: b\n"
    assert problems(built(text)) == [
        "job 'x', steps[0].tasklet.comand: error: unknown option 'comand' of tasklet 'shell'; did you mean 'command'?",
        "job 'x', steps[1].name: error: there is a step 'a' already, in steps[0].name; rename one of them",
        "job 'x', steps[1].tasklet.type: error: unknown tasklet 'nothing'; the tasklets there are: "
        "files, http, launch, python, shell, sql",
        "job 'x', start: error: unknown step 'b'; the steps: a",
    ]


def test_references_lead_to_what_is_given() -> None:
    seen: list[str] = []
    job = load(built("steps: [{name: a, tasklet: {type: python, call: '<code>:f'}}]", given={"<code>:f": seen.append}))
    assert job.registry.modules.load("<code>:f") == seen.append
    assert (job.path, job.title) == (None, "job 'x'")


def test_a_child_built_in_code_is_read_with_its_parent() -> None:
    child = BuiltJob("child", f"name: child\nparameters: {{day: {{type: date, required: true}}}}\nsteps: [{WORK}]")
    step = "{name: a, job: {name: '<code>:child', parameters: {day: 2026-07-30}}}"
    job = load(built(f"steps: [{step}]", children={"<code>:child": child}))
    assert job.children["<code>:child"].definition.name == "child"
    assert problems(built("steps: [{name: a, job: '<code>:child'}]", children={"<code>:child": child})) == [
        "job 'x', steps[0].job: error: job 'child' needs the parameter 'day'; give it as in "
        "job: {name: …, parameters: {day: …}}"
    ]


def test_what_is_wrong_in_a_child_is_told_at_its_own_path() -> None:
    child = BuiltJob("child", "name: child\nsteps: []")
    [told] = problems(built("steps: [{name: a, job: '<code>:child'}]", children={"<code>:child": child}))
    assert told == "job 'child', steps: error: 'steps' of the job must not be empty"


def test_what_it_includes_stands_in_its_folder(tmp_path: Path) -> None:
    (tmp_path / "flow.yaml").write_text(f"steps:\n- {WORK}\nstart: wrk\n")
    [told] = problems(built("steps: [{name: a, include: flow.yaml}]", folder=tmp_path))
    assert told.startswith(f"{tmp_path}/flow.yaml:3:8: error:")
