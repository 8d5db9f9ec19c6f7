"""What went wrong on the server or on the way to it, as our own errors with one line each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import psycopg
from psycopg import errors
from psycopg_pool import PoolTimeout

from agent_memory.errors import (
    AgentMemoryError,
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


class AgentGoneError(BackendError):
    """Somebody has removed the agent since this store was opened."""

    def __init__(self) -> None:
        super().__init__("the agent was removed by somebody else", hint="try again; nothing was written")


@contextmanager
def translated(url: str) -> Iterator[None]:
    """Turn what the driver raises into our own errors."""
    try:
        yield
    except PoolTimeout as error:
        raise StoreUnreachableError(url, "no connection in time") from error
    except (errors.LockNotAvailable, errors.DeadlockDetected, errors.SerializationFailure) as error:
        raise StoreBusyError(redacted(url)) from error
    except (errors.QueryCanceled, errors.InsufficientPrivilege) as error:
        raise _limited(url, error) from error
    except (errors.DiskFull, errors.OutOfMemory) as error:
        raise StoreFullError.server(url, str(error)) from error
    except errors.ReadOnlySqlTransaction as error:
        raise StoreReadOnlyError.server(url, str(error)) from error
    except psycopg.OperationalError as error:
        raise _unavailable(url, error) from error
    except psycopg.Error as error:
        raise BackendError(
            f"{redacted(url)} refused: {primary_message(error)}", hint="the server's log may say more"
        ) from error


def _unavailable(url: str, error: psycopg.OperationalError) -> AgentMemoryError:
    """Return why there is no connection."""
    said = str(error)
    if any(word in said for word in _REFUSED) and "connection refused" not in said.lower():
        return BackendError(
            f"{redacted(url)} refuses the connection: {_line(said)}",
            hint="check user, password and database; ~/.pgpass and PGPASSWORD are read too",
        )
    if said.startswith(_UNREADABLE):
        return ConfigurationError(
            f"the URL {redacted(url)} cannot be used: wrong {_line(said.removeprefix(_UNREADABLE))}",
            hint="correct that option, or the variable PG... that sets it",
        )
    if "certificate" in said:
        return StoreUnreachableError.untrusted(url, _line(said), "sslrootcert")
    return StoreUnreachableError(url, _line(said))


def _limited(url: str, error: psycopg.Error) -> BackendError:
    """Return what an administrator's limit, or a right that is missing, has ended."""
    if isinstance(error, errors.InsufficientPrivilege):
        return refused(url, primary_message(error))
    busy = StoreBusyError(redacted(url))
    busy.message = f"{redacted(url)} ended a statement early: {primary_message(error)}"
    busy.args = (busy.message,)
    busy.hint = "try again, or have statement_timeout raised for this role; nothing was written"
    return busy


def refused(url: str, why: str) -> BackendError:
    """Build the error for something that the user has no right to.

    Args:
        url: where.
        why: what the server says.

    Returns:
        The error.
    """
    return BackendError(
        f"{redacted(url)} refuses this to the user: {why}",
        hint="let an administrator grant usage on the schema, and reading and writing of all its tables",
    )


def primary_message(error: psycopg.Error) -> str:
    """Return what a server says in one line, without the statement and the values that it may quote."""
    return _line(error.diag.message_primary or str(error))


def _line(text: str) -> str:
    return redacted(" ".join(text.split()))


def is_broken(error: psycopg.Error) -> bool:
    """Return whether the connection that raised this cannot be used again."""
    return not isinstance(error, PoolTimeout) and error.sqlstate not in _NOT_BROKEN
