"""The filter options of the commands that have them."""

from __future__ import annotations

import inspect
from importlib import import_module

import pytest

from agent_memory.memories.filters import Filters
from agentmem_cli.filters import _OPTIONS

from .running import done

COMMANDS = {"search": ["zebra"], "recall": ["zebra"], "list": [], "forget": ["--dry-run"]}
FITTING = {
    "types": ["--type", "event"],
    "tags": ["--tag", "a"],
    "every_tag": ["--every-tag", "a", "--every-tag", "b"],
    "since": ["--since", "1d"],
    "until": ["--until", "tomorrow"],
    "min_importance": ["--min-importance", "0.9"],
    "where": ["--where", "lang=en"],
    "field": ["--field", "outcome=failed"],
    "key": ["--key", "k"],
    "session": ["--session", "s"],
    "source": ["--source", "here"],
    "pinned": ["--pinned"],
}
"""Filters of which the first memory fits all."""
OTHER = {
    "types": ["--type", "doc"],
    "tags": ["--tag", "c"],
    "every_tag": ["--every-tag", "a", "--every-tag", "c"],
    "since": ["--since", "tomorrow"],
    "until": ["--until", "1d"],
    "where": ["--where", "lang=fr"],
    "field": ["--field", "outcome=success"],
    "key": ["--key", "another"],
    "session": ["--session", "another"],
    "source": ["--source", "there"],
}
"""Filters that no memory fits."""


def test_every_filter_of_the_library_is_an_option() -> None:
    assert {option.name for option in _OPTIONS.values()} == {*Filters.__annotations__}
    assert {*FITTING} == {*_OPTIONS}


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_has_every_option(name: str) -> None:
    command = getattr(import_module(f"agentmem_cli.commands.{name}"), "list_" if name == "list" else name)
    assert {*_OPTIONS} <= {*inspect.signature(command).parameters}
    assert "filters" not in inspect.signature(command).parameters


@pytest.fixture
def fitting() -> str:
    """Store two memories, and return the id of the one that all filters fit."""
    first = ["--type", "event", "--tag", "a", "--tag", "b", "--importance", "0.9", "--meta", "lang=en"]
    named = ["--key", "k", "--session", "s", "--source", "here"]
    id = done("add", "a zebra failed", *first, *named).out.strip()
    done("update", id, "--field", "outcome=failed")
    done("pin", id)
    done("add", "a zebra in the sun", "--type", "fact", "--importance", "0.2")
    return id


@pytest.mark.parametrize("name", COMMANDS)
def test_each_filter_narrows_each_command(name: str, fitting: str) -> None:
    pinned = ["--pinned"] if name == "forget" else []  # which spares pinned ones otherwise
    for option, given in FITTING.items():
        ids = done(name, *COMMANDS[name], *given, *pinned, "-o", "id").lines
        assert fitting in ids, option
        assert len(ids) == 1 or option in ("since", "until"), option
    for option, given in OTHER.items():
        assert done(name, *COMMANDS[name], *given, *pinned, "-o", "id").lines == [], option
