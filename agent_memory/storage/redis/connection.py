"""Reaching the server, learning what it can do, and saying in one line what went wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal

from redis import exceptions
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff

from agent_memory import paths
from agent_memory.errors import (
    BackendError,
    ConfigurationError,
    StoreBusyError,
    StoreFullError,
    StoreReadOnlyError,
    StoreUnreachableError,
)
from agent_memory.redaction import redacted

Mode = Literal["search", "vector-sets", "plain"]
"""What finds: the search module, vector sets beside indexes of our own, or these alone."""
MODES: tuple[Mode, ...] = ("search", "vector-sets", "plain")


def connect(url: str, options: Mapping[str, Any]) -> Redis:
    """Make a client; nothing is sent yet.

    Returns:
        The client.

    Raises:
        ConfigurationError: the URL cannot be read.
    """
    password = options.get("password")
    if options.get("password_file"):
        password = paths.expanded(str(options["password_file"])).read_text().strip()
    beside = {name: options[name] for name in ("username", "db") if options.get(name) is not None}
    try:
        return Redis.from_url(
            url,
            **({"password": password} if password else {}),
            **beside,
            socket_connect_timeout=options.get("connect_timeout", 5.0),
            socket_timeout=options.get("timeout", 30.0),
            # A server that is being restarted is away for a moment: reads are tried again that long.
            retry=Retry(ExponentialBackoff(cap=0.5, base=0.05), 3),
            retry_on_error=[exceptions.ConnectionError],
            health_check_interval=30,
            decode_responses=False,
        )
    except ValueError as error:
        raise ConfigurationError(
            f"the URL {redacted(url)} cannot be read ({error})", hint="write redis://host:6379/0"
        ) from error


@contextmanager
def translated(url: str) -> Iterator[None]:
    """Turn what the client raises into our own errors."""
    try:
        yield
    except (exceptions.AuthenticationError, exceptions.NoPermissionError) as error:
        raise _refused(url, error) from error
    except exceptions.BusyLoadingError as error:
        raise StoreBusyError(redacted(url)) from error
    except exceptions.OutOfMemoryError as error:
        raise StoreFullError.server(url, _reason(error)) from error
    except exceptions.ReadOnlyError as error:
        raise StoreReadOnlyError.server(url, _reason(error)) from error
    except (exceptions.ConnectionError, exceptions.TimeoutError, OSError) as error:
        if "NOAUTH" in str(error) or "WRONGPASS" in str(error):
            raise _refused(url, error) from error
        raise StoreUnreachableError(url, str(error)) from error
    except exceptions.RedisError as error:
        if str(error).startswith("NOAUTH"):
            raise _refused(url, error) from error
        if "MISCONF" in str(error):  # it cannot save to its disk, and takes no writes until it can
            raise StoreFullError.server(url, _reason(error)) from error
        raise BackendError(
            f"{redacted(url)} refused: {redacted(_reason(error))}", hint="the server's log may say more"
        ) from error


def _reason(error: Exception) -> str:
    """Return what the server says, without the command (and so the memory) that a pipeline's error repeats."""
    return str(error).rpartition("caused error: ")[2]


def _refused(url: str, error: Exception) -> BackendError:
    return BackendError(
        f"{redacted(url)} refuses this user: {redacted(str(error))}",
        hint="give the password in the URL, in REDIS_PASSWORD's file or as backend_config.password_file",
    )


async def detect(client: Redis) -> Mode:
    """Ask the server what it can do. Its version says nothing: Valkey and managed servers name others."""
    if await _knows(client, "FT.SEARCH", "FT._LIST"):
        return "search"
    return "vector-sets" if await _knows(client, "VADD", "VCARD", "agentmem:none") else "plain"


async def _knows(client: Any, command: str, *harmless: str) -> bool:
    try:
        # One string: given as two words the client parses the answer itself, and fails on unknown commands.
        answer = await client.execute_command("COMMAND INFO", command)
    except (exceptions.NoPermissionError, exceptions.ResponseError):
        try:
            await client.execute_command(*harmless)
        except exceptions.ResponseError:
            return False
        return True
    known = next(iter(answer.values()), None) if isinstance(answer, dict) else (answer[0] if answer else None)
    return bool(known)
