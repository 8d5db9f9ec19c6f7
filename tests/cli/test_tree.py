"""The table of commands agrees with the commands."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator

import pytest

from agentmem_cli.tree import COMMANDS, HIDDEN, Entry, Noun, entry_of
from tests.cli.running import done, run


def entries() -> Iterator[tuple[tuple[str, ...], Entry]]:
    for name, entry in COMMANDS.items():
        if isinstance(entry, Noun):
            for verb, item in entry.verbs.items():
                yield (name, verb), item
        else:
            yield (name,), entry


@pytest.mark.parametrize(("words", "entry"), list(entries()), ids=lambda value: str(value)[:40])
def test_each_command_has_its_file_its_summary_and_two_examples(words: tuple[str, ...], entry: Entry) -> None:
    module = importlib.import_module("agentmem_cli.commands." + ".".join(words))
    function = getattr(module, words[-1], None)
    function = function if callable(function) else getattr(module, words[-1] + "_")
    text = inspect.getdoc(function)
    assert text is not None
    assert text.splitlines()[0] == entry.summary
    examples = text.partition("Examples:")[2].strip().splitlines()
    assert len(examples) == 2
    assert all("agentmem" in example for example in examples)


@pytest.mark.parametrize("words", [words for words, _ in entries()], ids=" ".join)
def test_each_command_explains_itself(words: tuple[str, ...]) -> None:
    ran = run(*words, "--help")
    assert ran.code == 0
    assert ran.err == ""
    assert ran.out.startswith(f"Usage: agentmem {' '.join(words)}")
    assert "Examples:" in ran.out


@pytest.mark.parametrize("alias", HIDDEN)
def test_another_name_of_a_command_stores_what_the_command_stores(alias: str) -> None:
    assert entry_of([alias]) == COMMANDS[HIDDEN[alias].alias_of or ""]


def test_the_first_memory_of_an_agent_may_be_stored_by_another_name_of_add() -> None:
    id = done("remember", "a fact").lines[0]
    assert done("list", "-o", "id").lines == [id]
