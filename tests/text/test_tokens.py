"""Token estimates, and cutting to them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_memory.text.tokens import border_before, estimate_at_most, estimate_tokens, fits, truncate

# Counted with two real vocabularies: (text, cl100k, o200k).
COUNTED = [
    ("The user prefers dark mode because she works until late at night.", 13, 13),
    ("Let's meet at 3:30 pm on 2026-05-08 in room 204, shall we?", 25, 24),
    (
        "def estimate(text: str) -> int:\n    total = 0\n    for word in text.split():\n"
        "        total += cost(word)\n    return total\n",
        32,
        32,
    ),
    ('{"id": "7f3k2m9q", "type": "fact", "importance": 0.7, "tags": ["work", "ui"]}', 37, 37),
    ("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", 43, 43),
    (
        "# Setup\n\n- install the package with `pip install .`\n- run `make test`\n\n"
        "| name | what |\n|---|---|\n| local | default |\n",
        34,
        34,
    ),
    ("Electroencephalography measurements of immunohistochemically characterised glioblastoma", 19, 16),
    ("THE SERVER IS DOWN AND NOBODY KNOWS WHY", 10, 11),
    ("用户更喜欢深色模式，因为他晚上工作到很晚。", 26, 14),
    ("ユーザーは夜遅くまで働くので、ダークモードを好みます。", 30, 21),
    ("사용자는 밤늦게까지 일하기 때문에 다크 모드를 선호합니다.", 29, 18),
    ("Пользователь предпочитает тёмную тему, потому что работает до поздней ночи.", 30, 20),
    ("L'utilisateur préfère le mode sombre parce qu'il travaille tard.", 16, 12),
    ("Great job! 🎉🎉 See you tomorrow 👍🏽", 17, 13),
    ("https://example.org/docs/v1.2.3/index.html?query=memory&limit=10#top", 23, 23),
]

anything = st.text(st.characters(exclude_categories=["Cs"]), max_size=300) | st.text(
    st.sampled_from("ab zE1 .,\n\t-é日本어🏽\u200d👍\u0301{\"':"), max_size=300
)


@pytest.mark.parametrize(("text", "cl100k", "o200k"), COUNTED)
def test_the_estimate_is_seldom_too_small_and_never_far_off(text: str, cl100k: int, o200k: int) -> None:
    estimate = estimate_tokens(text)
    assert estimate >= 0.95 * min(cl100k, o200k)
    assert estimate >= 0.8 * max(cl100k, o200k)
    assert estimate <= 1.35 * max(cl100k, o200k) + 2


@given(anything)
def test_no_text_takes_more_than_its_bytes_nor_nothing(text: str) -> None:
    assert bool(text) <= estimate_tokens(text) <= 2 * len(text.encode()) + 1


@given(anything, anything)
def test_more_text_never_takes_much_less(text: str, more: str) -> None:
    together = estimate_tokens(text + more)
    assert together >= estimate_tokens(text) - 3
    assert together <= estimate_tokens(text) + estimate_tokens(more) + 3


@settings(deadline=None)
@given(anything, st.integers(-1, 60))
def test_a_truncated_text_fits_and_is_the_beginning(text: str, tokens: int) -> None:
    result = truncate(text, tokens)
    assert estimate_tokens(result) <= max(tokens, 0)
    if result != text:
        assert result == "" or (result[-1] == "…" and text.startswith(result[:-1]))


@settings(deadline=None)
@given(anything, st.integers(1, 60))
def test_an_estimate_ends_where_it_may_not_go_on(text: str, tokens: int) -> None:
    for several in (text, 40 * f"{text} "):
        assert estimate_at_most(several, tokens) == min(estimate_tokens(several), tokens)
        assert fits(several, tokens) == (estimate_tokens(several) <= tokens)


def test_it_is_cut_at_a_word() -> None:
    text = "The quick brown fox jumps over the lazy dog, and then it sleeps."
    assert truncate(text, 1000) == text
    assert truncate(text, 6) == "The quick brown fox…"
    assert truncate(text, 12) == "The quick brown fox jumps over the lazy dog…"
    assert truncate("Incomprehensibilities", 2) == ""
    assert truncate("", 0) == ""


def test_chinese_and_long_keys_are_cut_anywhere_but_never_inside_a_character() -> None:
    chinese = "用户更喜欢深色模式，因为他晚上工作到很晚，眼睛容易疲劳。" * 5
    assert 15 <= estimate_tokens(truncate(chinese, 20)) <= 20
    assert len(truncate("x1y2" * 100, 30)) >= 15
    family = "👨\u200d👩\u200d👧"
    assert border_before("ab " + family * 30, 100) % len(family) == 3
    assert border_before("e\u0301" * 100, 101) == 100


def test_a_book_is_cut_in_no_time() -> None:
    book = "All happy families are alike. " * 50_000
    assert estimate_tokens(truncate(book, 100)) > 80
