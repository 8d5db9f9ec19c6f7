"""Conversation memory: chat history by conversation, kept whole however long it grows."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final, NamedTuple, Unpack

from agent_memory import clock
from agent_memory.clock import Moment
from agent_memory.errors import MemoryNotFoundError, ValidationError
from agent_memory.hints import Hint
from agent_memory.memories.arguments import shown
from agent_memory.memories.base import Listing, TypeMemory
from agent_memory.memories.building import check_name, check_text
from agent_memory.memories.calling import instead
from agent_memory.memories.core import Core
from agent_memory.memories.further import MessageFurther
from agent_memory.memories.given import Default, DefaultLimit
from agent_memory.memories.operations import forgetting
from agent_memory.memories.references import conversation as resolve_conversation
from agent_memory.memories.window import Turn, before, in_view, last_turns, view
from agent_memory.recall.frames import as_name, in_block, in_brackets
from agent_memory.records import ConversationRecord, Status
from agent_memory.storage.base import Group, Order
from agent_memory.storage.changes import Add, may_begin_id, new_id
from agent_memory.storage.where import Condition, Period, Where
from agent_memory.verbs import Verb

Summarizer = Callable[[Sequence[ConversationRecord]], str | Awaitable[str]]
DEFAULT_CONVERSATION = "conversation"
"""The store's setting that `switch` in the shell writes."""
SUMMARY_TOKENS = 200

MESSAGE_IMPORTANCE: Final = Default(0.5)
_HINT_LIST: Final = Hint("{CONVERSATIONS} shows those there are")
_HINT_ARCHIVED: Final = Hint("{CONVERSATIONS_ARCHIVED} shows those that have some")
_HINT_BEGIN: Final = Hint("{BEGIN_CONVERSATION} begins one")


class ConversationView(NamedTuple):
    """What `get_conversation` returns."""

    id: str
    messages: list[ConversationRecord]
    summary: ConversationRecord | None
    total: int
    """How many messages the conversation has."""


