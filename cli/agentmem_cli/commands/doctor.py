"""`agentmem doctor`."""

from __future__ import annotations

from typing import Annotated

import typer

from agentmem_cli.context import Invocation


def doctor(
    context: typer.Context,
    isolation: Annotated[
        bool,
        typer.Option("--isolation", help="Plant a canary for one made-up agent and ask for it as another."),
    ] = False,
    fix: Annotated[
        bool, typer.Option("--fix", help="Make everything derived anew: words, hashes, vector index.")
    ] = False,
) -> None:
    """Compare everything in the store that must agree; exit code 5 if something does not.

    It reads all there is, so it may take a while.

    Examples:
        agentmem doctor
        agentmem doctor --isolation --backend postgresql://localhost/memories
    """
    from agent_memory.errors import IntegrityError

    invocation = Invocation.of(context)
    with invocation.memory() as memory:
        faults = memory.repair() if fix else memory.check()
        leaks = memory.check_isolation() if isolation else []
    found = {"faults": faults, **({"leaks": leaks} if isolation else {})}
    if invocation.output.form in ("json", "ndjson"):
        invocation.output.details(found)
    else:
        shown = {"faults": len(faults)} | ({"leaks": len(leaks)} if isolation else {})
        invocation.output.details(shown)
        for line in [*faults, *leaks]:
            invocation.output.note(line)
    if leaks:
        raise IntegrityError(
            f"another agent saw or changed a canary in {len(leaks)} ways",
            hint="do not share this store; report it",
        )
    if faults:
        raise IntegrityError(
            f"{len(faults)} faults were found",
            hint="`agentmem doctor --fix` makes words and indexes anew; a changed row needs a backup",
        )
