"""Bringing what is stored of files up to date with what is on disk, in one operation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, NamedTuple

from agent_memory.errors import ValidationError
from agent_memory.hints import Hint
from agent_memory.memories.conflicts import retried
from agent_memory.memories.core import Core
from agent_memory.memories.documents.cutting import cut
from agent_memory.memories.documents.finding import File, Finding, Folder, Place, Skipped, find
from agent_memory.memories.documents.matching import Update, new_ids, update
from agent_memory.memories.documents.reading import NoDocumentError, read_document
from agent_memory.memories.documents.stored import (
    Chunks,
    chunk_with_key,
    chunks_of_document,
    chunks_of_files,
    chunks_of_gone_files,
)
from agent_memory.recall.pending import Progress
from agent_memory.records import SemanticRecord, Status
from agent_memory.storage.changes import Add, Change, Replace
from agent_memory.text.templates import embedding_hash
from agent_memory.verbs import Verb

Item = dict[str, Any]
Build = Callable[[Item], Add]
"""Makes a new memory of the arguments of `add`."""


class StoredDocument(NamedTuple):
    """What came of one file."""

    path: str
    """Absolute, with links followed: what the document is known by."""
    shown: str
    """As it was named, or as its folder was."""
    outcome: Literal["added", "changed", "unchanged", "archived"]
    document_id: str
    ids: list[str]
    """Its chunks in order; of an archived document those that were put away."""
    added: int = 0
    """How many of the chunks are new."""
    archived: int = 0
    """How many chunks of the version before were put away."""


class StoredPaths(NamedTuple):
    """What came of files and folders."""

    documents: list[StoredDocument]
    """In the order of the paths; those that were archived because their files are gone stand at the end."""
    skipped: list[Skipped]
    """What in the folders no document was made of, and why."""
    notices: list[str]
    """What else there is to know, a line each."""


class Text(NamedTuple):
    """A file and what stands in it."""

    file: File
    text: str


class _Planned(NamedTuple):
    source: Text
    document_id: str
    update: Update
    known: bool


async def store_paths(
    core: Core,
    paths: Sequence[Place],
    build: Build,
    arguments: Mapping[str, Any],
    *,
    glob: str | None,
    prune: bool,
    prune_empty: bool,
    dry_run: bool,
    progress: Progress | None,
) -> StoredPaths:
    """Store files and folders as documents or bring them up to date: `SemanticMemory.add_paths`."""
    finding = find(paths, glob)
    if prune and not finding.folders:
        raise ValidationError("there is no folder to prune", hint="name the folder that the files lay in")
    texts = read_files(finding)
    if not texts and not prune:
        raise ValidationError(_nothing(finding, glob), hint="name another file or folder")
    for name in ("title", "key"):
        if name in arguments and len(texts) > 1:
            raise ValidationError(f"one {name} was given for {len(texts)} documents", hint="leave it out")
    empty = [] if prune_empty else [folder for folder in finding.folders if folder.empty]
    documents, notices = await store_files(
        core,
        texts,
        build,
        arguments,
        prune=[folder for folder in finding.folders if prune and folder not in empty],
        dry_run=dry_run,
        progress=progress,
    )
    if prune:
        notices += [
            Hint(
                "nothing was archived for {shown}: it is empty, as if a disk were not mounted there"
                " ({PRUNE_EMPTY} archives)",
                shown=item.shown,
            )
            for item in empty
        ]
    return StoredPaths(documents, finding.skipped, notices)


async def store_version(
    core: Core,
    document_id: str,
    texts: Sequence[str],
    build: Callable[[str, int], Add],
    progress: Progress | None,
) -> list[str]:
    """Store a document in chunks under its id, in place of the version that is there; return the chunks' ids."""

    async def store() -> list[str]:
        made = update(await chunks_of_document(core, document_id), texts, build)
        written = await core.write(_verb(made.changes), made.changes, embed=made.to_embed, progress=progress)
        ids = new_ids(made.changes, written)
        return [ids.get(chunk.id, chunk.id) for chunk in made.chunks]

    return await retried(store)


def _nothing(finding: Finding, glob: str | None) -> str:
    """Say that there is nothing to store, and why."""
    if finding.skipped:
        first, *others = finding.skipped
        more = f", and {len(others)} more" if others else ""
        return f"there is no document to read: {first.shown} {first.reason}{more}"
    if not finding.folders:
        return "there is no file to read"
    fits = f" that fits '{glob}'" if glob else ""
    return f"there is no file{fits} in {finding.folders[0].shown}"


