"""Importing what commands need before one is asked for."""

from __future__ import annotations

import asyncio
import gc
import socket
import sys
from contextlib import suppress
from importlib import import_module
from typing import Final

from agent_memory.records import MemoryType
from agentmem_cli.tree import COMMANDS, Noun

_EVERY_DAY: Final = (
    *("agent_memory.sync", "agent_memory.recall.searcher", "agent_memory.recall.recall"),
    "agent_memory.storage.sqlite.store",
    *(f"agent_memory.sync.{memory_type}" for memory_type in MemoryType),
    *("agentmem_cli.settings", "agentmem_cli.output", "agentmem_cli.output.plain", "agentmem_cli.context"),
    *(
        "anyio._backends._asyncio",
        "concurrent.futures.thread",
        "platformdirs.unix",
        "tomllib",
        "logging.handlers",
    ),
)

_MODELS: Final = 4
"""How many models a worker keeps, vocabularies among them: to embed, and to rerank."""
_FILES: Final = 2
"""Of how many files a worker remembers for a minute what a search read; it has none of them open."""


def import_all() -> None:
    """Import every command and what the everyday ones use; nothing of it starts a thread."""
    for name in _EVERY_DAY:
        import_module(name)
    for name, entry in COMMANDS.items():
        for verb in entry.verbs if isinstance(entry, Noun) else ("",):
            import_module("agentmem_cli.commands." + ".".join(filter(None, (name, verb))))
    from agentmem_cli import app

    app.command()
    gc.collect()
    gc.freeze()  # so that a forked worker does not write to what it shares with its parent


def work(control: socket.socket, *, with_model: bool) -> None:
    """Serve as a worker until the supervisor lets go."""
    from agent_memory import staying
    from agentmem_cli import signals
    from agentmem_cli.warm.worker import Worker

    signals.end_at_once()
    staying.keep(models=_MODELS, files=_FILES)
    if with_model:
        load_model()
    Worker(control).serve()


def load_model() -> None:
    """Load the default model, as the first search would; where it is not installed, that search says so."""
    from agent_memory.embeddings.registry import create_embedder
    from agent_memory.errors import AgentMemoryError

    async def load() -> None:
        embedder = create_embedder("local", {})
        if embedder is not None:
            await embedder.prepare()
            await embedder.embed_query("a text")

    with suppress(AgentMemoryError):
        asyncio.run(load())
    give_back()


def give_back() -> None:
    """Give memory back to the system that is free and that the C library keeps: after a model was opened, 60 MB."""
    if sys.platform == "linux":
        import ctypes

        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).malloc_trim(0)
