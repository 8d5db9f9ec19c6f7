"""What an acknowledged write survives on this server, concluded from its settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from redis.exceptions import ResponseError

from agent_memory.storage.base import Durability

_CONFIGURED: Final = (
    *("appendonly", "appendfsync", "save", "maxmemory", "maxmemory-policy"),
    *("min-replicas-to-write", "min-replicas-max-lag", "cluster-node-timeout"),
)
_INFORMED: Final = ("role", "connected_slaves", "aof_last_write_status", "rdb_last_bgsave_status")
_LONG: Final = 5000
"""Milliseconds of `cluster-node-timeout` beyond which a failover takes longer than a command is tried again."""
_WITH_FILE: Final = {
    "always": "a crash of the server and a power cut",
    "everysec": "a crash of the server, and a power cut but for about the last two seconds",
    "no": "a crash of the server, and a power cut but for about the last half minute",
}
Told = Mapping[str, Any]
"""Settings by name; None where one cannot be read."""


async def read(client: Any) -> dict[str, Any]:
    """Return the settings that matter; None for those that the server does not show to this user."""
    pipe = client.pipeline(transaction=False)
    for section in ("replication", "persistence", "memory"):
        pipe.info(section)
    for name in _CONFIGURED:
        pipe.config_get(name)
    answers = await pipe.execute(raise_on_error=False)
    informed: dict[str, Any] = {}
    for answer in answers[:3]:
        if not isinstance(answer, ResponseError):
            informed |= answer
    told: dict[str, Any] = {name: informed.get(name) for name in _INFORMED}
    for name, answer in zip(_CONFIGURED, answers[3:], strict=True):
        told[name] = None if isinstance(answer, ResponseError) else _text(answer.get(name))
    # A managed server may forbid CONFIG; some of it stands elsewhere too.
    if told["appendonly"] is None and "aof_enabled" in informed:
        told["appendonly"] = "yes" if informed["aof_enabled"] else "no"
    for name in ("maxmemory", "maxmemory-policy"):
        if told[name] is None and name.replace("-", "_") in informed:
            told[name] = str(informed[name.replace("-", "_")])
    return told


def _text(value: Any) -> str | None:
    return value.decode() if isinstance(value, bytes) else value


def concluded(told: Told) -> Durability:
    """Conclude what an acknowledged write survives from what `read` returned."""
    disk = _on_disk(told)
    replicas = _on_replicas(told)
    return Durability(
        survives=f"{disk}; {replicas}",
        risks=(*_risks_of_disk(told), *_risks_of_replicas(told), *_risks_of_memory(told), *_unread(told)),
        settings=dict(told),
    )


def _on_disk(told: Told) -> str:
    if told["appendonly"] == "yes":
        return _WITH_FILE.get(
            told["appendfsync"], "a crash of the server; whether a power cut cannot be read"
        )
    if told["appendonly"] is None:
        return "what it survives on disk cannot be read"
    if told["save"] is None:
        return (
            "no crash for certain: there is no append-only file, and when snapshots are made cannot be read"
        )
    return (
        "a crash only from the next snapshot on"
        if told["save"]
        else "no crash of the server: nothing is on disk"
    )


def _on_replicas(told: Told) -> str:
    count, wanted = told["connected_slaves"], _number(told["min-replicas-to-write"])
    if count is None:
        return "whether there are replicas cannot be read"
    if not count:
        return "not the loss of the machine: no replica is connected"
    if wanted:
        lag = told["min-replicas-max-lag"]
        return f"a failover, but for what no replica had received yet when the primary was lost (at most {lag} s)"
    return "a failover to a replica only if one had received it"


def _risks_of_disk(told: Told) -> Iterator[str]:
    if told["appendonly"] == "no":
        yield "the server keeps no append-only file: `CONFIG SET appendonly yes` writes each write down"
    elif told["appendonly"] == "yes" and told["appendfsync"] == "everysec":
        yield "a power cut may take about two seconds of writes: `CONFIG SET appendfsync always` prevents that"
    elif told["appendonly"] == "yes" and told["appendfsync"] == "no":
        yield "a power cut may take half a minute of writes: `CONFIG SET appendfsync always` prevents that"
    if told["aof_last_write_status"] not in ("ok", None):
        yield "the last write to the append-only file failed: the server's log says why"


def _risks_of_replicas(told: Told) -> Iterator[str]:
    if told["connected_slaves"] and _number(told["min-replicas-to-write"]) == 0:
        yield (
            "writes are acknowledged while every replica is cut off, and a failover then loses them:"
            " `CONFIG SET min-replicas-to-write 1` refuses them instead"
        )
    timeout = _number(told["cluster-node-timeout"])
    if told.get("topology") == "cluster" and timeout is not None and timeout > _LONG:
        yield (
            f"a failover begins after {timeout / 1000:g} s, and callers see errors before:"
            f" `CONFIG SET cluster-node-timeout {_LONG}` on every node shortens it"
        )


def _risks_of_memory(told: Told) -> Iterator[str]:
    policy, most = told["maxmemory-policy"], _number(told["maxmemory"])
    if policy in (None, "noeviction"):
        return
    when = f"at {most:,} bytes" if most else "once maxmemory is set"
    which = "any memory" if str(policy).startswith("allkeys") else "short-term memories"
    yield f"the server throws away {which} {when}: `CONFIG SET maxmemory-policy noeviction` prevents that"


def _unread(told: Told) -> Iterator[str]:
    hidden = [name for name in _CONFIGURED[:6] if told[name] is None]
    if hidden:
        yield f"the server does not show {', '.join(hidden)} to this user: ask who runs it"


def _number(text: Any) -> int | None:
    return None if text is None else int(text)
