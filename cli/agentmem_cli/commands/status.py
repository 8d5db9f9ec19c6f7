"""`agentmem status`."""

from __future__ import annotations

import typer

from agentmem_cli.context import Invocation


def status(context: typer.Context) -> None:
    """Say how things stand: the file, what level is in force, what embeds, and what is still owed.

    Fast: no model is loaded.

    Examples:
        agentmem status
        agentmem status --json | jq .owed_embeddings
    """
    invocation = Invocation.of(context)
    with invocation.memory() as memory:
        found = memory.get_status()
    invocation.output.details(found)
    for notice in notices(found):
        invocation.output.note(notice)


def notices(found: dict[str, object]) -> list[str]:
    """Return what the user may want to do something about, one line each."""
    lines = []
    if found["owed_embeddings"]:
        lines.append(f"{found['owed_embeddings']} texts are not embedded yet: agentmem index")
    if found["level"] == "exact-scan":
        lines.append("sqlite-vec cannot be loaded: searches by meaning compare every vector")
    if found["meaning_unavailable_because"]:
        lines.append(f"searches go by words only: {found['meaning_unavailable_because']}")
    return lines
