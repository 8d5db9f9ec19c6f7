"""Which conversation is meant, where it has to be one that exists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent_memory.errors import AmbiguousIdError, MemoryNotFoundError

if TYPE_CHECKING:
    from agent_memory.sync import SyncAgentMemory

_HINT = "`agentmem chat list` shows those there are"
_BEGIN = "`agentmem chat add user TEXT` begins one"


def use(memory: SyncAgentMemory, reference: str | None, *, hint: str = _HINT) -> str:
    """Use the conversation of that id, or beginning of one, and return its id; None means the one in use.

    One that was begun and has no message yet exists too, as long as it is the one in use.

    Raises:
        MemoryNotFoundError: there is none.
        AmbiguousIdError: several begin so.
    """
    if reference is None:
        if not memory.conversation.get_messages(1) or memory.conversation.conversation_id is None:
            raise MemoryNotFoundError(
                memory.conversation.conversation_id, what="conversation with messages", hint=_BEGIN
            )
        return memory.conversation.conversation_id
    known = [each.value for each in memory.conversation.get_conversations()]
    if reference not in known and not memory.conversation.get_messages(1):
        known += [memory.conversation.conversation_id] if memory.conversation.conversation_id else []
    fits = [reference] if reference in known else [each for each in known if each.startswith(reference)]
    if not fits:
        raise MemoryNotFoundError(reference, what="conversation", hint=hint)
    if len(fits) > 1:
        raise AmbiguousIdError(reference, fits)
    return memory.conversation.switch_conversation(fits[0])
