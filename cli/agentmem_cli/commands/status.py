"""`agentmem status`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import typer

from agent_memory.records import MemoryType
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
    """Say how things stand: the file, the level in force, the embedder, and what is owed.

    Fast: no model is loaded.

    Examples:
        agentmem status
        agentmem status --json | jq .owed_embeddings
    """
    invocation = Invocation.of(context)
    with invocation.memory() as memory:
        found = memory.get_status()
        counts = memory.get_stats()
    found["meaning_unavailable_because"] = hints.worded(found["meaning_unavailable_because"] or "") or None
    if invocation.missing is not None:
        found |= {"agent_id": invocation.settings.get("agent"), "location": str(invocation.missing)}
        found |= {"backend": "sqlite", "bytes": 0, "level": "empty"}
    found["counts"] = {memory_type.value: counts[memory_type] for memory_type in MemoryType}
    if invocation.output.form in ("json", "ndjson", "csv"):
        invocation.output.details(found)
    else:
        invocation.output.details(shown(found))
    for notice in notices(found):
        invocation.output.note(notice)


_REASONS = 3  # why texts cannot be embedded: the most frequent


def shown(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return what people want to know, in the order in which they do."""
    from agentmem_cli.output.plain import size

    counts = [f"{count} {name.replace('_', '-')}" for name, count in found["counts"].items() if count]
    return {
        "agent": found["agent_id"],
        "store": found["location"]
        if found["backend"] == "sqlite"
        else f"{found['backend']} ({found['location']})",
        "size": size(found["bytes"]),
        "memories": f"{found['memories']}" + (f" ({', '.join(counts)})" if counts else ""),
        "level": _LEVELS.get(found["level"], found["level"]),
        "embedder": found["embedded_with"] or f"{found['embedding_provider']} (nothing embedded yet)",
        "owed": _pending(found),
        "schema": found["schema_version"] or "",
        "driver": found.get("driver"),
    }


def _pending(found: Mapping[str, Any]) -> str:
    failed = found["failed_embeddings"]
    return f"{found['owed_embeddings']}" + (f", {failed} of them cannot be embedded" if failed else "")


def _texts(count: int) -> str:
    return "1 text is" if count == 1 else f"{count} texts are"


def notices(found: Mapping[str, Any]) -> list[str]:
    """Return what somebody may want to do something about, one line each."""
    from agent_memory.embeddings.catalog import MULTILINGUAL
    from agent_memory.memories.operations.status import UNREADABLE

    lines = []
    if found["meaning_unavailable_because"]:
        by = "words only" if found["level"] != "nothing" else "nothing"
        lines.append(f"searches go by {by}: {found['meaning_unavailable_because']}")
    elif pending := found["owed_embeddings"] - found["failed_embeddings"]:
        lines.append(f"{_texts(pending)} not embedded yet: agentmem index")
    for reason, count in Counter(result["reason"] for result in found["failures"]).most_common(_REASONS):
        lines.append(f"{_texts(count)} found by words only, since: {reason} (agentmem index tries again)")
    if found["level"] == "exact-scan":
        lines.append("sqlite-vec cannot be loaded here: searches by meaning take longer the more there is")
    if found["unreadable_share"] > UNREADABLE:
        lines.append(
            f"the embedder does not understand {found['unreadable_share']:.0%} of the newest memories:"
            f" agentmem model pull {MULTILINGUAL}, then agentmem reembed fastembed --model {MULTILINGUAL}"
        )
    return lines
