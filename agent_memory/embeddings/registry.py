"""The embedders that exist, by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent_memory.embeddings.base import Embedder
from agent_memory.registry import Registry

EMBEDDERS = Registry(
    what="embedding provider",
    group="agentmem.embedders",
    builtin={
        "local": "agent_memory.embeddings.local:LocalEmbedder",
        "fastembed": "agent_memory.embeddings.fastembed:FastembedEmbedder",
        "openai": "agent_memory.embeddings.openai:OpenAIEmbedder",
        "dummy": "agent_memory.embeddings.dummy:DummyEmbedder",
    },
    extras={"openai": "openai"},
)
NO_EMBEDDER = "none"
"""The provider name that asks for keyword search only."""


def create_embedder(provider: str, options: Mapping[str, Any]) -> Embedder | None:
    """Make the embedder of that name, unprepared; None for `none`.

    Raises:
        ConfigurationError: the name or one of the options is unknown.
        MissingDependencyError: a package that it needs is not installed.
    """
    if provider == NO_EMBEDDER:
        return None
    embedder: Embedder = EMBEDDERS.load(provider)(**options)
    return embedder
