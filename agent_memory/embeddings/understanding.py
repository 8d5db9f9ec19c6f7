"""How much of a text a model understands, judged by its tokenizer alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_SAMPLE = 8_000
"""Characters that are enough to judge a text by; of a longer one, slices from beginning to end."""
_SLICES = 8
_COMMON_CHINESE = "我你们这饭说"
"""Characters that every vocabulary made for Chinese has, and that BERT's English one has but one of."""


def share_understood(text: str, tokenizer: Tokenizer) -> float:
    """Return the share of a text's tokens that mean something to the model, in [0, 1]; 0 for a text without any.

    A token that stands for the unknown means nothing. To an English WordPiece vocabulary neither do the single
    characters into which it takes a word apart, nor whole words of one character outside ASCII, such as a
    Chinese one: they are in the vocabulary, but were hardly ever seen in training. Punctuation counts neither way.
    """
    encoding = tokenizer.encode(_sample(text), add_special_tokens=False)
    unknown = getattr(tokenizer.model, "unk_token", None)
    spelled_out = _spells_out(tokenizer)
    tokens = encoding.tokens
    words = encoding.word_ids
    counted = understood = 0
    for index, token in enumerate(tokens):
        bare = token.removeprefix("##")
        if token == unknown:
            counted += 1
        elif len(bare) > 1 or not spelled_out:
            counted += 1
            understood += 1
        elif bare.isalnum():
            counted += 1
            word = words[index]
            piece_of_word = (index > 0 and words[index - 1] == word) or words[index + 1 : index + 2] == [word]
            understood += not piece_of_word and bare.isascii()
    return understood / counted if counted else 0.0


def _spells_out(tokenizer: Tokenizer) -> bool:
    if type(tokenizer.model).__name__ != "WordPiece":
        return False
    return sum(tokenizer.token_to_id(character) is None for character in _COMMON_CHINESE) > 2


def _sample(text: str) -> str:
    if len(text) <= _SAMPLE:
        return text
    step = len(text) // _SLICES
    return " ".join(text[start : start + _SAMPLE // _SLICES] for start in range(0, step * _SLICES, step))
