"""`agentmem index`."""

from __future__ import annotations

from typing import Annotated

import typer

from agentmem_cli.context import Invocation


def index(
    context: typer.Context,
    limit: Annotated[
        int | None, typer.Option("--limit", "-n", metavar="N", min=1, help="At most so many texts.")
    ] = None,
) -> None:
    """Embed what is not embedded yet, so that it is found by meaning too.

    It may be stopped at any time, even within a long text; what was done stays done. What could not be embedded
    before is tried again; what still cannot is named with the reason, and the exit code is 1.

    Examples:
        agentmem index
        agentmem index --limit 1000
    """
    invocation = Invocation.of(context)
    with invocation.memory() as memory, invocation.progress("embedding", unit="pieces") as report:
        done = memory.index(limit=limit, progress=report)
        state = memory.get_status()
    failed = state["failed_embeddings"]
    pending = "owed" if invocation.output.form in ("json", "ndjson", "csv") else "pending"
    told = {"embedded": done, pending: state["owed_embeddings"]}
    invocation.output.details(told | {"failed": failed} if failed else told)
    for result in state["failures"]:
        invocation.output.note(f"{result['id'][:8]} cannot be embedded: {result['reason']}")
    if failed > len(state["failures"]):
        invocation.output.note(f"and {failed - len(state['failures'])} more")
    if failed:
        raise typer.Exit(1)
