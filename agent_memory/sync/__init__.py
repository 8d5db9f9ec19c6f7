"""The blocking face: the same names as `AgentMemory`, no await.

Nothing is written twice. Each method forwards to the coroutine of the same name, in an event loop in a thread of its
own, so it also works where a loop is running already, as in a notebook.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Awaitable, Callable, Mapping
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar

from agent_memory.agent import AgentMemory
from agent_memory.embeddings.base import Embedder
from agent_memory.errors import BackendError, ClosedError
from agent_memory.memories.calling import checked
from agent_memory.records import MemoryRecord, MemoryType
from agent_memory.settings import Settings
from agent_memory.storage.base import Store
from agent_memory.sync.batch import SyncBatch
from agent_memory.sync.blocking import SyncTypeMemory, blocking, iterating
from agent_memory.sync.loop import Loop, LoopStoppedError

if TYPE_CHECKING:
    from agent_memory.config import MemoryConfig
    from agent_memory.embeddings.adapted import TextEmbedder
    from agent_memory.sync.conversation import SyncConversationMemory
    from agent_memory.sync.episodic import SyncEpisodicMemory
    from agent_memory.sync.long_term import SyncLongTermMemory
    from agent_memory.sync.procedural import SyncProceduralMemory
    from agent_memory.sync.semantic import SyncSemanticMemory
    from agent_memory.sync.short_term import SyncShortTermMemory

T = TypeVar("T")


def _close(delegate: AgentMemory, loop: Loop) -> None:
    if loop.owned:  # else this process is a fork, and the loop's thread is the parent's
        loop.end(delegate.close)


class SyncAgentMemory:
    """The memory of one agent, blocking: the same arguments, names and errors as `AgentMemory`.

    It opens itself with the first call. Use it as a context manager, or call `close` when done; a forgotten one does
    not keep the program running.
    """

    @checked
    def __init__(
        self,
        agent_id: str | None = "default",
        config: MemoryConfig | Settings | None = None,
        *,
        backend: Store | None = None,
        embedding_provider: Embedder | TextEmbedder | str | None = None,
    ) -> None:
        self._delegate = AgentMemory(agent_id, config, backend=backend, embedding_provider=embedding_provider)
        self._loop: Loop | None = None
        self._giving_back: Callable[[], object] | None = None
        self._opening = threading.Lock()
        self._closed = False
        self._process = os.getpid()
        self._entered = 0
        self._closes = False

    # --- life ----------------------------------------------------------------------------------------------

    def open(self) -> Self:
        """Open the store and choose the embedder; does nothing the second time. The first call does it by itself.

        Returns:
            This memory itself.

        Raises:
            ClosedError: this memory was closed.
            BackendError: it cannot be opened, or was opened before this process was forked.
        """
        self._open()
        return self

    def _open(self) -> bool:
        """Open it, and say whether this call did."""
        self._check_process()
        with self._opening:  # several threads may use a new memory at once
            self._check_not_closed()
            if self._loop is not None:
                return False
            loop = Loop()
            # Runs at `close`, else when this object goes, else as the interpreter exits: while the loop's
            # thread still lives. Later, it would be waited for for ever.
            giving_back = weakref.finalize(self, _close, self._delegate, loop)
            try:
                loop.call(self._delegate.open)
            except BaseException:
                giving_back.detach()
                loop.stop()
                raise
            self._loop, self._giving_back = loop, giving_back
            return True

    def _check_process(self) -> None:
        """Raise if it was opened before a fork; if it was only made before, it is this process's own now."""
        if self._process == os.getpid():
            return
        self._check_not_closed()
        if self._loop is not None:
            raise BackendError.forked("this memory")
        self._opening = threading.Lock()  # somebody in the parent may have held it
        self._process = os.getpid()

    def close(self) -> None:
        """Release the store, the embedder and the thread, for good: every later call raises ClosedError.

        What other threads are in the middle of is done or refused. Idempotent.
        """
        self._closed = True
        if self._process != os.getpid():
            return  # the thread is the parent's
        with self._opening:  # behind an opening that is under way
            if self._giving_back is not None:
                self._giving_back()

    def __enter__(self) -> Self:
        opened = self._open()
        with self._opening:
            if not self._entered:
                self._closes = opened
            self._entered += 1
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process != os.getpid():
            return  # forked within the block: it is the parent's
        with self._opening:
            self._entered -= 1
        if not self._entered and self._closes:  # else somebody who opened it before goes on with it
            self.close()

    def _check_not_closed(self) -> None:
        if self._closed:
            raise ClosedError()

    def run(self, call: Callable[[], Awaitable[T]]) -> T:
        """Run a coroutine of the delegate to its end and return what it returns."""
        self._check_not_closed()
        if self._loop is None or self._process != os.getpid():
            # Opened on first use, so that `memory = SyncAgentMemory()` alone works in a notebook.
            self._open()
        assert self._loop is not None
        try:
            return self._loop.call(call)
        except LoopStoppedError:
            self._check_not_closed()  # another thread closed it in between
            raise

    # --- the types, each imported when it is first used -----------------------------------------------------

    @cached_property
    def short_term(self) -> SyncShortTermMemory:
        """The context of the task at hand."""
        from agent_memory.sync.short_term import SyncShortTermMemory

        return SyncShortTermMemory(self._delegate.short_term, self)

    @cached_property
    def long_term(self) -> SyncLongTermMemory:
        """Facts and preferences."""
        from agent_memory.sync.long_term import SyncLongTermMemory

        return SyncLongTermMemory(self._delegate.long_term, self)

    @cached_property
    def conversation(self) -> SyncConversationMemory:
        """Who said what."""
        from agent_memory.sync.conversation import SyncConversationMemory

        return SyncConversationMemory(self._delegate.conversation, self)

    @cached_property
    def episodic(self) -> SyncEpisodicMemory:
        """What happened."""
        from agent_memory.sync.episodic import SyncEpisodicMemory

        return SyncEpisodicMemory(self._delegate.episodic, self)

    @cached_property
    def semantic(self) -> SyncSemanticMemory:
        """Knowledge and documents."""
        from agent_memory.sync.semantic import SyncSemanticMemory

        return SyncSemanticMemory(self._delegate.semantic, self)

    @cached_property
    def procedural(self) -> SyncProceduralMemory:
        """Skills and workflows."""
        from agent_memory.sync.procedural import SyncProceduralMemory

        return SyncProceduralMemory(self._delegate.procedural, self)

    # --- what it consists of -------------------------------------------------------------------------------

    @property
    def agent_id(self) -> str:
        """Whose memory this is."""
        return self.open()._delegate.agent_id

    @property
    def backend(self) -> Store:
        """The store that keeps it."""
        return self._delegate.backend

    @property
    def embedding_provider(self) -> Embedder | None:
        """The embedder in use; None where memories are found by words only."""
        return self.open()._delegate.embedding_provider

    @property
    def wrote(self) -> bool:
        """Whether memories were stored, changed or put away through this object."""
        return self.open()._delegate.wrote

    @property
    def damaged(self) -> Mapping[str, str]:
        """What reads have left out since it cannot be read: by a name such as `memory 7f3k2m9q`, why."""
        return self.open()._delegate.damaged

    @property
    def has_semantic(self) -> bool:
        """Whether memories can be found by meaning."""
        return self.open()._delegate.has_semantic

    @checked
    def of(self, memory_type: str | MemoryType) -> SyncTypeMemory[MemoryRecord]:
        """Return the memory of one type by its name or alias: note, fact, chat, event, doc, skill."""
        memories: SyncTypeMemory[MemoryRecord] = getattr(self, MemoryType.parse(memory_type).value)
        return memories

    @checked
    def batch(self) -> SyncBatch:
        """Collect writes, and commit them as one transaction and one operation at the end of a `with`.

        As `AgentMemory.batch`; only the thread that entered it is in it.

        Returns:
            A context manager, for one use.
        """
        self._check_not_closed()
        return SyncBatch(self._delegate.batch(), self)

    # --- everything else, one line each --------------------------------------------------------------------

    add = blocking(AgentMemory.add)
    add_detailed = blocking(AgentMemory.add_detailed)
    add_many = blocking(AgentMemory.add_many)
    add_many_detailed = blocking(AgentMemory.add_many_detailed)
    add_files = blocking(AgentMemory.add_files)
    add_objects = blocking(AgentMemory.add_objects)
    search = blocking(AgentMemory.search)
    recall = blocking(AgentMemory.recall)
    iterate_search = iterating(AgentMemory.iterate_search)
    get = blocking(AgentMemory.get)
    get_many = blocking(AgentMemory.get_many)
    iterate = iterating(AgentMemory.iterate)
    get_named = blocking(AgentMemory.get_named)
    update = blocking(AgentMemory.update)
    forget = blocking(AgentMemory.forget)
    plan_forget = blocking(AgentMemory.plan_forget)
    forget_where = blocking(AgentMemory.forget_where)
    restore = blocking(AgentMemory.restore)
    history = blocking(AgentMemory.history)
    pin = blocking(AgentMemory.pin)
    unpin = blocking(AgentMemory.unpin)
    pin_many = blocking(AgentMemory.pin_many)
    unpin_many = blocking(AgentMemory.unpin_many)
    list = blocking(AgentMemory.list)
    count = blocking(AgentMemory.count)
    get_stats = blocking(AgentMemory.get_stats)
    get_status = blocking(AgentMemory.get_status)
    clear_all = blocking(AgentMemory.clear_all)
    export_to = blocking(AgentMemory.export_to)
    import_from = blocking(AgentMemory.import_from)
    migrate_to = blocking(AgentMemory.migrate_to)
    reopen = blocking(AgentMemory.reopen)
    undo = blocking(AgentMemory.undo)
    log = blocking(AgentMemory.log)
    index = blocking(AgentMemory.index)
    reembed = blocking(AgentMemory.reembed)
    cost_of_reembedding = blocking(AgentMemory.cost_of_reembedding)
    check = blocking(AgentMemory.check)
    check_isolation = blocking(AgentMemory.check_isolation)
    durability = blocking(AgentMemory.durability)
    repair = blocking(AgentMemory.repair)
