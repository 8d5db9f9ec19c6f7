"""The blocking face of `ConversationMemory`."""

from __future__ import annotations

from agent_memory.memories.conversation import ConversationMemory
from agent_memory.records import ConversationRecord
from agent_memory.sync.blocking import SyncTypeMemory, blocking, iterating


class SyncConversationMemory(SyncTypeMemory[ConversationRecord]):
    """The same as `ConversationMemory`, blocking."""

    _delegate: ConversationMemory

    @property
    def conversation_id(self) -> str | None:
        """The conversation in use; None until one was chosen, written to or read."""
        return self._delegate.conversation_id

    new_conversation = blocking(ConversationMemory.new_conversation)
    use_conversation = blocking(ConversationMemory.use_conversation)
    switch_conversation = blocking(ConversationMemory.switch_conversation)
    get_conversation = blocking(ConversationMemory.get_conversation)
    set_default_conversation = blocking(ConversationMemory.set_default_conversation)
    get_conversations = blocking(ConversationMemory.get_conversations)
    add_message = blocking(ConversationMemory.add_message)
    get_messages = blocking(ConversationMemory.get_messages)
    iterate_messages = iterating(ConversationMemory.iterate_messages)
    get_last_n_turns = blocking(ConversationMemory.get_last_n_turns)
    format_history = blocking(ConversationMemory.format_history)
    summarize = blocking(ConversationMemory.summarize)
    get_summary = blocking(ConversationMemory.get_summary)
    delete_conversation = blocking(ConversationMemory.delete_conversation)
