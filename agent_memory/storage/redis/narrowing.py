"""Which ids a query may be about: the smallest of the sets that it names, less what the others refuse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any, Final, NamedTuple

from agent_memory.records import MemoryType, Status
from agent_memory.roles import SPELLINGS
from agent_memory.storage.documents import Query
from agent_memory.storage.documents.values import instant
from agent_memory.storage.redis.keys import INDEXED, Keys
from agent_memory.storage.where import Where

_SYSTEM: Final = frozenset(SPELLINGS["system"])
_IN_SETS: Final = frozenset(
    {
        "types",
        "tags_any",
        "tags_all",
        "keys",
        "sources",
        "sessions",
        "statuses",
        "pinned",
        "fields",
        "expired",
    }
)
"""Filters that `groups` knows; of any other it knows nothing, and says that the sets are not all."""
_NOT_IN_SETS: Final = {item.name: item.default for item in fields(Where) if item.name not in _IN_SETS}


ADMITTED: Final = """
local function admitted(ids, at)
  local now, expires, place, left = tonumber(ARGV[at]), ARGV[at + 1], at + 3, ids
  for _ = 1, tonumber(ARGV[at + 2]) do
    local size = tonumber(ARGV[place])
    local members, kept = {}, {}
    for name = place + 1, place + size do
      for start = 1, #left, 4000 do
        local last = math.min(start + 3999, #left)
        for offset, flag in ipairs(redis.call('SMISMEMBER', ARGV[name], unpack(left, start, last))) do
          if flag == 1 then members[start + offset - 1] = true end
        end
      end
    end
    for number, id in ipairs(left) do
      if members[number] then kept[#kept + 1] = id end
    end
    left, place = kept, place + size + 1
  end
  local live = {}
  for start = 1, #left, 4000 do
    local last = math.min(start + 3999, #left)
    for offset, ends in ipairs(redis.call('ZMSCORE', expires, unpack(left, start, last))) do
      if not ends or tonumber(ends) > now then live[#live + 1] = left[start + offset - 1] end
    end
  end
  return live
end
"""
"""A function of a script: returns those of the ids that `rule`, written from `ARGV[at]` on, admits, in order."""


class Narrowed(NamedTuple):
    """A query as sets: a wanted memory is in one set of every group."""

    groups: Sequence[Sequence[str]]
    exact: bool
    """Whether the groups say all that the query says, but for what has expired."""


def groups(keys: Keys, query: Query) -> Narrowed:
    """Write a query as groups of sets."""
    where = query.where
    result: list[list[str]] = []
    exact = query.pending_in is None and where.pinned is not False
    exact = exact and all(getattr(where, name) == default for name, default in _NOT_IN_SETS.items())
    for name, values in (
        ("content", [text_hash.hex() for text_hash in query.content_hashes]),
        ("text", [text_hash.hex() for text_hash in query.embedding_hashes]),
        ("key", where.keys),
        ("source", where.sources),
        ("session", where.sessions),
        ("tag", where.tags_any),
        ("type", [item.value for item in where.types]),
    ):
        if values:
            result.append([keys(name, value) for value in dict.fromkeys(values)])
    result += [[keys("tag", tag)] for tag in where.tags_all]
    if where.pinned:
        result.append([keys("pinned")])
    for condition in where.fields:
        if condition.operator == "=" and condition.name in INDEXED and isinstance(condition.value, str):
            result.append([keys("field", condition.name, condition.value)])
        else:
            exact = False
    result.append([keys("status", status.value) for status in where.statuses or tuple(Status)])
    return Narrowed(result, exact)


def conversation_of(where: Where) -> str | None:
    """Return the conversation that a filter for messages is about."""
    if where.types != (MemoryType.CONVERSATION,):
        return None
    return next(
        (
            field_.value
            for field_ in where.fields
            if field_.name == "conversation_id" and field_.operator == "=" and isinstance(field_.value, str)
        ),
        None,
    )


def asks_for_system_messages(where: Where) -> bool:
    """Return whether a filter is about the system messages of one conversation."""
    return conversation_of(where) is not None and any(
        field_.name == "role" and field_.operator == "in" and set(field_.value) <= _SYSTEM
        for field_ in where.fields
    )


async def candidates(client: Any, keys: Keys, query: Query, *, renewed: bool = False) -> list[str]:
    """Return the ids that a query may be about, in the order in which they were stored or none.

    With `renewed`, all that an earlier version stored is in all sets that it belongs to now.
    """
    where = query.where
    if where.ids is not None:
        return list(dict.fromkeys(where.ids))
    conversation = conversation_of(where)
    if conversation is not None and renewed and asks_for_system_messages(where):
        return _texts(list(await client.smembers(keys.system_messages(conversation))))
    if conversation is not None:
        return _texts(await client.zrange(keys("conversation", conversation), 0, -1))
    narrowed = groups(keys, query).groups
    sizes = await _sizes(client, narrowed)
    smallest = min(range(len(narrowed)), key=sizes.__getitem__)
    if sizes[smallest] == 0:
        return []
    ids = list(await client.sunion(list(narrowed[smallest])))
    for position, group in enumerate(narrowed):
        if position != smallest and ids:
            ids = await _members(client, group, ids)
    return _texts(ids)


async def at_most(client: Any, keys: Keys, query: Query) -> int:
    """Return how many ids `candidates` would look at."""
    return min(await _sizes(client, groups(keys, query).groups))


async def _sizes(client: Any, narrowed: Sequence[Sequence[str]]) -> list[int]:
    pipe = client.pipeline(transaction=False)
    for group in narrowed:
        for name in group:
            pipe.scard(name)
    counts = iter(await pipe.execute())
    return [sum(next(counts) for _ in group) for group in narrowed]


async def admitted(client: Any, keys: Keys, query: Query, ids: Sequence[str]) -> list[str] | None:
    """Return those of the ids that a query admits, by the sets alone; None where they do not say it all."""
    narrowed = groups(keys, query)
    if not narrowed.exact or query.where.expired is not False or not ids:
        return None if ids else []
    left: list[bytes] = [memory_id.encode() for memory_id in ids]
    for group in narrowed.groups:
        left = await _members(client, group, left) if left else []
    if not left:
        return []
    ends = await client.zmscore(keys("expires"), left)
    now = instant(query.now)
    return [item.decode() for item, end in zip(left, ends, strict=True) if end is None or end > now]


def rule(keys: Keys, query: Query, *further: str) -> list[str | int] | None:
    """Write as arguments for `ADMITTED` what a query admits; None where the sets alone do not say it all.

    Args:
        keys: the agent's keys.
        query: the query.
        further: sets in each of which a memory has to be as well.

    Returns:
        The arguments, or None.
    """
    narrowed = groups(keys, query)
    if not narrowed.exact or query.where.expired is not False:
        return None
    sets = [*narrowed.groups, *([name] for name in further)]
    written: list[str | int] = [instant(query.now), keys("expires"), len(sets)]
    for group in sets:
        written += [len(group), *group]
    return written


async def _members(client: Any, group: Sequence[str], ids: Sequence[bytes]) -> list[bytes]:
    """Return those of the ids that are in one set of a group."""
    pipe = client.pipeline(transaction=False)
    for name in group:
        pipe.smismember(name, list(ids))
    answers = await pipe.execute()
    return [item for item, *flags in zip(ids, *answers, strict=True) if any(flags)]


async def counted(client: Any, keys: Keys, query: Query) -> int | None:
    """Count what a query admits by the sets alone; None where they do not say it all."""
    narrowed = groups(keys, query)
    where = query.where
    if not narrowed.exact or where.expired is True or any(len(group) != 1 for group in narrowed.groups):
        return None
    names = list(dict.fromkeys(group[0] for group in narrowed.groups))
    total = await client.scard(names[0]) if len(names) == 1 else len(await client.sinter(names))
    # What may have vanished by itself, its time being over, is in the sets still.
    over = await client.zrangebyscore(keys("expires"), "-inf", instant(query.now))
    if over:
        for name in names:
            over = await _members(client, [name], over) if over else []
    if where.expired is None and over:
        return None
    return int(total) - len(over)


def _texts(ids: Sequence[bytes]) -> list[str]:
    return [memory_id.decode() for memory_id in ids]
