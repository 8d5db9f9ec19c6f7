"""`agentmem doc list`."""

from __future__ import annotations

import typer

from agentmem_cli import options
from agentmem_cli.context import Invocation


def list_(context: typer.Context, limit: options.ListLimit = 100, everything: options.All = False) -> None:
    """List documents and single pieces of knowledge, newest first.

    Examples:
        agentmem doc list
        agentmem doc list --json | jq -r '.[].title'
    """
    from agent_memory.records import to_dict

    invocation = Invocation.of(context)
    with invocation.memory() as memory:
        documents = memory.semantic.get_documents(None if everything else limit)
    rows = [
        {
            **{name: value for name, value in to_dict(result.first).items() if name in _SHOWN},
            "id": result.id,
            "chunks": result.chunks,
        }
        for result in documents
    ]
    invocation.output.rows(rows, columns=("id", "title", "chunks", "tags", "created_at", "content"))


_SHOWN = ("id", "title", "source", "path", "tags", "created_at", "content")
