"""Hints: one sentence, and each face's own words for the acts in it."""

from __future__ import annotations

import ast
import pickle
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import agent_memory
from agent_memory import hints
from agent_memory.errors import MemoryNotFoundError, ValidationError
from agent_memory.hints import PYTHON, Hint

LIBRARY = Path(agent_memory.__file__).parent
SHELL = {name: f"<{name.lower()}>" for name in PYTHON} | {"GET": "<get {id}>"}
COMMAND = re.compile(
    r"`agentmem|agentmem (add|search|recall|get|list|update|index|status|doctor|model|agents|config|chat|doc) "
    r"|--(agent|db|backend|offline|mode|rerank|text|history|on-conflict|fix|salvage|archived|type)\b"
)


def texts(tree: ast.AST) -> Iterator[ast.Constant]:
    """Iterate over the texts in a module that are not docstrings."""
    documentation = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
            yield node


def test_a_hint_is_worded_by_each_face_in_its_own_terms() -> None:
    hint = Hint("see {GET}, or {LIST}", id="7f3k")
    assert hint == "see `get('7f3k')`, or `list()`"
    assert hints.worded(hint, SHELL) == "see <get 7f3k>, or <list>"
    assert hints.worded("a text", SHELL) == "a text"


def test_a_hint_goes_through_errors_and_stays_one() -> None:
    error = ValidationError("wrong", hint=MemoryNotFoundError("nobody").hint)
    assert str(error) == "wrong: `list()` shows what is there"
    assert (
        hints.worded(Hint("tried: {error}", error=error), SHELL) == "tried: wrong: <list> shows what is there"
    )


@pytest.mark.parametrize("value", ["{GET}", "{}", "{0}", "a{b", "100 %"])
def test_what_a_hint_names_is_taken_to_the_letter(value: str) -> None:
    assert Hint("see {name} and {GET}", name=value, id=value) == f"see {value} and `get('{value}')`"


def test_a_hint_hides_passwords_in_every_wording() -> None:
    error = ValidationError("wrong", hint=Hint("use {BACKEND}", url="redis://me:secret@host"))
    assert "secret" not in str(error)
    assert "secret" not in hints.worded(error.hint or "", SHELL)


def test_a_hint_survives_pickling() -> None:
    hint = pickle.loads(pickle.dumps(Hint("see {GET}", id="7f3k")))
    assert hints.worded(hint, SHELL) == "see <get 7f3k>"


@pytest.mark.parametrize(
    "path",
    sorted(LIBRARY.rglob("*.py")),
    ids=lambda path: str(path.relative_to(LIBRARY)),
)
def test_the_library_names_acts_and_no_commands(path: Path) -> None:
    for text in texts(ast.parse(path.read_text(encoding="utf-8"))):
        assert not COMMAND.search(text.value), f"line {text.lineno}: name the act in a Hint"
        if re.search(r"\{[A-Z_]+\}", text.value):
            assert set(re.findall(r"\{([A-Z_]+)\}", text.value)) <= PYTHON.keys(), f"line {text.lineno}"
