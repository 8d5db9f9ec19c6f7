"""`agentmem event similar`."""

from __future__ import annotations

import typer

from agentmem_cli import options, text_input
from agentmem_cli.context import Invocation


def similar(context: typer.Context, text: options.Text = None, limit: options.FewLimit = 5) -> None:
    """Find events like the one described, by words and by meaning, best first.

    Examples:
        agentmem event similar "no space left on the server"
        tail -1 error.log | agentmem event similar - --json
    """
    invocation = Invocation.of(context)
    said = text_input.one(text)
    with invocation.memory() as memory:
        results = memory.episodic.find_similar_events(said, limit)
    invocation.output.scored(results)
