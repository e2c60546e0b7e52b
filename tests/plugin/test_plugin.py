"""The plugin of CONTRIBUTING, installed from the page as it stands: a distribution that adds a component."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.documents import run_commands, write_files
from tests.support.project import ROOT, Project

PAGE = ROOT / "CONTRIBUTING.md"


@dataclass(frozen=True)
class Plugin:
    """The page's files, and where pip has installed the distribution that they are."""

    folder: Path
    installed: Path


@pytest.fixture(scope="module")
def plugin(tmp_path_factory: pytest.TempPathFactory) -> Plugin:
    folder = tmp_path_factory.mktemp("plugin")
    write_files(PAGE, Project.make(folder))
    installed = folder / "installed"
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--no-build-isolation"]
    ended = subprocess.run(
        [*command, "--target", str(installed), str(folder)], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    return Plugin(folder, installed)


@pytest.fixture
def project(plugin: Plugin, tmp_path: Path) -> Project:
    """A project with the page's jobs, and without its Python file."""
    project = Project.like_ours(tmp_path)
    write_files(PAGE, project)
    (project.folder / "batchrun_mask.py").unlink()
    return project


def masked(project: Project) -> list[str | None]:
    lines = (project.folder / "data" / "masked.jsonl").read_text().splitlines()
    return [json.loads(line)["tailnum"] for line in lines]


def test_the_page_does_what_it_says_with_the_plugin_installed(plugin: Plugin, project: Project) -> None:
    assert run_commands(PAGE, project, PYTHONPATH=str(plugin.installed)) > 0
    tails = masked(project)
    assert len(tails) == 300
    assert all(tail is None or (len(tail) == 5 and tail.startswith("***")) for tail in tails)
    assert None in tails


def test_a_plugin_is_listed_and_validated_like_a_built_in(plugin: Plugin, project: Project) -> None:
    path = str(plugin.installed)
    names = [each["name"] for each in project.batchrun("components", "--output", "json", PYTHONPATH=path).document]
    assert "mask" in names
    job = project.folder / "jobs.d" / "masked_flights.yaml"
    job.write_text(job.read_text().replace("keep: 2", "kep: 2"))
    ended = project.batchrun("validate", "masked_flights", expect=5, PYTHONPATH=path)
    assert "unknown option 'kep' of processor 'mask'" in ended.err
    assert "did you mean 'keep'?" in ended.err


def test_without_the_plugin_its_name_is_unknown(project: Project) -> None:
    ended = project.batchrun("validate", "masked_flights", expect=5)
    assert "'mask'" in ended.err


def test_the_same_file_works_beside_a_job(plugin: Plugin, project: Project) -> None:
    (project.folder / "jobs.d" / "batchrun_mask.py").write_text((plugin.folder / "batchrun_mask.py").read_text())
    job = project.folder / "jobs.d" / "masked_flights.yaml"
    job.write_text(job.read_text().replace("type: mask", "type: batchrun_mask:MaskProcessor"))
    project.batchrun("launch", "masked_flights")
    assert len(masked(project)) == 300
