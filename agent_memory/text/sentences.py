"""Sentences: where they end, which of them answer a query, and which of them tell what a conversation was about.

No language model: a memory that does not fit is shortened to what it literally says.
"""

from __future__ import annotations

import heapq
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from agent_memory.text.analysis import analyse
from agent_memory.text.porter import stem
from agent_memory.text.stopwords import STOPWORDS
from agent_memory.text.tokens import ELLIPSIS, border_before, estimate_tokens, fits, truncate

# Each run of marks is looked at once, from its beginning: a text may be nothing but full stops.
_BORDER = re.compile(r"(?<![.!?…])[.!?…]++[\"'”’»)\]*_]*+(?=\s)|[。！？｡]+[」』”’）)]*|\n")
_ABBREVIATED = """
    e.g i.e cf vs etc al approx ca resp no nos vol fig figs eq eqs sec ch pp ed eds mr mrs ms dr prof sr jr st mt
    ft inc ltd co corp dept est gen gov sen rep rev jan feb mar apr jun jul aug sep sept oct nov dec mon tue wed
    thu fri sat sun a.m p.m u.s u.k ph.d
"""
_ABBREVIATIONS = frozenset(_ABBREVIATED.split())
_OPENERS = "([{\"'“‘«*_"
_ITEM = re.compile(r"\s*(?:[-*+•·#>|]|\d{1,3}[.)]\s|```)")
_WRAPPED = 50  # characters from which on a line without an end mark may go on in the next one
_GAP = f" {ELLIPSIS} "
_SPEAKER = re.compile(r"[^\s:][^:\n]{0,40}:\s")
_FEWEST_WORDS = 4  # a sentence with fewer content words ("You all look so happy!") tells little


def sentences(text: str) -> list[str]:
    """Cut a text into its sentences, list items and lines, without the white space around them."""
    return [text[start:end] for start, end in _spans(text)]


def best_sentences(text: str, terms: Sequence[str], budget_tokens: int) -> str:
    """Return what a text says about a query, in its own words and order, within a budget.

    The whole text if it fits; else the sentences that hold most of the terms' weight (a term weighs the more, the
    fewer sentences hold it), then those around them, with ` … ` where something is left out; else the best
    sentence, cut to what stands around the terms. Without any of the terms, the text's beginning.

    Args:
        terms: as `analysis.query_terms` gives them.
        budget_tokens: the most that `estimate_tokens` of the result may be.
        text: the text.
    """
    text = text.strip()
    if fits(text, budget_tokens):
        return text
    spans = _spans(text)
    wanted = frozenset(map(stem, terms))
    wanted_words = [wanted.intersection(map(stem, analyse(text[start:end]))) for start, end in spans]
    order = _by_coverage(wanted_words)
    if not order:
        return truncate(text, budget_tokens)
    best = order[0]
    chosen = _fill(text, spans, [*order, *_nearest_first(order, len(spans))], budget_tokens)
    if best not in chosen:
        start, end = spans[best]
        return _around(text[start:end], wanted, budget_tokens)
    return _joined(text, spans, chosen)


def first_line(text: str, tokens: int) -> str:
    """Return the first line of a text that says something, shortened to so many tokens; `…` if more follows."""
    text = text.strip()
    line = text.partition("\n")[0].rstrip()
    if len(line) < len(text):
        marked = f"{line} {ELLIPSIS}"
        if estimate_tokens(marked) <= tokens:
            return marked
        shorter = truncate(line, tokens)
        return shorter if shorter != line else truncate(line, tokens - 1)
    return truncate(line, tokens)


def extractive_summary(texts: Sequence[str], budget_tokens: int) -> str:
    """Summarise texts, such as the messages of a conversation, by their most telling sentences.

    A sentence tells much whose words are those of many sentences, and which the sentences taken already do not
    hold (SumBasic: Nenkova and Vanderwende, MSR-TR-2005-101; here a word counts once per sentence, so that one long
    message does not decide). The first text and the last count for a little more. One line for each text that
    gives any, in order; a speaker who stands in front of it as `Name: ` stands there again. The same texts always
    give the same summary. If everything fits, it is everything, but for line ends within a text.

    Returns:
        The summary.
    """
    texts = [text.strip() for text in texts if text.strip()]
    whole = "\n".join(" ".join(text.split()) for text in texts)
    if fits(whole, budget_tokens):
        return whole
    candidates = _candidates(texts)
    taken: list[_Candidate] = []
    left = budget_tokens
    for candidate in _by_centrality(candidates):
        text = texts[candidate.text]
        cost = estimate_tokens(f"{_speaker(text)}{ELLIPSIS} {text[candidate.start : candidate.end]}\n")
        if cost <= left:
            taken.append(candidate)
            left -= cost
        if left < _FEWEST_WORDS:
            break
    while taken:
        summary = _lines(texts, taken)
        if estimate_tokens(summary) <= budget_tokens:
            return summary
        taken.pop()
    return truncate(whole, budget_tokens)


