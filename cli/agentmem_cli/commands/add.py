"""`agentmem add`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agent_memory.errors import ValidationError
from agent_memory.records import MemoryType
from agentmem_cli import options, text_input
from agentmem_cli.context import Invocation
from agentmem_cli.output import plain

if TYPE_CHECKING:
    from agent_memory.sync import SyncAgentMemory

SHORT_DOCUMENT = 500
"""Bytes of a document that is not worth cutting: less than half of what small models read."""


def add(
    context: typer.Context,
    text: options.Text = None,
    kind: Annotated[
        str,
        typer.Option(
            "--type",
            metavar="TYPE",
            help="short-term, long-term, conversation, episodic, semantic or procedural, or its alias: "
            "note, fact, chat, event, doc, skill.",
        ),
    ] = "fact",
    key: options.Key = None,
    tags: options.NewTags = None,
    metadata: options.Metadata = None,
    importance: options.Importance = None,
    ttl: options.Ttl = None,
    source: options.Source = None,
    session: options.Session = None,
    at: options.At = None,
    pin: Annotated[bool, typer.Option("--pin", help="Make it part of every brief.")] = False,
    files: options.Files = None,
    glob: Annotated[
        str | None, typer.Option("--glob", metavar="GLOB", help="Take texts from matching files.")
    ] = None,
    lines: Annotated[bool, typer.Option("--lines", help="One memory per line.")] = False,
    ndjson_in: Annotated[
        bool, typer.Option("--ndjson-in", help="One JSON object per line, with these names.")
    ] = False,
    force: options.Force = False,
    no_embed: options.NoEmbed = False,
    dry_run: options.DryRun = False,
) -> None:
    """Store a memory and print its id.

    Without --type it is a fact. A fact, document or skill already known keeps its id and gains the tags. A long
    document is stored in chunks, each with an id.

    Examples:
        agentmem add "User prefers dark mode" --type fact --tag ui
        git log -20 --format=%s | agentmem add --lines --type event --tag git
    """
    from agent_memory.clock import parse_moment

    invocation = Invocation.of(context)
    common: dict[str, Any] = {
        "key": key,
        "tags": invocation.tags(tags),
        "metadata": options.metadata(metadata),
        "importance": importance,
        "ttl": ttl,
        "source": source,
        "session": session,
        "occurred_at": parse_moment(at) if at else None,
        "pinned": pin,
        "force": force,
    }
    given = {name: value for name, value in common.items() if value not in (None, [], False)}
    memory_type = MemoryType.parse(kind)
    items = _items(text, files, glob, lines, ndjson_in, given, memory_type)
    if not items:
        raise ValidationError("there is nothing to store", hint="give some text, or pipe it in")
    if dry_run:
        rows = [{"type": type_.value, **item} for type_, item in items]
        invocation.output.rows(rows, columns=("type", "content"))
        invocation.output.note(f"would store {plain.many(len(items), 'memory')}")
        return
    with invocation.memory() as memory:
        if memory_type is MemoryType.SEMANTIC and not (lines or ndjson_in or key):
            items = [(memory_type, chunk) for _, item in items for chunk in _chunked(memory, item)]
        written = memory.add_many_detailed([{**item, "type": type_.value} for type_, item in items])
        invocation.embed_owed(memory, len(items), no_embed)
    invocation.output.written(written)


def _chunked(memory: SyncAgentMemory, item: dict[str, Any]) -> list[dict[str, Any]]:
    """Cut a document into what the embedding model reads whole; a short text stays a memory of its own."""
    if len(item["content"].encode()) <= SHORT_DOCUMENT:
        return [item]
    chunks = memory.semantic.chunks_of(item["content"], title=item.get("title"), source=item.get("source"))
    return [item] if len(chunks) == 1 else [{**item, **chunk} for chunk in chunks]


def _items(
    text: str | None,
    files: list[Path] | None,
    glob: str | None,
    lines: bool,
    ndjson_in: bool,
    given: dict[str, Any],
    memory_type: MemoryType,
) -> list[tuple[MemoryType, dict[str, Any]]]:
    """Collect what is to be stored, each with its type."""
    if ndjson_in:
        return [
            _from_object(number, item, given, memory_type)
            for number, item in enumerate(text_input.ndjson(), 1)
        ]
    if lines:
        return [(memory_type, {**given, "content": line}) for line in text_input.lines(text)]
    found = text_input.documents(text, files, glob)
    return [(memory_type, _of_file({**given, "content": each.text}, each, memory_type)) for each in found]


def _of_file(item: dict[str, Any], found: text_input.Document, memory_type: MemoryType) -> dict[str, Any]:
    if found.source is not None:
        item.setdefault("source", found.source)
        if memory_type is MemoryType.SEMANTIC:
            item.setdefault("title", found.name)
    return item


_SHELL_NAMES = {"text": "content", "meta": "metadata", "tag": "tags", "at": "occurred_at"}
_NOT_GIVEN = frozenset(
    {"id", "status", "agent_id", "created_at", "updated_at", "accessed_at", "access_count"}
)


def _from_object(
    number: int, item: dict[str, Any], given: dict[str, Any], memory_type: MemoryType
) -> tuple[MemoryType, dict[str, Any]]:
    """Read one object as `list --ndjson` prints it, or as a person writes it."""
    from agent_memory.clock import parse_moment

    values = {_SHELL_NAMES.get(name, name): value for name, value in item.items()}
    values = {name: value for name, value in values.items() if value is not None and name not in _NOT_GIVEN}
    kind = values.pop("type", None) or values.pop("memory_type", None)
    values.pop("expires_at", None)
    if "content" not in values:
        raise ValidationError(f"line {number} has no content", hint='write {"content": "..."}')
    if isinstance(values.get("occurred_at"), str):
        values["occurred_at"] = parse_moment(values["occurred_at"])
    tags = [
        *given.get("tags", ()),
        *([values["tags"]] if isinstance(values.get("tags"), str) else values.get("tags", ())),
    ]
    merged = {**given, **values, **({"tags": tags} if tags else {})}
    return (MemoryType.parse(str(kind)) if kind else memory_type), merged
