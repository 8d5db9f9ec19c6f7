"""`agentmem model list`."""

from __future__ import annotations

import typer

from agentmem_cli.context import Invocation


def list_(context: typer.Context) -> None:
    """List the embedding models known by name, and which of them are on this machine.

    Examples:
        agentmem model list
        agentmem model list --json | jq -r '.[] | select(.present) | .name'
    """
    from agent_memory.embeddings import models

    invocation = Invocation.of(context)
    rows = [
        {
            "name": state.card.name,
            "provider": state.card.provider,
            "present": state.present,
            "dimension": state.card.dimension,
            "tokens": state.card.tokens,
            "languages": state.card.languages,
            "megabytes": state.card.megabytes,
            "path": str(state.path) if state.path is not None else None,
        }
        for state in models.list_models(invocation.model_folder)
    ]
    invocation.output.rows(rows, id="name")
