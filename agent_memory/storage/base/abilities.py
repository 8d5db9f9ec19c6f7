"""Narrow a store to one with an ability, or refuse by name: the only place where an ability is missed."""

from __future__ import annotations

from agent_memory.errors import CapabilityError
from agent_memory.storage.base.journal import JournalStore
from agent_memory.storage.base.keyword import KeywordStore
from agent_memory.storage.base.store import Store
from agent_memory.storage.base.vector import VectorStore


class FullStore(KeywordStore, VectorStore, JournalStore):
    """A store with every ability."""


def keyword_store(store: Store) -> KeywordStore:
    """Return the store as one that searches by keyword.

    Args:
        store: any store.

    Returns:
        The same object.

    Raises:
        CapabilityError: it has no full-text search.
    """
    if not isinstance(store, KeywordStore):
        raise CapabilityError(store.name, "full-text search")
    return store


def vector_store(store: Store) -> VectorStore:
    """Return the store as one that keeps vectors.

    Args:
        store: any store.

    Returns:
        The same object.

    Raises:
        CapabilityError: it keeps no vectors.
    """
    if not isinstance(store, VectorStore):
        raise CapabilityError(store.name, "vectors")
    return store


def journal_store(store: Store) -> JournalStore:
    """Return the store as one that keeps a history.

    Args:
        store: any store.

    Returns:
        The same object.

    Raises:
        CapabilityError: it keeps no history.
    """
    if not isinstance(store, JournalStore):
        raise CapabilityError(store.name, "history")
    return store
