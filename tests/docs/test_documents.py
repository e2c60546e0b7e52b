"""The documents are true: their YAML is valid, their commands print what they say, their links lead somewhere."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer
import yaml

from batchrun.cli.program import program
from batchrun.definition import load_job, render
from batchrun.definition.shape import job_shape
from batchrun.errors import DefinitionError
from batchrun.registry import Registry
from tests.support.documents import Block, blocks, documents, job_text, run_commands, write_files
from tests.support.project import ROOT, Project

OF_THE_PLUGIN = ROOT / "CONTRIBUTING.md"
"""Its commands need the plugin that it describes: tests/plugin installs it."""

LINK = re.compile(r"\]\((?!https?://)(?P<path>[^)#]*)(?:#(?P<heading>[^)]*))?\)")
CALL = re.compile(r"(?:call|module): \"?(\w+):?(\w*)")
"""A snippet may call a function, or a listener of a module, that it does not show."""

ALL = [document for document in documents() if document != OF_THE_PLUGIN]
BLOCKS = [block for document in ALL for block in blocks(document)]
OF_CI = [
    block
    for block in BLOCKS
    if block.name in (".github/workflows/load.yml", ".github/workflows/carry.yml", ".gitlab-ci.yml", "Jenkinsfile")
]
"""Files that only CI servers run."""
YAML = [block for block in BLOCKS if block.language == "yaml" and block not in OF_CI]


def named(document: Path) -> str:
    return str(document.relative_to(ROOT))


@pytest.mark.parametrize("block", YAML, ids=lambda block: str(block.place))
def test_yaml_in_a_document_is_valid(block: Block, tmp_path: Path) -> None:
    document = ROOT / block.place.partition(":")[0]
    write_files(document, Project.make(tmp_path))
    path = tmp_path / "jobs.d" / "of_a_document.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(job_text(block), encoding="utf-8")
    for module, name in CALL.findall(block.text):
        function = name or "listen"
        if not (file := path.with_name(f"{module}.py")).exists():
            file.write_text(f"from batchrun.listeners import after_step\n\n@after_step\ndef {function}(**named): ...\n")
    try:
        load_job(path, Registry(path.parent))
    except DefinitionError as error:
        pytest.fail(f"{block.place}: {'; '.join(render(problem) for problem in error.problems)}")


@pytest.mark.parametrize("block", OF_CI, ids=lambda block: block.name)
def test_files_of_ci_servers_are_yaml_and_call_batchrun_as_it_is(block: Block) -> None:
    if block.language == "yaml":
        assert isinstance(yaml.safe_load(block.text), dict)
    calls = re.findall(r"\bbatchrun ((?:validate|launch|restart|export) [^\n']*)", block.text)
    assert calls
    for call in calls:
        arguments = shlex.split(re.sub(r"\$\{\{.*?\}\}", "1", call))
        command = typer.main.get_command(program).get_command(None, arguments[0])
        command.make_context(arguments[0], arguments[1:])


@pytest.mark.parametrize("document", ALL, ids=named)
def test_commands_in_a_document_do_what_it_says(document: Path, tmp_path: Path) -> None:
    project = Project.like_ours(tmp_path)
    write_files(document, project)
    if document.name == "README.md":  # whose reader has just run `make demo`
        project.batchrun("launch", "load_flights", "input=data/flights.csv", "run=1")
    run_commands(document, project)


@pytest.mark.parametrize("document", documents(), ids=named)
def test_links_in_a_document_lead_somewhere(document: Path) -> None:
    for link in LINK.finditer(document.read_text(encoding="utf-8")):
        target = document.parent / link["path"] if link["path"] else document
        assert target.exists(), link[0]
        if link["heading"]:
            headings = re.findall(r"^#+ (.*)$", target.read_text(encoding="utf-8"), re.MULTILINE)
            assert link["heading"] in [anchor(heading) for heading in headings], link[0]


def anchor(heading: str) -> str:
    """Returns the anchor that hosts of git repositories give a heading."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("document", documents(), ids=named)
def test_targets_of_make_in_a_document_exist(document: Path) -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    used = re.findall(r"(?:^|`)make ([a-z-]+)", document.read_text(encoding="utf-8"), re.MULTILINE)
    assert set(used) <= set(targets)


def test_the_readme_runs_its_main_commands() -> None:
    text = "".join(block.text for block in blocks(ROOT / "README.md") if block.language == "console")
    for command in ("launch", "restart", "history", "show", "validate"):
        assert f"batchrun {command}" in text


def test_every_key_of_a_job_file_is_in_the_manual() -> None:
    pages = ("job-file.md", "fault-tolerance.md")
    manual = "".join((ROOT / "docs" / page).read_text(encoding="utf-8") for page in pages)
    keys = {key for shape in job_shape()["$defs"].values() for key in shape.get("properties", {})} - {"items"}
    assert [key for key in sorted(keys) if f"`{key}`" not in manual] == []


def test_the_map_names_what_is_there() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    named_paths = re.findall(r"`((?:\w+/)+(?:\w+\.py)?|\w+\.py)`", text)
    tops = (ROOT / "batchrun", ROOT / "batchrun" / "definition", ROOT / "batchrun" / "components", ROOT)
    assert [path for path in named_paths if not any((top / path).exists() for top in tops)] == []
    packages = [path.name for path in (ROOT / "batchrun").iterdir() if (path / "__init__.py").exists()]
    assert [name for name in packages if f"| `{name}/` |" not in text] == []
