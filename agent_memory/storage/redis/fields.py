"""Reading the same of many keys by one script: a command for each takes the client longer to write and to read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from agent_memory.batching import batched

_AT_ONCE: Final = 2000
"""Keys of one script: a longer one would keep other clients waiting."""
_FIELDS: Final = """
local found = {}
for place, key in ipairs(KEYS) do found[place] = redis.call('HMGET', key, unpack(ARGV)) end
return found
"""
_LISTS: Final = """
local found = {}
for place, key in ipairs(KEYS) do found[place] = redis.call('LRANGE', key, 0, -1) end
return found
"""


async def of_hashes(client: Any, names: Sequence[str], *fields: str) -> list[list[bytes | None]]:
    """Return some fields of hashes; of a hash that is not there, each is None."""
    return await _read(client, _FIELDS, names, *fields)


async def of_lists(client: Any, names: Sequence[str]) -> list[list[bytes]]:
    """Return all entries of lists; those of one that is not there are none."""
    return await _read(client, _LISTS, names)


async def _read(client: Any, script: str, names: Sequence[str], *arguments: str) -> list[Any]:
    answers: list[Any] = []
    for part in batched(names, _AT_ONCE):
        answers += await client.eval(script, len(part), *part, *arguments)
    return answers
