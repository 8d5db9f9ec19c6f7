"""Connections that find the server of one agent, in a cluster or behind Sentinels, and find it again when it moves.

All keys of an agent are in one hash slot, so all that a store asks goes to one server at a time. A routed connection
looks for that server as it connects. What says that it is another one now, or none for a moment, breaks the
connection, and `Patience` tries again. So transactions, scripts and commands without a key work as with one server.
"""

from __future__ import annotations

import asyncio
import random
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar, Final
from weakref import WeakKeyDictionary

from redis import exceptions
from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.connection import Connection
from redis.crc import key_slot

from agent_memory.storage.redis.address import Node, Topology, shown
from agent_memory.storage.redis.silence import Silence
from agent_memory.storage.redis.trusting import TlsConnection

if TYPE_CHECKING:
    Mixin = Connection
else:
    Mixin = object

_ASKED: Final = 5
"""Servers that are asked at once for the one looked for."""
_ASKING: Final = 8
"""How many stores of one event loop ask at once; with TLS, hundreds would take longer than any of them has."""
_ANSWER: Final = 1.0
"""Seconds within which they have to answer."""
_LONG_ANSWER: Final = 30.0
"""The same for what goes through all keys."""
_IN_VAIN: Final = 4
"""How often servers are asked of which none has ever answered: most likely the URL is wrong."""
_CODES: Final = (
    (exceptions.MovedError, "MOVED"),  # which is an AskError too
    (exceptions.AskError, "ASK"),
    (exceptions.TryAgainError, "TRYAGAIN"),
    (exceptions.ReadOnlyError, "READONLY"),
    (exceptions.MasterDownError, "MASTERDOWN"),
    (exceptions.ClusterDownError, "CLUSTERDOWN"),
)
_TELLING: Final = ("non local key", "cluster is down", "NOREPLICAS", "Not enough good replicas")
"""What an error of a script holds that passes."""

_turns: Final[WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore]] = WeakKeyDictionary()
Run = Callable[..., Awaitable[Any]]
"""Sends one command by one connection, and returns the answer."""


class WrongUrlError(exceptions.RedisError):
    """What the URL leads to is something else than it says."""

    def __init__(self, reason: str, hint: str) -> None:
        super().__init__(reason)
        self.hint = hint


class NobodyAnswersError(exceptions.ConnectionError):
    """None of the servers that the URL names has ever answered."""


class ReroutedError(exceptions.ConnectionError):
    """The server does not serve the agent now: another one does, or none for a moment."""

    def __init__(self, reason: str, hint: str | None = None) -> None:
        super().__init__(reason)
        self.hint = hint


