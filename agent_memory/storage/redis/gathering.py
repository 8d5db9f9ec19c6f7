"""One command for many members: what a write puts into a key, or takes out of it, is gathered and sent at once.

Each command of a transaction costs the client two answers, and a batch of 500 memories puts 500 members into the same
few keys.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from agent_memory.batching import batched

_AT_ONCE: Final = 5000
"""Members of one command; the server refuses a command of a million words."""
_GONE: Final = object()
Members = dict[Any, Any]
"""By member or field: its score or value; `_GONE` for one that is taken out."""


class Gathering:
    """A pipeline whose commands for members of a key wait for `flush`; all others go into it as they come.

    What was said last of a member counts. So nothing may be gathered for a key that another command of the same
    transaction deletes.
    """

    def __init__(self, pipe: Any) -> None:
        self._pipe = pipe
        self._sets: dict[str, Members] = {}
        self._sorted: dict[str, Members] = {}
        self._hashes: dict[str, Members] = {}
        self._lists: dict[str, list[str | int]] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pipe, name)

    def sadd(self, name: str, member: str) -> None:
        """Put a member into a set."""
        self._sets.setdefault(name, {})[member] = None

    def srem(self, name: str, member: str) -> None:
        """Take a member out of a set."""
        self._sets.setdefault(name, {})[member] = _GONE

    def zadd(self, name: str, mapping: Mapping[str, float]) -> None:
        """Put members into a sorted set, each with its score."""
        self._sorted.setdefault(name, {}).update(mapping)

    def zrem(self, name: str, *members: str) -> None:
        """Take members out of a sorted set."""
        self._sorted.setdefault(name, {}).update(dict.fromkeys(members, _GONE))

    def put_field(self, name: str, field: str | int, value: str | int) -> None:
        """Set a field of a hash."""
        self._hashes.setdefault(name, {})[field] = value

    def drop_field(self, name: str, field: str | int) -> None:
        """Take a field out of a hash."""
        self._hashes.setdefault(name, {})[field] = _GONE

    def rpush(self, name: str, value: str | int) -> None:
        """Append a value to a list."""
        self._lists.setdefault(name, []).append(value)

    def flush(self) -> None:
        """Put what was gathered into the pipeline."""
        pipe = self._pipe
        for name, gone, there in _parted(self._sets):
            _each(pipe.srem, name, gone)
            _each(pipe.sadd, name, there)
        for name, gone, there in _parted(self._sorted):
            _each(pipe.zrem, name, gone)
            for part in batched(list(there.items()), _AT_ONCE):
                pipe.zadd(name, dict(part))
        for name, gone, there in _parted(self._hashes):
            _each(pipe.hdel, name, gone)
            for part in batched(list(there.items()), _AT_ONCE):
                pipe.hset(name, mapping=dict(part))
        for name, values in self._lists.items():
            _each(pipe.rpush, name, values)
        for gathered in (self._sets, self._sorted, self._hashes, self._lists):
            gathered.clear()


def _each(command: Any, name: str, members: Iterable[Any]) -> None:
    for part in batched(list(members), _AT_ONCE):
        command(name, *part)


def _parted(gathered: Mapping[str, Members]) -> Iterator[tuple[str, list[Any], Members]]:
    """Give for each key the members that go, and those that come."""
    for name, members in gathered.items():
        there = {member: value for member, value in members.items() if value is not _GONE}
        yield name, [member for member in members if member not in there], there
