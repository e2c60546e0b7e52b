"""The assembly: what is wrong in options that are bound late is told at its place, before anything is written."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from batchrun.definition import load_job
from batchrun.domain.execution import JobExecution, JobInstance, StepCounts, StepExecution
from batchrun.domain.parameters import JobParameter, JobParameters, ParameterType
from batchrun.engine.owner import current_owner
from batchrun.errors import DefinitionError, Problem
from batchrun.operations.assembly import Assembly
from batchrun.registry import Registry
from batchrun.spi.source import StepStart
from batchrun.spi.tasklet import StepContribution
from batchrun.testing.memory_repository import MemoryJobRepository

HEAD = """\
name: job
parameters:
  text: {type: string, default: many}
  day: {type: date, default: "2024-02-29"}
"""


def assembled(folder: Path, rest: str, **parameters: str) -> Assembly:
    path = folder / "job.yaml"
    path.write_text(HEAD + rest)
    given = [JobParameter(name, value, ParameterType.STRING) for name, value in parameters.items()]
    return Assembly(
        load_job(path, Registry(folder)), JobParameters(given), folder, MemoryJobRepository(), "sqlite:////r.db"
    )


def problems(assembly: Assembly) -> list[Problem]:
    with pytest.raises(DefinitionError) as refused:
        assembly.check()
    return list(refused.value.problems)


def test_what_is_right_passes(tmp_path: Path) -> None:
    assembled(tmp_path, "steps: [{name: a, tasklet: {type: shell, command: echo}}]\n").check()


def test_a_bound_value_of_the_wrong_type_is_told_at_its_option(tmp_path: Path) -> None:
    rest = """\
steps:
  - name: a
    reader: {type: csv, path: a.csv, skip_lines: "${params.text}"}
    writer: {type: csv, path: b.csv}
"""
    [problem] = problems(assembled(tmp_path, rest, text="many"))
    assert (problem.line, problem.path) == (7, "steps[0].reader.skip_lines")
    assert problem.message == "reader 'csv': expected `int`, got `str`"


def test_what_options_together_cannot_be_is_told(tmp_path: Path) -> None:
    rest = """\
steps:
  - name: a
    reader: {type: csv, path: a.csv, delimiter: "${params.text}"}
    writer: {type: csv, path: b.csv}
"""
    [problem] = problems(assembled(tmp_path, rest, text=",,"))
    assert (problem.line, problem.message) == (7, "delimiter must be one ASCII character, got ',,'")


def test_each_missing_variable_is_told_at_once_and_where(tmp_path: Path) -> None:
    rest = """\
databases:
  warehouse: ${env.NO_SUCH_URL}
steps:
  - name: a
    tasklet: {type: shell, command: ["${env.NO_SUCH_COMMAND}"]}
"""
    found = problems(assembled(tmp_path, rest))
    assert [(each.line, each.path) for each in found] == [
        (6, "databases.warehouse"),
        (9, "steps[0].tasklet.command[0]"),
    ]
    assert "NO_SUCH_URL" in found[0].message


def test_counts_of_steps_before_are_known_when_a_step_begins(tmp_path: Path) -> None:
    rest = """\
steps:
  - name: a
    tasklet: {type: shell, command: "true"}
  - name: b
    tasklet: {type: shell, command: "echo ${steps.a.write_count} ${execution.id} ${params.day} > out"}
"""
    assembly = assembled(tmp_path, rest, day="2024-02-29")
    assembly.check()
    tasklet = assembly.tasklet(start_of(assembly, "b", results={"a": StepCounts(write=7).as_dict()}))
    tasklet.open()
    tasklet.execute(StepContribution())
    assert (tmp_path / "out").read_text() == "7 5 2024-02-29\n"


def start_of(assembly: Assembly, name: str, results: Mapping[str, Mapping[str, Any]]) -> StepStart:
    """Returns the start of a step in execution 5."""
    instance = JobInstance(1, "job", "")
    execution = JobExecution(5, instance, assembly.parameters, current_owner(), 1, datetime.now(UTC))
    step = StepExecution(2, 5, name)
    return StepStart(execution, assembly.job.definition.step(name), step, results, lambda: False)


def test_secrets_are_masked_once_they_have_been_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESK_TOKEN", "hunter2")
    assembly = assembled(tmp_path, 'steps: [{name: a, tasklet: {type: shell, command: ["${secrets.DESK_TOKEN}"]}}]\n')
    assembly.check()
    assert assembly.secrets.mask("cannot start hunter2") == "cannot start ***"
