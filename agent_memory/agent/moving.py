"""Moving memories: to a file, from a file, and to another store."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, BinaryIO, Unpack

from agent_memory.agent.types import MemoryTypes
from agent_memory.memories.filters import Filters, build_where
from agent_memory.recall.pending import Progress
from agent_memory.storage.base import Store
from agent_memory.storage.registry import create_store

if TYPE_CHECKING:
    from os import PathLike

    from agent_memory.transfer.deciding import OnConflict
    from agent_memory.transfer.files import FileStream
    from agent_memory.transfer.moving import Exported, Moved


class Moving(MemoryTypes):
    """What moves memories out of a store and into one."""

    async def export_to(
        self,
        file: str | PathLike[str] | BinaryIO,
        *,
        history: bool = False,
        usage: bool = False,
        with_vectors: bool = False,
        progress: Progress | None = None,
        **filters: Unpack[Filters],
    ) -> Exported:
        """Write all memories to a file, archived and expired ones too: a line of JSON each, ordered by id.

        The same memories give the same bytes, whatever backend keeps them. What was taken out is noted by its id.

        Args:
            file: a path, whose file is replaced once the new one is whole, or a file open in binary mode.
            history: all versions too, also of what was purged.
            usage: when and how often each was accessed, too.
            with_vectors: their vectors too, in half precision.
            progress: called with (done, total).
            filters: only memories that fit, as in `search`; what was taken out is not noted then.

        Returns:
            What was written.

        Raises:
            CapabilityError: the backend keeps no history, or no vectors.
            BackendError: the store did not give all that it counts; no file was written.
        """
        from agent_memory.transfer import moving
        from agent_memory.transfer.stream import Parts

        where = build_where(**filters, status=None, expired=None)
        parts = Parts(history=history, usage=usage, vectors=with_vectors)
        return await moving.export(self._core.store, file, parts, where, progress)

    async def import_from(
        self,
        file: str | PathLike[str] | BinaryIO | FileStream,
        *,
        on_conflict: OnConflict = "refuse",
        dry_run: bool = False,
        progress: Progress | None = None,
    ) -> Moved:
        """Import what `export_to` wrote: ids, versions, times, tags, and whatever else is in the file.

        What is here already stays as it is, so a second run changes nothing, and a stopped one is run again.
        Nothing is ever deleted. The embedder of the file is used from then on where there was none.

        Args:
            file: a path, a file open in binary mode, or a `FileStream` that was checked already.
            on_conflict: where a memory is here in another version, was taken out here, or has a key that another one
                has here: `refuse` writes nothing at all, `keep` leaves those memories out, `replace` takes them (the
                version here stays in history; the other holder of the key is archived).
            dry_run: only say what would be done.
            progress: called with (done, total).

        Returns:
            What was taken over, or would be.

        Raises:
            IntegrityError: the file is not whole, or of a version that is not known; nothing was written.
            ValidationError: there are conflicts; nothing was written.
        """
        from agent_memory.transfer import moving

        self._core.check_no_batch("import")
        return await moving.import_(
            self._core.store, file, on_conflict=on_conflict, dry_run=dry_run, who=self._who, progress=progress
        )

    async def migrate_to(
        self,
        target: Store | str,
        backend_config: Mapping[str, Any] | None = None,
        *,
        on_conflict: OnConflict = "refuse",
        switch: bool = False,
        dry_run: bool = False,
        progress: Progress | None = None,
    ) -> Moved:
        """Copy everything into another store, and compare both afterwards. This one is only read.

        With ids, times, tags, history, accesses, archived memories and vectors; what the other backend cannot keep is
        told in `notices`. A second run changes nothing, and a stopped one is run again.

        With `switch`, the agent may be in use: what is written meanwhile comes along, what is taken out meanwhile
        is taken out there, and in the end this store refuses writes of every process with a StoreReadOnlyError that
        says where the agent is. For a moment before that, `refused_seconds`, it is written to nowhere. Nothing is
        deleted here, and `reopen` takes it back. Accesses that are counted meanwhile stay behind.

        Args:
            target: a store, opened and closed here, or a backend's name or URL, for which it is made.
            backend_config: the options of that backend.
            on_conflict: as in `import_from`.
            switch: move an agent that is in use, and refuse writes here afterwards.
            dry_run: as in `import_from`.
            progress: called with (done, total).

        Returns:
            What was copied, or would be.

        Raises:
            ValidationError: there are conflicts, and nothing was written; the agent was moved elsewhere before; or
                the backend that is named keeps its memories in this process alone.
            IntegrityError: afterwards both do not hold the same.
            StoreReadOnlyError: the agent was moved away from the other store before.
            CapabilityError: this store cannot refuse writes, which `switch` asks for.
        """
        from agent_memory.transfer import moving, places, switching

        if isinstance(target, str) and not dry_run:
            places.check_lasting(target)
        store = (
            target
            if isinstance(target, Store)
            else create_store(target, self.agent_id, dict(backend_config or {}))
        )
        store.check_allowed(offline=self._core.settings.offline)
        await store.open()
        try:
            if switch and not dry_run:
                return await switching.switch(
                    self._core.store, store, on_conflict=on_conflict, who=self._who, progress=progress
                )
            return await moving.migrate(
                self._core.store,
                store,
                on_conflict=on_conflict,
                dry_run=dry_run,
                who=self._who,
                progress=progress,
            )
        finally:
            await store.close()

    async def reopen(self) -> str | None:
        """Accept writes in this store again, after `migrate_to` with `switch` has moved the agent elsewhere.

        What was written in the other store since stays there: move it back first if it is wanted here.

        Returns:
            Where the agent was moved to; None if it was not.
        """
        from agent_memory.transfer import switching

        mark = await switching.reopen(self._core.store)
        return None if mark is None else mark.to

    @property
    def _who(self) -> Mapping[str, str | None]:
        return {"actor": self._core.settings.actor, "session": self._core.settings.session}
