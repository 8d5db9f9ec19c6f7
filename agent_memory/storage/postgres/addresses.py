"""What our URLs say beyond those of PostgreSQL itself: where reads go, and that writes need the primary."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from agent_memory.errors import ConfigurationError
from agent_memory.redaction import redacted

_MOST_PORT: Final = 65535
_OURS: Final = "read_url"
_ROLE: Final = "target_session_attrs"


def split(url: str, read_url: object = None) -> tuple[str, str]:
    """Return the URL as PostgreSQL knows it, and that of the replicas; empty where there is none.

    Args:
        url: the URL of the store; `read_url=` in its query names the replicas.
        read_url: what the option of that name says; it counts more, and the empty text takes the URL's away.
    """
    base, mark, query = url.partition("?")
    if "://" not in base or f"{_OURS}=" not in query:
        return url, str(read_url or "")
    parts = query.split("&")
    ours = [part for part in parts if part.startswith(f"{_OURS}=")]
    rest = "&".join(part for part in parts if part not in ours)
    named = unquote(ours[0].partition("=")[2]) if ours else ""
    return f"{base}{mark * bool(rest)}{rest}", str(named if read_url is None else read_url)


def checked(url: str) -> str:
    """Return a URL, or a connection string, that the driver can read.

    Args:
        url: as somebody wrote it.

    Returns:
        The same, with its scheme in lower case.

    Raises:
        ConfigurationError: it cannot be read.
    """  # noqa: DOC501
    scheme, separator, rest = url.partition("://")
    url = f"{scheme.lower()}{separator}{rest}" if separator and scheme.isalpha() else url
    try:
        ports = str(conninfo_to_dict(url).get("port") or "").split(",")
    except ProgrammingError as error:
        raise _unreadable(url, _without_values(str(error))) from error
    if not all(port in ("", "0") or _is_port(port) for port in ports):
        raise _unreadable(url, f"a port is a number up to {_MOST_PORT}")
    return url


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdecimal() and 0 < int(text) <= _MOST_PORT


def _without_values(text: str) -> str:
    """Return what the driver says without what it quotes of the URL, which may be a part of a password."""
    text = re.sub(r'"(.)"', r"'\1'", " ".join(text.split()))
    said, quote, quoted = text.partition('"')
    if "query parameter" in said and quoted.rstrip('"').isidentifier():
        return text
    return said.rstrip(" :").removesuffix(" after") if quote else text


def _unreadable(url: str, why: str) -> ConfigurationError:
    return ConfigurationError(
        f"the URL {redacted(url)} cannot be read ({why})",
        hint="write postgresql://user@host:5432/database; in a password %40 stands for @, %3A for : and so on",
    )


def primary_of(url: str) -> Mapping[str, Any]:
    """Return what makes the driver look for the host that takes writes: where several are named, and no role is."""
    try:
        words = conninfo_to_dict(url)
    except ProgrammingError:  # connecting will say what is wrong with it
        return {}
    hosts = str(words.get("host") or words.get("hostaddr") or "")
    named = words.get(_ROLE) or os.environ.get("PGTARGETSESSIONATTRS")
    return {_ROLE: "read-write"} if "," in hosts and not named else {}


def without_role(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of a connection without what `primary_of` added."""
    return {name: value for name, value in arguments.items() if name != _ROLE}
