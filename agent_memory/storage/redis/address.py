"""Reading the URL: one server, the nodes of a cluster, or the Sentinels that know a service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from redis.asyncio.connection import parse_url

from agent_memory.errors import ConfigurationError
from agent_memory.redaction import redacted

Topology = Literal["single", "cluster", "sentinel"]
Node = tuple[str, int]
"""The host and the port of a server."""
_PORTS: Mapping[Topology, int] = {"single": 6379, "cluster": 6379, "sentinel": 26379}
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
        if base == "unix":
            return Address("single", (), parse_url(url))
        return _parse(base, kind, rest)
    except ValueError as error:
        raise ConfigurationError(
            f"the URL {redacted(url)} cannot be read ({error})", hint=_EXAMPLES
        ) from error


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
    # The client's own reading of all but the hosts, of which it knows only one.
    options = parse_url(f"{base}://{user}{at}host:1/{path.strip('/')}{question}{query}")
    if topology == "cluster" and options.get("db"):
        raise ValueError("a cluster has the database 0 only")
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
    if port and not port.isdecimal():
        raise ValueError("a port is a number")
    return host or "localhost", int(port or default)


def shown(node: Node) -> str:
    """Return a node as people write it."""
    host, port = node
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
