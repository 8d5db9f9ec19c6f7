"""The user's config file: where it is, what is in it, and writing to it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from agent_memory import paths, temporary
from agent_memory.errors import ConfigurationError, ValidationError


def user_config() -> Path:
    """Return the user's config file: `AGENTMEM_CONFIG`, else `config.toml` in the user's config folder."""
    if path := os.environ.get("AGENTMEM_CONFIG"):
        return paths.expanded(path).absolute()
    from platformdirs import user_config_path

    return user_config_path("agentmem", appauthor=False) / "config.toml"


def read(path: Path) -> bytes | None:
    """Return a file's content, or None if there is no such file.

    Raises:
        ConfigurationError: it is there but cannot be read.
    """
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):  # of a user without a home it is below /dev/null
        return None
    except OSError as error:
        raise ConfigurationError(
            f"cannot read {path}", hint=error.strerror or "check its permissions"
        ) from error


def parse(path: Path, content: bytes) -> dict[str, Any]:
    """Return what a TOML file sets, flat: `{"agent": ..., "embedding.model": ...}`.

    Raises:
        ConfigurationError: it is not TOML; the message names the line.
    """
    if not content.strip():
        return {}
    import tomllib

    from agent_memory.text.incoming import check_depth, decoded, too_deep

    try:
        text = decoded(content, str(path))
        tables = tomllib.loads(text)
        check_depth(tables, str(path))
        return flat(tables)
    except ValidationError as error:
        raise ConfigurationError(error.message, hint=f"correct it with an editor: {path}") from error
    except RecursionError:
        raise ConfigurationError(
            too_deep(str(path)).message, hint=f"correct it with an editor: {path}"
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(
            f"{path} is not TOML: {error}", hint=f"correct it with an editor: {path}"
        ) from error


def flat(tables: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Write nested tables as one, with dots in the names."""
    result: dict[str, Any] = {}
    for name, value in tables.items():
        if isinstance(value, dict):
            result.update(flat(value, f"{prefix}{name}."))
        else:
            result[prefix + name] = value
    return result


def write_private(path: Path, text: str) -> None:
    """Write a file whole or not at all, readable by this user only; its folder is made if it is not there."""
    import tempfile

    target = Path(os.path.realpath(path))  # a link, as dotfile managers make them, stays one
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        try:
            with temporary.registered(draft):
                with os.fdopen(handle, "w", encoding="utf-8", errors="surrogateescape", newline="") as file:
                    file.write(text)
                    file.flush()
                    os.fsync(handle)
                Path(draft).replace(target)
        except BaseException:
            Path(draft).unlink(missing_ok=True)
            raise
    except OSError as error:
        # No fault of how it was called, so no error of the settings'; and the name is that of the draft.
        raise OSError(error.errno, error.strerror, str(path)) from error
