"""The settings as people and programs give them, checked and explained."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic import ValidationError as PydanticError

from agent_memory import clock
from agent_memory.embeddings.registry import check_embedder_name
from agent_memory.errors import ConfigurationError
from agent_memory.settings import Settings
from agent_memory.storage.registry import check_backend_name

_DEFAULT = Settings()


class MemoryConfig(BaseModel):
    """How one agent's memory behaves: where it is kept, what embeds it, and how it ages.

    Raises:
        ConfigurationError: a key or a name is unknown (the message lists the known ones), or a value is
            out of range.
    """

    model_config = ConfigDict(extra="forbid", validate_assignment=True)

    backend: str = Field(
        _DEFAULT.backend, description="sqlite, memory, redis, postgres, chroma, pinecone, or a URL"
    )
    embedding_provider: str = Field(
        _DEFAULT.embedding_provider, description="local, none, dummy, fastembed or openai"
    )
    backend_config: dict[str, Any] = Field(default_factory=dict, description="that backend's own options")
    embedding_config: dict[str, Any] = Field(default_factory=dict, description="that embedder's own options")
    rerank_config: dict[str, Any] = Field(
        default_factory=dict, description="the cross-encoder for rerank: model, path, threads, cache_dir"
    )
    short_term_ttl: timedelta = Field(
        _DEFAULT.short_term_ttl, description="how long short-term memories live"
    )
    conversation_max_messages: int = Field(
        _DEFAULT.conversation_max_messages,
        ge=0,
        description="the newest messages of a conversation that are shown if no number is named; 0 for no window",
    )
    enable_scoring: bool = Field(
        _DEFAULT.enable_scoring, description="importance and use count in the ranking"
    )
    enable_decay: bool = Field(_DEFAULT.enable_decay, description="age counts in the ranking")
    decay_half_life: timedelta = Field(
        _DEFAULT.decay_half_life, description="age at which half the recency is left"
    )

    offline: bool = Field(_DEFAULT.offline, description="refuse backends and embedders that use the network")

    def __init__(self, **values: Any) -> None:
        unknown = sorted(values.keys() - type(self).model_fields.keys())
        if unknown:
            raise ConfigurationError.unknown("setting", unknown[0], type(self).model_fields)
        try:
            super().__init__(**values)
        except PydanticError as error:
            raise _translated(error) from error

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in type(self).model_fields:
            raise ConfigurationError.unknown("setting", name, type(self).model_fields)
        try:
            super().__setattr__(name, value)
        except PydanticError as error:
            raise _translated(error) from error

    @field_validator("backend")
    @classmethod
    def _known_backend(cls, name: str) -> str:
        return check_backend_name(name)

    @field_validator("embedding_provider")
    @classmethod
    def _known_embedder(cls, name: str) -> str:
        return check_embedder_name(name)

    @field_validator("short_term_ttl", "decay_half_life", mode="before")
    @classmethod
    def _duration(cls, value: Any) -> Any:
        return clock.as_duration(value)

    def settings(self) -> Settings:
        """Return the same in the form the library works with."""
        return Settings(
            **{name: getattr(self, name) for name in type(self).model_fields},
            embedder_named="embedding_provider" in self.model_fields_set,
        )


def _translated(error: PydanticError) -> ConfigurationError:
    first = error.errors(include_url=False)[0]
    cause = (first.get("ctx") or {}).get("error")
    if isinstance(cause, ConfigurationError):
        return cause
    where = ".".join(str(part) for part in first["loc"])
    return ConfigurationError(f"the setting {where} cannot be {first.get('input')!r}", hint=str(first["msg"]))
