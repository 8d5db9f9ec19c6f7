"""Reaching the server, learning what it can do, and saying in one line what went wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Literal

from redis import exceptions
from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.connection import Connection
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff

from agent_memory.errors import (
    AgentMemoryError,
    BackendError,
    ConfigurationError,
    StoreBusyError,
    StoreFullError,
    StoreReadOnlyError,
    StoreUnreachableError,
)
from agent_memory.redaction import redacted
from agent_memory.storage import backend_options
from agent_memory.storage.redis import address
from agent_memory.storage.redis.address import Address, Topology
from agent_memory.storage.redis.patience import Patience
from agent_memory.storage.redis.routing import (
    ClusterRoute,
    NobodyAnswersError,
    ReroutedError,
    Route,
    RoutedConnection,
    RoutedTlsConnection,
    SentinelRoute,
    WrongUrlError,
)

_SCRIPT = re.compile(r"\s*script: [0-9a-f]{40}, on @user_script:\d+\.?")
"""Where in a script of ours the server stood."""
Mode = Literal["search", "vector-sets", "plain"]
"""What finds: the search module, vector sets beside indexes of our own, or these alone."""
MODES: tuple[Mode, ...] = ("search", "vector-sets", "plain")


async def connect(url: str, options: Mapping[str, Any], tag: str) -> tuple[Redis, Route | None]:
    """Make a client, and find out whether a plain URL leads to a cluster.

    Args:
        url: the URL of the server, of the cluster or of the Sentinels.
        options: the settings of the store.
        tag: what all keys of the agent begin with.

    Returns:
        The client, and where one server of several is looked for, what looks for it.

    Raises:
        ConfigurationError: the URL cannot be read.
    """
    place = address.parse(url)
    if place.topology == "single":
        client = _single(place, options)
        try:
            with translated(url):
                place = replace(place, topology=await _topology(url, client))
        except BaseException:
            await client.aclose()
            raise
        if place.topology == "single" or not place.nodes:
            return client, None
        await client.aclose()
    return _routed(place, options, tag)


def _single(place: Address, options: Mapping[str, Any]) -> Redis:
    where = dict(zip(("host", "port"), place.nodes[0], strict=True)) if place.nodes else {}
    pool: Any = ConnectionPool(
        **{
            "socket_connect_timeout": backend_options.seconds(options, "connect_timeout", 5.0),
            "socket_timeout": backend_options.seconds(options, "timeout", 30.0),
            # By a socket in the file system, the client looks for the health of what it has not signed in to yet, and
            # opens connection after connection where that is refused.
            "health_check_interval": 30 if place.nodes else 0,
            **_beside(options),
            **place.options,
            **where,
        },
        # A server that is being restarted is away for a moment: reads are tried again that long.
        retry=Retry(ExponentialBackoff(cap=0.5, base=0.05), 3),
        retry_on_error=[exceptions.ConnectionError],
        decode_responses=False,
    )
    return Redis.from_pool(pool)


async def _topology(url: str, client: Any) -> Topology:
    """Ask the server what it belongs to. This is the first question, so it also tells whether there is a server."""
    try:
        told: Mapping[str, Any] = await client.info("server")
    except exceptions.NoPermissionError:
        await client.ping()
        return "single"
    mode = told.get("redis_mode", told.get("server_mode"))
    if mode == "sentinel":
        raise ConfigurationError(
            f"{redacted(url)} is a Sentinel", hint="write redis+sentinel://host:26379,host/service"
        )
    return "cluster" if mode == "cluster" else "single"


def _routed(place: Address, options: Mapping[str, Any], tag: str) -> tuple[Redis, Route]:
    """Make a client whose connections look for the server of an agent."""
    parts = {**_beside(options), **place.options}
    if place.topology == "cluster" and parts.get("db"):
        raise ConfigurationError("a cluster has the database 0 only", hint="leave backend_config.db out")
    kind: type[Connection] = parts.pop("connection_class", Connection)
    secret = ("username", "password")
    user: dict[str, Any] = {name: parts[name] for name in secret if name in parts}
    sentinel_user = {name: parts.pop(f"sentinel_{name}", None) for name in secret}
    route: Route
    if place.topology == "cluster":
        route = ClusterRoute(place.nodes, kind, parts, tag)
    else:
        asked = {name: value for name, value in parts.items() if name not in (*secret, "db")}
        asked |= {name: value for name, value in sentinel_user.items() if value}
        route = SentinelRoute(place.nodes, kind, asked, place.service, user)
    pool: Any = ConnectionPool(
        connection_class=RoutedConnection if kind is Connection else RoutedTlsConnection,
        route=route,
        **{
            "socket_connect_timeout": min(2.0, backend_options.seconds(options, "connect_timeout", 2.0)),
            "socket_timeout": backend_options.seconds(options, "timeout", 30.0),
            "health_check_interval": 30,
            **parts,
        },
        retry=Patience(),
        retry_on_error=[exceptions.ConnectionError],
        decode_responses=False,
    )
    return Redis.from_pool(pool), route


def _beside(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return what stands beside the URL."""
    password = backend_options.secret(options, "password_file") or options.get("password")
    beside: dict[str, Any] = {"password": str(password)} if password else {}
    if options.get("username") is not None:
        beside["username"] = str(options["username"])
    if options.get("db") is not None:
        beside["db"] = backend_options.whole(options, "db", 0)
    return beside


