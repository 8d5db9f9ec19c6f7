"""The blocking face: the same names as `AgentMemory`, no await.

Nothing is written twice. Each method forwards to the coroutine of the same name through anyio's portal, an
event loop in a thread of its own, so it also works where a loop is running already, as in a notebook.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar

from anyio.from_thread import BlockingPortal, start_blocking_portal

from agent_memory.agent import AgentMemory
from agent_memory.embeddings.base import Embedder
from agent_memory.errors import ClosedError
from agent_memory.records import MemoryType
from agent_memory.settings import Settings
from agent_memory.storage.base import Store
from agent_memory.sync.blocking import SyncTypeMemory, blocking

if TYPE_CHECKING:
    from agent_memory.config import MemoryConfig
    from agent_memory.sync.conversation import SyncConversationMemory
    from agent_memory.sync.episodic import SyncEpisodicMemory
    from agent_memory.sync.long_term import SyncLongTermMemory
    from agent_memory.sync.procedural import SyncProceduralMemory
    from agent_memory.sync.semantic import SyncSemanticMemory
    from agent_memory.sync.short_term import SyncShortTermMemory

T = TypeVar("T")


def _close(
    twin: AgentMemory, portal: BlockingPortal, loop: AbstractContextManager[BlockingPortal], process: int
) -> None:
    if process != os.getpid():
        return  # forked: the loop's thread is the parent's
    try:
        portal.call(twin.close)
    finally:
        loop.__exit__(None, None, None)


class SyncAgentMemory:
    """The memory of one agent, blocking: the same arguments, names and errors as `AgentMemory`.

    Use it as a context manager, or call `close` when done; a forgotten one does not keep the program running.
    """

    def __init__(
        self,
        agent_id: str | None = "default",
        config: MemoryConfig | Settings | None = None,
        *,
        backend: Store | None = None,
        embedding_provider: Embedder | None = None,
    ) -> None:
        self._twin = AgentMemory(agent_id, config, backend=backend, embedding_provider=embedding_provider)
        self._portal: BlockingPortal | None = None
        self._giving_back: Callable[[], object] | None = None
        self._opening = threading.Lock()
        self._closed = False
        self._entered = 0

    # --- life ----------------------------------------------------------------------------------------------

    def open(self) -> Self:
        """Open the store and choose the embedder; does nothing the second time.

        Raises:
            ClosedError: this memory was closed.
        """
        with self._opening:  # several threads may use a new memory at once
            self._check_not_closed()
            if self._portal is None:
                loop = start_blocking_portal()
                portal = loop.__enter__()
                # Runs at `close`, else when this object goes, else as the interpreter exits: while the loop's
                # thread still lives. Later, the portal would wait for it for ever.
                giving_back = weakref.finalize(self, _close, self._twin, portal, loop, os.getpid())
                try:
                    portal.call(self._twin.open)
                except BaseException:
                    giving_back.detach()
                    loop.__exit__(None, None, None)
                    raise
                self._portal, self._giving_back = portal, giving_back
        return self

    def close(self) -> None:
        """Give back the store, the embedder and the thread, for good: every later call raises ClosedError.

        What other threads are in the middle of is done or refused. Twice is once.
        """
        self._closed = True
        with self._opening:  # behind an opening that is under way
            if self._giving_back is not None:
                self._giving_back()

    def __enter__(self) -> Self:
        self.open()
        with self._opening:
            self._entered += 1
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._opening:
            self._entered -= 1
        if not self._entered:  # else somebody further out goes on with it
            self.close()

    def _check_not_closed(self) -> None:
        if self._closed:
            raise ClosedError()

    def run(self, call: Callable[[], Awaitable[T]]) -> T:
        """Run a coroutine of the twin to its end and return what it returns."""
        self._check_not_closed()
        if self._portal is None:
            # Opened on first use, so that `memory = SyncAgentMemory()` alone works in a notebook.
            self.open()
        self._twin.backend.check_usable()
        assert self._portal is not None
        try:
            return self._portal.call(call)
        except RuntimeError as error:
            if "portal is not running" in str(error):
                self._check_not_closed()  # another thread closed it in between
            raise

    # --- the six types, each imported when it is first used ------------------------------------------------

    @cached_property
    def short_term(self) -> SyncShortTermMemory:
        """The context of the task at hand."""
        from agent_memory.sync.short_term import SyncShortTermMemory

        return SyncShortTermMemory(self._twin.short_term, self)

    @cached_property
    def long_term(self) -> SyncLongTermMemory:
        """Facts and preferences."""
        from agent_memory.sync.long_term import SyncLongTermMemory

        return SyncLongTermMemory(self._twin.long_term, self)

    @cached_property
    def conversation(self) -> SyncConversationMemory:
        """Who said what."""
        from agent_memory.sync.conversation import SyncConversationMemory

        return SyncConversationMemory(self._twin.conversation, self)

    @cached_property
    def episodic(self) -> SyncEpisodicMemory:
        """What happened."""
        from agent_memory.sync.episodic import SyncEpisodicMemory

        return SyncEpisodicMemory(self._twin.episodic, self)

    @cached_property
    def semantic(self) -> SyncSemanticMemory:
        """Knowledge and documents."""
        from agent_memory.sync.semantic import SyncSemanticMemory

        return SyncSemanticMemory(self._twin.semantic, self)

    @cached_property
    def procedural(self) -> SyncProceduralMemory:
        """Skills and workflows."""
        from agent_memory.sync.procedural import SyncProceduralMemory

        return SyncProceduralMemory(self._twin.procedural, self)

    # --- what it consists of -------------------------------------------------------------------------------

    @property
    def agent_id(self) -> str:
        """Whose memory this is."""
        return self.open()._twin.agent_id

    @property
    def backend(self) -> Store:
        """The store that keeps it."""
        return self._twin.backend

    @property
    def embedding_provider(self) -> Embedder | None:
        """The embedder in use; None where memories are found by words only."""
        return self.open()._twin.embedding_provider

    @property
    def wrote(self) -> bool:
        """Whether memories were stored, changed or put away through this object."""
        return self.open()._twin.wrote

    @property
    def damaged(self) -> Mapping[str, str]:
        """What reads have left out since it cannot be read: by a name such as `memory 7f3k2m9q`, why."""
        return self.open()._twin.damaged

    @property
    def has_semantic(self) -> bool:
        """Whether memories can be found by meaning."""
        return self.open()._twin.has_semantic

    def of(self, memory_type: str | MemoryType) -> SyncTypeMemory:
        """Return the memory of one type by its name or alias: note, fact, chat, event, doc, skill."""
        found: SyncTypeMemory = getattr(self, MemoryType.parse(memory_type).value)
        return found

    # --- everything else, one line each --------------------------------------------------------------------

    add_many = blocking(AgentMemory.add_many)
    add_many_detailed = blocking(AgentMemory.add_many_detailed)
    add_objects = blocking(AgentMemory.add_objects)
    search = blocking(AgentMemory.search)
    recall = blocking(AgentMemory.recall)
    get = blocking(AgentMemory.get)
    update = blocking(AgentMemory.update)
    forget = blocking(AgentMemory.forget)
    forget_where = blocking(AgentMemory.forget_where)
    restore = blocking(AgentMemory.restore)
    history = blocking(AgentMemory.history)
    pin = blocking(AgentMemory.pin)
    unpin = blocking(AgentMemory.unpin)
    list = blocking(AgentMemory.list)
    count = blocking(AgentMemory.count)
    get_stats = blocking(AgentMemory.get_stats)
    get_status = blocking(AgentMemory.get_status)
    clear_all = blocking(AgentMemory.clear_all)
    export_to = blocking(AgentMemory.export_to)
    import_from = blocking(AgentMemory.import_from)
    migrate_to = blocking(AgentMemory.migrate_to)
    undo = blocking(AgentMemory.undo)
    log = blocking(AgentMemory.log)
    index = blocking(AgentMemory.index)
    reembed = blocking(AgentMemory.reembed)
    cost_of_reembedding = blocking(AgentMemory.cost_of_reembedding)
    check = blocking(AgentMemory.check)
    check_isolation = blocking(AgentMemory.check_isolation)
    repair = blocking(AgentMemory.repair)
