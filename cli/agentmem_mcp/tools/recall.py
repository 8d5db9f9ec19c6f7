"""`recall`: what matters for the task at hand, as text for the model's context."""

from __future__ import annotations

from agentmem_mcp.definitions import Argument, Call, Tool


async def run(call: Call) -> str:
    """Recall what answers a query, or the brief of a session without one."""
    query = call.arguments.get("query", "").strip() or None
    surroundings = call.surroundings
    result = await call.memory.recall(
        query, call.arguments.get("budget", surroundings.settings.get("budget")), "markdown"
    )
    for notice in result.notices:
        surroundings.output.note(notice)
    too_many = len(result.dropped) - len(result.repeated)
    if too_many:
        surroundings.output.note(f"{too_many} more did not fit the budget of {result.budget} tokens")
    if result.items:
        return result.text.rstrip()
    if query is None:
        return "Memory is empty so far."
    nearest = "; `search` shows what comes nearest" if result.left_out or result.doubt else ""
    return f"Nothing in memory answers this{nearest}."


TOOL = Tool(
    name="recall",
    description="Recall what memory knows about query; without one, the brief for a new session.",
    arguments=(
        Argument(name="query"),
        Argument(name="budget", kind="integer", help="tokens", least=1),
    ),
    run=run,
    read_only=True,
    idempotent=True,
    always_load=True,
)
