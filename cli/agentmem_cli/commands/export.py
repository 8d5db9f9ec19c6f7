"""`agentmem export`."""

from __future__ import annotations

from typing import Annotated

import typer

from agent_memory.errors import MemoryNotFoundError
from agentmem_cli import streams
from agentmem_cli.context import Invocation
from agentmem_cli.filters import Filters, filtered
from agentmem_cli.output import plain


@filtered
def export(
    context: typer.Context,
    file: Annotated[
        str | None, typer.Argument(metavar="[FILE|-]", help="Where to; - or nothing writes to stdout.")
    ] = None,
    history: Annotated[
        bool, typer.Option("--history", help="All versions too, also of what is gone.")
    ] = False,
    usage: Annotated[bool, typer.Option("--usage", help="How often each was accessed, too.")] = False,
    with_vectors: Annotated[
        bool, typer.Option("--with-vectors", help="The vectors too, in half precision.")
    ] = False,
    *,
    filters: Filters,
) -> None:
    """Write all memories as lines of JSON, archived ones too.

    The same memories give the same bytes, whatever backend keeps them. A file is replaced once the new one is whole,
    and only its owner may read it.

    Examples:
        agentmem export memories.ndjson --history
        agentmem export - | agentmem --db other.db import -
    """
    invocation = Invocation.of(context)
    with invocation.memory() as memory, invocation.progress("exporting") as report:
        if invocation.missing is not None:
            raise MemoryNotFoundError(hint=f"there is no file {invocation.missing}; nothing was written")
        done = memory.export_to(
            streams.binary_stdout() if file in (None, "-") else str(file),
            history=history,
            usage=usage,
            with_vectors=with_vectors,
            progress=report,
            **filters,
        )
    if file in (None, "-"):
        invocation.output.detail(f"wrote {plain.many(done.memories, 'memory')}")
    else:
        invocation.output.details({"file": file, "memories": done.memories, "gone": done.gone})
