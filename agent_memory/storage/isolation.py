"""Whether one agent can see what another one keeps: a canary is planted, and asked for in every way there is.

The suite runs this on every backend, `agentmem doctor --isolation` on the one in use.
"""

from __future__ import annotations

from array import array
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, get_args

from agent_memory import clock
from agent_memory.errors import AmbiguousIdError, ConflictError, MemoryNotFoundError
from agent_memory.records import (
    OWN_FIELDS,
    RECORD_CLASSES,
    ConversationRecord,
    LongTermRecord,
    MemoryRecord,
)
from agent_memory.storage.base import (
    EmbeddingSpace,
    GroupBy,
    JournalStore,
    KeywordStore,
    Store,
    VectorStore,
)
from agent_memory.storage.changes import Add, Operation, Remove, Replace, new_id
from agent_memory.storage.where import Condition, Where
from agent_memory.text.templates import TEMPLATE_VERSION, TextHash, embedded_text, embedding_hash
from agent_memory.vectors import Vector
from agent_memory.verbs import Verb

DIMENSION: Final = 384
_EVERYTHING = Where(statuses=(), expired=None)
_WORD = "zqcanary"
_CODE = "zqcanary77"
Probe = Callable[[], Awaitable[Any]]


async def leaks(planted: Store, asked: Store, *, dimension: int = DIMENSION) -> list[str]:
    """Plant a canary of every type in one agent's store, ask another agent's for it, and take it out again.

    Both stores are open, of different agents on one backend; that of the asking agent is empty.

    Returns:
        One line per way in which the other agent saw or changed it; empty if they are apart.
    """
    records = _canaries()
    operation = Operation(verb=Verb.ADD)
    space = await planted.add_space(_space(dimension)) if isinstance(planted, VectorStore) else None
    vectors = {} if space is None else {_digest(record): [_vector(dimension)] for record in records}
    written = await planted.commit(operation, [Add(record) for record in records], vectors, space)
    stored = [write.record for write in written]
    await planted.set_setting(_WORD, _WORD)
    try:
        if isinstance(asked, VectorStore):
            await asked.add_space(_space(dimension))
        probes = {
            **_reads(asked, stored),
            **_candidates(asked, stored, dimension),
            **_past(asked, stored, operation),
        }
        lines = [f"{name} gave {answer!r}" for name, ask in probes.items() if (answer := await ask())]
        lines += await _writes(planted, asked, stored)
    finally:
        current = (await planted.get([item.id for item in stored])).values()
        await planted.commit(Operation(verb=Verb.SHRED), [Remove(item, erase=True) for item in current])
        await planted.set_setting(_WORD, None)
    return lines


def _canaries() -> list[MemoryRecord]:
    moment = clock.now()
    session = f"session-{new_id()}"
    common: dict[str, Any] = {
        "created_at": moment,
        "updated_at": moment,
        "tags": (_WORD,),
        "source": _WORD,
        "session": session,
        "metadata": {_WORD: 1},
    }

    def text() -> str:
        return f"{_WORD} {_CODE} {new_id()}"

    def canary(record_class: type[MemoryRecord]) -> MemoryRecord:
        own: dict[str, Any] = {
            field.name: (_WORD,) if field.is_tuple else _WORD
            for field in OWN_FIELDS[record_class.memory_type]
            if field.is_name or (field.kind == "json" and not field.is_tuple)
        }
        if record_class is ConversationRecord:
            own["conversation_id"] = session
        return record_class(id=new_id(), content=text(), key=text(), **own, **common)

    # Two messages: what stands beside a message is asked for as well.
    return [canary(record_class) for record_class in (*RECORD_CLASSES.values(), ConversationRecord)]


