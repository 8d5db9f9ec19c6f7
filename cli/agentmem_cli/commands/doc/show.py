"""`agentmem doc show`."""

from __future__ import annotations

from typing import Annotated

import typer

from agent_memory.errors import MemoryNotFoundError
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
        chunks = memory.semantic.get_document(document)
    if not chunks:
        raise MemoryNotFoundError(document, what="document", hint="`agentmem doc list` shows those there are")
    invocation.output.texts(chunks)