class ConversationMemory(TypeMemory[ConversationRecord]):
    """Messages, in the order they were said. However many there are, all stay, and searches find them.

    What a prompt is given of them is a window: the newest `conversation_max_messages` (see `memories/window.py`).

    Which conversation: the one given or switched to, else the session that `AGENTMEM_SESSION` names, else the
    store's default, else the one most recently written to, else a new one.
    """

    record_class = ConversationRecord

    def __init__(self, core: Core) -> None:
        super().__init__(core)
        self._current: str | None = None

    # --- which conversation --------------------------------------------------------------------------------

    @property
    def conversation_id(self) -> str | None:
        """The conversation in use; None until one was chosen, written to or read."""
        return self._current or self._core.settings.session

    async def _conversation(self, conversation_id: str | None = None) -> str | None:
        if chosen := conversation_id or self.conversation_id:
            return chosen
        default = await self._core.store.setting(DEFAULT_CONVERSATION)
        if default is None:
            latest = await self._core.store.select(self._messages(None), Order("created"), 1)
            default = latest[0].session if latest else None
        # Another call may have chosen one while this one was looking.
        if self._current is None:
            self._current = default
        return self._current

    async def new_conversation(self, conversation_id: str | None = None, *, default: bool = False) -> str:
        """Begin a conversation and use it from now on.

        Args:
            conversation_id: its id; one is made up if it is left out.
            default: make it the store's default too, for everybody who names none.

        Returns:
            Its id.
        """
        self._core.check_not_closed()
        self._current = chosen = check_name("conversation id", conversation_id) or new_id()
        if default:
            await self._core.store.set_setting(DEFAULT_CONVERSATION, chosen)
        return chosen

    async def switch_conversation(self, conversation_id: str) -> str:
        """Use another conversation from now on, by its id or a unique prefix of it; it may be a new one."""
        self._current = await self._named(check_text("conversation id", conversation_id).strip())
        return self._current

    async def set_default_conversation(self, conversation_id: str | None) -> str | None:
        """Make a conversation the store's default, for everybody who names none; None takes the default away."""
        chosen = await self.switch_conversation(conversation_id) if conversation_id is not None else None
        await self._core.store.set_setting(DEFAULT_CONVERSATION, chosen)
        return chosen

    async def _named(self, reference: str, *, archived: bool = False) -> str:
        """Return the id that a reference means: itself, unless it begins just one id that was made up here.

        A name that somebody gave is never guessed at: `support` may be a conversation beside `support-4711`.

        Raises:
            AmbiguousIdError: several ids begin so.
        """
        if not may_begin_id(reference):
            return reference
        known = [group.value for group in await self.get_conversations(archived=archived)]
        return resolve_conversation(reference, known, existing=False) or reference

    async def use_conversation(
        self, conversation_id: str | None = None, *, archived: bool = False, default: bool = False
    ) -> str:
        """Use a conversation that exists from now on, and return its id.

        One that was begun and has no message yet exists too, as long as it is the one in use.

        Args:
            conversation_id: its id, or a beginning of it that no other has; None means the one in use.
            archived: it is one of which messages were archived.
            default: make it the store's default too, for everybody who names none.

        Returns:
            Its id.

        Raises:
            MemoryNotFoundError: there is none.
            AmbiguousIdError: several begin so.
        """
        chosen = await self._required(conversation_id, archived=archived, default=default)
        self._current = chosen
        if default:
            await self._core.store.set_setting(DEFAULT_CONVERSATION, chosen)
        return chosen

    async def _required(
        self, conversation_id: str | None, *, archived: bool = False, default: bool = False
    ) -> str:
        """Return the id of a conversation that exists; raise MemoryNotFoundError if there is none."""
        in_use = await self._existing(None, archived=archived)
        if conversation_id is None:
            if in_use is None or not await self._core.store.count(self._messages(in_use, archived=archived)):
                what = "conversation with archived messages" if archived else "conversation with messages"
                raise MemoryNotFoundError(in_use, what=what, hint=_HINT_ARCHIVED if archived else _HINT_BEGIN)
            chosen: str | None = in_use
        else:
            known = [group.value for group in await self.get_conversations(archived=archived)]
            if in_use is not None and not await self._core.store.count(self._messages(in_use)):
                known.append(in_use)
            chosen = resolve_conversation(conversation_id, known, existing=True)
        if chosen is None:
            hint = (
                Hint("{BEGIN_NAMED_CONVERSATION} begins one", id=conversation_id) if default else _HINT_LIST
            )
            what = "conversation with archived messages" if archived else "conversation"
            raise MemoryNotFoundError(conversation_id, what=what, hint=_HINT_ARCHIVED if archived else hint)
        return chosen

    async def get_conversations(self, *, archived: bool = False) -> Listing[Group]:
        """List the conversations: id, number of messages, and when the first and the last were said.

        The one most recently written to comes first. With `archived`, those of which messages were put away, and
        these messages are counted.

        Returns:
            The conversations as groups.
        """
        groups = await self._core.store.groups(self._messages(None, archived=archived), "conversation_id")
        return sorted(groups, key=lambda group: group.last, reverse=True)

    # --- writing -------------------------------------------------------------------------------------------

    def _build(
        self, content: str, *, fields: Mapping[str, Any] | None = None, **common: Any
    ) -> ConversationRecord:
        values = dict(fields or {})
        chosen = values.get("conversation_id") or common.get("session") or self.conversation_id
        if chosen is None:
            chosen = self._current = new_id()
        values["conversation_id"] = common["session"] = chosen
        return super()._build(content, fields=values, **common)

    async def _before_adding(self) -> None:
        await self._conversation()

    @instead(occurred_at="at")
    async def add_message(
        self,
        /,
        role: str,
        content: str,
        importance: float = MESSAGE_IMPORTANCE,
        metadata: Mapping[str, Any] | None = None,
        *,
        name: str | None = None,
        at: Moment | None = None,
        conversation_id: str | None = None,
        **more: Unpack[MessageFurther],
    ) -> str:
        """Store a message at the end of a conversation and return its id.

        Args:
            role: `user`, `assistant`, `system`, `tool`, or any other.
            name: who speaks.
            at: when it was said, if not now.
            conversation_id: the conversation, if not the one in use.
            more: further arguments of `add`.
            content: the text.
            importance: how much it matters, from 0 to 1.
            metadata: further named values.

        Returns:
            The id of the message.
        """
        return await self.add(
            content,
            importance,
            metadata,
            occurred_at=at,
            role=check_text("role", role).strip(),
            name=name,
            conversation_id=conversation_id,
            **more,
        )

    # --- reading -------------------------------------------------------------------------------------------

    async def get_messages(
        self,
        limit: int | None = DefaultLimit(50),
        include_system: bool = True,
        *,
        conversation_id: str | None = None,
        archived: bool = False,
        offset: int = 0,
    ) -> Listing[ConversationRecord]:
        """Return the newest messages of a conversation, oldest of them first.

        System messages come on top of the limit, and so does the call that a tool's result at the beginning answers.

        Args:
            limit: how many; None is all. Where it is not given, no more than `conversation_max_messages`.
            include_system: with system messages.
            archived: those that were put away instead.
            offset: how many of the newest to leave out, for the page before.
            conversation_id: which conversation; None for the one in use.

        Raises:
            ValidationError: the limit is negative.
        """
        conversation = await self._existing(conversation_id, archived=archived)
        if conversation is None:
            return []
        where = self._messages(conversation, archived=archived)
        count = in_view(limit, self._window)
        return (await view(self._core.store, where, count, system=include_system, offset=offset)).messages

    async def iterate_messages(
        self, page: int = 500, *, conversation_id: str | None = None
    ) -> AsyncIterator[ConversationRecord]:
        """Iterate over all messages of a conversation, oldest first, a page at a time.

        Args:
            page: how many to read at a time.
            conversation_id: the conversation, if not the one in use.

        Yields:
            Each message once.

        Raises:
            ValidationError: the page is 0.
        """
        if not page:
            raise ValidationError("page is 0", hint="give 1 or more")
        conversation = await self._existing(conversation_id)
        if conversation is None:
            return
        where, order, offset = self._messages(conversation), Order("position", descending=False), 0
        while messages := await self._select(where, page, offset=offset, order=order):
            for message in messages:
                yield message
            offset += len(messages)

    async def get_conversation(
        self,
        conversation_id: str | None = None,
        *,
        limit: int | None = DefaultLimit(50),
        include_system: bool = True,
        archived: bool = False,
    ) -> ConversationView:
        """Use a conversation that exists, and return its newest messages with what there is beside them.

        Args:
            conversation_id: as in `use_conversation`.
            limit: as in `get_messages`.
            include_system: as in `get_messages`.
            archived: as in `get_messages`.

        Returns:
            The messages, oldest first, the summary, and how many messages there are.

        Raises:
            MemoryNotFoundError: there is no such conversation.
            AmbiguousIdError: several ids begin so.
        """
        id = await self.use_conversation(conversation_id, archived=archived)
        return ConversationView(
            id,
            await self.get_messages(limit, include_system, archived=archived),
            await self.get_summary(),
            await self._core.store.count(self._messages(id, archived=archived)),
        )

    async def get_last_n_turns(
        self, n: int = 5, *, conversation_id: str | None = None, must_exist: bool = False
    ) -> Listing[Turn]:
        """Return the last turns in the window as pairs of what the user said and the last answer to it.

        Either may be None: an answer that has not come yet, or one that nobody asked for.

        Args:
            n: how many turns.
            conversation_id: which conversation; None for the one in use.
            must_exist: raise where there is no such conversation, instead of returning nothing.

        Returns:
            The turns, oldest first.

        Raises:
            MemoryNotFoundError: there is no such conversation, and `must_exist` was given.
            AmbiguousIdError: several ids begin so.
        """
        conversation = await self._meant(conversation_id, must_exist)
        if conversation is None or n <= 0:
            return []
        return await last_turns(self._core.store, self._messages(conversation), n, self._window)

    async def format_history(
        self,
        limit: int | None = DefaultLimit(20),
        format_template: str = "{role}: {content}",
        *,
        conversation_id: str | None = None,
    ) -> str:
        """Write the newest messages as text, one line each, after the summary of what came before.

        What a message has below its first line is indented, so that it cannot pass for somebody else's.

        Args:
            limit: as in `get_messages`.
            format_template: may name `role`, `content`, `name` (who spoke, else the role) and `time`.
            conversation_id: which conversation; None for the one in use.

        Returns:
            The text.

        Raises:
            ValidationError: it names something else.
        """
        messages = await self.get_messages(limit, conversation_id=conversation_id)
        try:
            lines = [
                format_template.format(
                    role=as_name(message.role),
                    content=in_block(message.content, "    "),
                    name=as_name(message.name or message.role),
                    time=clock.local(message.happened_at).isoformat(),
                )
                for message in messages
            ]
        except (
            KeyError,
            IndexError,
            ValueError,
            AttributeError,
            TypeError,
            MemoryError,
            OverflowError,
        ) as error:
            raise ValidationError(
                f"the format template {format_template!r} cannot be filled in: {error}",
                hint="use {role}, {content}, {name} and {time}; {{ and }} for braces",
            ) from None
        summary = await self.get_summary(conversation_id=conversation_id)
        if summary is not None:
            lines.insert(0, f"[earlier: {in_brackets(summary.content)}]")
        return "\n".join(lines)

    # --- summaries -----------------------------------------------------------------------------------------

    async def summarize(
        self,
        summarizer: Summarizer | None = None,
        *,
        conversation_id: str | None = None,
        must_exist: bool = False,
    ) -> str | None:
        """Summarise what was said before the window, store the summary beside it, and return it.

        Where nothing was said before the window, or there is none, the whole conversation is summarised; None if it
        has no messages. The messages stay as they are. A new summary is a new version of the old one.

        Args:
            summarizer: gets the messages, oldest first, and before them the summary there is if the beginning of the
                conversation was put away; returns a text, or a coroutine of one. A plain function runs in a thread.
                None picks the most telling sentences; no language model is asked.
            conversation_id: which conversation; None for the one in use.
            must_exist: raise where there is no such conversation, instead of returning None.

        Returns:
            The summary, or None.

        Raises:
            MemoryNotFoundError: there is no such conversation, and `must_exist` was given.
            AmbiguousIdError: several ids begin so.
            ValidationError: the summarizer returned no text.
        """
        conversation = await self._meant(conversation_id, must_exist)
        if conversation is None:
            return None
        messages = await self._to_summarise(conversation)
        if not messages:
            return None
        text = await _summary(messages, summarizer)
        record = self._summary_record(conversation, check_text("summary", text))
        await self._core.write(Verb.SUMMARIZE, [Add(record)])
        return record.content

    async def _to_summarise(self, conversation: str) -> Listing[ConversationRecord]:
        store, where = self._core.store, self._messages(conversation)
        shown, begins = await view(store, where, self._window or None)
        messages = await before(store, where, begins) if begins is not None else []
        messages = messages or shown
        earlier = await self.get_summary(conversation_id=conversation)
        if messages and earlier is not None and await self._still_told(earlier, messages[0]):
            messages.insert(0, earlier)
        return messages

    async def _still_told(self, summary: ConversationRecord, first: ConversationRecord) -> bool:
        """Return whether a summary covers messages archived before the first, and none that were restored since.

        Files of the first version have such: what grew beyond the window was summarised and archived at once.
        """
        archived = self._messages(summary.conversation_id, archived=True)
        earlier = replace(
            archived, fields=(*archived.fields, Condition("position", "<", first.position or 0))
        )
        since = replace(archived, updated=Period(summary.updated_at + timedelta(microseconds=1)))
        count = self._core.store.count
        return await count(earlier) > 0 and await count(since) == 0

    async def get_summary(self, *, conversation_id: str | None = None) -> ConversationRecord | None:
        """Return the latest summary of a conversation, if one was made."""
        conversation = await self._existing(conversation_id)
        if conversation is None:
            return None
        summaries = await self._select(self._where(key=_summary_key(conversation)), 1)
        return summaries[0] if summaries else None

    def _summary_record(self, conversation: str, text: str) -> ConversationRecord:
        return super()._build(
            text,
            key=_summary_key(conversation),
            session=conversation,
            fields={"conversation_id": conversation, "role": "system", "kind": "summary"},
        )

    # --- taking away ---------------------------------------------------------------------------------------

    async def delete_conversation(
        self, conversation_id: str | None = None, *, purge: bool = False, shred: bool = False
    ) -> int:
        """Put a conversation away, its summary too, and return how many messages that were.

        `purge` takes the rows away, also those of messages that were archived before; `shred` their history too.

        Returns:
            How many messages were archived or deleted, without the summary.

        Raises:
            MemoryNotFoundError: no conversation is named, and there is none in use.
        """
        conversation = await self._existing(conversation_id)
        if conversation is None:
            raise MemoryNotFoundError(what="conversation", hint=_HINT_LIST)
        # Before the messages, since what is shredded is overwritten behind them, and this holds the name.
        if await self._core.store.setting(DEFAULT_CONVERSATION) == conversation:
            await self._core.store.set_setting(DEFAULT_CONVERSATION, None)
        where = self._where(fields={"conversation_id": conversation})
        records = await forgetting.archive_where(
            self._core, Verb.DELETE_CONVERSATION, where, purge=purge, shred=shred
        )
        if self._current == conversation:
            self._current = None
        return sum(isinstance(record, ConversationRecord) and record.kind == "message" for record in records)

    @property
    def _window(self) -> int:
        return self._core.settings.conversation_max_messages

    async def _existing(self, conversation_id: str | None, *, archived: bool = False) -> str | None:
        """Return which conversation is meant by an id, the beginning of one, or None for the one in use."""
        return await self._conversation(
            None if conversation_id is None else await self._named(conversation_id, archived=archived)
        )

    async def _meant(self, conversation_id: str | None, must_exist: bool) -> str | None:
        return await (self._required(conversation_id) if must_exist else self._existing(conversation_id))

    def _messages(self, conversation: str | None, *, archived: bool = False) -> Where:
        chosen = {"conversation_id": conversation} if conversation is not None else {}
        status = Status.ARCHIVED if archived else Status.ACTIVE
        return self._where(fields={"kind": "message", **chosen}, status=status)


