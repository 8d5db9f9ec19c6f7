"""`add`: something to know in later sessions."""

from __future__ import annotations

from collections.abc import Sequence

from agent_memory import Written
from agent_memory.records import TYPE_ALIASES
from agentmem_cli.output import SHORT_ID, plain
from agentmem_mcp.definitions import Argument, Call, Tool


async def run(call: Call) -> str:
    """Store a memory."""
    arguments = dict(call.arguments)
    arguments["tags"] = call.surroundings.tags(arguments.get("tags"))
    return _said(await call.memory.add_detailed(**arguments))


def _said(written: Sequence[Written]) -> str:
    if len(written) != 1:
        document = getattr(written[0].record, "document_id", None) or written[0].id
        return f"stored {document} in {len(written)} chunks"
    write = written[0]
    if write.changed:
        return f"already known: {write.id[:SHORT_ID]}, which took over {plain.listed(write.changed)}"
    if write.outcome == "updated":
        return f"stored as a new version of {write.id[:SHORT_ID]}, which had this key"
    if write.outcome in ("known", "unchanged"):
        return f"already known: {write.id[:SHORT_ID]}"
    return f"stored {write.id[:SHORT_ID]}"


TOOL = Tool(
    name="add",
    description="Store something for later sessions; a known key gets a new version.",
    arguments=(
        Argument(name="content", required=True),
        Argument(
            name="type",
            choices=tuple(TYPE_ALIASES),
            help="default fact; note lasts 1 hour, skill is how-to",
        ),
        Argument(name="key"),
        Argument(name="tags", kind="strings"),
        Argument(name="importance", kind="number", help="0 to 1", least=0, most=1),
    ),
    run=run,
    always_load=True,
)
