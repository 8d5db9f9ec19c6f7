"""MaxSim: how well the words of a query match the tokens of a text, each word with the token nearest to it.

After ColBERT's late interaction (Khattab and Zaharia, SIGIR 2020), with the token vectors of a model that was not
trained for it. Two changes make up for that: each word weighs as much as it is rare in the store, and its
similarities are compared with those of the other texts, since some words are near to something everywhere.

Pure functions of words and matrices.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from operator import mul
from typing import TYPE_CHECKING, Any

from agent_memory.recall import constants
from agent_memory.text.analysis import QueryWord, analyse, terms_of
from agent_memory.text.bm25 import WordStatistics
from agent_memory.text.porter import stem

if TYPE_CHECKING:
    from numpy.typing import NDArray


def word_weights(
    words: Collection[str], counted: Sequence[QueryWord], statistics: WordStatistics | None
) -> dict[str, float]:
    """Return what each word of a query weighs, all together 1. Stop words and punctuation are left out.

    Args:
        words: the words as the model takes the query apart.
        counted: the words of the query that count, as `query_words` gives them.
        statistics: how rare they are; None where nobody knows, and each counts the same.
    """
    stems = frozenset(map(stem, terms_of(counted)))
    weights = {}
    for word in dict.fromkeys(words):
        terms = [term for term in map(stem, analyse(word)) if term in stems]
        if terms:
            weights[word] = 1.0 if statistics is None else _rarity(terms, statistics)
    total = sum(weights.values())
    return {word: weight / total for word, weight in weights.items()}


def _rarity(terms: Sequence[str], statistics: WordStatistics) -> float:
    documents = max(statistics.documents, constants.SMALL_STORE)
    frequency = min(documents, *(statistics.document_frequency.get(term, 0) for term in terms))
    return math.log(1 + (documents - frequency + 0.5) / (frequency + 0.5))


def word_similarities(
    token_words: Sequence[str], words: Collection[str], query: NDArray[Any], text: NDArray[Any]
) -> list[float]:
    """Return, for each word, the mean over its tokens of the best cosine with any token of a text; 0 without any.

    Args:
        token_words: for each token of the query, the word that it is part of.
        words: the words that count.
        query: the query's token vectors, one in a row, each of length 1. Tokens that it has none for are passed over.
        text: the same of the text.

    Returns:
        One number for each word, in their order.
    """
    import numpy

    best: list[float] = [0.0] * len(query)
    if len(text):
        best = (query.astype(numpy.float32) @ text.astype(numpy.float32).T).max(axis=1).tolist()
    by_word: dict[str, list[float]] = {word: [] for word in words}
    for word, cosine in zip(token_words, best, strict=False):
        if word in by_word:
            by_word[word].append(cosine)
    return [sum(cosines) / len(cosines) if cosines else 0.0 for cosines in by_word.values()]


def with_the_former(similarities: Sequence[Sequence[float]], former: Mapping[int, int]) -> list[list[float]]:
    """Give each text, for each word, the better of its own similarity and that of the text before it.

    Args:
        similarities: for each text, one number for each word.
        former: by the place of a text, the place of the one that it answers or goes on from.

    Returns:
        For each text one number for each word, none smaller than before.
    """
    return [
        [max(pair) for pair in zip(own, similarities[former[place]], strict=True)]
        if place in former
        else list(own)
        for place, own in enumerate(similarities)
    ]


def match_scores(weights: Sequence[float], similarities: Sequence[Sequence[float]]) -> list[float]:
    """Return for each text how far it matches the query better than the other texts do, in deviations.

    Args:
        weights: what each word weighs, all together 1.
        similarities: for each text, one number for each word.
    """
    by_word = [standardised(column) for column in zip(*similarities, strict=True)]
    sums = [sum(map(mul, weights, row)) for row in zip(*by_word, strict=True)]
    return standardised(sums)


def brevity(lengths: Sequence[int]) -> float:
    """Return how far MaxSim is to be trusted among texts of such lengths, in (0, 1].

    Any word is near to something in a long text: so it falls with the square of their geometric mean.
    """
    mean = math.exp(sum(math.log(max(1, length)) for length in lengths) / max(1, len(lengths)))
    return min(1.0, constants.SHORT_TEXT / mean) ** 2


def standardised(values: Sequence[float]) -> list[float]:
    """Return how many deviations above their mean values lie; less where all are nearly alike."""
    mean = sum(values) / len(values)
    deviation = math.sqrt(sum((value - mean) ** 2 for value in values) / len(values))
    return [(value - mean) / max(deviation, constants.SMALLEST_SPREAD) for value in values]
