"""Finding by words."""

from __future__ import annotations

from collections import Counter

import pytest

from agent_memory.records import MemoryRecord, MemoryType, Status
from agent_memory.storage.base import KeywordStore, Order, Store
from agent_memory.storage.retrieval import Selection
from agent_memory.storage.where import Where
from agent_memory.testing import builders
from agent_memory.testing.store.support import StoreTests, change, ids, needs, put, texts
from agent_memory.text.analysis import analyse, query_terms
from agent_memory.text.bm25 import WordStatistics, bm25_score
from agent_memory.text.porter import stem
from agent_memory.text.standing import MARK
from agent_memory.text.templates import indexed_text

_CORPUS = [
    builders.fact("The apple tree bears apples in autumn"),
    builders.fact("Pears, plums and an apple"),
    builders.event("Running through the orchard, running home"),
    builders.document("A long text about anything but fruit. " * 12 + "One apple."),
    builders.skill("Wait, then retry", name="Rate limits", triggers=("429", "too many requests")),
    builders.message("Did you run the tests?", name="Zoë"),
    builders.preference("dark mode", category="interface"),
    builders.note("the build of apple-pie is running", tags=("build", "ci")),
]


def _reference(records: list[MemoryRecord], terms: list[str]) -> tuple[WordStatistics, dict[str, float]]:
    """Compute BM25 over whole texts, the plain way."""
    stems = {record.id: Counter(map(stem, analyse(indexed_text(record)))) for record in records}
    lengths = {memory_id: words.total() for memory_id, words in stems.items()}
    statistics = WordStatistics(
        documents=len(records),
        mean_length=sum(lengths.values()) / len(records),
        document_frequency={
            stem(term): sum(stem(term) in words for words in stems.values()) for term in terms
        },
    )
    scores = {}
    for memory_id, words in stems.items():
        frequencies = {stem(term): words[stem(term)] for term in terms if stem(term) in words}
        if frequencies:
            scores[memory_id] = bm25_score(frequencies, lengths[memory_id], statistics)
    return statistics, scores


