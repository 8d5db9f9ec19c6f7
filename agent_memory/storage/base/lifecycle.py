"""The life of a store: opening, closing, whose memories it has, and whether it may be used and written."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from typing import Any, ClassVar

from agent_memory.errors import BackendError, CapabilityError, ClosedError, ConfigurationError, PolicyError
from agent_memory.network import is_elsewhere
from agent_memory.storage.base.capabilities import Capabilities
from agent_memory.storage.damage import Announced, Damaged


class Lifecycle(ABC):
    """What opens and closes for one agent on a backend."""

    name: ClassVar[str]
    capabilities: ClassVar[Capabilities]
    options: ClassVar[frozenset[str]] = frozenset()
    """The keys of `backend_config` that this backend knows."""

    def __init__(self, agent_id: str | None, **options: Any) -> None:
        """Keep the settings; nothing is opened yet.

        Args:
            agent_id: whose memories; None takes the agent that is in the store, else `default`.
            options: the values of `backend_config`.

        Raises:
            ConfigurationError: this backend does not know an option.
        """  # noqa: DOC501
        unknown = sorted(options.keys() - self.options)
        if unknown:
            raise ConfigurationError.unknown(
                f"backend_config key for {self.name}", unknown[0], sorted(self.options) or ["(none)"]
            )
        self.requested_agent = agent_id
        self.settings: Mapping[str, Any] = options
        self._agent_id: str | None = None
        self._was_open = False
        self._pid = os.getpid()
        self.damaged: Damaged = Announced()
        """What reads left out since it cannot be read: by a name such as `memory 7f3k2m9q`, why."""

        self.wrote = False
        """Whether anything was committed through this object."""

    @property
    def unreadable(self) -> int:
        """How many memories reads have left out so far; they are counted all the same."""
        return sum(name.startswith(("memory ", "the memory ")) for name in self.damaged)

    async def open(self) -> None:
        """Connect, create what is not there yet, and learn whose memories these are.

        Raises:
            BackendError: the store cannot be reached or is not one of ours.
            ConfigurationError: it belongs to another agent than the one asked for.
        """
        self._pid = os.getpid()
        self._agent_id = await self._open()
        self._was_open = True
        try:
            await self._bring_up_to_date()
        except BaseException:
            await self.close()
            raise

    @property
    def agent_id(self) -> str:
        """Whose memories these are."""
        if self._agent_id is None:
            if self._was_open:
                raise ClosedError(f"the {self.name} store")
            raise BackendError(
                f"the {self.name} store is not open", hint="use `async with`, or `await memory.open()`"
            )
        return self._agent_id

    async def close(self) -> None:
        """Close every connection. Idempotent; in a process that was forked off, they stay the parent's."""
        self._agent_id = None
        if self.owned():
            await self._close()

    def owned(self) -> bool:
        """Return whether this process opened the store, rather than one that it was forked from."""
        return self._pid == os.getpid()

    def check_usable(self) -> None:
        """Check that the store is open in this process.

        Raises:
            BackendError: it is not open, or was opened before this process was forked.
            ClosedError: it was closed.
        """  # noqa: DOC501
        if not self.owned():
            raise BackendError.forked(f"this {self.name} store")
        _ = self.agent_id

    def check_writable(self) -> None:
        """Check that the store is open and that nothing is known to prevent a write.

        Raises:
            StoreReadOnlyError: nothing can be written.
        """
        self.check_usable()
        self._check_writable()

    @property
    def uses_network(self) -> bool:
        """Whether memories leave this machine, or may: then the setting `offline` forbids this store."""
        url = self.settings.get("url")
        return url is not None and is_elsewhere(str(url))

    def check_allowed(self, *, offline: bool) -> None:
        """Check, before the store is opened, that it may be used.

        Args:
            offline: whether the network may not be used.

        Raises:
            PolicyError: it uses the network and may not.
        """  # noqa: DOC501
        if offline and self.uses_network:
            raise PolicyError.offline(f"the backend {self.name}")

    async def list_agents(self) -> list[str]:
        """List the agents that the same backend keeps something of, by name; the store need not be open.

        It asks every server of a cluster. Nothing is made, and no agent is made known.

        Returns:
            The agents.

        Raises:
            CapabilityError: the backend cannot list them.
        """
        return sorted(await self._list_agents())

    @abstractmethod
    async def _open(self) -> str:
        """Connect and return the agent id of the store."""

    async def _list_agents(self) -> Collection[str]:
        """Connect, and return the agents that the backend keeps something of, in any order."""
        raise CapabilityError(self.name, "list of agents")

    async def _bring_up_to_date(self) -> None:  # noqa: B027 - most have nothing to do
        """Renew what an earlier version stored. The store counts as open already."""

    @abstractmethod
    async def _close(self) -> None:
        """Close every connection, also if only some could be opened. Idempotent."""

    def _check_writable(self) -> None:  # noqa: B027 - most stores find out as they write
        """Raise if it is known already that nothing can be written."""
