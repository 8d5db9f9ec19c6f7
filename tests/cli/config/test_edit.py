from __future__ import annotations

import os
from pathlib import Path

import pytest

from ..running import done, run


def editor(tmp_path: Path, script: str) -> str:
    program = tmp_path / "an editor"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return f"'{program}' --wait"


def test_a_new_file_is_begun_for_the_editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", editor(tmp_path, 'echo \'agent = "edited"\' >> "$2"'))
    done("config", "edit")
    assert done("config", "get", "agent").out == "edited\n"
    assert Path(os.environ["AGENTMEM_CONFIG"]).read_text().startswith("# Settings of agentmem")


def test_a_mistake_is_said_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISUAL", editor(tmp_path, "echo 'agnet = 1' > \"$2\""))
    ran = run("config", "edit")
    assert ran.code == 2
    assert "unknown setting 'agnet'" in ran.err
    monkeypatch.setenv("VISUAL", editor(tmp_path, "exit 3"))
    assert run("config", "edit").code == 2
    monkeypatch.setenv("VISUAL", "no-such-editor")
    assert "set EDITOR" in run("config", "edit").err


def test_no_editor_is_guessed_without_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.delenv("EDITOR", raising=False)
    ran = run("config", "edit")
    assert ran.code == 2
    assert "agentmem config set" in ran.err
