from __future__ import annotations

import pytest

from agentmem_cli.settings.redaction import redacted, shown


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("redis://user:pa:ss@host:6379/0", "redis://user:***@host:6379/0"),
        ("redis://:secret@host", "redis://:***@host"),
        ("no answer from postgresql://me:x@h/db?a=b now", "no answer from postgresql://me:***@h/db?a=b now"),
        ("redis://me:p/w@host", "redis://me:***@host"),
        ("https://h/?api_key=abc&x=1", "https://h/?api_key=***&x=1"),
        ("postgres://h/db?password=x#y", "postgres://h/db?password=***#y"),
        ("postgres://me@host:5432/db", "postgres://me@host:5432/db"),
        ("plain: text@example.com", "plain: text@example.com"),
        ("redis://a:b@h redis://c:d@h", "redis://a:***@h redis://c:***@h"),
    ],
)
def test_passwords_of_urls_are_not_shown(text: str, expected: str) -> None:
    assert redacted(text) == expected


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("embedding.api_key", "sk-1", "***"),
        ("backend_config.password", "x", "***"),
        ("embedding.api_key_file", "/run/key", "/run/key"),
        ("backend", "redis://:x@h", "redis://:***@h"),
        ("embedding.api_key", None, None),
        ("limit", 10, 10),
    ],
)
def test_secrets_are_known_by_their_names(name: str, value: object, expected: object) -> None:
    assert shown(name, value) == expected
