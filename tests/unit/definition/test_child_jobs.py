"""Child jobs: their files are read too, and their parameters must fit."""

from __future__ import annotations

from pathlib import Path

import pytest

from batchrun.definition import LoadedJob, load_job
from batchrun.errors import DefinitionError, Problem
from tests.unit.definition.doubles import JobFolder

CHILD = """\
name: child
parameters:
  day: {type: date, required: true, description: The day to load.}
  limit: {type: integer, default: 3}
steps:
  - {name: a, tasklet: {type: shell, command: echo}}
"""


def load(job: JobFolder, of_job: str, child: str = CHILD) -> LoadedJob:
    """Loads a job whose one step launches a child job."""
    (job.folder / "child.yaml").write_text(child)
    file = job.folder / "job.yaml"
    file.write_text(f"name: j\nparameters: {{day: {{type: date}}}}\nsteps:\n  - {{name: a, job: {of_job}}}\n")

    def find(name: str) -> Path:
        path = job.folder / f"{name}.yaml"
        if not path.exists():
            raise DefinitionError([Problem(f"there is no job {name!r}", str(job.folder), hint="look again")])
        return path

    return load_job(file, job.registry, find)


def told(job: JobFolder, of_job: str, child: str = CHILD) -> list[str]:
    with pytest.raises(DefinitionError) as caught:
        load(job, of_job, child)
    return [
        f"{Path(each.file).name}:{each.line}:{each.column}: {each.message}; {each.hint}"
        for each in caught.value.problems
    ]


def test_a_child_that_gets_what_it_needs_is_right(job: JobFolder) -> None:
    assert load(job, '{name: child, parameters: {day: "${params.day}", limit: 5}}')
    assert load(job, "child", CHILD.replace("required: true, ", ""))


@pytest.mark.parametrize(
    ("of_job", "problem"),
    [
        ("chidl", "job.yaml:4:20: there is no job 'chidl'; look again"),
        ("{name: chidl}", "job.yaml:4:27: there is no job 'chidl'; look again"),
        (
            "child",
            "job.yaml:4:20: job 'child' needs the parameter 'day' (The day to load); "
            "give it as in job: {name: …, parameters: {day: …}}",
        ),
        (
            "{name: child, parameters: {day: 2026-01-31, limt: 3}}",
            "job.yaml:4:64: job 'child' has no parameter 'limt'; did you mean 'limit'?",
        ),
        (
            "{name: child, parameters: {day: tomorrow}}",
            "job.yaml:4:52: parameter 'day': expected a date as in 2026-01-31, got 'tomorrow'; None",
        ),
    ],
)
def test_a_child_that_does_not_fit_is_told_where_it_is_named(job: JobFolder, of_job: str, problem: str) -> None:
    assert told(job, of_job) == [problem]


def test_what_is_wrong_in_the_childs_file_is_told_at_its_own_lines(job: JobFolder) -> None:
    assert told(job, "child", CHILD.replace("shell", "shel"))[0].startswith("child.yaml:6:31: unknown tasklet 'shel'")


def test_a_reference_in_a_childs_parameters_must_name_something(job: JobFolder) -> None:
    (found,) = told(job, '{name: child, parameters: {day: "${params.dya}"}}')
    assert found == "job.yaml:4:53: unknown parameter 'dya'; did you mean 'day'?"


def test_jobs_that_launch_each_other_are_an_error(job: JobFolder) -> None:
    child = "name: child\nsteps:\n  - {name: a, job: job}\n"
    assert told(job, "child", child) == [
        "child.yaml:3:20: the job would launch itself: job → child → job; take one of these child jobs out"
    ]
    assert told(job, "job") == [
        "job.yaml:4:20: the job would launch itself: job → job; take one of these child jobs out"
    ]