def read_files(finding: Finding) -> list[Text]:
    """Read what was found; a file that is no document is skipped, unless it was named itself.

    Returns:
        The files with their texts.

    Raises:
        ValidationError: a file that was named is no document, or there is none at all.
    """
    result: list[Text] = []
    for file in finding.files:
        try:
            result.append(Text(file, read_document(file.path)))
        except NoDocumentError as error:
            if file.named:
                raise ValidationError(f"{file.shown} {error.reason}", hint=error.hint) from None
            finding.skipped.append(Skipped(file.shown, error.reason))
    return result


async def store_files(
    core: Core,
    texts: Sequence[Text],
    build: Build,
    arguments: Mapping[str, Any],
    *,
    prune: Sequence[Folder] = (),
    dry_run: bool = False,
    progress: Progress | None = None,
) -> tuple[list[StoredDocument], list[str]]:
    """Bring the documents of files up to date, and archive those of files that are gone from the folders to prune.

    What somebody changed meanwhile is looked at again.

    Returns:
        What came of each, and what else there is to know.

    Raises:
        ConflictError: others were faster twenty times; nothing was stored.
    """

    async def store() -> tuple[list[StoredDocument], list[str]]:
        stored, notices = await chunks_of_files(core, {text.file.path: text for text in texts})
        planned: list[_Planned] = []
        for number, text in enumerate(texts, 1):
            planned.append(await _plan(core, text, stored[text.file.path], build, arguments))
            if progress is not None:
                progress(number, len(texts))
        gone: dict[str, Chunks] = {}
        for folder in prune:
            gone |= await chunks_of_gone_files(core, folder)
        changes: list[Change] = [change for item in planned for change in item.update.changes]
        changes += [_archived(chunk) for chunks in gone.values() for chunk in chunks]
        embed = [record for item in planned for record in item.update.to_embed]
        written = [] if dry_run else await core.write(_verb(changes), changes, embed=embed, progress=progress)
        ids = new_ids(changes, written)
        return [*(_told(item, ids) for item in planned), *map(_told_gone, gone.items())], notices

    return await retried(store)


async def _plan(
    core: Core, source: Text, old: Chunks, build: Build, arguments: Mapping[str, Any]
) -> _Planned:
    path, key = source.file.path, arguments.get("key")
    if key is not None:
        holders = await chunk_with_key(core, str(key))
        old = [*holders, *(chunk for chunk in old if chunk.id not in {holder.id for holder in holders})]
    known = next((chunk.document_id for chunk in old if chunk.document_id is not None), None)
    document_id = known or document_of(path)
    always = {"document_id": document_id, "path": path, **arguments}
    if not old:
        shown = source.file.shown
        always = {"title": Path(shown).name.strip() or path, "source": shown.strip() or path, **always}
    # What has a key is one memory, which its key finds whole.
    whole = key is not None or any(chunk.key is not None for chunk in old)
    texts = [source.text] if whole else await cut(core, source.text, old)

    def built(text: str, position: int) -> Add:
        return build({**always, "content": text, "position": position})

    return _Planned(source, document_id, update(old, texts, built), bool(old))


def _verb(changes: Sequence[Change]) -> Verb:
    """Say what storing documents is: adding, unless it changes what is stored."""
    return Verb.ADD if all(isinstance(change, Add) for change in changes) else Verb.UPDATE


def document_of(path: str) -> str:
    """Return the id of a document that is known by its path."""
    return embedding_hash(f"path\x1e{path}").hex()[:20]


def _archived(chunk: SemanticRecord) -> Replace:
    return Replace(replace(chunk, status=Status.ARCHIVED), Verb.ARCHIVE)


def _told(planned: _Planned, ids: Mapping[str, str]) -> StoredDocument:
    made = planned.update
    outcome: Literal["added", "changed", "unchanged"] = (
        "added" if not planned.known else "changed" if made.changes else "unchanged"
    )
    return StoredDocument(
        planned.source.file.path,
        planned.source.file.shown,
        outcome,
        planned.document_id,
        [ids.get(chunk.id, chunk.id) for chunk in made.chunks],
        made.added,
        len(made.archived),
    )


def _told_gone(gone: tuple[str, Chunks]) -> StoredDocument:
    path, chunks = gone
    ids = [chunk.id for chunk in chunks]
    document = next((chunk.document_id for chunk in chunks if chunk.document_id is not None), ids[0])
    return StoredDocument(path, path, "archived", document, ids, archived=len(ids))
