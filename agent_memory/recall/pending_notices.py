"""Embedding some of what is pending while a search waits, and saying what it cannot find yet."""

from __future__ import annotations

from agent_memory.errors import AgentMemoryError
from agent_memory.hints import Hint
from agent_memory.recall import constants
from agent_memory.recall.semantic_index import SemanticIndex
from agent_memory.storage.base import Store
from agent_memory.storage.retrieval import CandidateRequest, Candidates
from agent_memory.storage.where import Where


class PendingNotices:
    """Embeds some of what is pending in one store, and tells in notices what is left."""

    def __init__(self, store: Store, index: SemanticIndex) -> None:
        self._store = store
        self._index = index

    async def embed_some(self, candidates: Candidates, notices: list[str]) -> Candidates:
        """Embed some of what is pending; whatever goes wrong with that is no fault of the query.

        Returns:
            The candidates, with the space and the counts as they are now.
        """
        if not candidates.pending:
            return candidates
        until = Hint(" until {INDEX} has embedded them")
        try:
            await self._index.embed_some_pending(
                segments=constants.PENDING_SEGMENTS, seconds=constants.PENDING_SECONDS
            )
        except AgentMemoryError as error:
            until = Hint(", as what is pending could not be embedded now: {error}", error=error)
        now = await self._store.candidates(CandidateRequest(Where(), 0, embeddings=True))
        candidates = candidates._replace(space=now.space, pending=now.pending, failed=now.failed)
        notices += self._notices(candidates, until)
        return candidates

    def _notices(self, candidates: Candidates, until: str) -> list[str]:
        """Return a line for what waits to be embedded, and one for what cannot be."""
        pending, failed = candidates.pending, candidates.failed
        by_keyword = "by words only" if self._store.capabilities.full_text else "by no search"
        notices: list[str] = []
        if pending > failed:
            notices.append(
                Hint(
                    "{memories} found {by_keyword}{until}",
                    memories=_memories(pending - failed),
                    by_keyword=by_keyword,
                    until=until,
                )
            )
        if failed:
            text = "its text" if failed == 1 else "their texts"
            notices.append(
                Hint(
                    "{memories} found {by_keyword}, as {text} cannot be embedded: {STATUS} says why",
                    memories=_memories(failed),
                    by_keyword=by_keyword,
                    text=text,
                )
            )
        return notices


def _memories(count: int) -> str:
    return "1 memory is" if count == 1 else f"{count} memories are"
