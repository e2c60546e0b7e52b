"""Flows in files of their own: put into their place, and every problem in them told with their own file and line."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from batchrun.definition import load_job
from batchrun.errors import DefinitionError
from tests.unit.definition.doubles import JobFolder

JOB = """\
name: j
parameters: {day: {type: date}}
steps:
  - {name: checks, include: flows/checks.yaml}
  - {name: z, tasklet: {type: run, statement: x}}
"""

CHECKS = """\
parameters: {day: {type: date}}
steps:
  - {name: count, tasklet: {type: run, statement: x, command: "${steps.again.visit} ${params.day}"}}
  - {name: again, tasklet: {type: run, statement: x}}
"""


def write(job: JobFolder, name: str, text: str) -> Path:
    file = job.folder / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(textwrap.dedent(text))
    return file


def told(job: JobFolder, text: str) -> list[str]:
    with pytest.raises(DefinitionError) as caught:
        job.load(text)
    problems = caught.value.problems
    return [f"{Path(each.file).name}:{each.line}:{each.column}: {each.message}" for each in problems]


def test_an_included_flow_is_a_nested_one(job: JobFolder) -> None:
    write(job, "flows/checks.yaml", CHECKS)
    definition = job.load(JOB).definition
    assert [step.name for step in definition.steps] == ["checks", "checks.count", "checks.again", "z"]


def test_the_text_of_the_job_holds_the_files_that_it_includes(job: JobFolder) -> None:
    file = write(job, "flows/checks.yaml", CHECKS)
    before = job.load(JOB)
    assert before.text == f"{JOB}\n--- # checks.yaml\n{CHECKS}"
    file.write_text(CHECKS.replace("again", "once"))
    assert job.load(JOB).text != before.text


def test_a_problem_is_told_with_the_file_and_line_that_it_is_in(job: JobFolder) -> None:
    write(
        job,
        "flows/checks.yaml",
        CHECKS.replace("steps.again", "steps.agian").replace("name: again, ", "name: again, timout: 3s, "),
    )
    assert told(job, JOB.replace("statement: x", "statment: x")) == [
        "job.yaml:5:36: unknown option 'statment' of tasklet 'run'",
        "checks.yaml:3:64: unknown step 'agian'",
        "checks.yaml:4:19: unknown option 'timout' of step 'again'",
    ]


def test_a_later_problem_finds_its_place_in_the_included_file(job: JobFolder) -> None:
    file = write(job, "flows/checks.yaml", CHECKS)
    problem = job.load(JOB).problem("steps[0].include.steps[1].tasklet.statement", "wrong")
    assert (problem.file, problem.line, problem.column) == (str(file), 4, 51)
    assert problem.source == CHECKS.splitlines()[3]


def test_paths_are_relative_to_the_file_that_includes(job: JobFolder) -> None:
    write(job, "flows/checks.yaml", "steps:\n  - {name: inner, include: more.yaml}\n")
    write(job, "flows/more.yaml", CHECKS)
    names = [step.name for step in job.load(JOB).definition.steps]
    assert names == ["checks", "checks.inner", "checks.inner.count", "checks.inner.again", "z"]


def test_a_flow_included_twice_stands_in_two_places(job: JobFolder) -> None:
    write(job, "flows/checks.yaml", CHECKS)
    text = JOB.replace("name: z, tasklet: {type: run, statement: x}", "name: more, include: flows/checks.yaml")
    assert [step.name for step in job.load(text).definition.steps][3:] == ["more", "more.count", "more.again"]


def test_a_branch_may_be_an_included_flow(job: JobFolder) -> None:
    write(job, "flows/checks.yaml", CHECKS)
    text = JOB.replace(
        "{name: checks, include: flows/checks.yaml}",
        "{name: p, parallel: [[z], {name: checks, include: flows/checks.yaml}]}",
    )
    assert [step.name for step in job.load(text).definition.steps] == [
        "p",
        "z",
        "checks",
        "checks.count",
        "checks.again",
    ]


def test_files_that_include_each_other_are_an_error(job: JobFolder) -> None:
    write(job, "flows/checks.yaml", "steps:\n  - {name: inner, include: more.yaml}\n")
    write(job, "flows/more.yaml", "steps:\n  - {name: inner, include: checks.yaml}\n")
    assert "more.yaml:2:28: the file includes itself: checks.yaml → more.yaml → checks.yaml" in told(job, JOB)


def test_files_inside_each_other_without_end_are_refused_in_time(job: JobFolder) -> None:
    write(job, "flows/checks.yaml", "steps:\n  - {name: a, include: 1.yaml}\n")
    for number in range(1, 400):
        (job.folder / "flows" / f"{number}.yaml").write_text(f"steps:\n  - {{name: a, include: {number + 1}.yaml}}\n")
    (problem,) = told(job, JOB)
    assert problem.endswith(": flows are nested too deep here")


@pytest.mark.parametrize(
    ("included", "message"),
    [
        (None, "job.yaml:4:29: checks.yaml: there is no such file"),
        ("", "job.yaml:4:29: checks.yaml: the file is empty"),
        ("- a\n", "checks.yaml:1:1: a flow file is a mapping, with steps, not a list"),
        ("steps: [\n", "checks.yaml:2:1: a bracket is not closed"),
        ("description: x\n", "checks.yaml:1:1: the flow of step 'checks' needs 'steps'"),
    ],
)
def test_a_file_that_is_no_flow_is_told_once(job: JobFolder, included: str | None, message: str) -> None:
    (job.folder / "flows").mkdir()
    if included is not None:
        write(job, "flows/checks.yaml", included)
    assert told(job, JOB) == [message]


def test_what_stands_for_no_file_is_told(job: JobFolder) -> None:
    assert told(job, JOB.replace("flows/checks.yaml", "{steps: []}"))[0] == (
        "job.yaml:4:29: expected 'include' to be the path of a flow file, got a mapping"
    )
    assert told(job, JOB.replace("flows/checks.yaml", '"${params.day}"'))[0].startswith("job.yaml:4:29: expected")


def test_the_job_declares_the_parameters_that_the_flow_needs(job: JobFolder) -> None:
    write(job, "flows/checks.yaml", CHECKS.replace("day: {type: date}", "dya: , day: {type: datetime}"))
    assert told(job, JOB) == [
        "checks.yaml:1:14: the job has no parameter 'dya', which this flow needs",
        "checks.yaml:1:33: the job's parameter 'day' is of type date, and this flow needs datetime",
    ]


def test_the_same_file_by_another_way_is_the_same_file(tmp_path: Path) -> None:
    job = JobFolder(tmp_path / "jobs")
    job.folder.mkdir()
    (tmp_path / "link").symlink_to(job.folder)
    write(job, "a.yaml", "steps: [{name: b, include: ../link/a.yaml}]\n")
    write(job, "job.yaml", "name: j\nsteps: [{name: a, include: a.yaml}]\n")
    with pytest.raises(DefinitionError, match="includes itself"):
        load_job(job.folder / "job.yaml", job.registry)
