"""URLs of PostgreSQL that cannot be read: said in words, and without the password that stands in them."""

from __future__ import annotations

import pytest

from agent_memory.errors import ConfigurationError
from agent_memory.storage.postgres import PostgresStore, addresses


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("postgresql://u:hu%ZZsh@h/db", r"invalid percent-encoded token\)"),
        ("postgresql://u:hu%00sh@h/db", "forbidden value %00"),
        ("postgresql://u:p@hu/o#sh%@h/db", r"invalid percent-encoded token\)"),
        ("postgresql://u:hu@sh:x@h/db", "a port is a number"),
        ("postgresql://u:hush@[::1/db", "IPv6"),
        ("postgresql://u:hush@h:99999/db", "a port is a number up to 65535"),
        ("postgresql://u:hush@h:abc/db", "a port is a number"),
        ("postgresql://u:hush@a:1,b:x/db", "a port is a number"),
        ("postgresql://h/db?nonsense=1", '"nonsense"'),
    ],
)
def test_a_url_that_cannot_be_read_is_said_in_words(url: str, why: str) -> None:
    with pytest.raises(ConfigurationError, match=why) as caught:
        PostgresStore("tester", url=url)
    assert not {"hush", "hu", "sh"} & set(str(caught.value).replace("%", " ").replace("@", " ").split())
    assert "hush" not in str(caught.value)


def test_a_replica_s_url_is_read_too() -> None:
    with pytest.raises(ConfigurationError, match="a port is a number"):
        PostgresStore("tester", url="postgresql://h/db", read_url="postgresql://h:x/db")


def test_what_can_be_read_stays_as_it_is() -> None:
    for url in ("postgresql://", "postgresql://a:1,b/db", "postgresql://%2Frun%2Fpg/db", "host=h port=5"):
        assert addresses.checked(url) == url
    assert addresses.checked("POSTGRESQL://U@H/Db") == "postgresql://U@H/Db"
