"""The embedders that exist, by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent_memory.embeddings import catalog
from agent_memory.embeddings.base import Embedder, IdentityLike
from agent_memory.errors import ConfigurationError
from agent_memory.hints import Hint
from agent_memory.registry import Registry

EMBEDDERS = Registry(
    what="embedding provider",
    group="agentmem.embedders",
    builtin={
        "local": "agent_memory.embeddings.local:LocalEmbedder",
        "multilingual": "agent_memory.embeddings.multilingual:MultilingualEmbedder",
        "fastembed": "agent_memory.embeddings.fastembed:FastembedEmbedder",
        "openai": "agent_memory.embeddings.openai:OpenAIEmbedder",
        "dummy": "agent_memory.embeddings.dummy:DummyEmbedder",
    },
    extras={"openai": "openai"},
)
NO_EMBEDDER = "none"
"""The provider name that asks for keyword search only."""
AN_OBJECT = "object"
"""The provider in an identity whose embedder was given as an object, and so has no name."""


def check_embedder_name(name: str) -> str:
    """Return the name if an embedder stands behind it, or if it is `none`.

    Raises:
        ConfigurationError: it is unknown.
    """  # noqa: DOC501
    if name != NO_EMBEDDER and name not in EMBEDDERS.builtin and name not in EMBEDDERS.names():
        raise ConfigurationError.unknown(EMBEDDERS.what, name, [NO_EMBEDDER, *EMBEDDERS.names()])
    return name


def create_embedder(provider: str, options: Mapping[str, Any]) -> Embedder | None:
    """Make the embedder of that name, unprepared; None for `none`.

    All that are made here share a model where they are of one identity, so that twenty agents hold one.

    Returns:
        The embedder, or None.

    Raises:
        ConfigurationError: the name or one of the options is unknown.
        MissingDependencyError: a package that it needs is not installed.
    """
    if provider == NO_EMBEDDER:
        return None
    embedder: Embedder = EMBEDDERS.load(provider)(**options)
    embedder.shares_model = True
    return embedder


def options_for(identity: IdentityLike) -> tuple[str, dict[str, Any]]:
    """Return the provider and the options that make again the embedder that a store's vectors came from.

    For the default model's weights that is `local`, whichever engine ran them. What an identity does not say
    (addresses, keys, folders) is for the caller to add from the user's own settings. The embedder so made may
    still differ, if its weights do: compare the fingerprints after `prepare`.

    Raises:
        ConfigurationError: no embedder of that name is installed, or the vectors were made by a program's own object.
    """
    if identity.provider == AN_OBJECT:
        raise ConfigurationError(
            f"the vectors were made by {identity.model}, an object of a Python program",
            hint=Hint("search from that program, or run {REEMBED} to embed everything with another embedder"),
        )
    plain = not identity.query_prefix and not identity.document_prefix
    if identity.revision == catalog.LOCAL_SHA256 and identity.pooling == catalog.MEAN and plain:
        return "local", {}
    kind: type[Embedder] = EMBEDDERS.load(identity.provider)
    return identity.provider, kind.options_from(identity)
