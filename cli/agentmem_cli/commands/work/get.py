"""`agentmem work get`."""

from __future__ import annotations

from typing import Annotated

import typer

from agent_memory.errors import MemoryNotFoundError
from agentmem_cli.context import Invocation


def get(
    context: typer.Context,
    key: Annotated[str, typer.Argument(metavar="KEY", help="Its name.")],
) -> None:
    """Print a working-memory value.

    Examples:
        agentmem work get branch
        agentmem work get plan --json | jq -r '.[0]'
    """
    invocation = Invocation.of(context)
    with invocation.memory() as memory:
        records = memory.short_term.list(1, key=key.strip(), fields={"kind": "working"})
    if not records:
        raise MemoryNotFoundError(
            key, what="working-memory value", hint="`agentmem work list` shows those there are"
        )
    invocation.output.value(records[0].value)
