import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from batchrun.errors import BatchrunError, ExitCode
from batchrun.registry import DuplicateComponentError, LocalModules, Registry, RegistryError, UnknownComponentError
from batchrun.spi.spec import ComponentSpec, Options, component


@component(ComponentSpec("reader", "lines", "Reads lines.", Options, "{type: lines}"))
class LinesReader:
    pass


@component(ComponentSpec("writer", "lines", "Writes lines.", Options, "{type: lines}"))
class LinesWriter:
    pass


def told(error: BatchrunError) -> str:
    return f"{error}; {error.hint}" if error.hint else str(error)


def refusal(modules: LocalModules, reference: str) -> str:
    with pytest.raises(RegistryError) as caught:
        modules.load(reference)
    assert caught.value.exit_code == ExitCode.DEFINITION
    return told(caught.value)


def installed(monkeypatch: pytest.MonkeyPatch, *entries: tuple[str, str, str]) -> None:
    """Pretends that these are the installed entry points: name, value, distribution."""
    found: list[Any] = []
    for name, value, distribution in entries:
        entry = EntryPoint(name, value, "batchrun.components")
        vars(entry).update(dist=SimpleNamespace(name=distribution))
        found.append(entry)
    monkeypatch.setattr("importlib.metadata.entry_points", lambda **_: found)


HERE = f"{__name__}:LinesReader"


def test_the_built_ins_are_entry_points_like_any_other() -> None:
    registry = Registry()
    assert {"csv", "query"} <= set(registry.names("reader"))
    assert {"table", "csv", "json_lines"} <= set(registry.names("writer"))


def test_names_import_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch, ("reader.x", "no.such.module:X", "plugin"), ("reader.a", HERE, "plugin"))
    assert Registry().names("reader") == ["a", "x"]


def test_a_component_is_found_by_role_and_name(monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch, ("reader.lines", HERE, "plugin"))
    assert Registry().component("reader", "lines").__name__ == "LinesReader"
    assert Registry().spec("reader", "lines").name == "lines"


def test_extra_classes_stand_beside_the_installed_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch)
    registry = Registry(extra=[LinesWriter, LinesReader])
    assert registry.component("writer", "lines") is LinesWriter
    assert [spec.role for spec in registry.specs()] == ["reader", "writer"]


def test_an_unknown_component_gets_the_right_spelling(monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch)
    registry = Registry(extra=[LinesReader, LinesWriter])
    with pytest.raises(UnknownComponentError) as caught:
        registry.component("reader", "line")
    assert told(caught.value) == "unknown reader 'line'; did you mean 'lines'?"
    with pytest.raises(UnknownComponentError) as caught:
        registry.component("tasklet", "lines")
    assert told(caught.value) == "unknown tasklet 'lines'; 'lines' is a reader"


def test_a_name_from_two_distributions_is_an_error_and_only_when_used(monkeypatch: pytest.MonkeyPatch) -> None:
    installed(
        monkeypatch, ("reader.lines", HERE, "one"), ("reader.lines", "other:Lines", "two"), ("reader.b", HERE, "one")
    )
    registry = Registry()
    assert registry.component("reader", "b")
    with pytest.raises(DuplicateComponentError) as caught:
        registry.component("reader", "lines")
    assert str(caught.value) == "reader 'lines' comes from several distributions: one, two"


def test_an_extra_class_does_not_replace_an_installed_one(monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch, ("reader.lines", HERE, "one"))
    with pytest.raises(DuplicateComponentError):
        Registry(extra=[LinesReader]).component("reader", "lines")
    with pytest.raises(DuplicateComponentError):
        Registry(extra=[LinesReader, LinesReader])


def test_a_broken_plugin_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch, ("reader.x", "no_such_module:X", "plugin"))
    with pytest.raises(RegistryError) as caught:
        Registry().component("reader", "x")
    assert told(caught.value) == (
        "reader x of the distribution 'plugin' cannot be loaded: ModuleNotFoundError: "
        "No module named 'no_such_module'; "
        "reinstall or remove 'plugin'; it names no_such_module:X"
    )


COMPONENT_FILE = """
from batchrun.spi import ComponentSpec, Options, component

@component(ComponentSpec("reader", "own", "Reads.", Options, "{type: own}"))
class Own:
    pass

class Plain:
    pass
"""


