"""Cutting the new version of a document where the old one was cut, so that what did not change is found again.

A text that is cut anew is cut elsewhere, often up to its end, after one word more at its beginning. So the old
pieces are looked up in the new text first, and only what lies between them is cut.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from agent_memory.memories.core import Core
from agent_memory.records import SemanticRecord

WHOLE = 500
"""Bytes of a text that is not worth cutting: less than half of what small models read."""
REACH = 1_000_000
"""Characters before and after its likely place in which an old piece is looked for: a book must not take minutes."""
LITTLE = 200
"""Bytes that are not worth a piece of their own: they are cut together with the piece beside them."""
HALF = 500
"""Bytes of an old piece that is cut anew with the text beside it: a log that grows would be in shreds else."""


class Part(NamedTuple):
    """A part of a text."""

    text: str
    known: bool
    """It is an old piece; all others still have to be cut."""


async def cut(core: Core, text: str, old: Sequence[SemanticRecord] = ()) -> list[str]:
    """Cut a text into what the embedding model reads whole, where an old version of it was cut if there is one."""
    result: list[str] = []
    for part in parts_of(text, [chunk.content for chunk in old]):
        whole = part.known or _size(part.text) <= WHOLE
        result += [part.text] if whole else await core.index.split(part.text)
    return [piece for piece in result if piece.strip()]


def parts_of(text: str, pieces: Sequence[str]) -> list[Part]:
    """Divide a text into old pieces that are still in it, wherever, and what lies between them.

    Joined, the parts are the text. White space alone is no part: it goes to the old piece beside it.

    Returns:
        The parts, in order.
    """
    parts = _without_blanks(list(_alternating(text, _spans(text, pieces))))
    longest = max((_size(piece) for piece in pieces), default=0)
    small = HALF if len(pieces) == 1 else min(HALF, longest // 2)
    cut_anew = set[int]()
    for position, part in enumerate(parts):
        if part.known:
            continue
        beside = [item for item in (position - 1, position + 1) if 0 <= item < len(parts)]
        cut_anew.update(item for item in beside if _size(parts[item].text) < small)
        if _size(part.text) < LITTLE:
            cut_anew.update(beside[:1])
    return _together(
        Part(part.text, part.known and position not in cut_anew) for position, part in enumerate(parts)
    )


def _size(text: str) -> int:
    return len(text.encode())


def _without_blanks(parts: Sequence[Part]) -> list[Part]:
    """Give white space between old pieces to one of them: it is no news."""
    result: list[Part] = []
    for part in parts:
        before = result[-1] if result else None
        if before is not None and not (before.text.strip() and part.text.strip()):
            result[-1] = Part(before.text + part.text, before.known or part.known)
        else:
            result.append(part)
    return result


def _together(parts: Iterable[Part]) -> list[Part]:
    """Join neighbours that both have to be cut."""
    result: list[Part] = []
    for part in parts:
        if result and not part.known and not result[-1].known:
            result[-1] = Part(result[-1].text + part.text, known=False)
        else:
            result.append(part)
    return result


def _alternating(text: str, spans: Iterable[tuple[int, int]]) -> Iterator[Part]:
    end = 0
    for start, stop in spans:
        if start > end:
            yield Part(text[end:start], known=False)
        yield Part(text[start:stop], known=True)
        end = stop
    if end < len(text):
        yield Part(text[end:], known=False)


def _spans(text: str, pieces: Iterable[str]) -> list[tuple[int, int]]:
    """Return where old pieces stand in a text, none over another, in order."""
    taken: list[tuple[int, int]] = []
    cursor = 0
    for piece in pieces:
        position = _find(text, piece, cursor, taken)
        if position is not None:
            insort(taken, (position, position + len(piece)))
            cursor = position + len(piece)
    return taken


def _find(text: str, piece: str, cursor: int, taken: list[tuple[int, int]]) -> int | None:
    """Look for a piece after the one before it, else before that; None where it is not, or only in others."""
    if not piece.strip():
        return None
    for low, high in ((cursor, cursor + REACH), (max(0, cursor - REACH), cursor)):
        position = text.find(piece, low, high)
        if position >= 0 and _is_free(position, position + len(piece), taken):
            return position
    return None


def _is_free(start: int, stop: int, taken: list[tuple[int, int]]) -> bool:
    index = bisect_right(taken, (start, stop))
    before = taken[index - 1] if index else None
    after = taken[index] if index < len(taken) else None
    return (before is None or before[1] <= start) and (after is None or stop <= after[0])
