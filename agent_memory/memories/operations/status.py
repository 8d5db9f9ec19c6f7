"""Describing the state of a memory: how much there is, what is in force, and what is pending."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from agent_memory import clock
from agent_memory.errors import MissingDependencyError
from agent_memory.hints import Hint
from agent_memory.memories.core import Core
from agent_memory.memories.filters import build_where
from agent_memory.recall.constants import READABLE
from agent_memory.records import MemoryType, Status
from agent_memory.storage.base import VectorStore
from agent_memory.text.languages import is_in_another_language
from agent_memory.text.templates import embedded_text

FAILURES = 20  # texts that could not be embedded, of which `status` tells the reason
_REASONS = 3  # why texts cannot be embedded: the most frequent
UNREADABLE = 0.1
"""Share of memories that the embedder does not understand from which `status` names another one."""


async def statistics(core: Core) -> dict[str, Any]:
    """Count what there is, per type and in all, and describe the store."""
    store = core.store
    counts = dict.fromkeys((memory_type.value for memory_type in MemoryType), 0)
    counts |= {group.value: group.count for group in await store.groups(build_where(), "type")}
    archived = await store.count(build_where(status=Status.ARCHIVED, expired=None))
    superseded = await store.count(build_where(status=Status.SUPERSEDED, expired=None))
    described = await store.describe()
    return {
        "agent_id": store.agent_id,
        "total": sum(counts.values()),
        **counts,
        "archived": archived + superseded,
        "pinned": await store.count(build_where(pinned=True)),
        "expired": await store.count(build_where(expired=True)),
        "backend": described.backend,
        "location": described.location,
        "bytes": described.bytes,
    }


async def status(core: Core) -> dict[str, Any]:
    """Return where the memory is, what is in force and what is pending, without loading a model."""
    described = await core.store.describe()
    store = core.store
    vectors = store if isinstance(store, VectorStore) and core.index.available else None
    space = await store.current_space() if isinstance(store, VectorStore) else None
    because = await core.index.unavailable_because()
    counts = dict.fromkeys((memory_type.value for memory_type in MemoryType), 0)
    counts |= {group.value: group.count for group in await store.groups(build_where(), "type")}
    mark = await store.moved()
    level = described.level
    if level != "read-only" and (because is not None or not core.index.available):
        level = "keyword"
    if not core.store.capabilities.full_text:
        level = "meaning" if level == "full" else "nothing"
    return {
        "agent_id": core.store.agent_id,
        "backend": described.backend,
        "location": described.location,
        "bytes": described.bytes,
        "schema_version": described.schema_version,
        "level": level,
        "memories": await core.store.count(build_where()),
        "embedding_provider": core.index.provider,
        "embedded_with": str(space) if space is not None else None,
        "owed_embeddings": await vectors.pending_count() if vectors is not None else 0,
        "failed_embeddings": await vectors.pending_count(failed=True) if vectors is not None else 0,
        "failures": [
            {
                "id": failure.id,
                "reason": failure.reason,
                "at": None if failure.at is None else clock.to_text(failure.at),
            }
            for failure in await core.index.failures(FAILURES)
        ],
        "meaning_unavailable_because": because,
        "unreadable_share": await _uncovered_share(core),
        "capabilities": core.store.capabilities.named(),
        **described.details,
        **({} if mark is None else {"moved_to": mark.to}),
        "counts": counts,
    }


def advice(state: Mapping[str, Any]) -> list[str]:
    """Return what somebody may want to do something about, a sentence each, most of them a `Hint`.

    Args:
        state: what `status` returned.
    """
    return [*_moved_advice(state), *_pending_advice(state), *_search_advice(state)]


def _moved_advice(state: Mapping[str, Any]) -> Iterator[str]:
    if place := state.get("moved_to"):
        yield Hint(
            "this agent was moved to {place}: nothing can be written here, and what was written there is not here"
            " ({REOPEN} takes that back)",
            place=place,
        )


def _pending_advice(state: Mapping[str, Any]) -> Iterator[str]:
    because = state["meaning_unavailable_because"]
    if because:
        by = "words only" if state["level"] != "nothing" else "nothing"
        yield Hint("searches go by {by}: {because}", by=by, because=because)
    elif pending := state["owed_embeddings"] - state["failed_embeddings"]:
        yield Hint("{texts} not embedded yet: {INDEX_NOW}", texts=_texts(pending))
    reasons = Counter(failure["reason"] for failure in state["failures"])
    for reason, count in reasons.most_common(_REASONS):
        yield Hint(
            "{texts} found by words only, since: {reason} ({INDEX_NOW} tries again)",
            texts=_texts(count),
            reason=reason,
        )


def _search_advice(state: Mapping[str, Any]) -> Iterator[str]:
    if state.get("accesses_counted") is False:
        yield "nothing can be written here, a replica or a database set to read only: accesses are not counted"
    if state.get("vector_index_refused"):
        yield (
            "the database has as many vector indexes as it can bear: this agent's vectors are compared one by one"
            " (agents in another backend_config.schema have indexes of their own)"
        )
    if state.get("vector_index_missing"):
        yield Hint("searches compare all vectors one by one: {REPAIR} makes an index over them")
    if state["level"] == "exact-scan":
        yield "sqlite-vec cannot be loaded here: searches by meaning take longer the more there is"
    if state["unreadable_share"] > UNREADABLE and state["embedding_provider"] != "multilingual":
        yield _other_embedder(f"{state['unreadable_share']:.0%}")


def _other_embedder(share: str) -> Hint:
    """Return the advice on how to get an embedder for these languages: `multilingual` where it runs, else another."""
    from agent_memory.embeddings import catalog, multilingual

    saying = f"the embedder does not understand {share} of the newest memories"
    problem = multilingual.obstacle()
    if problem is None:
        return Hint("{saying}: {REEMBED_MULTILINGUAL}", saying=saying)
    if isinstance(problem, MissingDependencyError):
        return Hint(
            "{saying}: {install}, then {REEMBED_MULTILINGUAL}", saying=saying, install=problem.hint or ""
        )
    model = catalog.MULTILINGUAL_DOWNLOAD
    return Hint(
        "{saying}: {PULL_MODEL}, then {REEMBED_WITH}",
        saying=saying,
        name=model,
        provider="fastembed",
        model=model,
    )


def _texts(count: int) -> str:
    return "1 text is" if count == 1 else f"{count} texts are"


_SAMPLE = 200  # the newest memories; enough to tell a tenth from a third


async def _uncovered_share(core: Core) -> float:
    """Return how many of the newest memories the embedder does not understand, as a share; 0 without an embedder.

    Those are in a script that it does not read or, where it was trained on English alone, in another language. Every
    embedder reads ASCII. Only where more than a tenth is something else is its tokenizer asked.
    """
    texts = [embedded_text(record) for record in await core.store.select(build_where(), limit=_SAMPLE)]
    if not texts or not core.index.available or await core.index.unavailable_because() is not None:
        return 0.0
    embedder = core.index.require()
    english = embedder.reads_only_english
    unread = [english and is_in_another_language(text) for text in texts]
    doubtful = [index for index, text in enumerate(texts) if not text.isascii() and not unread[index]]
    if sum(unread) + len(doubtful) > len(texts) * UNREADABLE:
        for index in doubtful:
            unread[index] = embedder.language_coverage(texts[index]) < READABLE
    return sum(unread) / len(texts)