class WordTests(StoreTests):
    """Finding by words."""

    @needs("full_text")
    async def test_standing_instructions_are_listed_by_their_mark(self, store: Store) -> None:
        spotted, other, archived, later = await put(
            store,
            builders.message("Always answer in German.", tags=("a",)),
            builders.message("The sign always says the same.", tags=("a",)),
            builders.fact("Never book flights before noon", status=Status.ARCHIVED),
            builders.fact("Use tabs whenever I ask for code", importance=0.9),
        )
        marked = Selection(Where(), Order("importance"), 5, MARK)
        tagged = Selection(Where(tags_any=("a",)), Order("importance"), 5, MARK)
        assert list(map(ids, await store.select_each([marked, tagged]))) == [
            ids([later, spotted]),
            ids([spotted]),
        ]
        await change(store, spotted, content="The sign is in German.")
        await change(store, other, content="Always answer.")
        one = marked._replace(limit=1)
        everything = Selection(Where(types=(MemoryType.CONVERSATION,)), Order("created"), 5)
        answers = await store.select_each([one, marked, everything])
        assert list(map(texts, answers)) == [
            ["Use tabs whenever I ask for code"],
            ["Use tabs whenever I ask for code", "Always answer."],
            texts(await store.select(everything.where, everything.order, 5)),
        ]
        assert await store.select_each([]) == []
        assert archived.id not in {record.id for listed in answers for record in listed}

    @needs("full_text")
    @pytest.mark.parametrize(
        "terms",
        [
            ["apple"],
            ["apples", "run"],
            ["retry", "429", "interface"],
            ["build", "ci", "zoe"],
            ["nowhere"],
            ["the"],
        ],
        ids=" ".join,
    )
    async def test_scores_are_those_of_the_formula(self, store: KeywordStore, terms: list[str]) -> None:
        await put(store, *_CORPUS)
        statistics, expected = _reference(_CORPUS, terms)
        results = await store.by_keyword(terms, Where(), 100)
        assert dict(results) == pytest.approx(expected, rel=1e-6)
        scores = [score for _, score in results]
        assert scores == sorted(scores, reverse=True)
        assert all(score > 0 for score in scores)
        everywhere = await store.word_scores(terms, [*ids(_CORPUS), "no such memory"])
        assert everywhere == pytest.approx(expected, rel=1e-6)
        few = await store.word_scores(terms, ids(_CORPUS)[:2])
        assert few == pytest.approx({k: v for k, v in expected.items() if k in ids(_CORPUS)[:2]}, rel=1e-6)
        told = await store.word_statistics(terms)
        assert told.documents == statistics.documents
        assert told.mean_length == pytest.approx(statistics.mean_length)
        asked = statistics.document_frequency
        assert {term: told.document_frequency.get(term, 0) for term in asked} == asked

    @needs("full_text")
    async def test_nothing_asked_finds_nothing(self, store: KeywordStore) -> None:
        assert (await store.word_statistics(["apple"])).documents == 0
        await put(store, *_CORPUS)
        assert await store.by_keyword([], Where(), 10) == []
        assert await store.by_keyword(["apple"], Where(), 0) == []
        assert await store.word_scores([], ids(_CORPUS)) == {}
        assert await store.word_scores(["apple"], []) == {}

    @needs("full_text")
    async def test_the_limit_keeps_the_best(self, store: KeywordStore) -> None:
        await put(store, *_CORPUS)
        everything = await store.by_keyword(["apple"], Where(), 100)
        assert len(everything) == 4
        for limit in (1, 2, 3):
            results = await store.by_keyword(["apple"], Where(), limit)
            assert [score for _, score in results] == pytest.approx(
                [score for _, score in everything[:limit]]
            )

    @needs("full_text")
    @pytest.mark.parametrize(
        ("text", "query"),
        [
            ("他在北京大学读书", "大学"),
            ("今天天气很好，我们去公园", "天气"),
            ("昨日は東京駅で会議があった", "会議"),
            ("好きな食べ物はラーメンです", "ラーメン"),
            ("나는 커피를 좋아한다", "커피"),
            ("회의는 월요일에 있습니다", "회의"),
            ("猫", "猫"),
            ("The connections were refused", "connection"),
            ("She relates related relations", "relate"),
            ("Über die Größe des Cafés", "cafe"),
            ("Über die Größe des Cafés", "UBER"),
            ("Crème brûlée", "cre\u0300me bru\u0302le\u0301e"),
            ("version 3.11 of Python", "3.11"),
            ("file_name.py and other-file", "other file"),
        ],
    )
    async def test_words_are_found_in_any_script_and_form(
        self, store: KeywordStore, text: str, query: str
    ) -> None:
        wanted, _ = await put(store, builders.event(text), builders.event("nothing of the kind"))
        results = await store.by_keyword(query_terms(query), Where(), 5)
        assert [memory_id for memory_id, _ in results] == [wanted.id]

    @needs("full_text")
    @pytest.mark.parametrize(
        "query",
        [
            'say "apple"',
            "apple*",
            "apple:",
            "^apple",
            "(apple",
            "-apple",
            "apple AND",
            "NEAR(apple pear)",
            "words : apple",
            "{words} : apple + pie",
            "it's an apple; drop table memory",
            "apple \\ % _ ?",
        ],
    )
    async def test_no_character_of_a_query_is_an_operator(self, store: KeywordStore, query: str) -> None:
        wanted = (await put(store, builders.event("an apple a day"), builders.event("something else")))[0]
        results = await store.by_keyword(query_terms(query), Where(), 5)
        assert [memory_id for memory_id, _ in results] == [wanted.id]

    @needs("full_text")
    @pytest.mark.parametrize("term", ['"', 'a"b', "and", "near", "*", "or not", "'", "\\", "%", " "])
    async def test_any_term_can_be_asked_for(self, store: KeywordStore, term: str) -> None:
        await put(store, builders.event("plain text"))
        assert await store.by_keyword([term], Where(), 5) == []
        results = await store.by_keyword([term, "plain"], Where(), 5)
        assert len(results) == 1

    @needs("full_text")
    async def test_the_index_follows_the_text(self, store: KeywordStore) -> None:
        record = (await put(store, builders.fact("apples", tags=("fruit",))))[0]
        record = await change(store, record, content="pears", tags=("food",))
        for term, there in (("apples", 0), ("fruit", 0), ("pears", 1), ("food", 1)):
            assert len(await store.by_keyword([term], Where(), 5)) == there, term
            assert len(await store.word_scores([term], [record.id])) == there, term
        archived = await change(store, record, status=Status.ARCHIVED)
        assert await store.by_keyword(["pears"], Where(), 5) == []
        assert len(await store.by_keyword(["pears"], Where(statuses=(Status.ARCHIVED,)), 5)) == 1
        assert len(await store.word_scores(["pears"], [archived.id])) == 1

    @needs("full_text")
    async def test_a_filter_never_makes_a_keyword_search_shorter(self, store: KeywordStore) -> None:
        common = [builders.event("apple " * 3 + str(number)) for number in range(600)]
        rare = [
            builders.event("apple " + "and much more " * 30 + str(number), tags=("rare",))
            for number in range(5)
        ]
        away = [builders.event(f"apple {number}", status=Status.ARCHIVED) for number in range(300)]
        await put(store, *away, *common, *rare)
        assert len(await store.by_keyword(["apple"], Where(), 10)) == 10
        assert len(await store.by_keyword(["apple"], Where(), 600)) == 600
        assert len(await store.by_keyword(["apple"], Where(), 2_000)) == 605
        results = await store.by_keyword(["apple"], Where(tags_any=("rare",)), 10)
        assert {memory_id for memory_id, _ in results} == set(ids(rare))
        assert len(await store.by_keyword(["apple"], Where(tags_any=("rare",)), 3)) == 3

    @needs("full_text")
    async def test_a_very_long_text_is_found_by_its_last_word(self, store: KeywordStore) -> None:
        record = (await put(store, builders.document("word " * 200_000 + "needle")))[0]
        assert [memory_id for memory_id, _ in await store.by_keyword(["needle"], Where(), 5)] == [record.id]
        assert len(texts(await store.select(Where()))) == 1
