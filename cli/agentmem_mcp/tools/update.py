"""`update`: a new version of a memory."""

from __future__ import annotations

from agent_memory.errors import ValidationError
from agentmem_cli.output import SHORT_ID
from agentmem_mcp.definitions import Argument, Call, Tool


async def run(call: Call) -> str:
    """Store a new version of a memory; refuse a call that changes nothing."""
    changes = dict(call.arguments)
    reference = changes.pop("id")
    if not changes:
        raise ValidationError("there is nothing to change", hint="give content or add_tags")
    record = await call.memory.update(reference, **changes)
    return f"updated {record.id[:SHORT_ID]}"


TOOL = Tool(
    name="update",
    description="Correct a memory; history keeps the old version.",
    arguments=(
        Argument(name="id", help="id or key", required=True),
        Argument(name="content"),
        Argument(name="add_tags", kind="strings"),
    ),
    run=run,
    idempotent=True,
)
