"""The load generator stores what it says, measures it, and takes it away."""

from __future__ import annotations

import os
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import pytest

from agent_memory.errors import ClosedError
from agent_memory.memories.agents import list_agents
from agent_memory.storage.where import Where
from benchmarks.load.__main__ import at, jobs_of, report
from benchmarks.load.worker import OPEN, Agents, Job, Measured, run

ROOT = Path(__file__).parents[2]


def test_percentiles_are_of_all_calls() -> None:
    times = [number / 1000 for number in range(100, 0, -1)]
    assert [at(times, share) for share in (0.5, 0.95, 0.99, 1.0)] == [0.051, 0.096, 0.1, 0.1]


def test_errors_are_counted_by_what_they_say() -> None:
    measured = Measured()
    measured.times["put"] += [0.5, 1.5]
    measured.errors.update({"busy": 2, "gone": 1})
    lines = report(measured, 4.0)
    assert lines[1].split() == ["store", "one", "memory", "0.5", "1500.0", "1500.0", "1500.0", "1500.0"]
    assert lines[2:] == ["errors: 3", "  2 x busy", "  1 x gone"]


def test_all_processes_together_leave_connections_of_a_server_with_default_settings() -> None:
    for processes in (1, 4, 200):
        jobs = jobs_of(
            Namespace(
                url="sqlite",
                agents=1000,
                writers=150,
                processes=processes,
                seconds=1.0,
                dimension=8,
                search_every=3,
            )
        )
        assert sum(job.writers for job in jobs) == 150
        assert 0 < sum(job.open_at_once for job in jobs) <= OPEN < 100
        assert all(job.open_at_once for job in jobs)


@pytest.mark.anyio
async def test_an_agent_that_nobody_uses_is_closed_where_too_many_are_open() -> None:
    agents = Agents(Job("sqlite", 4, 1, 1.0, dimension=8, search_every=0, seed=1, open_at_once=2))
    stores = []
    for number in range(4):
        stores.append(await agents.take(number))
        agents.give_back(number)
    in_use = await agents.take(2)
    assert in_use is stores[2]
    assert await in_use.count(Where()) == await stores[3].count(Where()) == 0
    for closed in stores[:2]:
        with pytest.raises(ClosedError):
            await closed.count(Where())
    await agents.close()


def test_a_job_stores_and_searches() -> None:
    measured = run(Job("sqlite", agents=2, writers=2, seconds=1.0, dimension=8, search_every=3, seed=1))
    assert measured.errors.total() == 0
    assert all(measured.times.values())
    stored = list_agents()
    assert {agent.agent_id for agent in stored} == {"load-000000", "load-000001"}
    assert sum(agent.total for agent in stored) == len(measured.times["put"])


def test_agents_beyond_those_kept_open_are_opened_again() -> None:
    job = Job("sqlite", 3, 2, 1.0, dimension=8, search_every=3, seed=2, open_at_once=1)
    measured = run(job)
    assert measured.errors.total() == 0
    assert sum(agent.total for agent in list_agents()) == len(measured.times["put"]) > 3


def test_the_program_reports_and_cleans_up() -> None:
    words = (
        "sqlite",
        "--agents",
        "2",
        "--writers",
        "2",
        "--processes",
        "1",
        "--seconds",
        "0.5",
        "--dimension",
        "8",
    )
    ran = subprocess.run(
        [sys.executable, "-m", "benchmarks.load", *words],
        cwd=ROOT,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        check=True,
    )
    assert "store one memory" in ran.stdout
    assert "errors: 0" in ran.stdout
    assert "a memory" in ran.stdout
    assert sum(agent.total for agent in list_agents()) == 0
