"""The page about scaling: each figure names the command that measured it, and `doctor` says what is quoted of it."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

from agent_memory.settings import Settings
from agent_memory.storage.postgres import durability as of_postgres
from agent_memory.storage.redis import durability as of_redis
from agent_memory.sync import SyncAgentMemory
from agentmem_cli.tree import COMMANDS, Noun
from tests.storage.on_postgres.test_durability import SAFE

ROOT: Final = Path(__file__).parent.parent
PAGE: Final = (ROOT / "docs" / "scaling.md").read_text()

# Settings and limits are written in words or as "seconds"; what was measured has a unit of these.
_FIGURE: Final = re.compile(
    r"\d[\d.,]*\s?(?:ms|s|kB|MB|GB|bytes|%|times as|(?:\w+ )?(?:a|per) second|acknowledged|lost|refused)\b(?!`)"
)
_COMMAND: Final = re.compile(r"`(python -m (?:benchmarks|pytest)\b[^`]*|make \w+|agentmem \w[^`]*)`")
_MEASURES: Final = re.compile(r"`(python -m (?:benchmarks|pytest)\b[^`]*|agentmem doctor)`")
_QUOTED: Final = re.compile(r"`[^`]*`")


class Piece(NamedTuple):
    """A sentence, or a row of a table with the paragraph before the table."""

    text: str
    beside: str


def pieces(page: str) -> Iterator[Piece]:
    """Take a page apart."""
    before = ""
    page = re.sub(r"^```.*?^```\n", "", page, flags=re.MULTILINE | re.DOTALL)
    for block in re.split(r"\n\s*\n", page):
        lines = block.strip().splitlines()
        if lines and lines[0].startswith("|"):
            yield from (Piece(line, before) for line in lines[2:])
        elif lines and not lines[0].startswith("#"):
            before = " ".join(lines)
            yield from (Piece(sentence, "") for sentence in re.split(r"(?<=[.!?])\s+(?=[A-Z`])", before))


def without_command(page: str) -> list[str]:
    """Return the sentences and rows with a figure for which no command is named."""
    return [
        piece.text
        for piece in pieces(page)
        if _is_measured(piece.text) and not _MEASURES.search(piece.text + piece.beside)
    ]


def _is_measured(text: str) -> bool:
    plain = _QUOTED.sub("", text)
    numbers_alone = text.startswith("|") and re.search(r"\|\s*\d[\d.,]*(?:, \d[\d.,]*)*\s*(?=\|)", plain)
    return bool(_FIGURE.search(plain) or numbers_alone)


def test_every_figure_names_the_command_that_measured_it() -> None:
    assert without_command(PAGE) == []
    assert sum(_is_measured(piece.text) for piece in pieces(PAGE)) >= 10


@pytest.mark.parametrize(
    "text",
    [
        "It took 6.0 ms at the median.",
        "`python -m benchmarks.backends` compares. Storing went at 3,370 memories a second.",
        "Of twelve writes some are lost:\n\n| what | lost |\n|---|---|\n| killed | 3 |",
        "Files:\n\n| what | bytes |\n|---|---|\n| a memory | 4.7 kB |",
    ],
)
def test_a_figure_without_a_command_is_noticed(text: str) -> None:
    assert len(without_command(text)) == 1


def test_settings_and_figures_with_a_command_are_no_faults() -> None:
    page = (
        "A call waits for 5 seconds (`connect_timeout 5 s`). `python -m benchmarks.load` took 3 ms.\n\n"
        "`python -m pytest tests/x.py` counted:\n\n| what | lost |\n|---|---|\n| killed | 3 |"
    )
    assert without_command(page) == []


def test_every_command_that_is_named_exists() -> None:
    commands = set(_COMMAND.findall(" ".join(PAGE.split())))
    assert len(commands) > 10
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for command in commands:
        words = command.split()
        if words[0] == "make":
            assert words[1] in targets
        elif words[0] == "agentmem":
            entry = COMMANDS[words[1]] if not words[1].startswith("-") else None
            assert not isinstance(entry, Noun) or words[2] in entry.verbs
        elif words[2] == "pytest":
            files = [ROOT / word for word in words if word.startswith("tests/")]
            assert files
            assert all(file.exists() for file in files)
            if "soak" in words:
                assert any("mark.soak" in file.read_text() for file in files)
        else:
            assert importlib.util.find_spec(words[2]) is not None


# --- what is quoted of `doctor` ----------------------------------------------------------------------------------

_REDIS: Final[dict[str, Any]] = {
    **dict.fromkeys(("aof_last_write_status", "maxmemory", "maxmemory-policy", "cluster-node-timeout")),
    "appendonly": "no",
    "appendfsync": "everysec",
    "save": "3600 1",
    "min-replicas-to-write": "0",
    "min-replicas-max-lag": "10",
    "connected_slaves": 0,
}
_STANDBY: Final = {"synchronous_standby_names": "*", "standbys": 1, "synchronous standbys": 1}
_FILE: Final = {"appendonly": "yes"}
_ALWAYS: Final = _FILE | {"appendfsync": "always"}


@pytest.mark.parametrize(
    ("words", "settings"),
    [
        ("one server, or a standby that is not synchronous", {}),
        ("`fsync = off` or `full_page_writes = off`", {"fsync": "off"}),
        ("`synchronous_commit = off`", {"synchronous_commit": "off"}),
        ("a standby in `synchronous_standby_names`", _STANDBY),
    ],
)
def test_what_postgres_promises_is_what_doctor_says(words: str, settings: dict[str, Any]) -> None:
    assert f"| PostgreSQL | {words} | {of_postgres.concluded(SAFE | settings).survives} |" in PAGE


@pytest.mark.parametrize(
    ("words", "settings"),
    [
        ("as it comes: snapshots", {}),
        ("`appendonly yes`", _FILE),
        ("`appendonly yes`, `appendfsync always`", _ALWAYS),
        ("the same, with a replica", _ALWAYS | {"connected_slaves": 1}),
        (
            "the same, and `min-replicas-to-write 1`",
            _ALWAYS | {"connected_slaves": 1, "min-replicas-to-write": "1"},
        ),
    ],
)
def test_what_redis_promises_is_what_doctor_says(words: str, settings: dict[str, Any]) -> None:
    assert f"| Redis, Valkey | {words} | {of_redis.concluded(_REDIS | settings).survives} |" in PAGE


@pytest.mark.parametrize(
    ("words", "options"),
    [("as it is", {}), ("`backend_config.synchronous = normal`", {"synchronous": "normal"})],
)
def test_what_sqlite_promises_is_what_doctor_says(
    words: str, options: dict[str, Any], tmp_path: Path
) -> None:
    settings = Settings(
        embedding_provider="dummy",
        embedder_named=True,
        backend_config={"path": str(tmp_path / "a.db"), **options},
    )
    with SyncAgentMemory(None, settings) as memory:
        promised = memory.durability()
    assert promised is not None
    assert f"| SQLite | {words} | {promised.survives} |" in PAGE
