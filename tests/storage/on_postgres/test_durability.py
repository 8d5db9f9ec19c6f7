"""What is promised of an acknowledged write, by the server's settings."""

from __future__ import annotations

from typing import Any

import pytest
from servers.postgres import PostgresServer

from agent_memory.storage.postgres import PostgresStore
from agent_memory.storage.postgres.durability import concluded
from agent_memory.testing.store.support import opened

SAFE = {
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "synchronous_standby_names": "",
    "standbys": 0,
    "synchronous standbys": 0,
}


def test_one_server_that_waits_for_its_disk_loses_nothing_but_with_the_disk() -> None:
    promised = concluded(SAFE)
    assert promised.survives.endswith("a power cut; not the loss of its disk")
    assert promised.risks == ()


@pytest.mark.parametrize(
    ("settings", "survives", "risk"),
    [
        ({"synchronous_commit": "off"}, "only after a second", "synchronous_commit = on"),
        ({"fsync": "off"}, "no power cut", "fsync = on"),
        ({"standbys": 1}, "not the loss of its disk", "synchronous_standby_names"),
        (
            {"standbys": 1, "synchronous_standby_names": "*", "synchronous_commit": "local"},
            "not the loss",
            "failover",
        ),
        ({"synchronous_standby_names": "*"}, "the loss of the primary", "writes wait"),
    ],
)
def test_what_may_lose_a_write_is_said_with_what_prevents_it(
    settings: dict[str, Any], survives: str, risk: str
) -> None:
    promised = concluded({**SAFE, **settings})
    assert survives in promised.survives
    assert [line for line in promised.risks if risk in line]


def test_a_synchronous_standby_survives_the_primary() -> None:
    promised = concluded({**SAFE, "standbys": 1, "synchronous standbys": 1, "synchronous_standby_names": "*"})
    assert promised.survives.endswith("and the loss of the primary")
    assert promised.risks == ()


@pytest.mark.anyio
async def test_the_settings_are_read_from_the_server(newest: PostgresServer) -> None:
    async with opened(lambda agent_id: PostgresStore(agent_id, url=newest.url)) as made:
        promised = await made.durability()
    assert promised is not None
    assert promised.settings == {
        **SAFE,
        "fsync": "off",
        "full_page_writes": "off",
        "synchronous_commit": "off",
    }