# --- where sentences end -----------------------------------------------------------------------------------


def _spans(text: str) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    start = 0
    for match in _BORDER.finditer(text):
        if match.start() < start or not _ends_here(text, start, match):
            continue
        _append(spans, text, start, match.end())
        start = match.end()
    _append(spans, text, start, len(text))
    return spans


def _append(spans: list[tuple[int, int]], text: str, start: int, end: int) -> None:
    while start < end and text[start].isspace():
        start += 1
    while start < end and text[end - 1].isspace():
        end -= 1
    if start < end:
        spans.append((start, end))


def _ends_here(text: str, start: int, match: re.Match[str]) -> bool:
    mark, end = match[0], match.end()
    if mark == "\n":
        return not _is_wrapped(text, start, match.start())
    if mark[0] in "。！？｡":
        return True
    # "Really?" she asked.
    if (mark[0] in ".…" or mark[-1] not in "!?") and text[end : end + 40].lstrip()[:1].islower():
        return False
    before = text[start : match.start()].lstrip()
    if before.isdigit() or len(before) == 1:
        return False  # the number of a list item
    if mark == ".":
        word = before.rpartition(" ")[2].rpartition("\n")[2].lstrip(_OPENERS)
        initial = len(word) == 1 and word.isupper()
        return not initial and word.lower() not in _ABBREVIATIONS
    return True


def _is_wrapped(text: str, start: int, newline: int) -> bool:
    """Return whether a line break only breaks the line: a long line without an end, and the next in lower case."""
    line = text[max(start, text.rfind("\n", 0, newline) + 1) : newline].rstrip()
    after = text[newline + 1 : newline + 40]
    return (
        len(line) >= _WRAPPED and line[-1] not in ".!?:;…" and after[:1].islower() and not _ITEM.match(after)
    )


# --- choosing for a query ----------------------------------------------------------------------------------


def _by_coverage(word_sets: Sequence[frozenset[str]]) -> list[int]:
    """Order the sentences that hold any term; a term counts half as much each time one that holds it is taken."""
    frequency = Counter(term for terms in word_sets for term in terms)
    weight = {term: math.log(1 + len(word_sets) / count) for term, count in frequency.items()}

    def gain(position: int) -> float:
        return sum(weight[term] for term in sorted(word_sets[position]))

    def take(position: int) -> None:
        for term in word_sets[position]:
            weight[term] /= 2

    return list(_lazily([position for position, terms in enumerate(word_sets) if terms], gain, take))


def _lazily(
    positions: Iterable[int], gain: Callable[[int], float], take: Callable[[int], None]
) -> Iterator[int]:
    """Take the place with the most gain again and again; gains only ever fall, so few are computed anew."""
    heap = [(-gain(position), position) for position in positions]
    heapq.heapify(heap)
    while heap:
        _, position = heap[0]
        now = -gain(position)
        if len(heap) > 1 and (now, position) > min(heap[1:3]):
            heapq.heapreplace(heap, (now, position))
            continue
        heapq.heappop(heap)
        take(position)
        yield position


def _nearest_first(chosen: Sequence[int], count: int) -> list[int]:
    """Order the other places by how near they are to a chosen one, the better chosen first, what follows first."""
    rank = {position: index for index, position in enumerate(chosen)}
    others = [position for position in range(count) if position not in rank]
    ranked = sorted(chosen)

    def nearness(position: int) -> tuple[int, int, int]:
        nearest = min(ranked, key=lambda other: (abs(position - other), rank[other]))
        return (abs(position - nearest), rank[nearest], -position)

    return sorted(others, key=nearness)


def _fill(text: str, spans: Sequence[tuple[int, int]], order: Sequence[int], budget: int) -> list[int]:
    """Take places in order as long as the joined sentences fit; return those taken, ascending."""
    gap = estimate_tokens(_GAP)
    left = budget + gap  # the gap before the first is counted, and need not be there
    taken: list[int] = []
    for position in order:
        start, end = spans[position]
        cost = estimate_tokens(text[start:end])
        if cost <= left:
            taken.append(position)
            left -= cost
        if left <= gap:
            break
    while taken and estimate_tokens(_joined(text, spans, sorted(taken))) > budget:
        taken.pop()
    return sorted(taken)


