"""Storing memories of any type."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from agent_memory.agent.types import MemoryTypes
from agent_memory.errors import ValidationError
from agent_memory.memories.arguments import shown
from agent_memory.memories.base import Listing, TypeMemory, store_items
from agent_memory.memories.batch import Batch
from agent_memory.memories.calling import checked
from agent_memory.recall.pending import Progress
from agent_memory.storage.changes import Written

if TYPE_CHECKING:
    from agent_memory.memories.shape import Added


class Adding(MemoryTypes):
    """What stores memories of any type."""

    async def add_many(
        self, items: Iterable[Mapping[str, Any]], *, progress: Progress | None = None
    ) -> Listing[str]:
        """Store memories of several types in one transaction and return one id per item, in order.

        Args:
            items: mappings with the arguments of a type's `add` by name, and the type's name or alias as `type`.
            progress: called with (done, total) as the texts are embedded.

        Raises:
            ValidationError: an item cannot be stored; the message says which, and nothing was stored.
        """
        return [written.id for written in await self.add_many_detailed(items, progress=progress)]

    async def add_many_detailed(
        self, items: Iterable[Mapping[str, Any]], *, progress: Progress | None = None
    ) -> Listing[Written]:
        """Store memories as `add_many` does, and say for each what came of it."""
        typed = (self._typed(item, number) for number, item in enumerate(items, 1))
        return await store_items(self._core, typed, progress)

    def _typed(self, item: Any, number: int) -> tuple[TypeMemory[Any], Mapping[str, Any]]:
        if not isinstance(item, Mapping):
            raise ValidationError(
                f"item {number} is {shown(item)}",
                hint='give a dict such as {"type": "fact", "content": "..."}',
            )
        return self.of(item.get("type", "fact")), {k: v for k, v in item.items() if k != "type"}

    async def add_objects(
        self,
        objects: Iterable[Mapping[str, Any]],
        defaults: Mapping[str, Any] | None = None,
        *,
        names: Sequence[str] | None = None,
        progress: Progress | None = None,
    ) -> Added:
        """Store memories in the shape in which they are printed, as `records.to_dict` gives it, in one transaction.

        Times, pins and all fields of the types are taken over; each is a new memory of this store, with an id of its
        own. `import_from` takes memories over with their ids and their history.

        Args:
            objects: with the names of `to_dict`; the shell's names (`text`, `tag`, `meta`, `at`) are read as
                well. None is not given. What a store says of a memory itself (`id`, `updated_at`, accesses) is left
                out.
            defaults: arguments of `add` for all of them, `type` among them; an object's own values win.
            names: what to call each in an error, such as `line 3`.
            progress: called with (done, total) as the texts are embedded.

        Raises:
            ValidationError: one has a name that no memory has, is archived, has ended, or cannot be stored; the
                message says which, and nothing was stored.
        """
        from agent_memory.memories.shape import Added, read_shapes, storing_order

        shaped = read_shapes(objects, defaults, names)
        order = storing_order([item.item for item in shaped])
        typed = [
            (self.of(item.item.get("type", "fact")), {k: v for k, v in item.item.items() if k != "type"})
            for item in shaped
        ]
        called = names or [f"item {number}" for number in range(1, len(shaped) + 1)]
        stored = await store_items(
            self._core,
            [typed[position] for position in order],
            progress,
            [called[position] for position in order],
        )
        written = dict(zip(order, stored, strict=True))
        dropped = frozenset[str]().union(*(item.dropped for item in shaped))
        return Added([written[position] for position in range(len(shaped))], dropped)

    @checked
    def batch(self) -> Batch:
        """Collect writes, and commit them as one transaction and one operation at the end of an `async with`.

        An exception within discards all of them; `undo` takes all of them back at once. Reads within see what was
        there before. An id that `add` returns within is that of a new memory: where one is known already at the end,
        that one keeps its own id, and the batch's `written` tells which. Only the task that entered it is in it, and
        tasks that it starts.

        Returns:
            A context manager, for one use.

        Raises:
            ConflictError: at its end, a memory was changed by somebody else meanwhile; nothing was stored.
            ValidationError: a batch is open already, or what was collected cannot be stored; nothing was.
            ClosedError: this memory was closed.
        """
        self._core.check_not_closed()
        return Batch(self._core)
