"""What a URL says: one server, a cluster or Sentinels."""

from __future__ import annotations

from typing import Any

import pytest

from agent_memory.errors import ConfigurationError
from agent_memory.storage.redis.address import parse, shown
from agent_memory.storage.redis.trusting import TlsConnection
from agent_memory.storage.registry import check_backend_name


@pytest.mark.parametrize(
    ("url", "topology", "nodes", "service", "options"),
    [
        ("redis://h", "single", [("h", 6379)], "", {}),
        ("redis://", "single", [("localhost", 6379)], "", {}),
        ("rediss://u:p%40w@h:7/2", "single", [("h", 7)], "", {"username": "u", "password": "p@w", "db": 2}),
        ("unix:///run/redis.sock?db=3", "single", [], "", {"db": 3}),
        ("redis+cluster://a:1,b", "cluster", [("a", 1), ("b", 6379)], "", {}),
        (
            "redis+cluster://:pw@[::1]:7000,[fe80::2]/0",
            "cluster",
            [("::1", 7000), ("fe80::2", 6379)],
            "",
            {"db": 0},
        ),
        ("REDISS+Cluster://a/?ssl_ca_certs=ca.pem", "cluster", [("a", 6379)], "", {"ssl_ca_certs": "ca.pem"}),
        ("redis+sentinel://a,b:7/mem", "sentinel", [("a", 26379), ("b", 7)], "mem", {}),
        ("rediss+sentinel://u:p@a/mem/4?sentinel_password=x", "sentinel", [("a", 26379)], "mem", {"db": 4}),
    ],
)
def test_a_url_is_read(url: str, topology: str, nodes: Any, service: str, options: dict[str, Any]) -> None:
    assert check_backend_name(url) == url
    place = parse(url)
    assert (place.topology, list(place.nodes), place.service) == (topology, nodes, service)
    assert options.items() <= place.options.items()
    assert (place.options.get("connection_class") is TlsConnection) == url.lower().startswith("rediss")
    assert not {"host", "port"} & place.options.keys()


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("redis+cluster://h/3", "database 0 only"),
        ("redis+sentinel://h", "no service"),
        ("redis+sentinel://h/", "no service"),
        ("redis://a,b", "several hosts"),
        ("redis://h:pw", "a port is a number"),
        ("redis+ring://h", "no kind of Redis"),
        ("redis+cluster://user:hush@h:port", "a port is a number"),
        ("redis://h:99999", "a port is a number up to 65535"),
        ("redis://h/abc", "a database is a number"),
        ("redis://h/-1", "a database is a number"),
        ("redis+sentinel://h/mem/x", "a database is a number"),
        ("redis://h/0?db=x", "'db'"),
        ("redis://h/0?nonsense=1", "no option nonsense"),
        ("redis://h/0?decode_responses=True", "no option decode_responses"),
        ("redis://h/0?retry=3", "no option retry"),
        ("redis://h/0?protocol=7", "protocol must be"),
        ("redis://h/0?ssl_ca_certs=ca.pem", "without TLS"),
        ("redis://h/0?sentinel_password=hush", "no option sentinel_password"),
        ("unix://", "no socket"),
        ("unix:///run/redis.sock?nonsense=1", "no option nonsense"),
    ],
)
def test_a_url_that_cannot_be_read_is_said_in_words(url: str, why: str) -> None:
    with pytest.raises(ConfigurationError, match=why) as caught:
        parse(url)
    assert "redis+sentinel://host:26379,host/service" in str(caught.value)
    assert "hush" not in str(caught.value)


def test_a_node_is_shown_as_it_is_written() -> None:
    assert [shown(("h", 1)), shown(("::1", 2))] == ["h:1", "[::1]:2"]
