"""`forget`: put a memory away; only a person can bring it back."""

from __future__ import annotations

from agentmem_cli.output import SHORT_ID, plain
from agentmem_mcp.definitions import Argument, Call, Tool


async def run(call: Call) -> str:
    """Archive a memory, or all chunks of a document."""
    records = await call.memory.forget(call.arguments["id"])
    if not records:
        return "nothing to put away"
    back = f"agentmem restore {records[0].id[:SHORT_ID]}" if len(records) == 1 else "agentmem undo"
    return f"archived {plain.many(len(records), 'memory')}; a person can bring it back: {back}"


TOOL = Tool(
    name="forget",
    description="Archive a wrong or outdated memory; a person can restore it.",
    arguments=(Argument(name="id", required=True),),
    run=run,
    destructive=True,
    idempotent=True,
)