class Route(ABC):
    """Knows where the server of one agent is, and asks the others if it does not."""

    def __init__(self, nodes: Sequence[Node], kind: type[Connection], options: Mapping[str, Any]) -> None:
        """Keep what is known; nothing is asked yet.

        Args:
            nodes: the servers that are asked first.
            kind: the class of the connections by which they are asked.
            options: what these are made with.
        """
        self._seeds = tuple(nodes)
        self._known: list[Node] = []
        self._kind = kind
        self._options = {**options, "socket_connect_timeout": _ANSWER, "socket_timeout": _ANSWER}
        self._asking = asyncio.Lock()
        self._server: Node | None = None
        self._vain: int | None = 0
        """How often nobody has answered; None once somebody has."""
        self._prepared: set[Node] = set()
        self.prepare: Callable[[Run], Awaitable[None]] | None = None
        """Called with each server before it is used for the first time."""

    @property
    def server(self) -> Node | None:
        """The server that was found last, if nothing has been said against it."""
        return self._server

    def describe(self) -> dict[str, Any]:
        """Return what `status` tells of it."""
        told = {"topology": self.topology, "looked_for": self.what}
        return told | ({} if self._server is None else {"primary": shown(self._server)})

    async def find(self) -> Node:
        """Return the server of the agent.

        Raises:
            ReroutedError: nobody knows it at the moment.
        """
        async with self._asking:
            if self._server is None:
                self._server = await self.ask()
            return self._server

    def lose(self, node: Node, successor: Node | None = None) -> None:
        """Forget that this is the server; another one may have been named instead."""
        if self._server in (node, None):
            self._server = successor

    async def greet(self, connection: Any) -> None:
        """Begin a connection as usual, then check and prepare the server."""
        await connection.on_connect()
        run = _runner(connection)
        await self._check(run)
        node = (connection.host, connection.port)
        if self.prepare is not None and node not in self._prepared:
            await self.prepare(run)
            self._prepared.add(node)

    async def ask(self) -> Node:
        """Ask several servers at once, and return what most of them say."""
        async with _turns.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(_ASKING)):
            return await self._ask()

    async def _ask(self) -> Node:
        nodes = list(dict.fromkeys([*self._known, *self._seeds]))
        asked = random.sample(nodes, min(_ASKED, len(nodes)))
        tasks = [asyncio.ensure_future(self._asked(node)) for node in asked]
        votes: Counter[Node] = Counter()
        errors: list[Exception] = []
        try:
            for answer in asyncio.as_completed(tasks, timeout=_ANSWER):
                try:
                    node = await answer
                except TimeoutError:
                    break
                except (exceptions.RedisError, OSError) as problem:
                    errors.append(problem)
                    continue
                votes[node] += 1
                if 2 * votes[node] > len(asked):
                    break
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if votes:
            self._vain = None
            return votes.most_common(1)[0][0]
        raise self._not_found(asked, errors)

    def _not_found(self, asked: Sequence[Node], errors: Sequence[Exception]) -> Exception:
        for error in errors:
            if isinstance(
                error, (exceptions.AuthenticationError, exceptions.NoPermissionError, WrongUrlError)
            ):
                return error
            if isinstance(error, exceptions.ResponseError):
                return WrongUrlError(f"{shown(asked[0])} says: {error}", "write redis:// for a single server")
        untrusted = [error for error in errors if "certificate" in str(error)]
        told = f" ({[*untrusted, *errors][0]})" if errors else ""
        reason = f"{self.what} cannot be found by {', '.join(map(shown, asked))}{told}"
        if self._vain is None:
            return ReroutedError(reason)
        self._vain += 1
        # Who is not trusted now will not be in a moment.
        in_vain = self._vain > _IN_VAIN or bool(untrusted)
        return NobodyAnswersError(reason) if in_vain else ReroutedError(reason)

    async def _asked(self, node: Node) -> Node:
        connection = self._kind(host=node[0], port=node[1], **self._options)
        try:
            await connection.connect()  # type: ignore[no-untyped-call]
            return await self._named(_runner(connection), node)
        finally:
            with suppress(exceptions.RedisError, OSError):
                await connection.disconnect(nowait=True)

    topology: ClassVar[Topology]

    @property
    @abstractmethod
    def what(self) -> str:
        """What is looked for, in words."""

    @abstractmethod
    async def _named(self, run: Run, node: Node) -> Node:
        """Ask one server, and return the server that it names."""

    async def _check(self, run: Run) -> None:  # noqa: B027 - a cluster says so itself
        """Raise a ReroutedError if the server that a connection has reached is not the right one."""


