"""A cluster of three primaries with a replica each, and a primary with a replica that Sentinels watch."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Self

import redis
from redis.crc import key_slot

from servers.ports import free_port
from servers.redis import RedisServer
from servers.server import Server

_SECONDS = 30.0
NODE_TIMEOUT = 1500
"""Milliseconds after which a silent node counts as failed."""
_QUICK = ("--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1", "--repl-timeout", "5")
_NODE = (
    *("--cluster-enabled", "yes", "--cluster-node-timeout", str(NODE_TIMEOUT), *_QUICK),
    *("--cluster-config-file", "nodes.conf", "--cluster-allow-replica-migration", "no"),
)
Make = Callable[..., RedisServer]
"""Makes a server of a kind with further arguments."""


def until(holds: Callable[[], bool], what: str, seconds: float = _SECONDS) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            if holds():
                return
        except redis.RedisError:
            pass
        if time.monotonic() > deadline:
            raise RuntimeError(f"{what} takes longer than {seconds:.0f} seconds")
        time.sleep(0.02)


def _secret(options: Mapping[str, Any]) -> Sequence[str]:
    return ("--masterauth", options["password"]) if options.get("password") else ()


def _how(server: RedisServer) -> tuple[str, str]:
    """Return what the URL of a server begins with and, with TLS, ends with."""
    if server.authority is None:
        return "redis", ""
    return "rediss", f"?ssl_ca_certs={server.authority.file}"


class RedisCluster(Server):
    """Six nodes; the first three begin as primaries, and each has the one three places behind it as its replica.

    Without replicas there are three.
    """

    def __init__(self, make: Make, *, replicas: bool = True, **options: Any) -> None:
        self.buses = [free_port() for _ in range(6 if replicas else 3)]
        self._by_id: dict[str, RedisServer] = {}
        self.nodes = [
            make(*_NODE, *_secret(options), "--cluster-port", str(bus), **options) for bus in self.buses
        ]

    @property
    def url(self) -> str:
        """Where two of the nodes listen."""
        hosts = ",".join(f"127.0.0.1:{node.port}" for node in self.nodes[:2])
        scheme, trusted = _how(self.nodes[0])
        return f"{scheme}+cluster://{self._user}{hosts}{trusted}"

    @property
    def _user(self) -> str:
        password = self.nodes[0].password
        return f":{password}@" if password else ""

    def plain_url(self, node: RedisServer) -> str:
        """Return the URL of one node, which does not say that it belongs to a cluster."""
        scheme, trusted = _how(node)
        return f"{scheme}://{self._user}127.0.0.1:{node.port}{trusted}"

    def start(self) -> Self:
        """Start all nodes and wait until they are one cluster."""
        for node in self.nodes:
            node.start()
        self._join()
        return self

    def _join(self) -> None:
        with self._clients() as clients:
            for number, (first, last) in enumerate(((0, 5460), (5461, 10922), (10923, 16383))):
                clients[number].execute_command("CLUSTER ADDSLOTSRANGE", first, last)
                clients[number].execute_command("CLUSTER SET-CONFIG-EPOCH", number + 1)
            for client in clients[1:]:
                client.execute_command("CLUSTER MEET", "127.0.0.1", self.nodes[0].port, self.buses[0])
            until(lambda: all(len(_known(client)) == len(clients) for client in clients), "meeting")
            ids = [client.execute_command("CLUSTER MYID") for client in clients]
            self._by_id = dict(zip(ids, self.nodes, strict=True))
            for number in range(3, len(clients)):
                clients[number].execute_command("CLUSTER REPLICATE", ids[number - 3])
            until(self.whole, "forming a cluster")

    def whole(self) -> bool:
        """Return whether all nodes see all slots served, and every replica has caught up."""
        with self._clients() as clients:
            return all(
                client.execute_command("CLUSTER INFO")["cluster_state"] == "ok" and _in_step(client)
                for client in clients
            )

    @contextmanager
    def _clients(self) -> Iterator[list[redis.Redis]]:
        with ExitStack() as stack:
            yield [stack.enter_context(node.client()) for node in self.nodes]

    def owner(self, root: str, without: RedisServer | None = None) -> RedisServer:
        """Return the primary of what begins so, without asking one of the nodes."""
        slot = key_slot(root.encode())
        for node in self.nodes:
            if node is without:
                continue
            try:
                with node.client() as client:
                    for first, last, primary in _slots(client):
                        if first <= slot <= last:
                            return self._by_id[primary]
            except redis.ConnectionError:
                continue
        raise RuntimeError(f"nobody serves slot {slot}")

    def other_primary(self, node: RedisServer) -> RedisServer:
        """Return a primary other than this one."""
        with node.client() as client:
            owners = [self._by_id[primary] for _, _, primary in _slots(client)]
        return next(item for item in self.nodes if item in owners and item is not node)

    def move(self, root: str, pause: float = 0.0) -> RedisServer:
        """Move the slot of what begins so to another primary, key by key, and return that."""
        slot, source = key_slot(root.encode()), self.owner(root)
        target = self.other_primary(source)
        with source.client() as old, target.client() as new:
            old_id, new_id = (client.execute_command("CLUSTER MYID") for client in (old, new))
            new.execute_command("CLUSTER SETSLOT", slot, "IMPORTING", old_id)
            old.execute_command("CLUSTER SETSLOT", slot, "MIGRATING", new_id)
            secret = ("AUTH", source.password) if source.password else ()
            while keys := old.execute_command("CLUSTER GETKEYSINSLOT", slot, 20):
                old.execute_command("MIGRATE", "127.0.0.1", target.port, "", 0, 5000, *secret, "KEYS", *keys)
                time.sleep(pause)
            for client in (new, old):
                client.execute_command("CLUSTER SETSLOT", slot, "NODE", new_id)
        return target

    def flush(self) -> None:
        """Forget everything, on the primaries."""
        with self._clients() as clients:
            for client in clients:
                if client.role()[0] == "master":
                    client.flushall()

    def stop(self) -> None:
        """Stop all nodes."""
        for node in self.nodes:
            node.stop()


def _known(client: redis.Redis) -> list[str]:
    answer = client.execute_command("CLUSTER NODES")
    return [item for item, told in answer.items() if "handshake" not in told["flags"]]


def _slots(client: redis.Redis) -> list[tuple[int, int, str]]:
    """Return the ranges of slots, each with the id of its primary."""
    answer: Any = client.execute_command("CLUSTER SLOTS")
    return [(first, last, primary[2]) for first, last, primary, *_ in answer]


def _in_step(client: redis.Redis) -> bool:
    role = client.role()
    return role[0] == "master" or role[3] == "connected"


class SentinelSet(Server):
    """A primary and its replicas, and three Sentinels."""

    service = "memories"

    def __init__(self, make: Make, *, replicas: int = 1, **options: Any) -> None:
        self.servers = [make(*_QUICK, *_secret(options), **options) for _ in range(replicas + 1)]
        self._sentinels: list[RedisServer] = []

    @property
    def url(self) -> str:
        """Where the Sentinels listen."""
        password = self.servers[0].password
        hosts = ",".join(f"127.0.0.1:{sentinel.port}" for sentinel in self._sentinels)
        scheme, trusted = _how(self.servers[0])
        return f"{scheme}+sentinel://{f':{password}@' if password else ''}{hosts}/{self.service}{trusted}"

    def start(self) -> Self:
        """Start all servers and wait until the Sentinels know each other."""
        first, *others = self.servers
        first.start()
        for server in others:
            server.start()
            with server.client() as client:
                client.replicaof("127.0.0.1", first.port)  # type: ignore[arg-type]
        until(lambda: self._told(first)["connected_slaves"] == len(others), "replication")
        for _ in range(3):
            sentinel = SentinelServer(first, self.service)
            self._sentinels.append(sentinel)
            sentinel.start()
        until(self._watched, "Sentinels finding each other")
        return self

    def _told(self, server: RedisServer) -> dict[str, Any]:
        with server.client() as client:
            told: dict[str, Any] = client.info("replication")
            return told

    def _watched(self) -> bool:
        for sentinel in self._sentinels:
            with sentinel.client() as client:
                (state,) = client.sentinel_masters().values()
                if (state["num-other-sentinels"], state["num-slaves"]) != (2, len(self.servers) - 1):
                    return False
        return True

    def primary(self) -> RedisServer:
        """Return the server that the Sentinels call the primary."""
        with self._sentinels[0].client() as client:
            _, port = client.sentinel_get_master_addr_by_name(self.service)
        return next(server for server in self.servers if server.port == port)

    def flush(self) -> None:
        """Forget everything."""
        self.primary().flush()

    def stop(self) -> None:
        """Stop all servers."""
        for server in (*self._sentinels, *self.servers):
            server.stop()


class SentinelServer(RedisServer):
    """One Sentinel."""

    def __init__(self, watched: RedisServer, service: str) -> None:
        super().__init__(watched.program, authority=watched.authority)
        listening = "".join(f"{name} {value}\n" for name, value in self._listening())
        file = Path(self._folder) / "sentinel.conf"
        secret = f"sentinel auth-pass {service} {watched.password}\n" if watched.password else ""
        file.write_text(
            f"{listening}bind 127.0.0.1\ndir {self._folder}\n"
            f"sentinel monitor {service} 127.0.0.1 {watched.port} 2\n{secret}"
            f"sentinel down-after-milliseconds {service} {NODE_TIMEOUT}\n"
            f"sentinel failover-timeout {service} 4000\n"
        )
        self._command = ["redis-server", str(file), "--sentinel"]
