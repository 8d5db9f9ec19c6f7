"""Completions for four shells, made from the tree of commands, and the values that only the store knows."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

FILES = {
    "bash": "agentmem.bash",
    "zsh": "_agentmem",
    "fish": "agentmem.fish",
    "powershell": "agentmem.ps1",
}
"""Per shell the name under which it looks for a script."""


def script(shell: str) -> str:
    """Return the completion script of one of the four shells."""
    from agentmem_cli.reference import root

    made: str = import_module(f"agentmem_cli.completion.{shell}").script(root())
    return made


def write_all(folder: Path) -> list[Path]:
    """Write the scripts of all shells into a folder and return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for shell, name in FILES.items():
        (folder / name).write_text(script(shell), encoding="utf-8")
        written.append(folder / name)
    return written
