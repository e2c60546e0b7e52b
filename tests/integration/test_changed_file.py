"""A job file that changed since the execution to continue: reported, or refused (SEMANTICS section 1)."""

from __future__ import annotations

from pathlib import Path

import pytest

from batchrun.cli.program import run

STEP = '  - {{name: {0}, tasklet: {{type: shell, command: "echo {0} >> ran; {1}"}}}}\n'


def job(*names: str) -> str:
    """Returns a job whose step `b` fails until there is the file `open`."""
    return "name: letters\nsteps:\n" + "".join(
        STEP.format(name, "test -e open" if name == "b" else "true") for name in names
    )


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project in which execution 1 has failed at `b`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BATCHRUN_REPOSITORY", f"sqlite:///{tmp_path}/repository.db")
    (tmp_path / "letters.yaml").write_text(job("a", "b", "c"))
    assert run(["launch", "letters.yaml"]) == 1
    (tmp_path / "open").touch()
    return tmp_path


@pytest.mark.parametrize(
    ("changed", "ran"),
    [
        (job("a", "b", "c") + "# a comment\n", "abbc"),
        (job("a", "b", "d"), "abbd"),
        (job("a", "b"), "abb"),
    ],
)
def test_what_changed_behind_the_step_to_resume_is_only_reported(
    folder: Path, changed: str, ran: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "letters.yaml").write_text(changed)
    assert run(["restart", "1"]) == 0
    assert "letters.yaml has changed since execution 1" in capsys.readouterr().err
    assert (folder / "ran").read_text().split() == list(ran)


@pytest.mark.parametrize("changed", [job("a", "x", "b", "c"), job("b", "a", "c"), job("b", "c")])
def test_other_steps_before_the_step_to_resume_are_refused_unless_allowed(
    folder: Path, changed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "letters.yaml").write_text(changed)
    assert run(["restart", "1"]) == run(["launch", "letters.yaml"]) == 3
    assert "before step 'b', which is to be resumed, stood 'a'" in capsys.readouterr().err
    assert run(["restart", "1", "--allow-changed"]) == 0


def test_a_step_to_resume_that_is_gone_is_refused_even_if_changes_are_allowed(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "letters.yaml").write_text(job("a", "c"))
    for allowed in ([], ["--allow-changed"]):
        assert run(["restart", "1", *allowed]) == 3
        assert "step 'b', which is to be resumed, is gone" in capsys.readouterr().err
    assert (folder / "ran").read_text().split() == ["a", "b"]
