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
    arguments = {name: value for name, value in common.items() if value not in (None, [], False)}
    arguments["type"] = MemoryType.parse(kind).value
    if ndjson_in:
        _add_objects(invocation, list(text_input.ndjson(text, files, glob)), arguments, no_embed, dry_run)
    elif lines:
        items = [{**arguments, "content": line} for line in text_input.lines(text, files, glob)]
        _add_items(invocation, items, no_embed, dry_run)
    elif files or glob:
        text_input.refuse_text_beside(text, files, glob)
        _add_files(invocation, list(map(str, files or ())), arguments, glob, no_embed, dry_run)
    else:
        _add_text(invocation, {**arguments, "content": text_input.one(text)}, no_embed, dry_run)


def _add_text(invocation: Invocation, item: dict[str, Any], no_embed: bool, dry_run: bool) -> None:
    """Store a text, which may be a document of many chunks."""
    if _is_shown(invocation, [item], dry_run):
        return
    with invocation.memory() as memory:
        written = memory.add_detailed(**item)
        invocation.embed_pending(memory, len(written), no_embed)
    invocation.output.written(written)


def _add_items(invocation: Invocation, items: list[dict[str, Any]], no_embed: bool, dry_run: bool) -> None:
    """Store texts, each as one memory."""
    if _is_shown(invocation, items, dry_run):
        return
    with invocation.memory() as memory:
        written = memory.add_many_detailed(items)
        invocation.embed_pending(memory, len(written), no_embed)
    invocation.output.written(written)


def _add_files(
    invocation: Invocation,
    paths: list[str],
    arguments: dict[str, Any],
    glob: str | None,
    no_embed: bool,
    dry_run: bool,
) -> None:
    """Store the text of files."""
    with invocation.memory() as memory:
        with invocation.progress("reading") as report:
            added = memory.add_files(paths, glob=glob, dry_run=dry_run, progress=report, **arguments)
        if not dry_run:
            stored = sum(document.added for document in added.documents.documents) if added.documents else 0
            invocation.embed_pending(memory, stored + len(added.written), no_embed)
    if added.documents is not None:
        documents.print_stored(invocation, added.documents, dry_run=dry_run)
    elif dry_run:
        items = [{"source": file.source, **arguments, "content": file.text} for file in added.texts]
        _is_shown(invocation, items, dry_run)
    else:
        invocation.output.written(added.written)


def _add_objects(
    invocation: Invocation,
    named_objects: list[tuple[str, dict[str, Any]]],
    defaults: dict[str, Any],
    no_embed: bool,
    dry_run: bool,
) -> None:
    """Store objects in the shape in which memories are printed."""
    names = [name for name, _ in named_objects]
    objects = [data for _, data in named_objects]
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
