"""`agentmem doc show`."""

from __future__ import annotations

from typing import Annotated

import typer

from agent_memory.errors import MemoryNotFoundError
from agentmem_cli import documents
from agentmem_cli.context import Invocation


def show(
    context: typer.Context,
    document: Annotated[
        str, typer.Argument(metavar="DOCUMENT", help="Its id or title, or the id of one of its chunks.")
    ],
) -> None:
    """Print a document, all of it.

    Examples:
        agentmem doc show 5f0e21
        agentmem doc show 5f0e21 --json | jq length
    """
    invocation = Invocation.of(context)
    with invocation.memory() as memory:
        found = memory.semantic.get_by_document_id(document)
        if not found and (id := documents.titled(memory, document)) is not None:
            found = memory.semantic.get_by_document_id(id) or memory.semantic.list(
                1, fields={"title": document}
            )
        if not found and (single := memory.semantic.get(document)) is not None:
            found = [single]
    if not found:
        raise MemoryNotFoundError(document, what="document", hint="`agentmem doc list` shows those there are")
    invocation.output.texts(found)