class ClusterRoute(Route):
    """To the primary that owns the hash slot of an agent."""

    topology = "cluster"

    def __init__(
        self, nodes: Sequence[Node], kind: type[Connection], options: Mapping[str, Any], tag: str
    ) -> None:
        super().__init__(nodes, kind, options)
        self.slot = key_slot(tag.encode())
        self._primaries: list[Node] = []

    @property
    def what(self) -> str:
        """What is looked for, in words."""
        return f"the primary of hash slot {self.slot}"

    async def _named(self, run: Run, node: Node) -> Node:
        owner: Node | None = None
        known: list[Node] = []
        primaries: list[Node | None] = []
        for first, last, *servers in await run("CLUSTER SLOTS"):
            there = [_node(server, node) for server in servers]
            known += [item for item in there if item is not None]
            primaries += there[:1]
            if first <= self.slot <= last and there:
                owner = there[0]
        if owner is None:
            raise ReroutedError(f"{shown(node)} knows nobody who serves hash slot {self.slot}")
        self._known = list(dict.fromkeys(known))
        self._primaries = [item for item in dict.fromkeys(primaries) if item is not None]
        return owner

    async def primaries(self) -> list[Node]:
        """Ask for all servers that own hash slots now."""
        await self.ask()
        return self._primaries

    def client(self, node: Node) -> Redis:
        """Return a client of one server, whatever it owns."""
        options = {**self._options, "socket_timeout": _LONG_ANSWER}
        return Redis.from_pool(
            ConnectionPool(connection_class=self._kind, host=node[0], port=node[1], **options)
        )


class SentinelRoute(Route):
    """To the primary of a service that Sentinels watch."""

    topology = "sentinel"

    def __init__(
        self,
        nodes: Sequence[Node],
        kind: type[Connection],
        options: Mapping[str, Any],
        service: str,
        user: Mapping[str, Any],
    ) -> None:
        super().__init__(nodes, kind, options)
        self._service = service
        self._user = user
        """User and password of the servers, which are tried with Sentinels that ask for some."""

    @property
    def what(self) -> str:
        """What is looked for, in words."""
        return f"the primary of the service '{self._service}'"

    async def _asked(self, node: Node) -> Node:
        try:
            return await super()._asked(node)
        except exceptions.AuthenticationError:
            if not self._user or "password" in self._options:
                raise
        self._options = {**self._options, **self._user}
        return await super()._asked(node)

    async def _named(self, run: Run, node: Node) -> Node:
        answer = await run("SENTINEL GET-MASTER-ADDR-BY-NAME", self._service)
        if answer is None:
            raise WrongUrlError(
                f"the Sentinel {shown(node)} knows no service '{self._service}'",
                "write after the hosts what `sentinel monitor NAME` says",
            )
        host, port = answer
        return _text(host), int(port)

    async def _check(self, run: Run) -> None:
        with suppress(exceptions.NoPermissionError):
            role = _text((await run("ROLE"))[0])
            if role != "master":
                raise ReroutedError(f"the server that the Sentinels name is a {role} still")


def _node(server: Sequence[Any], asked: Node) -> Node | None:
    """Read a server in an answer to CLUSTER SLOTS; without a host it is that of the server which was asked."""
    host = None if server[0] is None else _text(server[0])
    return None if host == "?" else (host or asked[0], int(server[1]))


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


class SingleConnection:
    """Stands for a client that has one connection only."""

    def __init__(self, run: Run) -> None:
        self._run = run

    async def execute_command(self, *words: Any) -> Any:
        """Send a command, and return the answer as it is."""
        return await self._run(*words)


def _runner(connection: Any) -> Run:
    async def run(*words: Any) -> Any:
        await connection.send_command(*words, check_health=False)
        return await connection.read_response()

    return run