def test_a_class_of_a_file_beside_the_job_is_a_component(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(COMPONENT_FILE)
    registry = Registry(tmp_path)
    assert registry.component("reader", "own:Own").__name__ == "Own"
    with pytest.raises(RegistryError, match=r"'own:Own' is a reader, not a writer"):
        registry.component("writer", "own:Own")
    with pytest.raises(RegistryError, match=r"'own:Plain' is no component"):
        registry.component("reader", "own:Plain")


def test_files_of_two_jobs_with_one_name_do_not_clash(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "transforms.py").write_text(f"def which(): return {name!r}")
    results = [LocalModules(tmp_path / name).load("transforms:which")() for name in ("a", "b")]
    assert results == ["a", "b"]
    assert "transforms" not in sys.modules


def test_a_file_beside_the_job_comes_before_an_installed_module(tmp_path: Path) -> None:
    (tmp_path / "json.py").write_text("def dumps(): return 'mine'")
    assert LocalModules(tmp_path).load("json:dumps")() == "mine"
    assert LocalModules(None).load("json:dumps").__module__ == "json"


def test_one_file_may_import_another_beside_it(tmp_path: Path) -> None:
    (tmp_path / "prices.py").write_text("RATE = 2")
    (tmp_path / "enrich.py").write_text("import prices\nfrom .prices import RATE\ndef f(): return prices.RATE + RATE")
    before = list(sys.path)
    assert LocalModules(tmp_path).load("enrich:f")() == 4
    assert "prices" not in sys.modules
    assert sys.path == before


def test_a_package_and_an_attribute_of_a_class_can_be_named(tmp_path: Path) -> None:
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "__init__.py").write_text("from .inner import Thing")
    (tmp_path / "pack" / "inner.py").write_text("class Thing:\n    @staticmethod\n    def make(): return 1")
    modules = LocalModules(tmp_path)
    assert modules.load("pack:Thing.make")() == 1
    assert modules.load("pack.inner:Thing.make")() == 1


def test_a_file_is_imported_once_and_again_when_it_changed(tmp_path: Path) -> None:
    file = tmp_path / "counted.py"
    file.write_text("def f(): return 1")
    first = LocalModules(tmp_path).load("counted:f")
    assert LocalModules(tmp_path).load("counted:f") is first
    file.write_text("def f(): return 1000")
    assert LocalModules(tmp_path).load("counted:f")() == 1000


def test_a_dataclass_with_postponed_annotations_works(tmp_path: Path) -> None:
    (tmp_path / "data.py").write_text(
        "from __future__ import annotations\nfrom dataclasses import dataclass\n"
        "from typing import ClassVar\n@dataclass\nclass D:\n    x: int\n    y: ClassVar[int] = 1\n"
    )
    assert LocalModules(tmp_path).load("data:D")(3).x == 3


def test_errors_say_whether_the_file_the_module_or_the_name_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "transforms.py").write_text("def enrich(): ...\nRATE = 1")
    modules = LocalModules(tmp_path)
    assert refusal(modules, "transform:enrich") == (
        "there is no transform.py beside the job file, and no installed module 'transform'; did you mean 'transforms'?"
    )
    assert refusal(modules, "transforms:enrch") == "transforms.py has no 'enrch'; did you mean 'enrich'?"
    assert refusal(modules, "json:dmps") == "module 'json' has no 'dmps'; did you mean 'dumps'?"
    assert refusal(modules, "transforms:RATE") == "'transforms:RATE' is neither a function nor a class"
    assert refusal(modules, "transforms") == "'transforms' is no reference to Python code; write it as module:name"
    assert refusal(LocalModules(None), "nowhere:x") == "there is no module 'nowhere'"


def test_an_error_in_the_users_file_is_told_with_its_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "syntax.py").write_text("x = 1\ndef f(:\n")
    (tmp_path / "imports.py").write_text("\nimport no_such_thing\n")
    (tmp_path / "raises.py").write_text("def g():\n    return {}['a']\ng()\n")
    (tmp_path / "leaves.py").write_text("import sys\nsys.exit(0)\n")
    modules = LocalModules(tmp_path)
    assert refusal(modules, "leaves:f") == "leaves.py:2: SystemExit: 0"
    assert refusal(modules, "syntax:f") == "syntax.py:2: SyntaxError: invalid syntax"
    assert refusal(modules, "imports:f") == "imports.py:2: ModuleNotFoundError: No module named 'no_such_thing'"
    assert refusal(modules, "raises:g") == "raises.py:2: KeyError: 'a'"
    assert not [name for name in sys.modules if name.startswith("_batchrun") and name.endswith(".syntax")]


def test_what_is_given_comes_first() -> None:
    registry = Registry(given={"json:dumps": str, "<code>:f": repr})
    assert (registry.modules.load("json:dumps"), registry.modules.load("<code>:f")) == (str, repr)
    assert registry.modules.load("json:loads").__module__ == "json"
