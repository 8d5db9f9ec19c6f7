"""Which conversation is meant, where it has to be one that exists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent_memory.errors import AmbiguousIdError, MemoryNotFoundError

if TYPE_CHECKING:
    from agent_memory.sync import SyncAgentMemory

_HINT = "`agentmem chat list` shows those there are"
_HINT_ARCHIVED = "`agentmem chat list --archived` shows those that have some"
_BEGIN = "`agentmem chat add user TEXT` begins one"


def use(
    memory: SyncAgentMemory, reference: str | None, *, archived: bool = False, hint: str | None = None
) -> str:
    """Use the conversation of that id, or beginning of one, and return its id; None means the one in use.

    One that was begun and has no message yet exists too, as long as it is the one in use. With `archived`, it is
    one of which messages were put away.

    Raises:
        MemoryNotFoundError: there is none.
        AmbiguousIdError: several begin so.
    """
    chat = memory.conversation
    if reference is None:
        if not chat.get_messages(1, archived=archived) or chat.conversation_id is None:
            what = "conversation with archived messages" if archived else "conversation with messages"
            raise MemoryNotFoundError(
                chat.conversation_id, what=what, hint=_HINT_ARCHIVED if archived else _BEGIN
            )
        return chat.conversation_id
    known = [conversation.value for conversation in chat.get_conversations(archived=archived)]
    if reference not in known and not chat.get_messages(1):
        known += [chat.conversation_id] if chat.conversation_id else []
    fits = [reference] if reference in known else [entry for entry in known if entry.startswith(reference)]
    if not fits:
        what = "conversation with archived messages" if archived else "conversation"
        raise MemoryNotFoundError(reference, what=what, hint=hint or (_HINT_ARCHIVED if archived else _HINT))
    if len(fits) > 1:
        raise AmbiguousIdError(reference, fits)
    return chat.switch_conversation(fits[0])
