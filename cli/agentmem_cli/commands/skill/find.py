"""`agentmem skill find`."""

from __future__ import annotations

import typer

from agentmem_cli import options, text_input
from agentmem_cli.context import Invocation


def find(context: typer.Context, situation: options.Text = None, limit: options.FewLimit = 5) -> None:
    """Find the skills that a situation calls for, best first.

    Triggers, words and meaning count together.

    Examples:
        agentmem skill find "the server has no space left"
        tail -1 error.log | agentmem skill find - -o text
    """
    invocation = Invocation.of(context)
    said = text_input.one(situation)
    with invocation.memory() as memory:
        results = memory.procedural.find_applicable_skills(said, limit)
    invocation.output.scored(results)
