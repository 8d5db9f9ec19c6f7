"""The words of a text: the same to us, to every FTS5, in the index and in a query."""

from __future__ import annotations

import re
import subprocess
import sys
import time
import unicodedata
from collections import Counter
from functools import cache
from types import ModuleType

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from agent_memory.text.analysis import (
    LONGEST_WORD,
    analyse,
    analysed_text,
    is_code,
    query_terms,
    query_words,
    terms_of,
)
from agent_memory.text.porter import stem
from agent_memory.text.stopwords import STOPWORDS

from .full_text import DRIVERS, matches, tokens

every_driver = pytest.mark.parametrize("driver", DRIVERS, ids=lambda driver: driver.sqlite_version)

any_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
many_scripts = st.text(
    st.sampled_from(
        "aeiouyEDing nts'-_.ßøÆıİǅéÅ\u0301\u0345\u0300ЙёΣςאָע\u05b8ةً१कि्ะกำ๑ကျခ្ម"
        "日本語がカﾞｶﾞ々ー〇ㄱㅏ한글\u1112\u1161豈𠀀①½ﬁＡ１\u00ad\u200b\u200d\u2019👍🏽\ufe0f\ue000\u19b0\u1cf2\uffff"
    ),
    max_size=40,
)


@every_driver
@settings(max_examples=150, deadline=None)
@given(st.lists(any_text | many_scripts, min_size=1, max_size=20))
def test_fts5_cuts_the_analysed_text_into_exactly_these_words(driver: ModuleType, texts: list[str]) -> None:
    assert tokens(driver, [analysed_text(text) for text in texts], "unicode61") == [
        analyse(text) for text in texts
    ]


@every_driver
@settings(max_examples=100, deadline=None)
@given(st.lists(any_text | many_scripts, min_size=1, max_size=20))
def test_fts5_stores_exactly_our_stems(driver: ModuleType, texts: list[str]) -> None:
    assert tokens(driver, [analysed_text(text) for text in texts], "porter unicode61") == [
        [stem(word) for word in analyse(text)] for text in texts
    ]


@cache
def words_of_every_character() -> tuple[list[str], list[list[str]]]:
    """Return texts with each character within a word of its own, analysed, and their words."""
    planes = [range(0x80, 0xD800), range(0xE000, 0x30000), range(0xE0000, 0xE0200)]
    texts = [
        " ".join(f"q{chr(code)}q" for code in plane[start : start + 64])
        for plane in planes
        for start in range(0, len(plane), 64)
    ]
    return [analysed_text(text) for text in texts], [analyse(text) for text in texts]


@every_driver
def test_fts5_keeps_every_character_that_our_words_are_made_of(driver: ModuleType) -> None:
    analysed, words = words_of_every_character()
    assert tokens(driver, analysed, "unicode61") == words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("User prefers DARK mode.", "user prefers dark mode"),
        ("snake_case kebab-case v1.2.3 ERR_429", "snake case kebab case v1 v 1 2 3 err 429"),
        ("mail ann@example.org about /etc/hosts", "mail ann example org about etc hosts"),
        ("Café cafe\u0301 CAFÉ", "cafe cafe cafe"),
        ("Straße STRASSE", "strasse strasse"),
        ("Søren Łódź Æsir ılık", "soren lodz aesir ilik"),
        ("ﬁne Ｆｕｌｌ x² ①", "fine full x2 x 2 1"),
        ("Ёлка йод", "елка иод"),
        ("مُحَمَّد", "محمد"),
        ("हिन्दी", "हनद"),
        ("co\u00adoperate a\u200bb", "cooperate a b"),
        ("猫", "猫"),
        ("设备", "设 设备 备"),
        ("用iPhone拍照", "用 iphone i phone 拍 拍照 照"),
        ("2024年", "2024 年"),
        ("ガ ｶﾞ か\u3099", "ガ ガ が"),
        ("서울에", "서 서울 울 울에 에"),
        ("\u1109\u1165\u110b\u116e\u11af", "서 서울 울"),
        ("กาแฟ", "ก กา า าแ แ แฟ ฟ"),
        ("computeShippingCost", "computeshippingcost compute shipping cost"),
        ("größeBerechnen caféBar", "grosseberechnen grosse berechnen cafebar cafe bar"),
        ("счётПользователя", "счетпользователя счет пользователя"),
        ("Ｈｔｍｌ５Ｐａｒｓｅｒ", "html5parser html5 html 5 parser"),
        ("shipCôst­Total", "shipcosttotal ship costtotal"),
        ("ab cd", "a b c d"),
        ("  …! ", ""),
    ],
)
def test_words(text: str, words: str) -> None:
    assert analysed_text(text) == words


