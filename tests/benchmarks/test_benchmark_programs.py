"""Every benchmark can be imported and started: none is left behind by a name that changed."""

from __future__ import annotations

import importlib
import pkgutil
import runpy
import sys
from pathlib import Path

import pytest

import benchmarks
from benchmarks.backends import raw

ROOT = Path(benchmarks.__file__).parent
MODULES = sorted(module.name for module in pkgutil.walk_packages([str(ROOT)], "benchmarks."))
PROGRAMS = sorted(
    ".".join(("benchmarks", *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(".__main__")
    for path in ROOT.rglob("*.py")
    if "ArgumentParser(" in path.read_text()
)


def test_there_are_programs() -> None:
    assert {"benchmarks", "benchmarks.recall", "benchmarks.size", "benchmarks.backends"} <= set(PROGRAMS)


@pytest.mark.parametrize("name", MODULES)
def test_each_module_is_imported(name: str) -> None:
    assert importlib.import_module(name).__doc__


@pytest.mark.parametrize("name", PROGRAMS)
def test_each_program_explains_itself(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", [name, "--help"])
    for module in (name, f"{name}.__main__"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    with pytest.raises(SystemExit) as ended:
        runpy.run_module(name, run_name="__main__")
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: python -m {name} ")


@pytest.mark.parametrize("name", ["postgres", "redis-plain", "sqlite"])
def test_what_the_raw_clients_record_is_where_they_look_for_it(name: str) -> None:
    with raw.recording(name) as recorded:
        assert recorded == []
