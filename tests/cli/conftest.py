"""Every command is run in an empty folder, with an empty config, and with vectors that cost nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def clean_surroundings(private_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep a person's settings out, and return the folder that the commands run in."""
    for name in [name for name in os.environ if name.startswith("AGENTMEM_")]:
        if name not in ("AGENTMEM_HOME", "AGENTMEM_CACHE", "AGENTMEM_SQLITE_DRIVER"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AGENTMEM_CONFIG", str(private_home / "config" / "config.toml"))
    monkeypatch.setenv("AGENTMEM_EMBEDDING_PROVIDER", "dummy")
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.delenv("NO_COLOR", raising=False)
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder
