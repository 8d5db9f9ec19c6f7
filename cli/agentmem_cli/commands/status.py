"""`agentmem status`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import typer

from agentmem_cli import hints
from agentmem_cli.context import Invocation

_LEVELS = {
    "full": "full: words and meaning, with a vector index",
    "exact-scan": "exact-scan: words and meaning, comparing every vector",
    "keyword": "keyword: words only",
    "read-only": "read-only: nothing can be stored",
    "meaning": "meaning: no words, this backend has no full text",
    "nothing": "nothing: no full text in this backend, and no embedder",
    "empty": "empty: there is no file yet, `agentmem add` makes it",
}


def status(context: typer.Context) -> None:
    """Say how things stand: the file, how it is searched, the embedder, and what is not embedded yet.

    Fast: no model is loaded.

    Examples:
        agentmem status
        agentmem status --json | jq .owed_embeddings
    """
    from agent_memory.memories.opening import empty_status
    from agent_memory.memories.operations.status import advice

    invocation = Invocation.of(context)
    with invocation.memory() as memory:
        state = memory.get_status()
    state["meaning_unavailable_because"] = hints.worded(state["meaning_unavailable_because"] or "") or None
    if invocation.missing is not None:
        state |= empty_status(invocation.missing, invocation.settings.get("agent"))
    if invocation.output.form in ("json", "ndjson", "csv"):
        invocation.output.details(state)
    else:
        invocation.output.details(shown(state))
    for sentence in advice(state):
        invocation.output.note(hints.worded(sentence))


def shown(state: Mapping[str, Any]) -> dict[str, Any]:
    """Return what people want to know, in the order in which they do."""
    from agentmem_cli.output.plain import size

    counts = [f"{count} {name.replace('_', '-')}" for name, count in state["counts"].items() if count]
    return {
        "agent": state["agent_id"],
        "store": state["location"]
        if state["backend"] == "sqlite"
        else f"{state['backend']} ({state['location']})",
        "size": size(state["bytes"]),
        "memories": f"{state['memories']}" + (f" ({', '.join(counts)})" if counts else ""),
        "level": _LEVELS.get(state["level"], state["level"]),
        "embedder": state["embedded_with"] or f"{state['embedding_provider']} (nothing embedded yet)",
        "pending": _pending(state),
        "schema": state["schema_version"] or "",
        "driver": state.get("driver"),
    }


def _pending(state: Mapping[str, Any]) -> str:
    failed = state["failed_embeddings"]
    return f"{state['owed_embeddings']}" + (f", {failed} of them cannot be embedded" if failed else "")
