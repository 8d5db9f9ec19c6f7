"""`search`: single memories with their ids, to look at, to change or to forget."""

from __future__ import annotations

from agentmem_mcp import results
from agentmem_mcp.definitions import Argument, Call, Tool


async def run(call: Call) -> str:
    """Find memories, best first."""
    arguments, surroundings = call.arguments, call.surroundings
    limit = arguments.get("limit", surroundings.settings.get("limit"))
    memories = await call.memory.search(arguments["query"], limit)
    for notice in memories.notices:
        surroundings.output.note(notice)
    if memories.doubt is not None:
        surroundings.output.note(f"{memories.doubt}; shown is what comes nearest")
    return results.search_results(memories) if memories else "Nothing found."


TOOL = Tool(
    name="search",
    description="Find memories with id, date and relevance, to check, update or forget them.",
    arguments=(
        Argument(name="query", required=True),
        Argument(name="limit", kind="integer", least=1),
    ),
    run=run,
    read_only=True,
    idempotent=True,
)
