"""`agentmem stats`."""

from __future__ import annotations

from typing import Annotated

import typer

from agentmem_cli.context import Invocation


def stats(
    context: typer.Context,
    top: Annotated[int, typer.Option("--top", metavar="N", min=0, help="How many tags.")] = 10,
) -> None:
    """Count what there is by type, age and tag, with a small chart.

    Examples:
        agentmem stats
        agentmem stats --json | jq .tags
    """
    from agent_memory.memories.opening import empty_statistics
    from agentmem_cli.output import charts

    invocation = Invocation.of(context)
    with invocation.memory() as memory:
        statistics = memory.get_stats(detailed=True)
    if invocation.missing is not None:
        statistics |= empty_statistics(invocation.missing)
    charts.statistics(invocation.output, statistics, top)
