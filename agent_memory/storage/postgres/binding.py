"""Making the methods of a store out of functions of a connection and a scope, one line for each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Concatenate, ParamSpec, TypeVar

from agent_memory.storage.base import FullStore
from agent_memory.storage.postgres import deciding
from agent_memory.storage.postgres.connection import Server
from agent_memory.storage.postgres.reading import Scope
from agent_memory.storage.postgres.session import Connection

P = ParamSpec("P")
T = TypeVar("T")
Unit = Callable[Concatenate[Connection, Scope, P], Awaitable[T]]
Method = Callable[Concatenate[Any, P], Coroutine[Any, Any, T]]


class ServerStore(FullStore):
    """A store of one agent in a server."""

    _server: Server

    @property
    def _scope(self) -> Scope:
        return self._server.scope


def reads(unit: Unit[P, T]) -> Method[P, T]:
    """Make a method that runs queries, each on the state it finds."""

    async def method(self: ServerStore, /, *args: P.args, **kwargs: P.kwargs) -> T:
        scope = self._scope
        return await self._server.read(lambda connection: unit(connection, scope, *args, **kwargs))

    return method


def reads_whole(unit: Unit[P, T]) -> Method[P, T]:
    """Make a method that runs several queries on one state of the database."""

    async def method(self: ServerStore, /, *args: P.args, **kwargs: P.kwargs) -> T:
        scope = self._scope
        return await self._server.read_whole(lambda connection: unit(connection, scope, *args, **kwargs))

    return method


def writes(unit: Unit[P, T]) -> Method[P, T]:
    """Make a method that writes in one transaction, while nobody else writes for this agent."""

    async def method(self: ServerStore, /, *args: P.args, **kwargs: P.kwargs) -> T:
        scope = self._scope

        async def locked(connection: Connection) -> T:
            await deciding.lock_unless_moved(connection, scope)
            return await unit(connection, scope, *args, **kwargs)

        return await self._server.write(locked)

    return method
