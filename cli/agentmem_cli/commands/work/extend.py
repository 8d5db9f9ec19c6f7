"""`agentmem work extend`."""

from __future__ import annotations

from typing import Annotated

import typer

from agent_memory.errors import MemoryNotFoundError
from agentmem_cli.context import Invocation
from agentmem_cli.output import plain


def extend(
    context: typer.Context,
    reference: Annotated[str, typer.Argument(metavar="ID|KEY", help="Which short-term memory.")],
    time: Annotated[
        str | None, typer.Argument(metavar="TIME", help="How much longer: 90s, 10m, 2h, 7d.")
    ] = None,
) -> None:
    """Let a short-term memory live longer; by the usual time, if none is given.

    Examples:
        agentmem work extend branch 2h
        agentmem work extend 7f3k2m9q
    """
    invocation = Invocation.of(context)
    with invocation.memory() as memory:
        if not memory.short_term.extend_ttl(reference, time):
            raise MemoryNotFoundError(
                reference, what="short-term memory", hint="`agentmem work list` shows them"
            )
        record = memory.short_term.get(reference)
    if record is not None:  # else it ended in the meantime
        invocation.output.id(record.id)
        invocation.output.note(f"it ends {plain.column(record, 'expires').replace('+', 'in ')}")