def _reads(store: Store, stored: list[MemoryRecord]) -> Mapping[str, Probe]:
    ids = [item.id for item in stored]
    message = next(item for item in stored if isinstance(item, ConversationRecord))
    wheres = {
        "everything": _EVERYTHING,
        "ids": Where(ids=tuple(ids)),
        "keys": Where(keys=tuple(item.key for item in stored if item.key)),
        "tags": Where(tags_all=(_WORD,)),
        "sources": Where(sources=(_WORD,)),
        "sessions": Where(sessions=(str(message.session),)),
        "metadata": Where(metadata=(Condition(_WORD, "=", 1),)),
        "fields": Where(fields=(Condition("event_type", "=", _WORD),)),
    }

    async def scanned() -> list[MemoryRecord]:
        return [record async for page in store.scan(_EVERYTHING) for record in page]

    probes: dict[str, Probe] = {
        "get": lambda: store.get(ids),
        "scan": scanned,
        "neighbours": lambda: store.neighbours(message.id, 5, 5),
        "adjacent": lambda: store.adjacent(ids, 1),
        "setting": lambda: store.setting(_WORD),
    }
    for name, where in wheres.items():
        probes[f"select by {name}"] = lambda where=where: store.select(where)  # type: ignore[misc]
        probes[f"count by {name}"] = lambda where=where: store.count(where)  # type: ignore[misc]
    for by in get_args(GroupBy):
        probes[f"groups by {by}"] = lambda by=by: store.groups(_EVERYTHING, by)  # type: ignore[misc]
    for item in stored:
        for reference in filter(None, (item.id, item.id[:8], item.key)):
            probes[f"resolve {reference}"] = lambda it=reference: _resolved(store, it)  # type: ignore[misc]
    return probes


async def _resolved(store: Store, reference: str) -> str | None:
    try:
        return (await store.resolve(reference, expired=True)).id
    except MemoryNotFoundError:
        return None
    except AmbiguousIdError as error:
        return str(error)


def _candidates(store: Store, stored: list[MemoryRecord], dimension: int) -> Mapping[str, Probe]:
    ids = [item.id for item in stored]
    probes: dict[str, Probe] = {}
    if isinstance(store, KeywordStore):
        probes["by_keyword"] = lambda: store.by_keyword([_WORD], _EVERYTHING, 10)
        probes["word_scores"] = lambda: store.word_scores([_WORD], ids)
        probes["terms_beginning"] = lambda: store.terms_beginning(_CODE[:-1], 10)
        probes["word_statistics"] = lambda: _documents(store)
    if isinstance(store, VectorStore):
        probes["by_vector"] = lambda: store.by_vector(_vector(dimension), _EVERYTHING, 10)
        probes["vectors"] = lambda: store.vectors(ids)
        probes["pending"] = lambda: store.pending(10)
        probes["pending_count"] = store.pending_count
        probes["sample_vectors"] = store.sample_vectors
    return probes


async def _documents(store: KeywordStore) -> int:
    return (await store.word_statistics([_WORD])).documents


def _past(store: Store, stored: list[MemoryRecord], operation: Operation) -> Mapping[str, Probe]:
    ids = [item.id for item in stored]
    if not isinstance(store, JournalStore):
        return {}
    return {
        "history": lambda: store.history(ids[0]),
        "histories": lambda: store.histories(ids),
        "changes_of": lambda: store.changes_of(operation.id),
        "operations": store.operations,
        "purged": store.purged,
        "tombstoned": store.tombstoned,
    }


async def _writes(planted: Store, asked: Store, stored: list[MemoryRecord]) -> list[str]:
    """Try to change the canary as the other agent; taking its key or its text makes a memory of one's own."""
    lines = []
    fact = next(item for item in stored if isinstance(item, LongTermRecord))
    for name, change in (("replace", Replace(fact)), ("remove", Remove(fact))):
        try:
            await asked.commit(Operation(verb=name), [change])
        except ConflictError:
            continue
        lines.append(f"{name} was not refused")
    await asked.touch([fact.id])
    copy = LongTermRecord(
        id=new_id(),
        content=fact.content,
        key=fact.key,
        created_at=fact.created_at,
        updated_at=fact.updated_at,
    )
    (own,) = await asked.commit(Operation(verb=Verb.ADD), [Add(copy)])
    if own.id == fact.id or own.outcome != "added":
        lines.append(f"adding under its key gave {own.id}, {own.outcome}")
    await asked.commit(Operation(verb=Verb.SHRED), [Remove(own.record, erase=True)])
    now = await planted.get([item.id for item in stored])
    lines += [f"memory {item.id} was changed" for item in stored if now.get(item.id) != item]
    return lines


def _digest(record: MemoryRecord) -> TextHash:
    return embedding_hash(embedded_text(record))


def _vector(dimension: int) -> Vector:
    return Vector(array("f", [1.0] + [0.0] * (dimension - 1)).tobytes())


def _space(dimension: int) -> EmbeddingSpace:
    return EmbeddingSpace(
        id=0,
        provider="dummy",
        model=_WORD,
        revision="1",
        dimension=dimension,
        pooling="mean",
        query_prefix="",
        document_prefix="",
        template_version=TEMPLATE_VERSION,
        fingerprint=f"{_WORD}-{dimension}",
        created_at=clock.now(),
        current=False,
    )
