"""Vectors kept in this process once they were read, so that the next search need not read them again.

What stands under a key of `embedding` never changes: it is written once, and no key is used twice. So what is kept is
right as long as its key is one of the snapshot's, which the signs of that snapshot say (`binary_quantisation`). What
is no longer among them is forgotten as the signs are read anew, and all of it when this process erases a memory.

All stores of a process share one bound. The one that was used longest ago gives its vectors up first; one that alone
has more than there is room for keeps those that were read first.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakSet

from agent_memory.storage.sqlite.driver import Connection
from agent_memory.storage.sqlite.vectors import STORED, matrix, widened_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from agent_memory.vectors import Vector

BOUND: Final = 32_000_000
"""Bytes of vectors that a process keeps at most: 41,000 of 384 dimensions."""
_LEAST_ROWS: Final = 1024
_SEARCHES: Final = 4
_READ_AHEAD: Final = 4096
"""How many searches read only what they need, and how many vectors more each of the following reads: some 6 ms."""


class KeptVectors:
    """The vectors of one store that were read; one thread uses it, and any may empty it."""

    def __init__(self) -> None:
        self._table: _Table | None = None
        self._searches = 0
        self.last_use = 0
        """The number of its last use among those of all stores."""

    @property
    def size(self) -> int:
        """How many bytes are kept."""
        table = self._table
        return 0 if table is None else table.size

    def rows(
        self, connection: Connection, keys: Sequence[int] | NDArray[Any], dimension: int
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return the vectors under keys of `embedding` as rows of float32; one that is damaged, as zeros.

        Args:
            connection: where those are read that are not kept.
            keys: the keys; one that is not there is left out.
            dimension: that of their space.

        Returns:
            The keys, and their vectors in the same order.
        """
        import numpy as np

        table = self._table
        if table is None or table.dimension != dimension:
            table = _Table(dimension)
        wanted = np.asarray(keys, np.int64)
        places = table.places_of(wanted)
        lacking = places < 0
        if not lacking.any():
            _bound.note_use(self)
            return wanted, widened_rows(table.numbers[places])
        missing = wanted[lacking]
        read = _read(connection, missing.tolist())
        fresh = matrix([row[2] for row in read], [row[1] for row in read], dimension)
        if len(read) == len(wanted):
            result, present = fresh, wanted
        else:
            there = ~lacking
            there[lacking] = np.isin(missing, [row[0] for row in read])
            present, lacking = wanted[there], lacking[there]
            result = np.empty((len(present), dimension), "<f4")
            result[~lacking] = widened_rows(table.numbers[places[places >= 0]])
            result[lacking] = fresh.reshape(-1, dimension)
        self._keep(table, read, fresh)
        return present, result

    def read_ahead(self, connection: Connection, keys: NDArray[Any], dimension: int) -> None:
        """Read some of a store's vectors that are not kept, where it is searched often and all of them have room."""
        table = self._table
        if table is None or self._searches < _SEARCHES or len(keys) * 2 * dimension > BOUND:
            self._searches += 1
        elif len(table.keys) < len(keys):
            self.rows(connection, keys[table.places_of(keys) < 0][:_READ_AHEAD], dimension)

    def by_memory(
        self, connection: Connection, keys: Mapping[str, Sequence[int]], dimension: int
    ) -> dict[str, list[Vector]]:
        """Return the vectors of memories, whose keys are given by the memory's id, as float32."""
        wanted = list(dict.fromkeys(key for of_memory in keys.values() for key in of_memory))
        if not wanted:
            return {}
        present, numbers = self.rows(connection, wanted, dimension)
        by_key = {key: row.tobytes() for key, row in zip(present.tolist(), numbers, strict=True)}
        return {
            memory_id: [by_key[key] for key in of_memory if key in by_key]
            for memory_id, of_memory in keys.items()
        }

    def _keep(self, table: _Table, read: Sequence[tuple[int, str, bytes]], fresh: NDArray[Any]) -> None:
        """Keep what was read, as far as there is room; not what is damaged or of an earlier form."""
        import numpy as np

        whole = np.any(fresh, axis=1)
        sound = [place for place, row in enumerate(read) if whole[place] and row[1] == STORED]
        row = 2 * table.dimension
        most = _bound.room(self, row * (len(table.keys) + len(sound))) // row
        del sound[max(0, most - len(table.keys)) :]
        if sound:
            table.add(np.array([read[place][0] for place in sound], np.int64), fresh[sound], most)
        _bound.note_use(self)
        self._table = table

    def keep_only(self, keys: NDArray[Any]) -> None:
        """Forget the vectors under other keys: of memories that are archived or erased, or of another space."""
        if self._table is not None:
            self._table = self._table.among(keys)

    def clear(self) -> None:
        """Forget all of them."""
        self._table = None