class Routed(Mixin):
    """Makes a connection a routed one."""

    def __init__(self, *, route: Route, **options: Any) -> None:
        self._route = route
        self._silence = Silence(self._doubt, self._abort)
        super().__init__(**options, redis_connect_func=route.greet)

    @property
    def node(self) -> Node:
        """The server that this is connected to."""
        return self.host, self.port

    async def connect(self) -> None:
        """Connect to the server of the agent, wherever it is, as soon as there is one."""
        if not self.is_connected:
            await self.retry.call_with_retry(super().connect, lambda _: self.disconnect(nowait=True))

    async def _connect(self) -> None:
        self.host, self.port = await self._route.find()
        try:
            await super()._connect()  # type: ignore[no-untyped-call]
        except OSError as error:
            self._route.lose(self.node)
            told = str(error) or "it does not answer in time"
            raise ReroutedError(f"{shown(self.node)} cannot be reached ({told})") from error

    async def disconnect(self, *arguments: Any, **options: Any) -> None:
        """Close the connection as usual."""
        self._silence.stop()
        await super().disconnect(*arguments, **options)

    async def read_response(self, *arguments: Any, **options: Any) -> Any:
        """Read an answer; one that says that another server is to be asked breaks the connection."""
        # The client makes a timer for each answer where it knows a limit itself.
        limit, self.socket_timeout = self.socket_timeout, None
        self._silence.begin(limit)
        try:
            answer = await super().read_response(*arguments, **options)
            if self._silence.doubted and await self._replaced():
                # It hung, another one took over, and now it goes on as if nothing had happened.
                raise ReroutedError(f"{shown(self.node)} hung, and has been replaced meanwhile")
            return answer
        except exceptions.ResponseError as error:
            rerouted = _rerouted(error, self.node)
            if rerouted is None:
                raise
            self._route.lose(self.node, _successor(error, self.host))
            await self.disconnect(nowait=True)
            raise rerouted from error
        except (exceptions.ConnectionError, exceptions.TimeoutError) as error:
            self._route.lose(self.node)
            await self.disconnect(nowait=True)
            if self._silence.over:
                raise exceptions.TimeoutError(f"Timeout reading from {shown(self.node)}") from error
            raise
        finally:
            self._silence.end()
            self.socket_timeout = limit

    async def _doubt(self) -> None:
        """Give up waiting for a server as soon as the others say that it is another one."""
        while not await self._replaced():
            await asyncio.sleep(_ANSWER)
        self._abort()

    def _abort(self) -> None:
        if self._writer is not None:
            self._writer.transport.abort()

    async def _replaced(self) -> bool:
        """Return whether the others name another server than this one; not where nobody says anything."""
        with suppress(exceptions.RedisError, OSError):
            return await self._route.ask() != self.node
        return False


class RoutedConnection(Routed, Connection):
    """A routed connection in plain text."""


class RoutedTlsConnection(Routed, TlsConnection):
    """A routed connection with TLS."""


def _code(error: exceptions.ResponseError) -> str:
    """Return the word that an error begins with; some versions of the client make a class of it instead."""
    return next((code for kind, code in _CODES if isinstance(error, kind)), str(error).partition(" ")[0])


def _successor(error: exceptions.ResponseError, host: str) -> Node | None:
    """Return the server that an answer names instead, if it names one."""
    if _code(error) != "MOVED":
        return None
    named, _, port = str(error).split()[-1].rpartition(":")
    return named or host, int(port)


def _rerouted(error: exceptions.ResponseError, node: Node) -> ReroutedError | None:
    """Return in words what a temporary error of a cluster means; None for other errors."""
    here, told, code = shown(node), str(error), _code(error)
    if code == "MOVED":
        return ReroutedError(f"the hash slot of this agent has moved away from {here}")
    if code in ("ASK", "TRYAGAIN"):
        return ReroutedError(
            f"the memories of this agent are being moved away from {here}", "try again when that is done"
        )
    if code == "READONLY":
        return ReroutedError(f"{here} is a replica now, and no other primary is known yet")
    if code in ("CLUSTERDOWN", "MASTERDOWN", "NOREPLICAS") or any(word in told for word in _TELLING):
        return ReroutedError(f"{here} says: {told}", _hint(told, here))
    return None


def _hint(told: str, here: str) -> str | None:
    if "replicas" in told:
        return "start the replicas again, or lower min-replicas-to-write; nothing was written"
    return f"`redis-cli --cluster check {here}` says what is wrong" if "luster" in told else None
