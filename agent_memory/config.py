"""The settings as people and programs give them, checked and explained."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from typing import TYPE_CHECKING, Any, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, create_model, field_validator
from pydantic import ValidationError as PydanticError

from agent_memory import clock
from agent_memory.embeddings.registry import check_embedder_name
from agent_memory.errors import ConfigurationError
from agent_memory.settings import PublicSettings, Settings, about
from agent_memory.storage.registry import check_backend_name


class _Checked(BaseModel):
    model_config = ConfigDict(extra="forbid", validate_assignment=True)

    if not TYPE_CHECKING:  # a type checker sees the settings themselves

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

    @field_validator("*", mode="before")
    @classmethod
    def _read(cls, value: Any, info: ValidationInfo) -> Any:
        read = _READERS.get(info.field_name or "")
        return value if read is None else read(value)

    def settings(self) -> Settings:
        """Return the same in the form the library works with."""
        return Settings(
            **{name: getattr(self, name) for name in type(self).model_fields},
            embedder_named="embedding_provider" in self.model_fields_set,
        )


def _weight(value: Any) -> Any:
    if value is None or (callable(value) and not isinstance(value, type)):
        return value
    raise ConfigurationError(
        f"{value!r} is neither a scorer nor a decay curve",
        hint="give one of agent_memory.ranking, or a function of a record and a moment",
    )


def _named(check: Callable[[str], str]) -> Callable[[Any], Any]:
    return lambda value: check(value) if isinstance(value, str) else value


def _embedder_name(value: Any) -> Any:
    if hasattr(value, "embed_documents"):
        raise ConfigurationError(
            "the setting embedding_provider is a name, and this is an embedder",
            hint="give it to AgentMemory(..., embedding_provider=...)",
        )
    return check_embedder_name(value) if isinstance(value, str) else value


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "backend": _named(check_backend_name),
    "embedding_provider": _embedder_name,
    **{field_.name: clock.as_duration for field_ in fields(PublicSettings) if field_.type == "timedelta"},
    **{field_.name: _weight for field_ in fields(PublicSettings) if field_.type == "Weight | None"},
}
"""By setting, what reads a value before pydantic checks its type."""

_DESCRIPTION = """How one agent's memory behaves: where it is kept, what embeds it, and how it ages.

    Durations may also be given as seconds or as text such as `12h`.

    Raises:
        ConfigurationError: a key or a name is unknown (the message lists the known ones), or a value is
            out of range.
    """

if TYPE_CHECKING:

    class MemoryConfig(_Checked, PublicSettings):
        """How one agent's memory behaves: where it is kept, what embeds it, and how it ages."""

else:
    _HINTS = get_type_hints(PublicSettings, localns={"MemoryRecord": Any, "datetime": Any})

    def _field(field_: Any) -> tuple[Any, Any]:
        known = about(field_)
        default = (
            {"default_factory": field_.default_factory}
            if field_.default is MISSING
            else {"default": field_.default}
        )
        kind = Any if field_.type == "Weight | None" else _HINTS[field_.name]
        return kind, Field(description=known.help, ge=known.least, le=known.most, **default)

    MemoryConfig = create_model(
        "MemoryConfig",
        __base__=_Checked,
        __module__=__name__,
        __doc__=_DESCRIPTION,
        **{field_.name: _field(field_) for field_ in fields(PublicSettings)},
    )


def _translated(error: PydanticError) -> ConfigurationError:
    first = error.errors(include_url=False)[0]
    cause = (first.get("ctx") or {}).get("error")
    if isinstance(cause, ConfigurationError):
        return cause
    where = ".".join(str(part) for part in first["loc"])
    # Ours says what to give, pydantic's what is wrong.
    hint = getattr(cause, "hint", None) or str(first["msg"])
    return ConfigurationError(f"the setting {where} cannot be {first.get('input')!r}", hint=hint)