@contextmanager
def translated(url: str) -> Iterator[None]:
    """Turn what the client raises into our own errors."""
    try:
        yield
    except exceptions.RedisError as error:
        raise _translated(url, _origin(error)) from error
    except OSError as error:
        raise StoreUnreachableError(url, str(error)) from error


def _origin(error: exceptions.RedisError) -> exceptions.RedisError:
    """Return the error that another one was made of while a connection was opened, or that ended a transaction."""
    cause = error.__cause__ or (error.__context__ if isinstance(error, exceptions.WatchError) else None)
    told = (exceptions.ConnectionError, exceptions.NoPermissionError, WrongUrlError)
    return cause if isinstance(cause, told) else error


def _translated(url: str, error: exceptions.RedisError) -> AgentMemoryError:
    told = str(error)
    if isinstance(error, (exceptions.AuthenticationError, exceptions.NoPermissionError)) or any(
        code in told for code in ("NOAUTH", "WRONGPASS")
    ):
        return _refused(url, error)
    if isinstance(error, exceptions.BusyLoadingError):
        return StoreBusyError(redacted(url))
    if "NOREPLICAS" in told:
        return _without_replicas(url, error)
    if isinstance(error, (NobodyAnswersError, ReroutedError)):
        return _elsewhere(url, error)
    if isinstance(error, (exceptions.ConnectionError, exceptions.TimeoutError)):
        return _unreachable(url, _reason(error))
    if isinstance(error, exceptions.OutOfMemoryError) or "MISCONF" in told:
        # MISCONF: it cannot save to its disk, and takes no writes until it can.
        return StoreFullError.server(url, _reason(error))
    if isinstance(error, exceptions.ReadOnlyError):
        return StoreReadOnlyError.server(url, _reason(error))
    if isinstance(error, WrongUrlError):
        return ConfigurationError(told, hint=error.hint)
    if "DB index is out of range" in told or "SELECT is not allowed" in told:
        return _without_database(url, told)
    return BackendError(
        f"{redacted(url)} refused: {redacted(_reason(error))}", hint="the server's log may say more"
    )


def _without_database(url: str, told: str) -> ConfigurationError:
    if "SELECT" in told:
        return ConfigurationError(
            f"{redacted(url)} is a cluster, which has the database 0 only", hint="leave the other number out"
        )
    return ConfigurationError(
        f"{redacted(url)} has no database of this number",
        hint="a server has 16, from 0, unless set up otherwise",
    )


def _unreachable(url: str, reason: str) -> StoreUnreachableError:
    if "certificate" in reason:
        return StoreUnreachableError.untrusted(url, reason, "ssl_ca_certs")
    return StoreUnreachableError(url, reason)


def _elsewhere(url: str, error: Exception) -> StoreUnreachableError:
    """Return why no server of the cluster, or behind the Sentinels, serves an agent now."""
    reason = _reason(error)
    unreachable = _unreachable(url, reason)
    if "certificate" in reason:
        return unreachable
    unreachable.message = f"{redacted(url)} does not serve this agent now: {redacted(reason)}"
    unreachable.args = (unreachable.message,)
    unreachable.hint = (
        getattr(error, "hint", None) or "try again; what was not acknowledged may not be stored"
    )
    return unreachable


def _without_replicas(url: str, error: Exception) -> StoreReadOnlyError:
    read_only = StoreReadOnlyError.server(url, _reason(error))
    read_only.hint = "start the replicas, or lower min-replicas-to-write of the server; nothing was written"
    return read_only


def _reason(error: Exception) -> str:
    """Return what the server says, without the command (and so the memory) that a pipeline's error repeats."""
    told = str(error).rpartition("caused error: ")[2]
    # The client writes the server's words as Python would.
    quoted = re.fullmatch(r"""\((['"])(.*)\1,\)""", told, re.DOTALL)
    return _SCRIPT.sub("", quoted[2] if quoted else told)


def _refused(url: str, error: Exception) -> BackendError:
    told = _reason(error)
    if isinstance(error, exceptions.NoPermissionError):
        return BackendError(
            f"{redacted(url)} refuses this to the user: {redacted(told.rstrip('.'))}",
            hint="let an administrator allow it: ACL SETUSER NAME ~{agentmem:* &* +@all -@dangerous +info +keys",
        )
    if told.startswith("HELLO must be called"):  # which is about how clients say it
        told = "it asks for a password"
    return BackendError(
        f"{redacted(url)} refuses this user: {redacted(told.rstrip('.'))}",
        hint="give user and password in the URL, or name a file with the password as backend_config.password_file",
    )


async def detect(client: Redis) -> Mode:
    """Ask the server what it can do. Its version says nothing: Valkey and managed servers name others."""
    if await _knows(client, "FT.SEARCH", "FT._LIST"):
        return "search"
    return "vector-sets" if await _knows(client, "VADD", "VCARD", "agentmem:none") else "plain"


async def _knows(client: Any, command: str, *harmless: str) -> bool:
    try:
        # One string: given as two words the client parses the answer itself, and fails on unknown commands.
        answer = await client.execute_command("COMMAND INFO", command)
    except (exceptions.NoPermissionError, exceptions.ResponseError):
        try:
            await client.execute_command(*harmless)
        except exceptions.ResponseError:
            return False
        return True
    known = next(iter(answer.values()), None) if isinstance(answer, dict) else (answer[0] if answer else None)
    return bool(known)
