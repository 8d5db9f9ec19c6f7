"""Write to the files of some agents until each of them was moved; say what was acknowledged, and what was refused.

Started with a folder, a file for the report, and the names of agents. Each line of the report is JSON: a write that
was acknowledged (`agent`, `id`, `gone`), or at the end of an agent for how long it was refused (`agent`, `refused`).
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, TextIO

from agent_memory.errors import StoreReadOnlyError
from agent_memory.storage.changes import Add, Change, Operation, Remove, Replace
from agent_memory.storage.sqlite import SqliteStore
from agent_memory.testing import builders

PAUSE = 0.05


def _next(number: int, chance: random.Random, mine: list[Any]) -> Change:
    what = chance.random()
    if what < 0.7 or not mine:
        return Add(builders.event(f"written {number} while the agent is moved"), even_if_known=True)
    if what < 0.9:
        return Replace(replace(mine[-1], content=f"changed {number}"), "update")
    return Remove(mine[0], erase=what < 0.95)


async def write(folder: Path, agent_id: str, report: TextIO) -> None:
    """Write to one agent until it was moved."""
    store, chance, mine = SqliteStore(agent_id, path=folder / f"{agent_id}.db"), random.Random(agent_id), []
    await store.open()
    refused_at, number = 0.0, 0
    while True:
        number += 1
        change = _next(number, chance, mine)
        try:
            (written,) = await store.commit(Operation(verb="add"), [change])
        except StoreReadOnlyError as error:
            refused_at = refused_at or time.monotonic()
            if "was moved" in str(error):
                break
            await asyncio.sleep(0.005)
            continue
        refused_at = 0.0  # a migration that was killed was begun anew
        mine = [record for record in mine if record.id != written.id]
        if written.outcome != "removed":
            mine.append(written.record)
        print(
            json.dumps({"agent": agent_id, "id": written.id, "gone": written.outcome == "removed"}),
            file=report,
        )
        await asyncio.sleep(PAUSE)
    print(json.dumps({"agent": agent_id, "refused": time.monotonic() - refused_at}), file=report)
    await store.close()


async def main() -> None:
    """Write to all of them at once."""
    folder, path, *agents = sys.argv[1:]
    with Path(path).open("w", buffering=1) as report:
        await asyncio.gather(*(write(Path(folder), agent_id, report) for agent_id in agents))


asyncio.run(main())
