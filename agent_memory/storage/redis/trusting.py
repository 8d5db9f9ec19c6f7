"""Connections with TLS that share what they trust: the client reads all authorities anew for each connection.

That takes tens of milliseconds. Looking for the server of an agent takes several connections at once, and an answer
within a second.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from copy import copy
from pathlib import Path
from typing import Any, Final

from redis.asyncio.connection import RedisSSLContext, SSLConnection

_MOST: Final = 16
_known: Final[dict[tuple[Any, ...], RedisSSLContext]] = {}
"""By settings, and by the state of the files that they name."""


class TlsConnection(SSLConnection):
    """A connection with TLS."""

    async def disconnect(self, nowait: bool = False, *arguments: Any, **options: Any) -> None:
        """Close the connection; with `nowait` without the exchange by which TLS parts: nobody waits for it."""
        if nowait and self._writer is not None:
            self._writer.transport.abort()
        await super().disconnect(nowait, *arguments, **options)

    def _connection_arguments(self) -> Mapping[str, Any]:
        self.ssl_context = _shared(self.ssl_context)
        arguments: Mapping[str, Any] = super()._connection_arguments()
        return arguments


def _shared(own: RedisSSLContext) -> RedisSSLContext:
    """Return what another connection with the same settings has read, unless a file has changed since."""
    settings = [getattr(own, name, None) for name in own.__slots__ if name != "context"]
    files = [ssl.get_default_verify_paths().cafile, *(one for one in settings if isinstance(one, str))]
    key = (*map(repr, settings), *map(_state, files))
    if key not in _known:
        if len(_known) >= _MOST:
            _known.clear()
        _known[key] = copy(own)
        _known[key].context = None  # it may be of before the change
    return _known[key]


def _state(file: str | None) -> tuple[int, int] | None:
    """Return what changes as a file is written or replaced; None where a setting names none."""
    try:
        told = Path(file or "").stat()
    except (OSError, ValueError):
        return None
    return told.st_mtime_ns, told.st_ino
