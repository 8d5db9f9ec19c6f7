"""The blocking face: the same names as `AgentMemory`, no await.

Nothing is written twice. Each method forwards to the coroutine of the same name through anyio's portal, an
event loop in a thread of its own, so it also works where a loop is running already, as in a notebook.
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from functools import wraps
from types import TracebackType
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Self, TypeVar, cast

from anyio.from_thread import BlockingPortal, start_blocking_portal

from agent_memory.agent import AgentMemory
from agent_memory.embeddings.base import Embedder
from agent_memory.memories.base import TypeMemory
from agent_memory.memories.conversation import ConversationMemory
from agent_memory.memories.episodic import EpisodicMemory
from agent_memory.memories.long_term import LongTermMemory
from agent_memory.memories.procedural import ProceduralMemory
from agent_memory.memories.semantic import SemanticMemory
from agent_memory.memories.short_term import ShortTermMemory
from agent_memory.records import MemoryType
from agent_memory.settings import Settings
from agent_memory.storage.base import Store

if TYPE_CHECKING:
    from agent_memory.config import MemoryConfig

P = ParamSpec("P")
T = TypeVar("T")


def blocking(method: Callable[Concatenate[Any, P], Awaitable[T]]) -> Callable[Concatenate[Any, P], T]:
    """Make the blocking twin of a coroutine method; name, signature and docstring survive."""
    name = method.__name__  # looked up on the twin, whose class may have refined it

    @wraps(method)
    def call(self: Any, *args: P.args, **kwargs: P.kwargs) -> T:
        return self._run(lambda: getattr(self._twin, name)(*args, **kwargs))  # type: ignore[no-any-return]

    return cast("Callable[Concatenate[Any, P], T]", call)


class _Blocking:
    """A blocking object and its async twin."""

    _twin: Any
    _owner: SyncAgentMemory

    def __init__(self, twin: Any, owner: SyncAgentMemory) -> None:
        self._twin = twin
        self._owner = owner

    def _run(self, call: Callable[[], Awaitable[T]]) -> T:
        return self._owner._run(call)


class SyncTypeMemory(_Blocking):
    """What can be done with memories of any type, blocking."""

    _twin: TypeMemory[Any]

    @property
    def memory_type(self) -> MemoryType:
        """Which type these are."""
        return self._twin.memory_type

    add = blocking(TypeMemory.add)
    add_many = blocking(TypeMemory.add_many)
    add_many_detailed = blocking(TypeMemory.add_many_detailed)
    remove = blocking(TypeMemory.remove)
    clear = blocking(TypeMemory.clear)
    get = blocking(TypeMemory.get)
    list = blocking(TypeMemory.list)
    search = blocking(TypeMemory.search)
    search_similar = blocking(TypeMemory.search_similar)
    count = blocking(TypeMemory.count)


class SyncShortTermMemory(SyncTypeMemory):
    """The same as `ShortTermMemory`, blocking."""

    add_context = blocking(ShortTermMemory.add_context)
    get_context = blocking(ShortTermMemory.get_context)
    set_working_memory = blocking(ShortTermMemory.set_working_memory)
    get_working_memory = blocking(ShortTermMemory.get_working_memory)
    list_working_memory = blocking(ShortTermMemory.list_working_memory)
    cleanup_expired = blocking(ShortTermMemory.cleanup_expired)
    extend_ttl = blocking(ShortTermMemory.extend_ttl)


class SyncLongTermMemory(SyncTypeMemory):
    """The same as `LongTermMemory`, blocking."""

    store_fact = blocking(LongTermMemory.store_fact)
    store_preference = blocking(LongTermMemory.store_preference)
    get_preferences = blocking(LongTermMemory.get_preferences)
    get_facts = blocking(LongTermMemory.get_facts)
    update_fact = blocking(LongTermMemory.update_fact)
    get_by_tags = blocking(LongTermMemory.get_by_tags)
    add_tags = blocking(LongTermMemory.add_tags)
    find_duplicates = blocking(LongTermMemory.find_duplicates)
    consolidate_duplicates = blocking(LongTermMemory.consolidate_duplicates)


class SyncConversationMemory(SyncTypeMemory):
    """The same as `ConversationMemory`, blocking."""

    _twin: ConversationMemory

    @property
    def conversation_id(self) -> str | None:
        """The conversation in use; None until one was chosen, written to or read."""
        return self._twin.conversation_id

    new_conversation = blocking(ConversationMemory.new_conversation)
    switch_conversation = blocking(ConversationMemory.switch_conversation)
    set_default_conversation = blocking(ConversationMemory.set_default_conversation)
    get_conversations = blocking(ConversationMemory.get_conversations)
    add_message = blocking(ConversationMemory.add_message)
    get_messages = blocking(ConversationMemory.get_messages)
    get_last_n_turns = blocking(ConversationMemory.get_last_n_turns)
    format_history = blocking(ConversationMemory.format_history)
    summarize = blocking(ConversationMemory.summarize)
    get_summary = blocking(ConversationMemory.get_summary)
    delete_conversation = blocking(ConversationMemory.delete_conversation)


class SyncEpisodicMemory(SyncTypeMemory):
    """The same as `EpisodicMemory`, blocking."""

    record_event = blocking(EpisodicMemory.record_event)
    record_action = blocking(EpisodicMemory.record_action)
    get_events_by_type = blocking(EpisodicMemory.get_events_by_type)
    get_events_in_range = blocking(EpisodicMemory.get_events_in_range)
    get_recent_events = blocking(EpisodicMemory.get_recent_events)
    get_successful_events = blocking(EpisodicMemory.get_successful_events)
    get_failed_events = blocking(EpisodicMemory.get_failed_events)
    find_similar_events = blocking(EpisodicMemory.find_similar_events)
    get_event_timeline = blocking(EpisodicMemory.get_event_timeline)


class SyncSemanticMemory(SyncTypeMemory):
    """The same as `SemanticMemory`, blocking."""

    search = blocking(SemanticMemory.search)  # type: ignore[arg-type]  # as in the async class
    search_with_filters = blocking(SemanticMemory.search_with_filters)
    find_related = blocking(SemanticMemory.find_related)
    add_with_embedding = blocking(SemanticMemory.add_with_embedding)
    add_document = blocking(SemanticMemory.add_document)
    add_chunks = blocking(SemanticMemory.add_chunks)
    get_by_document_id = blocking(SemanticMemory.get_by_document_id)
    get_documents = blocking(SemanticMemory.get_documents)
    update_embedding = blocking(SemanticMemory.update_embedding)
    reindex_all = blocking(SemanticMemory.reindex_all)


class SyncProceduralMemory(SyncTypeMemory):
    """The same as `ProceduralMemory`, blocking."""

    record_skill = blocking(ProceduralMemory.record_skill)
    record_workflow = blocking(ProceduralMemory.record_workflow)
    get_skill = blocking(ProceduralMemory.get_skill)
    get_skill_as_object = blocking(ProceduralMemory.get_skill_as_object)
    get_skills_by_category = blocking(ProceduralMemory.get_skills_by_category)
    find_applicable_skills = blocking(ProceduralMemory.find_applicable_skills)
    record_skill_usage = blocking(ProceduralMemory.record_skill_usage)
    get_most_used_skills = blocking(ProceduralMemory.get_most_used_skills)
    get_most_successful_skills = blocking(ProceduralMemory.get_most_successful_skills)
    add_trigger = blocking(ProceduralMemory.add_trigger)


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
        self._closing: Callable[[], object] | None = None
        self.short_term = SyncShortTermMemory(self._twin.short_term, self)
        self.long_term = SyncLongTermMemory(self._twin.long_term, self)
        self.conversation = SyncConversationMemory(self._twin.conversation, self)
        self.episodic = SyncEpisodicMemory(self._twin.episodic, self)
        self.semantic = SyncSemanticMemory(self._twin.semantic, self)
        self.procedural = SyncProceduralMemory(self._twin.procedural, self)

    # --- life ----------------------------------------------------------------------------------------------

    def open(self) -> Self:
        """Open the store and choose the embedder; does nothing the second time."""
        if self._portal is None:
            loop = start_blocking_portal()
            portal = loop.__enter__()
            # Runs at `close`, else when this object goes, else as the interpreter exits: while the loop's thread
            # still lives. Later, the portal would wait for it for ever.
            self._closing = weakref.finalize(self, _close, self._twin, portal, loop, os.getpid())
            self._portal = portal
            try:
                portal.call(self._twin.open)
            except BaseException:
                self.close()
                raise
        return self

    def close(self) -> None:
        """Give back the store, the embedder and the thread; twice is once."""
        self._portal = None
        if self._closing is not None:
            self._closing()

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _run(self, call: Callable[[], Awaitable[T]]) -> T:
        if self._portal is None:
            # Opened on first use, so that `memory = SyncAgentMemory()` alone works in a notebook.
            self.open()
        self._twin.backend.check_usable()
        assert self._portal is not None
        return self._portal.call(call)

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
    undo = blocking(AgentMemory.undo)
    log = blocking(AgentMemory.log)
    index = blocking(AgentMemory.index)
    reembed = blocking(AgentMemory.reembed)
    cost_of_reembedding = blocking(AgentMemory.cost_of_reembedding)
    check = blocking(AgentMemory.check)
