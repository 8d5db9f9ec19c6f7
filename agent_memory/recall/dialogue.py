"""What a conversation adds to the rank of its messages, and who said them.

"Adoption agencies" says little by itself; after "What are you researching?" it is the answer to a question about
research. So what a person answers is worth part of what the question is, and a message part of what the best of its
conversation is. Both reorder only.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Mapping

from agent_memory.recall import constants
from agent_memory.recall.scoring import Parts
from agent_memory.records import ConversationRecord, MemoryRecord
from agent_memory.roles import role_of
from agent_memory.text.analysis import analyse
from agent_memory.text.stopwords import STOPWORDS

QUESTION_MARKS = ("?", "？", "؟")


def asks(record: MemoryRecord) -> bool:
    """Return whether a memory is a message that ends with a question."""
    return is_message(record) and record.content.rstrip().endswith(QUESTION_MARKS)


def is_message(record: MemoryRecord) -> bool:
    """Return whether a memory is a message of a conversation, no summary."""
    return isinstance(record, ConversationRecord) and record.kind == "message"


def from_person(record: MemoryRecord) -> bool:
    """Return whether a person said it: the user, or anybody with a name.

    What an assistant without a name says is long and speaks of everything that was asked: likely words, seldom the
    fact itself.
    """
    return isinstance(record, ConversationRecord) and (
        record.name is not None or role_of(record.role) == "user"
    )


def answers(record: MemoryRecord) -> bool:
    """Return whether a memory is a message that may be the answer to the one before it: a person said it."""
    return is_message(record) and from_person(record)


class SpeakerTest:
    """Says whether a query names who said something: "Where did Ana go?" asks for what Ana said first of all."""

    def __init__(self, query: str) -> None:
        self._words = set(analyse(query))
        self._written = set(re.findall(r"\w+", query))
        self._known: dict[str, bool] = {}

    def names(self, record: MemoryRecord) -> bool:
        """Return whether a memory is a message of somebody whose first name is in the query."""
        if not isinstance(record, ConversationRecord) or not record.name or not is_message(record):
            return False
        if record.name not in self._known:
            self._known[record.name] = self._has(record.name)
        return self._known[record.name]

    def _has(self, name: str) -> bool:
        first = next(iter(name.split()), "")
        words = analyse(first)
        # "Will" is a name where it is written like one only.
        told = first in self._written or STOPWORDS.isdisjoint(words)
        return bool(words) and told and self._words.issuperset(words)


def _places(records: Mapping[str, MemoryRecord]) -> dict[tuple[str, int], str]:
    """Return the ids of messages by conversation and position."""
    return {
        (record.conversation_id, record.position): memory_id
        for memory_id, record in records.items()
        if isinstance(record, ConversationRecord) and is_message(record) and record.position is not None
    }


def _replies(
    echoes: Collection[str], records: Mapping[str, MemoryRecord], places: Mapping[tuple[str, int], str]
) -> dict[str, str]:
    """Return, by id of a message that repeats the query, the id of its reply: what another said right after it."""
    result: dict[str, str] = {}
    for memory_id in echoes:
        record = records[memory_id]
        if not isinstance(record, ConversationRecord) or record.position is None:
            continue
        reply = places.get((record.conversation_id, record.position + 1))
        if reply is not None and reply not in echoes and not _same_speaker(record, records[reply]):
            result[memory_id] = reply
    return result


def _same_speaker(one: MemoryRecord, other: MemoryRecord) -> bool:
    """Return whether one speaker said both messages: nobody answers a question of their own."""
    assert isinstance(one, ConversationRecord)
    assert isinstance(other, ConversationRecord)
    return (role_of(one.role), one.name) == (role_of(other.role), other.name)


def propagate_context(
    parts: Mapping[str, Parts],
    records: Mapping[str, MemoryRecord],
    before: Mapping[str, str],
) -> None:
    """Add to each message's parts what its question and its conversation are worth, less what its speaker costs.

    `before` names, by id, the message before each; its parts and its record are among those given.
    """
    best: dict[str, float] = {}
    echoes = [memory_id for memory_id, part in parts.items() if part.echo]
    places = _places(records)
    for echo, reply in _replies(echoes, records, places).items():
        parts[reply].reply = constants.REPLY_WEIGHT * max(0.0, parts[echo].topic)
    for memory_id, part in parts.items():
        record = records[memory_id]
        if not is_message(record):
            continue
        assert isinstance(record, ConversationRecord)
        question = before.get(memory_id)
        if question is not None and _may_be_answered(question, record, parts, records):
            asked_by_person = from_person(records[question])
            weight = constants.REPLY_WEIGHT if asked_by_person else constants.REPLY_TO_ASSISTANT
            part.reply = max(part.reply, weight * max(0.0, parts[question].topic))
        if not from_person(record):
            part.speaker = -constants.ASSISTANT_COST
        if part.echo:
            continue  # a question says nothing of its conversation that the query does not say itself
        here = record.conversation_id
        best[here] = max(best.get(here, 0.0), part.topic + part.reply + part.speaker)
    for memory_id, part in parts.items():
        record = records[memory_id]
        if isinstance(record, ConversationRecord) and is_message(record):
            part.session = constants.SESSION_WEIGHT * best.get(record.conversation_id, 0.0)
    _weigh_messages(parts, records, places)


def _may_be_answered(
    question: str, record: MemoryRecord, parts: Mapping[str, Parts], records: Mapping[str, MemoryRecord]
) -> bool:
    """Return whether the message before one asks something that it may answer."""
    if question not in parts or not asks(records[question]):
        return False
    # People go on after a question of their own and say what it is about. After the query itself that is no answer.
    return not (parts[question].echo and _same_speaker(records[question], record))


def favour_named_speakers(
    parts: Mapping[str, Parts], records: Mapping[str, MemoryRecord], query: str
) -> None:
    """Add to the parts of messages whose speaker the query names."""
    speakers = SpeakerTest(query)
    for memory_id, part in parts.items():
        if speakers.names(records[memory_id]):
            part.speaker += constants.NAMED_SPEAKER


def _weigh_messages(
    parts: Mapping[str, Parts],
    records: Mapping[str, MemoryRecord],
    places: Mapping[tuple[str, int], str],
) -> None:
    """Add to what people said a part of what the messages around it are worth, and take off for small talk.

    What is answered to a message tells what it was about. Among people, the two messages before it do so as well; and
    there a short message or a question seldom holds a fact, where to an assistant it often does.
    """
    with_assistant = {
        record.conversation_id
        for record in records.values()
        if isinstance(record, ConversationRecord) and is_message(record) and not from_person(record)
    }
    for memory_id, part in parts.items():
        record = records[memory_id]
        if not isinstance(record, ConversationRecord) or not answers(record):
            continue
        among_people = record.name is not None and record.conversation_id not in with_assistant
        weights = constants.AROUND_WEIGHTS if among_people else constants.AROUND_WITH_ASSISTANT
        part.around = _around(record, weights, places, parts)
        if among_people:
            part.brevity = constants.BREVITY_WEIGHT * math.log(
                min(1.0, (len(record.content) + 1) / constants.SHORT_MESSAGE)
            )
            if asks(record):
                part.brevity -= constants.QUESTION_COST


def _around(
    record: ConversationRecord,
    weights: Iterable[tuple[int, float]],
    places: Mapping[tuple[str, int], str],
    parts: Mapping[str, Parts],
) -> float:
    """Return what the messages around one add to it; those that repeat the query add nothing."""
    if record.position is None:
        return 0.0
    added = 0.0
    for distance, weight in weights:
        neighbour = parts.get(places.get((record.conversation_id, record.position + distance), ""))
        if neighbour is not None and not neighbour.echo:
            added += weight * max(0.0, neighbour.topic)
    return added


def limit_context(parts: Mapping[str, Parts], records: Mapping[str, MemoryRecord], ceiling: float) -> None:
    """Keep a message behind something that answers, unless what it says itself is worth more.

    What its conversation adds lifts it no further than right behind; nor does a question get above an answer.

    Args:
        parts: what the rank of each candidate is made of.
        records: the candidates.
        ceiling: the sum of the best memory that answers and is no message.
    """
    for memory_id, part in parts.items():
        if is_message(records[memory_id]):
            added = part.reply + part.session + part.around + max(0.0, part.speaker)
            own = -math.inf if asks(records[memory_id]) else part.total - added
            part.limited = -max(0.0, part.total - max(own, ceiling - constants.SMALLEST_LEAD))