class _Table:
    """Numbers in half precision, and in which row those of a key are."""

    def __init__(self, dimension: int) -> None:
        import numpy as np

        self.dimension = dimension
        self.keys: NDArray[Any] = np.empty(0, np.int64)
        """In ascending order."""
        self.places: NDArray[Any] = np.empty(0, np.int64)
        """The row of each key."""
        self.numbers: NDArray[Any] = np.empty((0, dimension), "<f2")

    @property
    def size(self) -> int:
        """Bytes that it takes."""
        return int(self.numbers.nbytes)

    def places_of(self, keys: NDArray[Any]) -> NDArray[Any]:
        """Return the row of each key; -1 for one that is not there."""
        import numpy as np

        if not len(self.keys):
            return np.full(len(keys), -1)
        at = np.searchsorted(self.keys, keys)
        at[at == len(self.keys)] = 0
        places: NDArray[Any] = np.where(self.keys[at] == keys, self.places[at], -1)
        return places

    def add(self, keys: NDArray[Any], rows: NDArray[Any], most: int) -> None:
        """Add rows under keys that are not there, `most` rows in all; float32 made of float16 loses nothing."""
        import numpy as np

        begin, end = len(self.keys), len(self.keys) + len(keys)
        if end > len(self.numbers):
            larger = np.empty(
                (min(most, max(end, 2 * len(self.numbers), _LEAST_ROWS)), self.dimension), "<f2"
            )
            larger[:begin] = self.numbers[:begin]
            self.numbers = larger
        self.numbers[begin:end] = rows
        order = np.argsort(keys)
        at = np.searchsorted(self.keys, keys[order])
        self.keys = np.insert(self.keys, at, keys[order])
        self.places = np.insert(self.places, at, begin + order)

    def among(self, keys: NDArray[Any]) -> _Table | None:
        """Return a table of some of the keys only; None of none."""
        import numpy as np

        kept = np.isin(self.keys, keys)
        if kept.all():
            return self
        smaller = _Table(self.dimension)
        smaller.keys = self.keys[kept]
        smaller.places = np.arange(len(smaller.keys))
        smaller.numbers = self.numbers[self.places[kept]]
        return smaller if len(smaller.keys) else None


class _Bound:
    """What all stores of the process keep together."""

    def __init__(self) -> None:
        self._stores: WeakSet[KeptVectors] = WeakSet()
        self._uses = 0
        self.begin()

    def begin(self) -> None:
        """Make the lock; again in a forked child, where somebody who is not there may hold the old one."""
        self._lock = threading.Lock()

    def note_use(self, store: KeptVectors) -> None:
        """Note that a store was used just now."""
        self._uses += 1
        store.last_use = self._uses

    def room(self, store: KeptVectors, wanted: int) -> int:
        """Return how many bytes a store may have if it wants so many; others give up theirs, the least used first."""
        with self._lock:
            self._stores.add(store)
            others = sorted(
                (other for other in self._stores if other is not store and other.size),
                key=lambda other: -other.last_use,
            )
            taken = sum(other.size for other in others)
            while others and taken + wanted > BOUND:
                last = others.pop()
                taken -= last.size
                last.clear()
            return BOUND - taken


def _read(connection: Connection, keys: Sequence[int]) -> list[tuple[int, str, bytes]]:
    rows: list[tuple[int, str, bytes]] = connection.execute(
        "select embedding.id, embedding.dtype, embedding.vector from json_each(?) as wanted"
        " cross join embedding on embedding.id = wanted.value",
        (json.dumps(keys),),
    ).fetchall()
    return rows


_bound = _Bound()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_bound.begin)
