"""What can be set on a memory, in the form the library works with.

A plain dataclass, since the command line makes one on every run; `MemoryConfig` is the same for people: it
reads what comes from outside and checks it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How one agent's memory behaves."""

    backend: str = "sqlite"
    """A backend's name or URL."""
    embedding_provider: str = "local"
    embedder_named: bool = False
    """Whether somebody asked for that provider; if nobody did, the store's own embedder is used."""
    backend_config: Mapping[str, Any] = field(default_factory=dict)
    embedding_config: Mapping[str, Any] = field(default_factory=dict)
    rerank_config: Mapping[str, Any] = field(default_factory=dict)
    """The cross-encoder for `rerank=True`: model, path, threads, cache_dir."""
    short_term_ttl: timedelta = timedelta(hours=1)
    conversation_max_messages: int = 100
    """The window: how many of a conversation's newest messages are shown if no number is named. 0: no window."""
    enable_scoring: bool = True
    """Let importance and use count in the ranking."""
    enable_decay: bool = True
    """Let age count in the ranking."""
    decay_half_life: timedelta = timedelta(days=7)
    embed_on_write: bool = True
    """Embed in the same transaction as the text; otherwise the next search or `index` does."""
    offline: bool = False
    """Refuse whatever would send or fetch something over the network; this machine's own servers are none."""
    actor: str | None = None
    """Who writes, for the log."""
    session: str | None = field(default_factory=lambda: os.environ.get("AGENTMEM_SESSION") or None)
    """The session that new memories belong to, and the conversation that messages go to; from the environment where
    nobody says it."""
