"""The whole tree of commands as data, and what is made of it: JSON, the reference page, completions."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agentmem_cli.reference.tree import Command


@cache
def tree() -> Command:
    """Read the tree of the real program."""
    from agentmem_cli import app
    from agentmem_cli.reference.tree import read

    return read(app.command())


def page() -> str:
    """Return the reference page in Markdown."""
    from agentmem_cli import exit_codes
    from agentmem_cli.reference import as_markdown

    return as_markdown.page(tree(), exit_codes=exit_codes.MEANINGS)


def write(path: Path) -> Path:
    """Write the reference page."""
    path.write_text(page(), encoding="utf-8")
    return path
