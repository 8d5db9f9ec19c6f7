"""The memory that the tools work on: chosen for each call as a command chooses it, and kept open between calls."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent_memory import AgentMemory
from agentmem_cli.context import Invocation
from agentmem_cli.global_options import Flags
from agentmem_cli.output import Output
from agentmem_mcp import hints

if TYPE_CHECKING:
    from agent_memory.settings import Settings


class Surroundings(Invocation):
    """What holds for one call: the settings as they are now, and notes that the model gets beside the result.

    Args:
        flags: the global options that the server was started with.
        tool: the tool's name, which is also that of the command with the same rights.
    """

    def __init__(self, flags: Flags, tool: str) -> None:
        super().__init__(flags, (tool,))
        self.notes: list[str] = []

    @cached_property
    def output(self) -> Output:
        """Where notes go."""
        return _Notes(self.notes)

    @property
    def actor(self) -> str:
        """Who writes, for the log."""
        return "agentmem mcp"


class _Notes(Output):
    def __init__(self, notes: list[str]) -> None:
        super().__init__("text")
        self._notes = notes

    def note(self, text: str) -> None:
        said = hints.worded(text)
        if said not in self._notes:
            self._notes.append(said)


class _Opened:
    """An open memory, and who still uses it."""

    def __init__(self, memory: AgentMemory, key: tuple[Any, ...]) -> None:
        self.memory = memory
        self.key = key
        self.users = 0
        self.replaced = False


class Memories:
    """Opens the memory that a call is for, and keeps it open for the next one.

    Args:
        flags: the global options that the server was started with.
    """

    def __init__(self, flags: Flags) -> None:
        self._flags = flags
        self._present: _Opened | None = None

    @asynccontextmanager
    async def open(self, tool: str) -> AsyncIterator[tuple[AgentMemory, Surroundings]]:
        """Give the memory for one call of a tool, with its surroundings.

        Where there is no file yet and the tool stores nothing, it is an empty memory that nothing keeps.

        Args:
            tool: the tool's name.

        Yields:
            The open memory, and the settings and notes of this call.
        """
        surroundings = Surroundings(self._flags, tool)
        for notice in surroundings.settings.notices:
            surroundings.output.note(notice)
        settings = surroundings.library_settings()
        key = (surroundings.agent, settings, _identity(settings))
        if surroundings.missing is not None:
            async with AgentMemory(surroundings.agent, settings) as memory:
                yield memory, surroundings
            return
        opened = await self._opened(key, settings)
        opened.users += 1
        damaged = set(opened.memory.damaged)
        try:
            yield opened.memory, surroundings
            for name in opened.memory.damaged.keys() - damaged:
                surroundings.output.note(f"{name} is damaged and was left out: {opened.memory.damaged[name]}")
        finally:
            opened.users -= 1
            if opened.replaced and not opened.users:
                await opened.memory.close()

    async def _opened(self, key: tuple[Any, ...], settings: Settings) -> _Opened:
        present = self._present
        if present is not None and present.key == key:
            return present
        await self.close()
        memory = AgentMemory(key[0], settings)
        await memory.open()
        identified = (*key[:-1], _identity(settings))  # opening it may have made the file
        if self._present is not None and self._present.key == identified:  # another call was faster
            await memory.close()
            return self._present
        self._present = _Opened(memory, identified)
        return self._present

    async def close(self) -> None:
        """Close the memory, as soon as no call uses it any more."""
        opened, self._present = self._present, None
        if opened is not None:
            opened.replaced = True
            if not opened.users:
                await opened.memory.close()


def _identity(settings: Settings) -> tuple[int, int] | None:
    """Return what tells a file from another one that has taken its place; None where there is no file."""
    path = settings.backend_config.get("path")
    if path is None:
        return None
    try:
        state = os.stat(Path(path))  # noqa: PTH116 - the numbers of a file, not its text
    except OSError:
        return None
    return state.st_dev, state.st_ino