def _joined(text: str, spans: Sequence[tuple[int, int]], positions: Sequence[int]) -> str:
    if not positions:
        return ""
    parts: list[str] = []
    first = previous = positions[0]
    for position in [*positions[1:], len(spans) + 1]:
        if position != previous + 1:
            parts.append(text[spans[first][0] : spans[previous][1]])
            first = position
        previous = position
    result = _GAP.join(parts)
    return (
        (f"{ELLIPSIS} " if positions[0] > 0 else "")
        + result
        + (f" {ELLIPSIS}" if positions[-1] < len(spans) - 1 else "")
    )


def _around(sentence: str, wanted: frozenset[str], budget: int) -> str:
    """Return a window of a sentence, as wide as the budget, around the first of the terms in it."""
    middle = _first_match(sentence, wanted)

    def window(radius: int) -> str:
        start = max(0, middle - radius // 3)  # what follows a word tells more than what precedes it
        if start:
            start = border_before(sentence, start)
        end = border_before(sentence, min(len(sentence), middle + radius))
        inside = sentence[start:end].strip()
        return (ELLIPSIS if start else "") + inside + (ELLIPSIS if end < len(sentence) else "")

    low, high = 0, len(sentence)
    while low < high:
        radius = (low + high + 1) // 2
        if estimate_tokens(window(radius)) <= budget:
            low = radius
        else:
            high = radius - 1
    excerpt = window(low) if low else ""
    if not excerpt.strip(ELLIPSIS) or estimate_tokens(excerpt) > budget:
        return truncate(sentence, budget)
    return excerpt


_WORD = re.compile(r"[^\W_]+")


def _first_match(sentence: str, wanted: frozenset[str]) -> int:
    for match in _WORD.finditer(sentence):
        if wanted.intersection(map(stem, analyse(match[0]))):
            run = match[0]
            within = [position for term in wanted if (position := run.casefold().find(term)) > 0]
            return match.start() + (min(within) if within and not run.isascii() else 0)
    return 0


# --- summing up --------------------------------------------------------------------------------------------


class _Candidate(NamedTuple):
    text: int
    start: int
    end: int
    words: frozenset[str]


def _candidates(texts: Sequence[str]) -> list[_Candidate]:
    candidates: list[_Candidate] = []
    for number, text in enumerate(texts):
        speaker = _speaker(text)
        for start, end in _spans(text):
            inside = max(start, len(speaker))
            if inside < end:
                words = frozenset(stem(word) for word in analyse(text[inside:end]) if word not in STOPWORDS)
                candidates.append(_Candidate(number, inside, end, words))
    telling = [
        result for result in candidates if len(result.words) >= _FEWEST_WORDS and _is_statement(texts, result)
    ]
    return telling or candidates


def _is_statement(texts: Sequence[str], candidate: _Candidate) -> bool:
    return not texts[candidate.text][: candidate.end].endswith(("?", "？"))


def _speaker(text: str) -> str:
    match = _SPEAKER.match(text)
    return match[0] if match else ""


def _by_centrality(candidates: Sequence[_Candidate]) -> Iterator[_Candidate]:
    frequency = Counter(word for candidate in candidates for word in candidate.words)
    share: dict[str, float] = {word: count / len(candidates) for word, count in frequency.items()}
    last = max((candidate.text for candidate in candidates), default=0)

    def gain(position: int) -> float:
        candidate = candidates[position]
        if not candidate.words:
            return 0.0
        # Between the mean and the sum of its words: the mean alone likes the shortest, the sum the longest.
        central = sum(share[word] for word in sorted(candidate.words)) / math.sqrt(len(candidate.words))
        return central * (1.2 if candidate.text in (0, last) else 1.0)

    def take(position: int) -> None:
        for word in candidates[position].words:
            share[word] *= share[word]

    for position in _lazily(range(len(candidates)), gain, take):
        yield candidates[position]


def _lines(texts: Sequence[str], taken: Iterable[_Candidate]) -> str:
    by_text: dict[int, list[_Candidate]] = {}
    for segment in sorted(taken):
        by_text.setdefault(segment.text, []).append(segment)
    return "\n".join(_line(texts[number], chosen) for number, chosen in by_text.items())


def _line(text: str, chosen: Sequence[_Candidate]) -> str:
    speaker = _speaker(text)
    said = " ".join(
        (ELLIPSIS + " " if _skips(text, before, item) else "") + text[item.start : item.end]
        for before, item in zip([None, *chosen[:-1]], chosen, strict=True)
    )
    return speaker + " ".join(said.split())


def _skips(text: str, before: _Candidate | None, candidate: _Candidate) -> bool:
    start = before.end if before is not None else len(_speaker(text))
    return bool(text[start : candidate.start].strip())
