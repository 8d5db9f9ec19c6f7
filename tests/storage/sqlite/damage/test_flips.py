"""A byte that flips in a row: the row is named, and everything else is listed, found, counted and exported.

A flip in a block of the full-text index counts if any word is found otherwise than before: some bytes of it are never
read. It is named, and until it is mended some memories may be found by meaning alone. Where a flip leaves a table
that cannot be read at all, it is left out here: `test_salvage` is about those.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from agent_memory.storage.where import Where, conditions
from agent_memory.testing import builders

from ..support import ALL, add, opened
from .files import DIMENSION, filled, flips

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(("memories", "count"), [(100, 42), pytest.param(5_000, 300, marks=pytest.mark.soak)])
async def test_every_flip_is_named_and_stops_nothing_else(
    tmp_path: Path, memories: int, count: int, request: pytest.FixtureRequest
) -> None:
    soak = request.node.get_closest_marker("soak") is not None
    seed = random.randrange(10**6) if soak else 11
    print(f"seed {seed}")
    path = tmp_path / "whole.db"
    everything = {record.id: record for record in await filled(path, memories)}
    async with opened(path) as store:
        assert await store.check() == []
    for number, flip in enumerate(flips(path, count, seed)):
        damaged = tmp_path / f"{number}.db"
        damaged.write_bytes(flip.content)
        if number % 6 == 0:
            copy = tmp_path / "shell.db"  # a search counts accesses, and so writes rows of `usage` anew
            copy.write_bytes(flip.content)
            _asked_in_a_shell(copy)
        async with opened(damaged, None) as store:
            assert await store.check() != [], flip.table
            listed = {record.id for record in await store.select(Where())}
            exported = {record.id async for page in store.scan(ALL) for record in page}
            # An index may still know what the row itself has lost, so that the one shows it and the other does not.
            lost = everything.keys() - (listed & exported)
            named = [name for name in store.damaged if name.startswith(("memory ", "the memory "))]
            renamed = (listed | exported) - everything.keys()
            assert len(lost) == len(named) + len(renamed) <= 1, (flip.table, store.damaged)
            assert await store.count(Where()) in (len(everything), len(everything) - 1)
            assert await store.groups(Where(), "type") != []
            assert len(await store.select(Where(metadata=conditions({"number": 3})))) <= 2
            sound = sorted(listed & exported & everything.keys())
            facts = [everything[item] for item in sound if "word" in everything[item].content]
            if flip.table == "memory_fts_data":
                await store.rebuild()  # FTS5 may not notice, and hide words until `doctor --fix`
            for record in random.Random(seed).sample(facts, 5):
                word = record.content.split()[1]
                assert record.id in dict(await store.by_keyword([word], Where(), 20)), flip.table
            nearest = await store.by_vector(builders.vector(1, dimension=DIMENSION), Where(), memories)
            assert len(nearest) >= memories - 1
            await store.histories(sorted(listed))
            await store.operations(1000)
            new = builders.fact(f"A new one {number}")
            await add(store, new, vectors={builders.digest(new): [builders.vector(2, dimension=DIMENSION)]})
            assert new.id in await store.get([new.id])
            if number % 5 == 0:
                await store.rebuild()
                assert {record.id for record in await store.select(Where())} >= {*sound, new.id}
        damaged.unlink()
        (tmp_path / "shell.db").unlink(missing_ok=True)


def _asked_in_a_shell(path: Path) -> None:
    """Let the command line say what is damaged, and show the rest."""
    whatever = {0, 5}  # 5 where the damaged row is among those that were read
    for command, codes, least in (
        (["doctor"], {5}, 1),
        (["list", "--limit", "5"], whatever, 4),
        (["search", "zebra"], whatever, 9),
    ):
        said = subprocess.run(
            [sys.executable, "-m", "agentmem_cli", "--db", str(path), *command],
            env={
                **os.environ,
                "AGENTMEM_HOME": str(path.parent / "home"),
                "AGENTMEM_EMBEDDING_PROVIDER": "none",
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert said.returncode in codes, said
        assert len(said.stdout.splitlines()) >= least, said
        assert "Traceback" not in said.stderr
        assert "report" not in said.stderr