def _summary_key(conversation: str) -> str:
    return f"summary of {conversation}"


async def _summary(messages: Sequence[ConversationRecord], summarizer: Summarizer | None) -> str:
    if summarizer is None:
        return _extract([line for message in messages for line in _lines(message)])
    answer: str | Awaitable[str]
    if inspect.iscoroutinefunction(summarizer):
        answer = summarizer(messages)
    else:
        # In a thread, so that one that waits for a model, or uses the blocking face of this memory, stops nobody.
        from anyio import to_thread

        answer = await to_thread.run_sync(lambda: summarizer(messages))
    if inspect.isawaitable(answer):
        answer = await answer
    if not isinstance(answer, str):
        raise ValidationError(
            f"the summarizer returned {shown(answer)}", hint="let it return the summary as text"
        )
    return answer


def _lines(message: ConversationRecord) -> Sequence[str]:
    if message.kind == "summary":
        return message.content.splitlines()
    return [f"{as_name(message.name or message.role)}: {message.content.strip()}"]


def _extract(lines: Sequence[str]) -> str:
    """Pick the most telling sentences; imported here, since few commands summarise."""
    from agent_memory.text.sentences import extractive_summary

    # A summary made on request holds what a later one, made as messages leave, is given again.
    return extractive_summary(list(dict.fromkeys(lines)), SUMMARY_TOKENS)
