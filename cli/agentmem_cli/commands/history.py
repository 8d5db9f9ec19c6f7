"""`agentmem history`."""

from __future__ import annotations

import typer

from agent_memory.errors import MemoryNotFoundError
from agentmem_cli import documents, options
from agentmem_cli.context import Invocation


def history(context: typer.Context, reference: options.Reference) -> None:
    """List a memory's versions, oldest first.

    Examples:
        agentmem history 7f3k2m9q
        agentmem history home --json | jq '.[].after.content'
    """
    invocation = Invocation.of(context)
    with invocation.memory() as memory:
        try:
            found = memory.history(reference)
        except MemoryNotFoundError:
            named = documents.chunks_for(memory, [reference])
            if named == [reference]:
                raise
            found = memory.history(named[0])
    invocation.output.versions(found)
