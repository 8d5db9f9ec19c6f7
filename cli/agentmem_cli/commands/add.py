"""`agentmem add`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from agent_memory.errors import ValidationError
from agent_memory.records import TYPE_ALIASES, MemoryType
from agentmem_cli import documents, options, text_input
from agentmem_cli.context import Invocation
from agentmem_cli.output import plain

*_FIRST, _LAST = (name.replace("_", "-") for name in MemoryType)
_NAMES = f"{', '.join(_FIRST)} or {_LAST}"


def add(
    context: typer.Context,
    text: options.Text = None,
    kind: Annotated[
        str,
        typer.Option(
            "--type",
            metavar="TYPE",
            help=f"{_NAMES}, or its alias: {', '.join(TYPE_ALIASES)}.",
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
    glob: options.Glob = None,
    lines: Annotated[bool, typer.Option("--lines", help="One memory per line.")] = False,
    ndjson_in: Annotated[
        bool, typer.Option("--ndjson-in", help="One JSON object per line, with these names.")
    ] = False,
    force: options.Force = False,
    no_embed: options.NoEmbed = False,
    dry_run: options.DryRun = False,
) -> None:
    """Store a memory and print its id.

    Without --type it is a fact. A fact, document or skill already known keeps its id and takes over what is given. A
    long document is stored in chunks, each with an id; one from a file as `agentmem doc add` does it.

    Examples:
        agentmem add "User prefers dark mode" --type fact --tag ui
        git log -20 --format=%s | agentmem add --lines --type event --tag git
    """
    from agent_memory.clock import parse_moment

    invocation = Invocation.of(context)
    invocation.dry_run = dry_run
    if lines and ndjson_in:
        raise ValidationError("--lines and --ndjson-in cannot both be meant", hint="give one of them")
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
    if ndjson_in:
        found = list(text_input.ndjson(text, files, glob))
        _add_objects(invocation, found, {**given, "type": memory_type.value}, no_embed, dry_run)
        return
    if memory_type is MemoryType.SEMANTIC and (files or glob) and not lines:
        text_input.refuse_text_beside(text, files, glob)
        if given.pop("force", False):
            raise ValidationError("a file is stored once", hint="leave --force out, or pipe its text in")
        documents.add_paths(
            invocation, list(map(str, files or ())), given, glob=glob, no_embed=no_embed, dry_run=dry_run
        )
        return
    given["type"] = memory_type.value
    if lines:
        items = [{**given, "content": line} for line in text_input.lines(text, files, glob)]
    else:
        items = [_of_file(given, document) for document in text_input.documents(text, files, glob)]
    if _is_shown(invocation, items, dry_run):
        return
    with invocation.memory() as memory:
        # A line is one memory; a text may be a document of many chunks.
        written = (
            memory.add_many_detailed(items) if lines or files or glob else memory.add_detailed(**items[0])
        )
        invocation.embed_pending(memory, len(written), no_embed)
    invocation.output.written(written)


def _add_objects(
    invocation: Invocation,
    found: list[tuple[str, dict[str, Any]]],
    defaults: dict[str, Any],
    no_embed: bool,
    dry_run: bool,
) -> None:
    """Store objects in the shape in which memories are printed."""
    names = [name for name, _ in found]
    objects = [data for _, data in found]
    if dry_run:
        from agent_memory.memories.shape import read_shapes

        _is_shown(invocation, [shape.item for shape in read_shapes(objects, defaults, names)], dry_run)
        return
    if not objects:
        raise _nothing()
    with invocation.memory() as memory:
        added = memory.add_objects(objects, defaults, names=names)
        invocation.embed_pending(memory, len(added.written), no_embed)
    invocation.output.written(added.written)
    if added.dropped:
        dropped = ", ".join(sorted(added.dropped))
        invocation.output.note(f"left out, since each memory begins anew here: {dropped}")


def _nothing() -> ValidationError:
    return ValidationError("there is nothing to store", hint="give some text, or pipe it in")


def _is_shown(invocation: Invocation, items: list[dict[str, Any]], dry_run: bool) -> bool:
    """Show what would be stored, if that is all that is wanted."""
    if not items:
        raise _nothing()
    if dry_run:
        invocation.output.rows(items, columns=("type", "content"))
        invocation.output.note(f"would store {plain.many(len(items), 'memory')}")
    return dry_run


def _of_file(item: dict[str, Any], found: text_input.Document) -> dict[str, Any]:
    if found.source is not None:
        item = {"source": found.source, **item}
    return {**item, "content": found.text}
