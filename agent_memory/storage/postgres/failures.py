"""What went wrong on the server or on the way to it, as our own errors with one line each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import psycopg
from psycopg import errors
from psycopg_pool import PoolTimeout

from agent_memory.errors import (
    BackendError,
    ConfigurationError,
    StoreBusyError,
    StoreFullError,
    StoreReadOnlyError,
    StoreUnreachableError,
)
from agent_memory.redaction import redacted

_REFUSED: Final = ("password", "authentication", "pg_hba", "does not exist", "role")
_UNREADABLE: Final = "connection is bad: invalid "
"""What the driver's library begins with that goes nowhere, since it does not understand an option."""
_NOT_BROKEN: Final = frozenset({"55P03", "40P01", "40001", "53100", "53200", "54000", "57014"})
"""Operational errors that leave the connection whole: locks, deadlocks, a full disk, too little memory, cancelled."""


@contextmanager
def translated(url: str) -> Iterator[None]:
    """Turn what the driver raises into our own errors."""
    try:
        yield
    except PoolTimeout as error:
        raise StoreUnreachableError(url, "no connection in time") from error
    except (errors.LockNotAvailable, errors.DeadlockDetected, errors.SerializationFailure) as error:
        raise StoreBusyError(redacted(url)) from error
    except (errors.DiskFull, errors.OutOfMemory) as error:
        raise StoreFullError.server(url, str(error)) from error
    except errors.ReadOnlySqlTransaction as error:
        raise StoreReadOnlyError.server(url, str(error)) from error
    except psycopg.OperationalError as error:
        said = str(error)
        if any(word in said for word in _REFUSED) and "connection refused" not in said.lower():
            raise BackendError(
                f"{redacted(url)} refuses the connection: {_line(said)}",
                hint="check user, password and database; ~/.pgpass and PGPASSWORD are read too",
            ) from error
        if said.startswith(_UNREADABLE):
            raise ConfigurationError(
                f"the URL {redacted(url)} cannot be used: wrong {_line(said.removeprefix(_UNREADABLE))}",
                hint="correct that option, or the variable PG... that sets it",
            ) from error
        if "certificate" in said:
            raise StoreUnreachableError.untrusted(url, _line(said), "sslrootcert") from error
        raise StoreUnreachableError(url, _line(said)) from error
    except psycopg.Error as error:
        raise BackendError(
            f"{redacted(url)} refused: {_line(str(error))}", hint="the server's log may say more"
        ) from error


def _line(text: str) -> str:
    return redacted(" ".join(text.split()))


def is_broken(error: psycopg.Error) -> bool:
    """Return whether the connection that raised this cannot be used again."""
    return not isinstance(error, PoolTimeout) and error.sqlstate not in _NOT_BROKEN
