"""An inverted index: which memories hold which stems, and how often."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from agent_memory.records import MemoryRecord
from agent_memory.text.analysis import analyse, is_code
from agent_memory.text.bm25 import WordStatistics, bm25_score
from agent_memory.text.porter import stem
from agent_memory.text.templates import indexed_text


def stems_of(record: MemoryRecord) -> Counter[str]:
    """Count the stems of a memory's words."""
    return Counter(map(stem, analyse(indexed_text(record))))


class WordIndex:
    """The words of all memories, whatever their status."""

    def __init__(self) -> None:
        self._frequencies: dict[str, Counter[str]] = {}
        self._holders: dict[str, dict[str, int]] = {}
        self._lengths: dict[str, int] = {}
        self._codes: list[str] = []
        """Stems that may be the rest of a code's beginning, in order."""
        self._total = 0

    def add(self, memory_id: str, frequencies: Counter[str]) -> None:
        """Index a memory that is not there yet."""
        self._frequencies[memory_id] = frequencies
        self._lengths[memory_id] = frequencies.total()
        self._total += self._lengths[memory_id]
        for term, frequency in frequencies.items():
            if term not in self._holders:
                self._holders[term] = {}
                if is_code(term):
                    insort(self._codes, term)
            self._holders[term][memory_id] = frequency

    def remove(self, memory_id: str) -> None:
        """Take a memory out."""
        self._total -= self._lengths.pop(memory_id)
        for term in self._frequencies.pop(memory_id):
            holders = self._holders[term]
            del holders[memory_id]
            if not holders:
                del self._holders[term]
                if is_code(term):
                    del self._codes[bisect_left(self._codes, term)]

    def holding(self, terms: Iterable[str]) -> set[str]:
        """Return the ids of all memories that hold any of the terms."""
        return {memory_id for term in terms for memory_id in self._holders.get(stem(term), ())}

    def beginning(self, prefix: str, limit: int) -> list[str]:
        """Return the first stems that begin so."""
        start = bisect_left(self._codes, prefix)
        return [root for root in self._codes[start : start + limit] if root.startswith(prefix)]

    def scores(self, terms: Sequence[str], ids: Iterable[str]) -> dict[str, float]:
        """Return the BM25 scores of those of the memories that hold any of the terms."""
        statistics = self.statistics(terms)
        holders = {term: self._holders.get(term, {}) for term in statistics.document_frequency}
        result = {}
        for memory_id in ids:
            frequencies = {term: counts[memory_id] for term, counts in holders.items() if memory_id in counts}
            if frequencies:
                result[memory_id] = bm25_score(frequencies, self._lengths[memory_id], statistics)
        return result

    def statistics(self, terms: Iterable[str]) -> WordStatistics:
        """Return what BM25 has to know about these terms."""
        documents = len(self._lengths)
        return WordStatistics(
            documents=documents,
            mean_length=self._total / documents if documents else 0.0,
            document_frequency={term: len(self._holders.get(term, ())) for term in map(stem, terms)},
        )

    def integrity_errors(self, expected: Mapping[str, Counter[str]]) -> list[str]:
        """Compare the index with what it should hold; one line per fault."""
        result = [
            f"memory {memory_id}: its words are not those of its text"
            for memory_id in expected.keys() | self._frequencies.keys()
            if expected.get(memory_id) != self._frequencies.get(memory_id)
        ]
        afresh = WordIndex()
        for memory_id, frequencies in self._frequencies.items():
            afresh.add(memory_id, frequencies)
        if afresh._derived() != self._derived():
            result.append("the word index contradicts its own entries")
        return result

    def _derived(self) -> tuple[object, ...]:
        return self._holders, self._lengths, self._codes, self._total
