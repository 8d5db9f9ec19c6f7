"""The library's hints, worded for a model: it has tools, and whatever else has to be done is done in a shell."""

from __future__ import annotations

from agent_memory import hints
from agent_memory.errors import AgentMemoryError
from agent_memory.hints import Words
from agentmem_cli.hints import SHELL


def _in_shell(word: str) -> str:
    return f"`{word.strip('`')}` in a shell" if word.lstrip("`").startswith("agentmem ") else word


MODEL: Words = {
    **{act: _in_shell(word) for act, word in SHELL.items()},
    "ADD": "`add`",
    "AGENT": "'{agent}'",
    "ANOTHER_FILE": "another --db where this server is configured",
    "BACKEND": "--backend {url} where this server is configured",
    "FACTS": "`search`",
    "FILE": "the --db",
    "GET": "the memory {id}",
    "LIST": "`search`",
    "MODE_KEYWORD": "`agentmem search --mode keyword` in a shell",
    "OFFLINE": "--offline where this server is configured",
    "SKILLS": "`search`",
}
"""By act: what to call or to do. The same acts as `agent_memory.hints.PYTHON`."""


def worded(text: str) -> str:
    """Return a text of the library as a model reads it."""
    return hints.worded(text, MODEL)


def told(error: AgentMemoryError) -> str:
    """Return an error's message and hint as a model reads them."""
    return hints.Hint("{error}", error=error).worded(MODEL)
