"""`agentmem version`."""

from __future__ import annotations

import typer

from agentmem_cli.context import Invocation


def version(context: typer.Context) -> None:
    """Print the version.

    Examples:
        agentmem version
        agentmem version --json
    """
    from agent_memory.version import __version__

    Invocation.of(context).output.details({"version": __version__})
