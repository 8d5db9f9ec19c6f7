"""When two texts say the same."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agent_memory.memories.deduplication.sameness import same_words, wording

SAME = [
    ("User prefers dark mode", "user prefers dark mode."),
    ("The user  prefers\ndark mode", "user prefers dark mode"),
    ("The server is down.", "Server is down"),
    ("A server is down", "the server is down"),
    ("User has a dog", "user has the dog"),
    ("Maria works as an engineer in the Oslo office", "maria works as engineer in Oslo office."),
    ("Deploys need the token", "Deploys need a token"),
    ("The build likes a clean cache", "Build likes clean cache."),
    ("Zoe\u0308 lives in K\u00f6ln", "Zo\u00eb lives in Ko\u0308ln"),
    ("Élise parle français", "élise parle français"),
    ("東京は日本の首都です。", "東京は日本の首都です"),
    ("The release is on\u00a0Friday", "Release is on Friday"),
    ("I like tea", "i like tea"),
    ("Don't deploy on Fridays", "don't deploy on Fridays."),
    ("He said (twice).", "he said (twice)"),
]
DIFFERENT = [
    # other words, however near
    ("The meeting is on Monday", "The meeting is on Tuesday"),
    ("The alarm is on", "The alarm is off"),
    ("Turn left at the bank", "Turn right at the bank"),
    ("Backups rarely fail", "Backups always fail"),
    ("Maria eats meat", "Maria does not eat meat"),
    ("Keys go in the vault", "Keys go to the vault"),
    ("User prefers dark mode", "User preferred dark mode"),
    # the same words in another order
    ("Alice is Bob's manager", "Bob is Alice's manager"),
    ("Ship tea to Oslo and coffee to Rome", "Ship coffee to Oslo and tea to Rome"),
    ("not only fast", "only not fast"),
    # case that is not the first letter's
    ("The config is /etc/App/Conf", "The config is /etc/app/conf"),
    ("US is a market", "us is a market"),
    ("User prefers Dark mode", "user prefers dark mode"),
    ("Visit Polish shops", "Visit polish shops"),
    ("C is the language", "c is the language"),
    ("App.py starts it", "app.py starts it"),
    ("UserId is a number", "userId is a number"),
    ("-V prints the version", "-v prints the version"),
    (":Q does nothing", ":q does nothing"),
    ("$Path is set", "$path is set"),
    # signs
    (".env", "env"),
    (":q", "q"),
    ("cd .", "cd"),
    ("cd ..", "cd ."),
    ("Copy it to src/.", "Copy it to src/"),
    ("wait...", "wait"),
    ("wait..", "wait."),
    ("is the build green", "is the build green?"),
    ("User prefers dark mode", "User prefers dark mode!"),
    ("I like C++", "I like C"),
    ("Deploy, then test", "Deploy then test"),
    ("U.S. offices", "US offices"),
    ("the mood today 😀", "the mood today 😢"),
    # numbers
    ("Postgres listens on port 5432", "Postgres listens on port 5433"),
    ("The ratio is 1.0", "The ratio is 10"),
    ("The limit is 10", "The limit is 10.0"),
    ("Version 1.2 is out", "Version 12 is out"),
    # letters and names that look like articles
    ("plan a", "plan"),
    ("Vitamin A helps", "Vitamin helps"),
    ("Vitamin a deficiency is rare", "Vitamin deficiency is rare"),
    ("Option a costs more", "Option costs more"),
    ("The ferry goes from a to b", "The ferry goes from to b"),
    ("A is larger than B", "is larger than B"),
    ("Press `a` to go on", "Press to go on"),
    ('Type "a b" there', 'Type "b" there'),
    ("Run 'rm the file' now", "Run 'rm file' now"),
    ("cp a b", "cp b"),
    ("grep -r the logs", "grep -r logs"),
    ("A few people agree", "Few people agree"),
    ("Go to The Hague", "Go to Hague"),
    # white space that is no more than none
    ("It is nowhere", "It is now here"),
]


@pytest.mark.parametrize(("left", "right"), SAME)
def test_what_says_the_same(left: str, right: str) -> None:
    assert same_words(left, right)


@pytest.mark.parametrize(("left", "right"), DIFFERENT)
def test_what_does_not(left: str, right: str) -> None:
    assert not same_words(left, right)


words = """a an the A The I plan is US .env C++ /etc/App wait... "a" user's Dog 10"""
texts = st.text(max_size=60) | st.lists(st.sampled_from(words.split()), max_size=8).map(" ".join)


@given(text=texts)
@example(text="")
@example(text="the")
def test_a_text_says_what_it_says_in_any_form_of_unicode_and_space(text: str) -> None:
    assert same_words(text, unicodedata.normalize("NFD", text))
    assert same_words(text, f"\n {text}\t")
    assert same_words(text, "  ".join(text.split(" ")))


@given(text=texts)
def test_nothing_is_left_out_but_articles_full_stops_and_a_capital(text: str) -> None:
    kept = wording(text).split()
    words = unicodedata.normalize("NFC", text).split()
    dropped = 0
    for place, word in enumerate(words):
        here = place - dropped
        if here < len(kept) and kept[here].lower() in (word.lower(), word.lower()[:-1]):
            continue
        assert word.lower() in ("a", "an", "the")
        dropped += 1
    assert len(kept) == len(words) - dropped


@given(words=st.permutations(["Anna", "pays", "Bert", "for", "Carl"]))
def test_another_order_says_something_else(words: list[str]) -> None:
    given_order = ["Anna", "pays", "Bert", "for", "Carl"]
    assert same_words(" ".join(words), " ".join(given_order)) is (words == given_order)


@given(text=texts, place=st.integers(min_value=1, max_value=40))
def test_a_capital_within_counts(text: str, place: int) -> None:
    said = f"remember {text}"
    place += len("remember ")
    other = said[:place] + said[place : place + 1].swapcase() + said[place + 1 :]
    same = unicodedata.normalize("NFC", said) == unicodedata.normalize("NFC", other)
    assert same_words(said, other) is same
