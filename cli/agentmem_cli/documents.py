"""Storing documents from files and texts, and saying what came of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from agentmem_cli.context import Invocation
from agentmem_cli.output import plain

if TYPE_CHECKING:
    from agent_memory.memories.documents.adding import StoredDocument, StoredPaths

_SKIPPED_SHOWN = 5
_WOULD = {"added": "would add", "changed": "would change", "archived": "would archive"}


def add_texts(
    invocation: Invocation,
    texts: Sequence[str],
    arguments: Mapping[str, Any],
    *,
    no_embed: bool,
    dry_run: bool,
) -> None:
    """Store texts that are no files, each as a document, and print the ids of their chunks."""
    if dry_run:
        invocation.output.rows(
            [{**arguments, "content": text} for text in texts], columns=("title", "content")
        )
        invocation.output.note(f"would store {plain.many(len(texts), 'document')}")
        return
    with invocation.memory() as memory:
        ids = [id for text in texts for id in memory.semantic.add_document(text, **arguments)]
        invocation.embed_pending(memory, len(ids), no_embed)
    invocation.output.ids(ids)


def add_paths(
    invocation: Invocation,
    paths: Sequence[str],
    arguments: Mapping[str, Any],
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
                **arguments,
                glob=glob,
                prune=prune,
                prune_empty=invocation.flags.yes,
                dry_run=dry_run,
                progress=report,
            )
        if not dry_run:
            invocation.embed_pending(memory, sum(document.added for document in stored.documents), no_embed)
    print_stored(invocation, stored, dry_run=dry_run)


def print_stored(invocation: Invocation, stored: StoredPaths, *, dry_run: bool) -> None:
    """Print the ids of the chunks that were stored, and a line for each document."""
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
