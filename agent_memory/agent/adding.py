"""Storing memories of any type."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from os import PathLike
from typing import TYPE_CHECKING, Any, NamedTuple, Unpack

from agent_memory.agent.types import MemoryTypes
from agent_memory.clock import Moment
from agent_memory.errors import ValidationError
from agent_memory.hints import Hint
from agent_memory.memories.arguments import shown
from agent_memory.memories.base import IMPORTANCE, Listing, TypeMemory, Words, store_items
from agent_memory.memories.batch import Batch
from agent_memory.memories.calling import checked
from agent_memory.memories.changes import OwnFields
from agent_memory.memories.further import AddFurther
from agent_memory.recall.pending import Progress
from agent_memory.records import MemoryType
from agent_memory.storage.changes import Written

if TYPE_CHECKING:
    from agent_memory.memories.documents.adding import StoredPaths
    from agent_memory.memories.documents.finding import Place
    from agent_memory.memories.shape import Added
    from agent_memory.text.files import FileText


class AddedFiles(NamedTuple):
    """What came of files that were stored."""

    texts: Listing[FileText]
    """The files that became, or would become, one memory each."""
    written: Listing[Written]
    """What came of each of them; empty in a dry run."""
    documents: StoredPaths | None = None
    """What came of files that are stored as documents."""


class Adding(MemoryTypes):
    """What stores memories of any type."""

    async def add(
        self,
        /,
        content: str,
        type: str | MemoryType = "fact",
        importance: float = IMPORTANCE,
        metadata: Mapping[str, Any] | None = None,
        ttl: timedelta | float | str | None = None,
        *,
        tags: Words = None,
        key: str | None = None,
        source: str | None = None,
        session: str | None = None,
        occurred_at: Moment | None = None,
        pinned: bool = False,
        force: bool = False,
        **fields: Unpack[OwnFields],
    ) -> str:
        """Store a text as a memory of any type and return its id.

        A document that is longer than what the embedding model reads whole is stored in chunks. With a `key` it is
        stored whole, as one memory.

        Args:
            content: the text, kept verbatim.
            type: the type's name or alias: note, fact, chat, event, doc, skill.
            importance: how much it matters, in [0, 1].
            metadata: any JSON values by name.
            ttl: how long it lives: a timedelta, seconds, or text such as `7d`.
            tags: words to find it by.
            key: a name for it, unique among the active memories of its type.
            source: where it comes from.
            session: which session or conversation it belongs to.
            occurred_at: when it happened, if not now.
            pinned: make it part of every brief, and keep it from decaying.
            force: store an exact duplicate as a memory of its own.
            fields: the type's own fields; the record of the type lists them (`agent_memory.records`).

        Returns:
            The memory's id; of a document in chunks the document's id, which stands for all of them.

        Raises:
            ValidationError: something cannot be stored; nothing was.
            ConfigurationError: there is no such type.
        """
        item: AddFurther = {
            "importance": importance,
            "metadata": metadata,
            "ttl": ttl,
            "tags": tags,
            "key": key,
            "source": source,
            "session": session,
            "occurred_at": occurred_at,
            "pinned": pinned,
            "force": force,
            **fields,
        }
        written = await self.add_detailed(content, type, **item)
        if len(written) == 1:
            return written[0].id
        return str(getattr(written[0].record, "document_id", written[0].id))

    async def add_detailed(
        self, /, content: str, type: str | MemoryType = "fact", **more: Unpack[AddFurther]
    ) -> Listing[Written]:
        """Store a text as `add` does, and say for each memory that it became what came of it.

        Args:
            content: the text, kept verbatim.
            type: as in `add`.
            more: further arguments of `add`.

        Returns:
            What came of the memory, or of each chunk of a document.

        Raises:
            ValidationError: something cannot be stored; nothing was.
        """
        memories = self.of(type)
        items = await memories._items_of({"content": content, **more})
        return await store_items(self._core, ((memories, item) for item in items))

    async def add_many(
        self, items: Iterable[Mapping[str, Any]], *, progress: Progress | None = None
    ) -> Listing[str]:
        """Store memories of several types in one transaction and return one id per item, in order.

        Each item is one memory, however long; `add` and `semantic.add_document` cut documents into chunks.

        Args:
            items: mappings with the arguments of a type's `add` by name, and the type's name or alias as `type`.
            progress: called with (done, total) as the texts are embedded.

        Returns:
            One id per item, in the order of the items.

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

    async def add_files(
        self,
        /,
        paths: Place | Iterable[Place] = (),
        type: str | MemoryType = "fact",
        *,
        glob: str | None = None,
        dry_run: bool = False,
        progress: Progress | None = None,
        **more: Unpack[AddFurther],
    ) -> AddedFiles:
        """Store the text of files as memories of one type.

        Files that are stored as documents are cut, and brought up to date if they are known, as by
        `semantic.add_paths`, which takes folders too. Of any other type each file becomes one memory, with its path
        as `source`.

        Args:
            paths: the files, one or several.
            type: the type's name or alias: note, fact, chat, event, doc, skill.
            glob: a pattern of further files, seen from the current folder; of documents as in `semantic.add_paths`.
            dry_run: only read the files, and say what would be stored.
            progress: called with (done, total) as files are read and as texts are embedded.
            more: further arguments of `add`, for each of the memories.

        Returns:
            What came of the files.

        Raises:
            ValidationError: a file cannot be read, or something cannot be stored; nothing was.
            ConfigurationError: there is no such type.
        """
        from agent_memory.text.files import read_files

        places = [paths] if isinstance(paths, str | PathLike) else list(paths)
        if MemoryType.parse(type) is MemoryType.SEMANTIC:
            further: dict[str, Any] = {**more}  # `add_paths` names what it does not take
            if further.pop("force", False):
                raise ValidationError(
                    "a file is stored once", hint=Hint("leave {FORCE} out, or {STORE_TEXT}")
                )
            stored = await self.semantic.add_paths(
                places, glob=glob, dry_run=dry_run, progress=progress, **further
            )
            return AddedFiles([], [], stored)
        texts = read_files(places, glob)
        items = [{"source": text.source, **more, "type": type, "content": text.text} for text in texts]
        return AddedFiles(texts, [] if dry_run else await self.add_many_detailed(items, progress=progress))

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

        Returns:
            What came of each object, in order, and the names whose values were left out.

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
