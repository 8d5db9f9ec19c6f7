"""A hundred agents move into a Redis Cluster while a tenth of them is written to, and the migration is killed once.

And one moves while the primary that it moves to is lost, in a cluster and behind Sentinels.

The agents that are written to have 5,000 memories, the others as many as MEMORIES says: 500, or what the environment
variable AGENTMEM_MOVED_MEMORIES says.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from servers.redis import RedisServer, redis_vectorsets
from servers.redis_cluster import RedisCluster, SentinelSet, until

from agent_memory.errors import IntegrityError
from agent_memory.memories import agents
from agent_memory.storage.base import Store
from agent_memory.storage.registry import create_store
from agent_memory.storage.sqlite import SqliteStore
from agent_memory.testing import builders
from agent_memory.testing.store.support import EVERYTHING
from agent_memory.transfer import moving, switching
from agent_memory.transfer.deciding import Decision

from .filling import put

pytestmark = [pytest.mark.anyio, pytest.mark.soak, pytest.mark.timeout(14_400)]
AGENTS = int(os.environ.get("AGENTMEM_MOVED_AGENTS", "100"))
WRITTEN_TO = 5000
MEMORIES = int(os.environ.get("AGENTMEM_MOVED_MEMORIES", "500"))
DIMENSION = 64
WRITER = Path(__file__).parent / "programs" / "write_until_moved.py"


async def fill_one(path: Path, agent_id: str, count: int) -> None:
    store = SqliteStore(agent_id, path=path)
    await store.open()
    await store.add_space(builders.space("moved", DIMENSION))
    vectors = builders.random_vectors(500, dimension=DIMENSION, seed=1)
    for begin in range(0, count, 500):
        records = [
            builders.event(f"at step {number} the service {number % 97} restarted in region {number % 7}")
            for number in range(begin, min(count, begin + 500))
        ]
        given = {builders.digest(one): [vectors[place]] for place, one in enumerate(records)}
        await put(store, *records, vectors=given)
    await store.close()


def named(number: int) -> str:
    return f"agent-{number:03}"


async def fill_folder(folder: Path) -> list[str]:
    """Make the files of all agents, and return the names of those that are written to."""
    await fill_one(folder / "large", "large", WRITTEN_TO)
    await fill_one(folder / "small", "small", MEMORIES)
    busy = [named(number) for number in range(AGENTS) if number % 10 == 5]
    for number in range(AGENTS):
        kind = "large" if named(number) in busy else "small"
        shutil.copy(folder / kind, folder / f"{kind}.db")
        agents.rename_agent(kind, named(number), folder)
    return busy


@contextmanager
def running(*words: str, told: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program that is not left behind; what it tells goes into files."""
    with told.open("wb") as out, told.with_suffix(".err").open("wb") as err:
        process = subprocess.Popen([sys.executable, *words], stdout=out, stderr=err)
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def migration(folder: Path, url: str) -> list[str]:
    words = ["migrate", "--from", str(folder), "--all", "--switch", "--to", url, "-j", "4", "--json"]
    return ["-m", "agentmem_cli", *words]


async def wait_for(process: subprocess.Popen[bytes], ended: int, errors: Path) -> None:
    """Wait until so many agents are moved."""
    while f"({ended} of " not in errors.read_text():
        assert process.poll() is None, errors.read_text()
        await anyio.sleep(0.1)


async def compared(folder: Path, url: str, agent_id: str) -> set[str]:
    """Compare an agent in full, and return the ids that arrived."""
    source = SqliteStore(agent_id, path=folder / f"{agent_id}.db")
    target = create_store(url, agent_id, {})
    await source.open()
    await target.open()
    try:
        count = await moving.verify(source, target, Decision(space="same"))
        there = {record.id async for page in target.scan(EVERYTHING) for record in page}
        assert there == {record.id async for page in source.scan(EVERYTHING) for record in page}
        assert count >= len(there)
        mark = await source.moved()
        assert mark is not None
        assert mark.done
        return there
    finally:
        await source.close()
        await target.close()


@pytest.mark.parametrize("moment", ["copying", "switching", "checking"])
async def test_what_a_failover_forgets_is_copied_again(tmp_path: Path, moment: str) -> None:
    """From the first batch on nothing reaches the replica; it takes over as the step begins that `moment` names."""
    agent_id, count = "ann", 2500
    await fill_one(tmp_path / "ann.db", agent_id, count)
    source = SqliteStore(agent_id, path=tmp_path / "ann.db")
    with RedisCluster(redis_vectorsets, appendonly=True) as cluster:
        target = create_store(cluster.url, agent_id, {})
        await source.open()
        await target.open()
        primary = cluster.owner("{agentmem:ann}")
        replica = cluster.nodes[cluster.nodes.index(primary) + 3]

        def fail_over() -> None:
            primary.kill()
            replica.thaw()
            until(lambda: cluster.owner("{agentmem:ann}", without=primary) is replica, "the failover")
            primary.start()

        def progress(done: int, _total: int) -> None:
            if done == 500:
                until(lambda: acknowledged(replica) == acknowledged(primary), "the replica")
                replica.freeze()
                with primary.client() as client:
                    client.execute_command("CLIENT KILL", "TYPE", "replica")
            if done == 1500 and moment == "copying":
                fail_over()

        def phase(name: str) -> None:
            if name == moment != "copying" and primary.running and cluster.owner("{agentmem:ann}") is primary:
                fail_over()

        done = await switching.switch(source, target, progress=progress, phase=phase)
        assert done.switched
        assert cluster.owner("{agentmem:ann}") is replica
        await source.close()
        await target.close()
        assert len(await compared(tmp_path, cluster.url, agent_id)) == count