@pytest.mark.parametrize(
    ("query", "terms"),
    [
        ("What is the user's favourite theme?", "user favourite theme"),
        ("Why don't you know who won?", "know won"),
        ("Who are you?", "who are you"),
        ("vitamin D or plan B", "vitamin d plan b"),
        ("running runs RUN run", "running"),
        ("我的设备", "我的 的设 设备"),
        ("猫", "猫"),
        ("the 猫 runs", "猫 runs"),
        ("what does computeShippingCost do?", "computeshippingcost compute shipping cost"),
        ("the cost of computeShippingCost", "cost computeshippingcost compute shipping"),
        ("iPhone on k8s at 10am", "iphone phone k8s 8 10am 10"),
        ("getURL's don't", "geturl get url"),
        ("?!", ""),
        ("", ""),
    ],
)
def test_query_terms(query: str, terms: str) -> None:
    assert query_terms(query) == terms.split()


@pytest.mark.parametrize(
    ("fact", "query"),
    [
        ("我买了新设备放在办公室", "设备"),
        ("サンドボックスで実行する", "サンド"),
        ("彼女はｺｰﾋｰが好き", "コーヒー"),
        ("서울에서 회의가 있다", "회의"),
        ("ฉันชอบดื่มกาแฟทุกวัน", "กาแฟ"),
        ("Пользователь любит зелёный чай", "зеленый"),
        ("The token is ERR_429 again", "err_429"),
        ("Zoë moved to Kraków", "krakow"),
        ("She was relating stories", "related story"),
    ],
)
@every_driver
def test_a_word_of_a_fact_finds_it(driver: ModuleType, fact: str, query: str) -> None:
    rows = [analysed_text(text) for text in ("some other fact 别的 그것 อื่น другое", fact)]
    assert [row for row, _ in matches(driver, rows, query_terms(query))] == [1]


@settings(deadline=None)
@given(any_text | many_scripts)
def test_every_query_finds_the_text_that_it_is(text: str) -> None:
    terms = query_terms(text)
    assert set(terms) <= set(analyse(text))
    assert bool(terms) == bool(analyse(text))
    stems = [stem(term) for term in terms]
    assert len(stems) == len(set(stems))


@settings(deadline=None)
@given(any_text | many_scripts)
@example("0\u0345\u3099")
def test_capitals_change_no_whole_word(text: str) -> None:
    # In its one order: a mark below a Greek letter becomes a letter, and what stood behind it is then a mark of that.
    text = unicodedata.normalize("NFKC", text)
    wholes = {word.whole for word in query_words(text)}
    assert wholes == {word.whole for word in query_words(text.casefold())}


@settings(deadline=None)
@given(st.from_regex(r"[ -~\n]{0,80}", fullmatch=True))
def test_what_older_rules_found_is_still_there(text: str) -> None:
    plain = re.findall(rf"[a-z0-9]{{1,{LONGEST_WORD}}}", text.lower())
    assert not Counter(plain) - Counter(analyse(text))


@pytest.mark.parametrize("unit", ["a1", "aB", "ab", "1A", "éÉ", "é1", "👍\u200d", "\x1f", "a\x1fB", "日a"])
def test_a_long_word_takes_no_longer_than_its_length(unit: str) -> None:
    started = time.process_time()
    analyse(unit * 100_000)
    query_words(unit * 10_000)
    assert time.process_time() - started < 20


def test_a_long_blob_is_cut_alike_in_text_and_query() -> None:
    blob = "a1" * 500
    assert max(map(len, analyse(blob))) == LONGEST_WORD
    assert set(query_terms(blob)) <= set(analyse(f"before {blob} after"))
    assert max(map(len, analyse("ж" * 500))) == LONGEST_WORD


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("3f9a2bc", True),
        ("e83c5163316f89bfbde7d9ab23ca2e25604af290", True),
        ("i0a1b2c3d4e5f6", True),
        ("версия2023", True),
        ("3f9a2b", False),
        ("deadbeef", False),
        ("12345678", False),
        ("\U000ff44d\U000ff3fd", False),
    ],
)
def test_codes_are_told_from_words(word: str, expected: bool) -> None:
    assert is_code(word) is expected


def test_a_query_keeps_a_word_and_its_parts_together() -> None:
    words = query_words("userId of s3Bucket 👍🏽")
    assert [(word.whole, word.parts) for word in words] == [
        ("userid", ("user", "id")),
        ("s3bucket", ("s3", "3", "bucket")),
        ("\U000ff44d\U000ff3fd", ("\U000ff44d",)),
    ]
    assert terms_of(words) == query_terms("userId of s3Bucket 👍🏽")


def test_the_stop_words_are_words_of_the_index() -> None:
    assert 100 <= len(STOPWORDS) <= 180
    assert all(analyse(word) == [word] for word in STOPWORDS)


def test_importing_the_analysis_brings_nothing_heavy() -> None:
    code = (
        "import sys; before = set(sys.modules); import agent_memory.text.analysis, agent_memory.text.tokens,"
        " agent_memory.text.templates, agent_memory.text.bm25, agent_memory.text.sentences;"
        " print(*sorted({name.split('.')[0] for name in set(sys.modules) - before}))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    brought = set(found.stdout.split())
    assert brought.isdisjoint({"numpy", "pydantic", "sqlite3", "typer", "rich", "httpx", "asyncio"})
