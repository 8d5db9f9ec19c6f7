"""What it takes to make the chunks of a stored document those of its new version. Pure: records in, changes out."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, cast

from agent_memory.records import MemoryRecord, SemanticRecord, Status, canonical_json, same_version
from agent_memory.storage.changes import Add, Change, Replace, Written
from agent_memory.storage.planning.known import named_fields, united
from agent_memory.text.templates import embedded_text, normalise
from agent_memory.verbs import Verb

_OF_THE_DOCUMENT: Mapping[str, tuple[str, ...]] = {
    "title": (),
    "source": (),
    "importance": (),
    "pinned": (),
    "session": ("session_given",),
    "occurred_at": ("utc_offset",),
    "expires_at": ("ttl_given",),
}
"""Fields that belong to a document rather than to a chunk where all of its chunks agree in them; each with the fields
that only go with it. Tags and metadata beside them, one by one."""
_COLUMN_INDEX = ("document_id", "position", "path")


class Update(NamedTuple):
    """How a document becomes its new version."""

    changes: list[Change]
    """In the order in which they have to be made: what gives a place up goes first."""
    chunks: list[SemanticRecord]
    """The new version's, in order, each as it will be."""
    archived: list[SemanticRecord]
    """Those that the new version has not, as they are now."""
    added: int
    """How many of the chunks are new."""
    to_embed: list[MemoryRecord]
    """Those whose text for the embedder is new."""


def new_ids(changes: Iterable[Change], written: Iterable[Written]) -> dict[str, str]:
    """Return under which ids the memories that were to be added are stored, by the ids that they were to have.

    Empty where nothing was written.
    """
    return {
        change.record.id: item.id
        for change, item in zip(changes, written, strict=False)
        if isinstance(change, Add)
    }


def update(old: Sequence[SemanticRecord], texts: Sequence[str], build: Callable[[str, int], Add]) -> Update:
    """Work out how a document becomes its new version.

    A chunk that says the same keeps its id, wherever it stands now, and takes over what comes with the new version.
    All others are archived, and what is new is added with what all of the old ones have in common.

    Args:
        old: the active chunks of the document as it is stored, in order.
        texts: the new version's, in order.
        build: makes a new chunk of a text and its position.

    Returns:
        The changes, and what of it is to be embedded.
    """
    matched, left = match(old, texts)
    shared = _common(old)
    chunks: list[SemanticRecord] = []
    kept: list[Change] = []
    added: list[Change] = []
    to_embed: list[MemoryRecord] = []
    for position, (text, before) in enumerate(zip(texts, matched, strict=True)):
        addition = build(text, position)
        built = cast(SemanticRecord, addition.record)
        named = named_fields(addition)
        if before is None:
            after = replace(built, **_inherited(shared, built, named))
            added.append(replace(addition, record=after, given_fields=named))
            to_embed.append(after)
        else:
            gained = united(before, built, named) | {name: getattr(built, name) for name in _COLUMN_INDEX}
            gained["key"] = built.key or before.key
            after = replace(before, **gained, content=text)
            if not same_version(before, after):
                kept.append(Replace(after, Verb.UPDATE))
            if embedded_text(after) != embedded_text(before):
                to_embed.append(after)
        chunks.append(after)
    archived: list[Change] = [Replace(replace(entry, status=Status.ARCHIVED), Verb.ARCHIVE) for entry in left]
    return Update([*archived, *kept, *added], chunks, left, len(added), to_embed)


def match(
    old: Iterable[SemanticRecord], texts: Sequence[str]
) -> tuple[list[SemanticRecord | None], list[SemanticRecord]]:
    """Find for each text the old chunk that says the same, and return beside them the chunks that are left.

    A chunk stands for one text. First those are matched that are the same to the letter, then those that differ in
    nothing but white space; what has a key gets a new version in any case, as keys do.

    Returns:
        The old chunk for each text, or None; and the old chunks that match none.
    """
    matched: list[SemanticRecord | None] = [None] * len(texts)
    left = list(old)
    for form in (str, normalise):
        waiting: dict[str, deque[SemanticRecord]] = defaultdict(deque)
        for chunk in left:
            waiting[form(chunk.content)].append(chunk)
        for position, text in enumerate(texts):
            if matched[position] is None and (same := waiting.get(form(text))):
                matched[position] = same.popleft()
        taken = {chunk.id for chunk in matched if chunk is not None}
        left = [chunk for chunk in left if chunk.id not in taken]
    for chunk in [entry for entry in left if entry.key is not None]:
        if None in matched:
            matched[matched.index(None)] = chunk
            left.remove(chunk)
    return matched, left


def _common(chunks: Sequence[SemanticRecord]) -> dict[str, Any]:
    """Return what all chunks have in common; nothing where there are none."""
    if not chunks:
        return {}
    first, *others = chunks
    result: dict[str, Any] = {
        "tags": {tag for tag in first.tags if all(tag in item.tags for item in others)},
        "metadata": {
            name: value
            for name, value in first.metadata.items()
            if all(name in item.metadata and _same(item.metadata[name], value) for item in others)
        },
    }
    for name, companions in _OF_THE_DOCUMENT.items():
        values = {companion: getattr(first, companion) for companion in (name, *companions)}
        if all(getattr(other, item) == value for other in others for item, value in values.items()):
            result |= values
    return result


def _same(left: Any, right: Any) -> bool:
    return canonical_json(left) == canonical_json(right)


def _inherited(shared: Mapping[str, Any], built: SemanticRecord, named: frozenset[str]) -> dict[str, Any]:
    """Return what a new chunk has from its document: whatever was not given with it."""
    if not shared:
        return {}
    result: dict[str, Any] = {
        "tags": tuple(sorted(shared["tags"].union(built.tags))),
        "metadata": {**shared["metadata"], **built.metadata},
    }
    for name, companions in _OF_THE_DOCUMENT.items():
        if name in shared and name not in named:
            result |= {companion: shared[companion] for companion in (name, *companions)}
    return result