class Lost:
    """Loses the primary behind Sentinels in the middle of a move; `cut_off`: with what it has written since 500."""

    def __init__(self, watched: SentinelSet, *, cut_off: bool) -> None:
        self._watched, self._cut_off = watched, cut_off
        self._primary = watched.primary()
        self.replica = next(server for server in watched.servers if server is not self._primary)

    def progress(self, done: int, _total: int) -> None:
        """Called after each batch of 500."""
        if done == 500:
            until(lambda: acknowledged(self.replica) == acknowledged(self._primary), "the replica")
            if self._cut_off:
                self.replica.freeze()
                with self._primary.client() as client:
                    client.execute_command("CLIENT KILL", "TYPE", "replica")
        if done == 1000 and not self._cut_off:  # in the midst of the next batch
            threading.Timer(0.1, self._primary.kill).start()
        if done == 1000 and self._cut_off:
            self._primary.kill()
            self.replica.thaw()
            until(lambda: self._watched.primary() is self.replica, "the failover")


@asynccontextmanager
async def between(folder: Path, url: str) -> AsyncIterator[tuple[SqliteStore, Store]]:
    """An agent of 2,000 memories in a file, and a store for it."""
    await fill_one(folder / "ann.db", "ann", 2000)
    source, target = SqliteStore("ann", path=folder / "ann.db"), create_store(url, "ann", {})
    await source.open()
    await target.open()
    yield source, target
    await source.close()
    await target.close()


@pytest.mark.parametrize("cut_off", [False, True])
async def test_a_primary_behind_sentinels_is_lost_in_the_middle(tmp_path: Path, cut_off: bool) -> None:
    """Nothing acknowledged is missing, or the error says how much; the next run goes on."""
    with SentinelSet(redis_vectorsets, appendonly=True) as watched:
        lost = Lost(watched, cut_off=cut_off)
        async with between(tmp_path, watched.url) as (source, target):
            said, missing = "", 0
            try:
                done = await moving.migrate(source, target, progress=lost.progress)
                assert (done.added, done.verified) == (2000, 2000)
            except IntegrityError as error:
                said, missing = str(error), 2000 - await target.count(EVERYTHING)
            if missing:
                assert said.startswith(f"{missing} of 2000 memories are not the same")
                assert "a server that failed over may have forgotten some" in said
            assert bool(said) == bool(missing)
            assert missing == 500 or not cut_off
            assert watched.primary() is lost.replica
            again = await moving.migrate(source, target)
            assert (again.added, again.same, again.verified) == (missing, 2000 - missing, 2000)
            assert await target.check() == []


async def test_what_sentinels_have_lost_is_copied_again_before_it_is_switched(tmp_path: Path) -> None:
    with SentinelSet(redis_vectorsets, appendonly=True) as watched:
        lost = Lost(watched, cut_off=True)
        async with between(tmp_path, watched.url) as (source, target):
            done = await switching.switch(source, target, progress=lost.progress)
            assert done.switched
            assert watched.primary() is lost.replica
        assert len(await compared(tmp_path, watched.url, "ann")) == 2000


def acknowledged(node: RedisServer) -> int:
    with node.client() as client:
        told: dict[str, Any] = client.info("replication")
    return int(told.get("slave_repl_offset", told["master_repl_offset"]))


async def test_a_hundred_agents_move_into_a_cluster(tmp_path: Path) -> None:
    folder, report = tmp_path / "agents", tmp_path / "report"
    folder.mkdir()
    busy = await fill_folder(folder)
    with ExitStack() as stack:
        cluster = stack.enter_context(RedisCluster(redis_vectorsets, appendonly=True))
        for node in cluster.nodes:  # on a busy machine it would fail over, which is another test's subject
            node.client().config_set("cluster-node-timeout", 60_000)
        begin = time.monotonic()
        words = [str(WRITER), str(folder), str(report), *busy]
        writer = stack.enter_context(running(*words, told=tmp_path / "writer"))
        with running(*migration(folder, cluster.url), told=tmp_path / "first") as process:
            await wait_for(process, AGENTS // 3, tmp_path / "first.err")
            await anyio.sleep(3)  # in the middle of others
        killed = time.monotonic()
        with running(*migration(folder, cluster.url), told=tmp_path / "second") as process:
            assert process.wait() == 0, (tmp_path / "second.err").read_text()
        end = time.monotonic()
        assert writer.wait(60) == 0, (tmp_path / "writer.err").read_text()
        rows = json.loads((tmp_path / "second").read_text())
        told: list[dict[str, Any]] = [json.loads(line) for line in report.read_text().splitlines()]
        refused = {line["agent"]: line["refused"] for line in told if "refused" in line}
        writes = [line for line in told if "id" in line]
        print(
            f"{AGENTS} agents ({len(busy)} of {WRITTEN_TO}, the others of {MEMORIES} memories) in"
            f" {killed - begin:.0f} + {end - killed:.0f} s; {len(writes)} writes meanwhile;"
            f" refused for {max(row['refused_seconds'] for row in rows):.2f} s at most,"
            f" as the writers saw it for {max(refused.values()):.2f} s"
        )
        assert [row["agent"] for row in rows] == [named(number) for number in range(AGENTS)]
        assert all(row["problem"] is None for row in rows)
        assert sorted(refused) == busy
        assert max(refused.values()) <= 2
        assert max(row["refused_seconds"] for row in rows) <= 2
        listed = await create_store(cluster.url, "nobody", {}).list_agents()
        assert listed == [named(number) for number in range(AGENTS)]
        for number in range(0, AGENTS, 5):
            there = await compared(folder, cluster.url, named(number))
            mine = [line for line in writes if line["agent"] == named(number)]
            gone = {line["id"] for line in mine if line["gone"]}
            assert {line["id"] for line in mine} - gone <= there
            assert not gone & there
