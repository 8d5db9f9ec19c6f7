"""`agentmem model list`."""

from __future__ import annotations

import typer

from agentmem_cli.context import Invocation


def list_(context: typer.Context) -> None:
    """List the models known by name, to embed or to rerank with, and which of them are here.

    Examples:
        agentmem model list
        agentmem model list --json | jq -r '.[] | select(.present) | .name'
    """
    from agent_memory.embeddings import models

    invocation = Invocation.of(context)
    states = models.list_models(invocation.model_folder)
    if invocation.output.form == "table":
        # The name behind the slash is enough for every command, and leaves room for the rest.
        invocation.output.rows(
            [
                {
                    "model": state.card.name.rpartition("/")[2],
                    "for": state.card.purpose,
                    "here": "yes" if state.present else "",
                    "download": f"{state.card.megabytes} MB" if state.card.megabytes else "none",
                    "dim": state.card.dimension or "",
                    "languages": state.card.languages,
                }
                for state in states
            ]
        )
        return
    rows = [
        {
            "name": state.card.name,
            "provider": state.card.provider,
            "purpose": state.card.purpose,
            "present": state.present,
            "dimension": state.card.dimension or None,
            "tokens": state.card.tokens,
            "languages": state.card.languages,
            "megabytes": state.card.megabytes,
            "path": str(state.path) if state.path is not None else None,
        }
        for state in states
    ]
    invocation.output.rows(rows, id="name")
