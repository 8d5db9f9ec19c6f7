"""`agentmem doc add`."""

from __future__ import annotations

from typing import Annotated

import typer

from agent_memory.errors import ValidationError
from agentmem_cli import documents, options, text_input
from agentmem_cli.context import Invocation, stdin_is_piped


def add(
    context: typer.Context,
    paths: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[PATH|- ...]", help="Files and folders; - or a pipe reads a text from stdin."
        ),
    ] = None,
    text: Annotated[
        str | None, typer.Option("--text", metavar="TEXT", help="A text that is no file.")
    ] = None,
    files: Annotated[
        list[str] | None, typer.Option("--file", metavar="FILE", help="The same as PATH; may be repeated.")
    ] = None,
    glob: options.Glob = None,
    prune: Annotated[
        bool, typer.Option("--prune", help="Archive documents of files that are gone from these folders.")
    ] = False,
    title: Annotated[
        str | None, typer.Option("--title", metavar="TEXT", help="Its title; a file's name if left out.")
    ] = None,
    key: options.Key = None,
    source: options.Source = None,
    tags: options.NewTags = None,
    metadata: options.Metadata = None,
    importance: options.Importance = None,
    no_embed: options.NoEmbed = False,
    dry_run: options.DryRun = False,
) -> None:
    """Store documents, or bring them up to date, and print the ids of their chunks.

    A chunk is what the embedding model reads whole. A file is known by its path: adding it again keeps the chunks
    that say the same, and archives those that are gone. In folders, hidden files and what is no text are left out.

    Examples:
        agentmem doc add README.md docs/ --glob '*.md' --tag project
        curl -s https://example.org/notes.txt | agentmem doc add - --title Notes
    """
    invocation = Invocation.of(context)
    invocation.dry_run = dry_run
    places = [*(files or ()), *(path for path in paths or () if path != "-")]
    of_files = bool(places or glob or prune)
    piped = "-" in (paths or ()) or (not (of_files or text is not None) and stdin_is_piped())
    if of_files and (piped or text is not None):
        raise ValidationError("a text stands beside files", hint="give one of them at a time")
    if not (places or glob or piped or text is not None):
        raise ValidationError(
            "there is no document", hint="name files or folders, or give a text with --text or through a pipe"
        )
    texts = [text_input.one(item) for item in (text, "-" if piped else None) if item is not None]
    arguments = {
        "title": title,
        "key": key,
        "source": source,
        "tags": invocation.tags(tags),
        "metadata": options.metadata(metadata),
        "importance": importance,
    }
    arguments = {name: value for name, value in arguments.items() if value not in (None, [])}
    if texts:
        documents.add_texts(invocation, texts, arguments, no_embed=no_embed, dry_run=dry_run)
    else:
        documents.add_paths(
            invocation, places, arguments, glob=glob, prune=prune, no_embed=no_embed, dry_run=dry_run
        )
