"""What is stored, for the shell to complete with: `agentmem __complete KIND BEGINNING [WORDS ...]`.

The scripts ask this at a key press, so it loads neither Typer nor the store, and says nothing when something is
wrong: an error message in the middle of a command line helps nobody.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from agent_memory.errors import AgentMemoryError

_WIDTH = 60  # characters of what a value is about


def main(arguments: Sequence[str]) -> int:
    """Print one value a line, with a tab and what it is behind it."""
    kind, beginning, *words = [*arguments, "", ""][: max(len(arguments), 2)]
    try:
        lines = [f"{value}\t{_short(about)}" for value, about in _values(kind, beginning, words)]
    except (AgentMemoryError, OSError):
        return 0
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    return 0


def _values(kind: str, beginning: str, words: Sequence[str]) -> Iterator[tuple[str, str]]:
    from agentmem_cli.settings import resolve

    settings = resolve({"agent": _option_value(words, "--agent", "-a"), "db": _option_value(words, "--db")})
    home: Path | None = settings.get("home")
    if kind == "agents":
        from agent_memory.memories.agents import list_agents
        from agentmem_cli.output.plain import many

        for agent in list_agents(home):
            if agent.agent_id is not None and agent.agent_id.startswith(beginning):
                yield agent.agent_id, many(agent.total, "memory")
        return

    from agent_memory import paths
    from agent_memory.memories.opening import values_in

    path = settings.get("db") or (home or paths.home()) / f"{paths.file_stem(settings.get('agent'))}.db"
    for name in ("ids", "keys") if kind == "ids" else (kind,):
        for value, about in values_in(path, name, beginning):
            if value.isprintable():
                yield value, about


def _option_value(words: Sequence[str], *names: str) -> str | None:
    """Return the value of an option among the words typed so far; None if it is not there."""
    value_found = None
    for number, word in enumerate(words):
        for name in names:
            if word == name and number + 1 < len(words):
                value = words[number + 1]
                # bash cuts at the equals sign, so that it comes as a word of its own
                value_found = words[number + 2] if value == "=" and number + 2 < len(words) else value
            elif name.startswith("--") and word.startswith(name + "="):
                value_found = word.partition("=")[2]
    return value_found or None


def _short(text: str) -> str:
    line = " ".join("".join(char if char.isprintable() else " " for char in text[: 2 * _WIDTH]).split())
    return line if len(line) <= _WIDTH else line[: _WIDTH - 1] + "…"
