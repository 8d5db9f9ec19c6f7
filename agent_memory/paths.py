"""Where files live on this machine, and what an agent's file is called."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

from agent_memory.errors import ValidationError

_PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789._-")
_LONGEST_NAME = 200  # bytes; file systems allow 255, and SQLite adds `-journal`


def expanded(path: str | os.PathLike[str]) -> Path:
    """Return a path with a leading `~` or `~user` resolved; an unknown user's stays as it is, as in a shell.

    `Path.expanduser` raises RuntimeError there.
    """
    return Path(os.path.expanduser(path))  # noqa: PTH111


def home() -> Path:
    """Return the folder of all agents' files: `AGENTMEM_HOME`, else the user's data folder."""
    if folder := os.environ.get("AGENTMEM_HOME"):
        return expanded(folder)
    from platformdirs import user_data_path

    return user_data_path("agentmem", appauthor=False)


def cache() -> Path:
    """Return the folder of what can be fetched or computed again: `AGENTMEM_CACHE`, else the user's cache folder."""
    if folder := os.environ.get("AGENTMEM_CACHE"):
        return expanded(folder)
    from platformdirs import user_cache_path

    return user_cache_path("agentmem", appauthor=False)


def database(agent_id: str) -> Path:
    """Return the file of one agent."""
    return home() / f"{file_stem(agent_id)}.db"


def file_stem(agent_id: str) -> str:
    """Turn an agent id into a file name that no other id shares, on case-folding file systems too.

    The id in NFC, every byte outside `a-z 0-9 . _ -` as %XX, capitals among them, no leading dot; a name over
    200 bytes is cut and ends with a hash of the whole.

    Returns:
        The name, without the file's ending.
    """
    check_agent_id(agent_id)
    encoded = unicodedata.normalize("NFC", agent_id).encode()
    name = "".join(chr(byte) if byte in _PLAIN else f"%{byte:02X}" for byte in encoded)
    if name.startswith("."):
        name = "%2E" + name[1:]
    if len(name) > _LONGEST_NAME:
        import hashlib  # here, since reading the settings needs none

        digest = hashlib.sha256(encoded).hexdigest()[:32]
        name = f"{name[: _LONGEST_NAME - 33]}~{digest}"
    return name


def check_agent_id(agent_id: str) -> str:
    """Return the agent id in NFC.

    Raises:
        ValidationError: it is empty, or holds control characters or a lone surrogate.
    """
    if not isinstance(agent_id, str) or not agent_id.strip():
        raise ValidationError("the agent id is empty", hint="give a name such as 'my-agent'")
    if any(unicodedata.category(char) in {"Cc", "Cs"} for char in agent_id):
        raise ValidationError(
            f"the agent id {agent_id!r} holds control characters", hint="use printable ones"
        )
    return unicodedata.normalize("NFC", agent_id)


def private_folder(path: Path) -> Path:
    """Make a folder that only this user can enter, with its parents, if it is not there yet."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path
