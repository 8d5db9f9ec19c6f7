"""The whole tree of commands as data, and what is made of it: JSON, the reference page, completions."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agentmem_cli.reference.tree import Command


@cache
def root() -> Command:
    """Read the tree of the real program."""
    from agentmem_cli import app
    from agentmem_cli.reference.tree import read

    return read(app.command())


def page() -> str:
    """Return the reference page in Markdown."""
    from agentmem_cli import exit_codes
    from agentmem_cli.reference import as_markdown

    return as_markdown.page(root(), exit_codes=exit_codes.MEANINGS)


def write(path: Path) -> Path:
    """Write the reference page."""
    path.write_text(page(), encoding="utf-8")
    return path


def description(words: Sequence[str] = ()) -> dict[str, Any]:
    """Return the tree as JSON, or what is below some words of it.

    Raises:
        UnknownCommandError: no command is called so.
    """
    from agent_memory.version import __version__
    from agentmem_cli import exit_codes
    from agentmem_cli.errors import UnknownCommandError
    from agentmem_cli.reference import as_json

    described = as_json.describe(root(), version=__version__, exit_codes=exit_codes.MEANINGS)
    if words:
        path = list(words)
        begin = [item for item in described["commands"] if item["command"].split()[: len(path)] == path]
        described["commands"] = begin
        if not described["commands"]:
            raise UnknownCommandError(
                "agentmem", " ".join(path), [" ".join(node.path) for node in root().walk()]
            )
    return described
