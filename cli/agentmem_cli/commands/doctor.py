"""`agentmem doctor`."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agentmem_cli import hints
from agentmem_cli.context import Invocation

if TYPE_CHECKING:
    from agent_memory import Durability
    from agentmem_cli.output import Output


def doctor(
    context: typer.Context,
    isolation: Annotated[
        bool,
        typer.Option("--isolation", help="Plant a canary for one made-up agent and ask for it as another."),
    ] = False,
    fix: Annotated[
        bool,
        typer.Option(
            "--fix", help="Make everything derived anew: words, hashes, indexes; say what that mended."
        ),
    ] = False,
    salvage: Annotated[
        Path | None,
        typer.Option(
            "--salvage", metavar="NEW", help="Save what can be read of a damaged file into a new one."
        ),
    ] = None,
) -> None:
    """Compare everything in the store that must agree; exit code 5 if something does not.

    It reads all there is, so it may take a while. With --salvage nothing is compared, and the file stays as it is.

    Examples:
        agentmem doctor --fix
        agentmem doctor --salvage rescued.db
    """
    from agent_memory.errors import IntegrityError, ValidationError

    invocation = Invocation.of(context)
    if salvage is not None:
        if fix or isolation:
            raise ValidationError("--salvage stands alone", hint="leave --fix and --isolation out")
        _salvage(invocation, salvage)
        return
    with invocation.memory() as memory:
        repair = memory.repair() if fix else None
        faults = memory.check() if repair is None else list(repair)
        leaks = memory.check_isolation() if isolation else []
        # Where there is no file yet, an empty memory is compared that nothing keeps: its promise is not the file's.
        promised = memory.durability() if invocation.missing is None else None
    invocation.damage.clear()  # it is among the faults
    mended = list(repair.mended) if repair is not None else []
    lists: dict[str, Sequence[str]] = {
        "faults": faults,
        **({"mended": mended} if fix else {}),
        **({"leaks": leaks} if isolation else {}),
    }
    _tell(invocation.output, lists, promised)
    if leaks:
        raise IntegrityError(
            f"another agent saw or changed a canary in {len(leaks)} ways",
            hint="do not share this store; report it",
        )
    if faults and fix:
        raise IntegrityError(
            f"{len(faults)} faults are left",
            hint="damaged rows stay as they are; `agentmem doctor --salvage NEW` has the history bring memories back",
        )
    if faults:
        raise IntegrityError(
            f"{len(faults)} faults were found",
            hint="`agentmem doctor --fix` makes anew what is derived; a changed row needs a backup",
        )


def _tell(output: Output, lists: dict[str, Sequence[str]], promised: Durability | None) -> None:
    if output.form in ("json", "ndjson", "csv"):
        output.details({**lists, "durability": None if promised is None else asdict(promised)})
        return
    output.details({name: len(lines) for name, lines in lists.items()})
    for name, lines in lists.items():
        for line in lines:
            output.note(f"mended: {line}" if name == "mended" else line)
    if promised is not None:
        output.note(f"an acknowledged write survives {promised.survives}")
        for risk in promised.risks:
            output.note(f"risk: {risk}")


def _salvage(invocation: Invocation, new: Path) -> None:
    from agent_memory.memories.agents import salvage

    saved = salvage(invocation.file(), new)
    if invocation.output.form in ("json", "ndjson", "csv"):
        invocation.output.details(
            {"saved": saved.saved, "restored": list(saved.restored), "lost": list(saved.lost)}
        )
        return
    invocation.output.details({**saved.saved, "restored": len(saved.restored), "lost": len(saved.lost)})
    for line in saved.restored:
        invocation.output.note(f"brought back from the history: {line}")
    for line in saved.lost:
        invocation.output.note(f"not saved: {hints.worded(line)}")
    invocation.output.note(f"`agentmem --db {shlex.quote(str(new))} doctor` compares what was saved")
