"""Cutting a text into segments that a model reads whole: at a paragraph, else a sentence, else a word.

Segments are consecutive and lose nothing: joined, they are the text. They are of about equal length, since a
last segment of three words would be a vector of almost nothing.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_BORDERS = (
    re.compile(r"\n[^\S\n]*\n\s*"),
    re.compile(r"\s*\n\s*"),
    re.compile(r"[.!?…][\"'»”’)\]]*\s+|[。！？；]+[」』”’）]*\s*"),
    re.compile(r"\s+"),
)
"""Where to cut, best first: after a paragraph, a line, a sentence, a word."""
_PART = 50_000
"""Characters that are tokenised at once: a book would need a gigabyte for its tokens' offsets."""


def well_formed(text: str) -> str:
    """Return the text with lone surrogates replaced, which a tokenizer refuses."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
    return text


def border(text: str, low: int, high: int, wanted: int) -> int:
    """Return the best place to cut in (low, high]: of the best kind there is, the one nearest to `wanted`."""
    for kind in _BORDERS:
        places = [match.end() for match in kind.finditer(text, low, high)]
        if places:
            return min(places, key=lambda position: abs(position - wanted))
    return high


def split_by_bytes(text: str, limit: int) -> list[str]:
    """Cut a text into segments of at most `limit` (4 or more) bytes of UTF-8.

    No tokenizer in use makes more tokens than that of any text, whatever the language.

    Returns:
        The segments, in order.
    """
    segments: list[str] = []
    start = 0
    while True:
        # A character has at most four bytes, so this slice holds all that could fit, and the copy stays small.
        size = len(text[start:].encode("utf-8", "surrogatepass")) if len(text) - start <= limit else limit + 1
        if size <= limit:
            segments.append(text[start:])
            return segments
        head = text[start : start + limit].encode("utf-8", "surrogatepass")[:limit]
        high = start + max(1, len(head.decode("utf-8", "ignore")))
        cut = border(text, start + (high - start) // 2, high, high)
        segments.append(text[start:cut])
        start = cut


def split_by_tokens(text: str, tokenizer: Tokenizer, limit: int, *, verify: bool) -> list[str]:
    """Cut a text into segments of at most `limit` tokens, special ones not counted.

    With `verify` each segment is tokenised again: needed where a word's tokens depend on what stands before it,
    as with byte-level BPE and SentencePiece, and not with BERT's WordPiece.

    Returns:
        The segments, in order.
    """
    segments: list[str] = []
    for part in parts(text):
        for segment in _split(part, tokenizer, limit):
            segments += _shrink(segment, tokenizer, limit) if verify else [segment]
    return segments


def parts(text: str) -> Iterator[str]:
    """Cut a text into long consecutive parts, each to be tokenised and cut by itself, in 0.02 s.

    A part is no longer than that and is itself the only segment of it.

    Yields:
        The parts, in order.
    """
    start = 0
    while len(text) - start > _PART:
        high = start + _PART
        cut = border(text, high - _PART // 4, high, high)
        yield text[start:cut]
        start = cut
    yield text[start:]


def _shrink(segment: str, tokenizer: Tokenizer, limit: int) -> list[str]:
    room = limit
    segments = [segment]
    while room > 1 and any(
        len(tokenizer.encode(item, add_special_tokens=False).ids) > limit for item in segments
    ):
        room = room * 3 // 4
        segments = _split(segment, tokenizer, room)
    return segments


def _split(text: str, tokenizer: Tokenizer, limit: int) -> list[str]:
    encoding = tokenizer.encode(text, add_special_tokens=False)
    total = len(encoding.ids)
    if total <= limit:
        return [text]
    starts = [offset[0] for offset in encoding.offsets]
    words = encoding.word_ids
    first_of_word = [index for index in range(total) if index == 0 or words[index] != words[index - 1]]
    segments: list[str] = []
    start = token = 0
    while total - token > limit:
        left = total - token
        wanted = starts[token + -(-left // -(-left // limit))]
        last_word = first_of_word[bisect_right(first_of_word, token + limit) - 1]
        high = starts[last_word] if starts[last_word] > start else starts[token + limit]
        high = max(high, start + 1)
        cut = border(text, start + (high - start) // 2, high, max(wanted, start))
        segments.append(text[start:cut])
        start = cut
        token = bisect_left(starts, cut, token)
    if start < len(text):
        segments.append(text[start:])
    return segments
