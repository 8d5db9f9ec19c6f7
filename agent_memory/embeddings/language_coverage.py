"""How much of a text a model understands, judged by its tokenizer alone."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_SAMPLE = 8_000
"""Characters that are enough to judge a text by; of a longer one, slices from beginning to end."""
_SLICES = 8
_COMMON_CHINESE = "我你们这饭说"
"""Characters that every vocabulary made for Chinese has, and that BERT's English one has but one of."""


_CODE_PIECES = 4
"""Of a short code such as s3, k8s, v2 or p95. What is taken into more single characters is a hash or a password."""


def language_coverage_of(text: str, tokenizer: Tokenizer) -> float:
    """Return the share of a text's tokens that mean something to the model, in [0, 1]; 0 for a text without any.

    A token that stands for the unknown means nothing. To an English WordPiece vocabulary neither do the single
    characters into which it takes a word apart, other than the letters and digits of a short code, nor whole words of
    one character outside ASCII, such as a Chinese one: they are in the vocabulary, but were hardly ever seen in
    training. Punctuation counts neither way.
    """
    encoding = tokenizer.encode(_sample(text), add_special_tokens=False)
    unknown = getattr(tokenizer.model, "unk_token", None)
    spelled_out = _spells_out(tokenizer)
    counted = understood = 0
    for _, word in groupby(zip(encoding.word_ids, encoding.tokens, strict=True), key=itemgetter(0)):
        tokens = [token for _, token in word]
        segments = [token.removeprefix("##") for token in tokens]
        known_whole = len(segments) == 1 or _is_code(segments)
        for token, segment in zip(tokens, segments, strict=True):
            if token == unknown:
                counted += 1
            elif len(segment) > 1 or not spelled_out:
                counted += 1
                understood += 1
            elif segment.isalnum():
                counted += 1
                understood += known_whole and segment.isascii()
    return understood / counted if counted else 0.0


def _is_code(segments: Sequence[str]) -> bool:
    word = "".join(segments)
    digits = sum(map(str.isdigit, word))
    return len(segments) <= _CODE_PIECES and 0 < digits < len(word) and word.isascii()


def _spells_out(tokenizer: Tokenizer) -> bool:
    if type(tokenizer.model).__name__ != "WordPiece":
        return False
    return sum(tokenizer.token_to_id(character) is None for character in _COMMON_CHINESE) > 2


def _sample(text: str) -> str:
    if len(text) <= _SAMPLE:
        return text
    step = len(text) // _SLICES
    return " ".join(text[start : start + _SAMPLE // _SLICES] for start in range(0, step * _SLICES, step))
