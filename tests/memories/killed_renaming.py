"""Rename an agent again and again, each time killed one line later, and look what is left.

Run as a program of one thread, since every try is a fork. It prints before how many lines it was killed, and how many
different states that left.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any

from agent_memory import filesystem
from agent_memory.memories import agents
from agent_memory.storage.sqlite import ownership

_WATCHED = {module.__file__ for module in (agents, ownership, filesystem)}
OLD, NEW = "old", "New name"


def renamed_but_killed(home: Path, line: int) -> bool:
    """Rename in a child that kills itself before the given line of our code; say whether it was."""
    child = os.fork()
    if child == 0:
        left = line

        def count(frame: FrameType, event: str, _: Any) -> Any:
            nonlocal left
            if frame.f_code.co_filename not in _WATCHED:
                return None
            if event == "line":
                left -= 1
                if left < 0:
                    os.kill(os.getpid(), signal.SIGKILL)
            return count

        sys.settrace(count)
        agents.rename_agent(OLD, NEW, home)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


def contents(home: Path, agent: str) -> list[str] | None:
    """Return what an agent's file holds, opened as a store opens it; None where there is none."""
    from agent_memory import MemoryNotFoundError, SyncAgentMemory
    from agent_memory.config import MemoryConfig

    path = str(home / f"{agents.paths.file_stem(agent)}.db")
    config = MemoryConfig(backend_config={"path": path, "create": False}, embedding_provider="none")
    try:
        with SyncAgentMemory(agent, config) as memory:
            assert memory.agent_id == agent
            assert memory.check() == []
            return sorted(record.content for record in memory.list())
    except MemoryNotFoundError:
        return None


def state(home: Path) -> dict[str, bytes | int]:
    """Return what is in a folder; of a log only how long it is, since each begins with a number by chance."""
    return {
        path.name: path.read_bytes() if path.suffix == ".db" else path.stat().st_size
        for path in home.iterdir()
    }


def look_at(home: Path, asked: Path, order: tuple[str, str]) -> None:
    """See that whoever comes next finds everything, under one of the two names, and that it can be done again."""
    expected = ["another fact", "one fact"]
    shutil.copytree(home, asked)
    found = [contents(asked, agent) for agent in order]
    assert found in ([None, expected], [expected, None]), found
    for folder in (home, asked):
        agents.rename_agent(OLD, NEW, folder)
        assert (contents(folder, OLD), contents(folder, NEW)) == (None, expected), folder
        assert [item.agent_id for item in agents.list_agents(folder)] == [NEW]


def main(given: Path, work: Path) -> None:
    """Try every line; what is left is looked at whenever it differs from what the line before left."""
    line, looked, before = 0, 0, None
    while True:
        home = work / str(line)
        shutil.copytree(given, home)
        if not renamed_but_killed(home, line):
            break
        if (left := state(home)) != before:
            look_at(home, work / f"{line}-asked", (OLD, NEW) if looked % 2 else (NEW, OLD))
            looked += 1
        before, line = left, line + 1
    print(line, looked)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
