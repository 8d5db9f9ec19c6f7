"""`agentmem doc add`."""

from __future__ import annotations

from typing import Annotated

import typer

from agentmem_cli import options, text_input
from agentmem_cli.context import Invocation


def add(
    context: typer.Context,
    text: options.Text = None,
    files: options.Files = None,
    title: Annotated[
        str | None, typer.Option("--title", metavar="TEXT", help="Its title; a file's name if left out.")
    ] = None,
    source: options.Source = None,
    tags: options.NewTags = None,
    importance: options.Importance = None,
    no_embed: options.NoEmbed = False,
) -> None:
    """Store a document and print the ids of its chunks.

    A chunk is what the embedding model reads whole. The same document again is the same chunks.

    Examples:
        agentmem doc add --file README.md --tag project
        curl -s https://example.org/notes.txt | agentmem doc add - --title Notes
    """
    invocation = Invocation.of(context)
    documents = text_input.documents(text, files)
    with invocation.memory() as memory:
        ids = []
        for document in documents:
            ids += memory.semantic.add_document(
                document.text,
                title or document.name,
                source or document.source,
                invocation.tags(tags),
                **options.given(importance=importance),
            )
        invocation.embed_owed(memory, len(ids), no_embed)
    invocation.output.ids(ids)
