"""Every setting of a memory, declared once: its type, its default, what it means, and its name in the shell.

`MemoryConfig` and the names, kinds and help of the command line are made from these classes. They are plain
dataclasses, since the command line makes one on every run; `MemoryConfig` reads and checks what people give.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import Field, dataclass, field, fields
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from datetime import datetime

    from agent_memory.records import MemoryRecord

Weight = Callable[["MemoryRecord", "datetime"], float]
"""Says what a memory counts at a moment, in [0, 1]: a scorer, a decay curve or a policy of `agent_memory.ranking`."""


class About(NamedTuple):
    """What is known of a setting besides its type and its default."""

    help: str
    shell: str | None
    """Its name in the shell; of a setting that holds options, what they begin with. None: only Python has it."""
    least: int | None = None
    most: int | None = None
    entry_help: str | None = None
    """Of a setting that holds options: what to say of one of them."""


def _setting(
    default: Any,
    help: str,
    *,
    in_shell_as: str | None = None,
    least: int | None = None,
    most: int | None = None,
    entry_help: str | None = None,
) -> Any:
    about = About(help, in_shell_as, least, most, entry_help)
    if callable(default):
        return field(default_factory=default, metadata={"about": about})
    return field(default=default, metadata={"about": about})


def about(setting: Field[Any]) -> About | None:
    """Return what is known of a field of `Settings`; None of one that is internal."""
    return setting.metadata.get("about")


@dataclass(slots=True, kw_only=True)
class PublicSettings:
    """The settings of `MemoryConfig`."""

    backend: str = _setting("sqlite", "a backend's name, or its URL", in_shell_as="backend")
    embedding_provider: str = _setting(
        "local",
        "what embeds: local, multilingual, fastembed, openai, dummy or none",
        in_shell_as="embedding.provider",
    )
    backend_config: dict[str, Any] = _setting(
        dict,
        "the backend's own options",
        in_shell_as="backend_config",
        entry_help="an option of the backend, such as backend_config.synchronous",
    )
    embedding_config: dict[str, Any] = _setting(
        dict,
        "the embedder's own options",
        in_shell_as="embedding",
        entry_help="an option of the embedder, such as embedding.model",
    )
    rerank_config: dict[str, Any] = _setting(
        dict,
        "a cross-encoder for rerank, instead of the default model: model, path, threads, cache_dir",
        in_shell_as="rerank",
        entry_help="an option of the cross-encoder, such as rerank.model",
    )
    short_term_ttl: timedelta = _setting(
        timedelta(hours=1), "how long short-term memories live", in_shell_as="short_term_ttl"
    )
    conversation_max_messages: int = _setting(
        100,
        "the newest messages of a conversation that are shown if no number is named; 0 for no window",
        in_shell_as="conversation_max_messages",
        least=0,
    )
    enable_scoring: bool = _setting(
        True, "let importance and use count in the ranking", in_shell_as="enable_scoring"
    )
    enable_decay: bool = _setting(True, "let age count in the ranking", in_shell_as="enable_decay")
    decay_half_life: timedelta = _setting(
        timedelta(days=7), "age at which half of the recency is left", in_shell_as="decay_half_life"
    )
    importance_scorer: Weight | None = _setting(
        None, "a scorer of agent_memory.ranking, or a function (record, moment), instead of the default one"
    )
    decay: Weight | None = _setting(
        None, "a decay curve or policy of agent_memory.ranking, instead of decay_half_life"
    )
    standing_share: float = _setting(
        0.15,
        "the part of a recall's budget that its standing context may take; 0 leaves it out",
        in_shell_as="standing_share",
        least=0,
        most=1,
    )
    standing_rule: bool = _setting(
        True,
        "spot standing instructions in facts and in what a person said, for the standing context",
        in_shell_as="standing_rule",
    )
    offline: bool = _setting(
        False,
        "never use the network, whatever the command",
        in_shell_as="offline",
    )


@dataclass(slots=True, kw_only=True)
class Settings(PublicSettings):
    """How one agent's memory behaves, in the form that the library works with."""

    session: str | None = _setting(
        lambda: os.environ.get("AGENTMEM_SESSION") or None,
        "the session of new memories, and the conversation of messages",
        in_shell_as="session",
    )
    embedder_named: bool = False
    """Whether somebody asked for that embedder; if nobody did, the store's own is used."""
    embed_on_write: bool = True
    """Embed in the same transaction as the text; otherwise the next search or `index` does."""
    actor: str | None = None
    """Who writes, for the log."""


def in_shell() -> dict[str, Field[Any]]:
    """Return the settings that the shell has, by the name that they have there."""
    return {
        known.shell: setting
        for setting in fields(Settings)
        if (known := about(setting)) is not None and known.shell is not None
    }
