"""No password is shown: in connection strings, URLs, queries, errors."""

from __future__ import annotations

import time

import pytest

from agent_memory import ConfigurationError
from agent_memory.redaction import redacted


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://me:pw@h/db", "postgresql://me:***@h/db"),
        ("postgresql://u:a b pw@h", "postgresql://u:***@h"),
        ("postgresql://u:12 34@h/x", "postgresql://u:***@h/x"),
        ("redis://:6379 1@h:6379 does not answer", "redis://:***@h:6379 does not answer"),
        ("redis://h:6379 refused: ask admin", "redis://h:6379 refused: ask admin"),
        ("postgresql://u:a/b?c#d@h:5/x", "postgresql://u:***@h:5/x"),
        ("postgresql://u:a@b:c@h/db", "postgresql://u:***@h/db"),
        ("redis://:pw@h:6379/0", "redis://:***@h:6379/0"),
        ("rediss://pw@h", "rediss://***@h"),
        ("pinecone://pw@x", "pinecone://***@x"),
        ("https://token@example.org/x", "https://***@example.org/x"),
        (
            "at redis://a:pw@h or postgresql://b:pw@h, twice",
            "at redis://a:***@h or postgresql://b:***@h, twice",
        ),
        ("host=db user=me password=pw dbname=x", "host=db user=me password=*** dbname=x"),
        ("host=db password='p w \\' x' dbname=x", "host=db password=*** dbname=x"),
        ('password = "p w" host=h', "password = *** host=h"),
        (
            "postgresql://h/db?sslmode=require&password=pw&x=1",
            "postgresql://h/db?sslmode=require&password=***&x=1",
        ),
        ("postgresql://h/db?sslpassword=pw", "postgresql://h/db?sslpassword=***"),
        ("https://h/v1?token=pw#x", "https://h/v1?token=***#x"),
        ("https://h/v1?a=1;api_key=pw", "https://h/v1?a=1;api_key=***"),
        ("client_secret=pw, next", "client_secret=***, next"),
        ("Authorization: Bearer abcdefgh.ijkl", "Authorization: Bearer ***"),
        ("Incorrect API key provided: sk-proj-abcdefgh", "Incorrect API key provided: sk-***"),
    ],
)
def test_secrets_are_hidden(text: str, shown: str) -> None:
    assert redacted(text) == shown
    assert redacted(shown) == shown


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://me@db.example.org/memory",
        "redis://localhost:6379/0",
        "redis://localhost:6379 does not answer, write to me@example.org",
        "http://[::1]:8000/a@b",
        "https://example.org/@me?x=1",
        "sqlite:///srv/a.db",
        "password_file=/run/secrets/pw",
        "tokens=5",
        "a text about a password: forget it",
    ],
)
def test_what_is_no_secret_is_shown(text: str) -> None:
    assert redacted(text) == text


def test_every_error_hides_them() -> None:
    error = ConfigurationError.unknown("backend", "host=db password=pw", ["sqlite"])
    assert "pw" not in str(error)
    assert "pw" not in error.message
    assert "pw" not in str(ConfigurationError("no", hint="write redis://u:pw@h"))


@pytest.mark.parametrize(
    "part", ["a://", "a:", "@", "password", "password=", "='", "a.b-", "://u:", "sk-", "Bearer ", "\\'"]
)
def test_long_texts_take_linear_time(part: str) -> None:
    def seconds(count: int) -> float:
        before = time.process_time()
        redacted("x://u:" + part * count)
        return time.process_time() - before

    assert seconds(20_000) < 2


def test_a_url_within_the_query_of_another_is_redacted_too() -> None:
    encoded = "postgresql://u:one@h/db?read_url=postgresql%3A%2F%2Fu%3Atwo%40r%2Fdb&sslmode=require"
    hidden = "postgresql://u:***@h/db?read_url=postgresql%3A%2F%2F***%40r%2Fdb&sslmode=require"
    assert redacted(encoded) == hidden
    plain = "postgresql://u:one@h/db?read_url=postgresql://u:two@r/db"
    assert redacted(plain) == "postgresql://u:***@h/db?read_url=postgresql://u:***@r/db"
    assert redacted("postgresql://a%40b:one@h/db") == "postgresql://a%40b:***@h/db"
