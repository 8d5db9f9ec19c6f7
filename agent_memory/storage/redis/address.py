"""Reading the URL: one server, the nodes of a cluster, or the Sentinels that know a service."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from redis.asyncio.connection import URL_QUERY_ARGUMENT_PARSERS, Connection, parse_url
from redis.exceptions import RedisError

from agent_memory.errors import ConfigurationError
from agent_memory.redaction import redacted
from agent_memory.storage.redis.trusting import TlsConnection

Topology = Literal["single", "cluster", "sentinel"]
Node = tuple[str, int]
"""The host and the port of a server."""
_PORTS: Mapping[Topology, int] = {"single": 6379, "cluster": 6379, "sentinel": 26379}
_MOST_PORT: Final = 65535
_OPTIONS: Final = frozenset(URL_QUERY_ARGUMENT_PARSERS) | {"client_name", "username", "password"}
"""What may stand in the query, beside what begins as follows. How answers are read is the store's own business."""
_TLS_OPTIONS: Final = "ssl_"
_OF_SENTINELS: Final = frozenset({"sentinel_username", "sentinel_password"})
_EXAMPLES = "write redis://host:6379/0, redis+cluster://host:6379,host:6379 or redis+sentinel://host:26379,host/service"


@dataclass(frozen=True, slots=True)
class Address:
    """What a URL says."""

    topology: Topology
    nodes: tuple[Node, ...]
    """The servers, any nodes of the cluster, or the Sentinels; empty for a socket in the file system."""
    options: Mapping[str, Any]
    """What every connection is made with: user, password, TLS and what stands in the query."""
    service: str = ""
    """What the Sentinels call the servers that are asked for."""

    @property
    def tls(self) -> bool:
        """Whether the connections are encrypted."""
        return "connection_class" in self.options


def parse(url: str) -> Address:
    """Read a URL.

    Args:
        url: `redis://`, `rediss://` or `unix://`; the first two also with `+cluster` or `+sentinel`.

    Returns:
        What it says.

    Raises:
        ConfigurationError: it cannot be read.
    """
    scheme, _, rest = url.partition("://")
    base, _, kind = scheme.lower().partition("+")
    try:
        place = _socket(rest) if base == "unix" else _parse(base, kind, rest)
        _check_options(place)
        return place
    except ValueError as error:
        raise ConfigurationError(
            f"the URL {redacted(url)} cannot be read ({error})", hint=_EXAMPLES
        ) from error


def _socket(rest: str) -> Address:
    options = parse_url(f"unix://{rest}")
    if not options.get("path"):
        raise ValueError("it names no socket: write unix:///folder/redis.sock")
    return Address("single", (), {name: value for name, value in options.items() if name != "host"})


def _check_options(place: Address) -> None:
    """Refuse what no connection can be made with: the client would say so as a fault of the program."""
    named = {name: value for name, value in place.options.items() if name != "connection_class"}
    if place.topology == "sentinel":
        named = {name: value for name, value in named.items() if name not in _OF_SENTINELS}
    for name in named.keys() - _OPTIONS - {"path"}:
        if not name.startswith(_TLS_OPTIONS):
            raise ValueError(f"it has no option {name}")
    named.pop("max_connections", None)  # of all connections together
    try:
        place.options.get("connection_class", Connection)(**named)
    except TypeError as error:
        unknown = re.search(r"argument '(\w+)'", str(error))
        what = f"it has no option {unknown[1]}" if unknown else "one of its options has a wrong value"
        if unknown and unknown[1].startswith(_TLS_OPTIONS):
            what += " without TLS, which is rediss://"
        raise ValueError(what) from error
    except RedisError as error:
        raise ValueError(str(error)) from error


def _parse(base: str, kind: str, rest: str) -> Address:
    topology: Topology
    if kind == "":
        topology = "single"
    elif kind == "cluster":
        topology = "cluster"
    elif kind == "sentinel":
        topology = "sentinel"
    else:
        raise ValueError(f"{base}+{kind} is no kind of Redis")
    end = min((place for sign in "/?#" if (place := rest.find(sign)) >= 0), default=len(rest))
    user, at, hosts = rest[:end].rpartition("@")
    path, question, query = rest[end:].partition("?")
    service = ""
    if topology == "sentinel":
        service, _, path = path.lstrip("/").partition("/")
        if not service:
            raise ValueError("it names no service")
    if topology == "single" and "," in hosts:
        raise ValueError("several hosts are a cluster or Sentinels, and it does not say which")
    path = path.strip("/")
    if path and not (path.isascii() and path.isdecimal()):
        # The client would take the database 0.
        raise ValueError("a database is a number")
    # The client's own reading of all but the hosts, of which it knows only one.
    options = parse_url(f"{base}://{user}{at}host:1/{path}{question}{query}")
    if topology == "cluster" and options.get("db"):
        raise ValueError("a cluster has the database 0 only")
    if "connection_class" in options:
        options["connection_class"] = TlsConnection
    nodes = tuple(_node(text, _PORTS[topology]) for text in (hosts or "localhost").split(","))
    return Address(
        topology,
        nodes,
        {name: value for name, value in options.items() if name not in ("host", "port")},
        service,
    )


def _node(text: str, default: int) -> Node:
    text = text.strip()
    if text.startswith("["):  # IPv6
        host, _, port = text[1:].partition("]")
        port = port.removeprefix(":")
    else:
        host, _, port = text.partition(":")
    if port and not (port.isascii() and port.isdecimal() and 0 < int(port) <= _MOST_PORT):
        raise ValueError(f"a port is a number up to {_MOST_PORT}")
    return host or "localhost", int(port or default)


def shown(node: Node) -> str:
    """Return a node as people write it."""
    host, port = node
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
