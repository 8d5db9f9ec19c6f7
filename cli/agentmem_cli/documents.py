"""Documents, wherever commands take them: stored from files and texts, and named by their ids."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from agent_memory.errors import MemoryNotFoundError
from agentmem_cli.context import Invocation
from agentmem_cli.output import plain

if TYPE_CHECKING:
    from agent_memory.memories.documents.adding import StoredDocument, StoredPaths
    from agent_memory.sync import SyncAgentMemory

_SKIPPED_SHOWN = 5
_WOULD = {"added": "would add", "changed": "would change", "archived": "would archive"}


def chunks_for(memory: SyncAgentMemory, references: Iterable[str]) -> list[str]:
    """Return references with each id of a document replaced by the ids of its chunks.

    A document's id is what `doc list -o id` prints. Whatever is a memory's own id or key stays as it is, and so
    does what is neither.
    """
    result: list[str] = []
    for reference in references:
        result += _chunks(memory, reference) or _named(memory, reference) or [reference]
    return list(dict.fromkeys(result))


def _chunks(memory: SyncAgentMemory, reference: str) -> list[str]:
    try:
        if memory.get(reference, count_access=False) is not None:
            return []
    except MemoryNotFoundError:
        pass
    return [item.id for item in memory.semantic.get_by_document_id(reference)]


def _named(memory: SyncAgentMemory, reference: str) -> list[str]:
    """Return what has the name that a list prints for it: a preference's category, or a skill's name."""
    try:
        if memory.get(reference, count_access=False) is not None:
            return []
    except MemoryNotFoundError:
        pass
    found = memory.long_term.get_preferences(reference)[:1] or memory.procedural.list(
        1, fields={"name": reference}
    )
    return [result.id for result in found]


def titled(memory: SyncAgentMemory, title: str) -> str | None:
    """Return the id of the newest document with a title; None if none has it."""
    return next(
        (document.id for document in memory.semantic.get_documents(None) if document.first.title == title),
        None,
    )


def add_texts(
    invocation: Invocation, texts: Sequence[str], given: Mapping[str, Any], *, no_embed: bool, dry_run: bool
) -> None:
    """Store texts that are no files, each as a document, and print the ids of their chunks."""
    if dry_run:
        invocation.output.rows([{**given, "content": text} for text in texts], columns=("title", "content"))
        invocation.output.note(f"would store {plain.many(len(texts), 'document')}")
        return
    with invocation.memory() as memory:
        ids = [id for text in texts for id in memory.semantic.add_document(text, **given)]
        invocation.embed_pending(memory, len(ids), no_embed)
    invocation.output.ids(ids)


def add_paths(
    invocation: Invocation,
    paths: Sequence[str],
    given: Mapping[str, Any],
    *,
    glob: str | None,
    prune: bool = False,
    no_embed: bool = False,
    dry_run: bool = False,
) -> None:
    """Store files and folders as documents or bring them up to date, and say for each what came of it."""
    with invocation.memory() as memory:
        with invocation.progress("reading") as report:
            stored = memory.semantic.add_paths(
                paths,
                **given,
                glob=glob,
                prune=prune,
                prune_empty=invocation.flags.yes,
                dry_run=dry_run,
                progress=report,
            )
        if not dry_run:
            invocation.embed_pending(memory, sum(document.added for document in stored.documents), no_embed)
    _print(invocation, stored, dry_run=dry_run)


def _print(invocation: Invocation, stored: StoredPaths, *, dry_run: bool) -> None:
    output = invocation.output
    if not dry_run:
        output.chunks(
            [
                {
                    "id": id,
                    "outcome": document.outcome,
                    "document_id": document.document_id,
                    "path": document.path,
                }
                for document in stored.documents
                if document.outcome != "archived"
                for id in document.ids
            ]
        )
    for document in stored.documents:
        output.note(_told(document, dry_run=dry_run))
    if stored.skipped:
        shown = [f"{item.shown} {item.reason}" for item in stored.skipped[:_SKIPPED_SHOWN]]
        more = len(stored.skipped) - len(shown)
        output.note(
            f"skipped {plain.many(len(stored.skipped), 'file')}: "
            + "; ".join(shown)
            + (f"; and {more} more" if more else "")
        )
    for notice in stored.notices:
        output.note(notice)


def _told(document: StoredDocument, *, dry_run: bool) -> str:
    """Say in a line what came of a document, or would."""
    verb = _WOULD.get(document.outcome, document.outcome) if dry_run else document.outcome
    said = f"{verb} {document.shown}"
    match document.outcome:
        case "added":
            return f"{said} ({plain.many(len(document.ids), 'chunk')})"
        case "changed":
            return f"{said} ({document.added} of {plain.many(len(document.ids), 'chunk')} new)"
        case "archived":
            return f"{said}: the file is gone" + ("" if dry_run else " (agentmem undo)")
        case _:
            return said
