"""Several statements in one message and one transaction: the server never waits for the client in between.

The driver's own pipeline sends each statement as soon as it is made, so the server waits for the next one, and others
wait for the locks that it holds. Here all statements are made before the first is sent.
"""

from __future__ import annotations

import struct
from asyncio import CancelledError
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import suppress
from typing import Final, NamedTuple, TypeAlias, TypeVar

from anyio import move_on_after
from psycopg import errors
from psycopg.errors import QueryCanceled
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGconn, PGresult
from psycopg.waiting import Ready, Wait, wait_async

from agent_memory.storage.postgres.session import Connection

T = TypeVar("T")
_Waiting: TypeAlias = Generator[Wait, Ready | int, T]
Value: TypeAlias = bytes | None
_PREPARED_FROM: Final = 3
"""The batch of a connection from which on its statements are prepared: a command of the shell sends one or two."""
_LOOK_UP: Final = 0.1
"""Seconds after which the driver looks at the socket again by itself."""
_STOP: Final = 5.0
"""Seconds for the server to stop what it does."""
_AGAIN: Final = 0.2
"""Seconds after which it is told so again."""


class Statement(NamedTuple):
    """A statement with `$1`, `$2` ... for its values, which are text, or binary where `formats` has a 1."""

    text: bytes
    values: Sequence[Value] = ()
    formats: Sequence[int] = ()


async def run(connection: Connection, statements: Sequence[Statement]) -> list[Value]:
    """Run statements in a transaction of their own, all or none; a few texts that come again are prepared.

    Args:
        connection: a connection outside any transaction.
        statements: the statements. Values may differ from call to call, texts should be few.

    Returns:
        The first column of what the last of them returned.
    """
    async with connection.lock:
        try:
            return await _run(connection, statements)
        except errors.InvalidSqlStatementName:
            # The driver deallocates all that is prepared, ours too, as it rolls back or drops something.
            connection.batch_names.clear()
            return await _run(connection, statements)


async def _run(connection: Connection, statements: Sequence[Statement]) -> list[Value]:
    if connection.direct:
        connection.batches += 1
        if connection.batches >= _PREPARED_FROM:
            await _prepare(connection, statements)
    calls = [_sent(connection, statement) for statement in statements]
    return await _wait(connection, _exchange(connection, calls))


async def _prepare(connection: Connection, statements: Sequence[Statement]) -> None:
    names = connection.batch_names
    new = dict.fromkeys(statement.text for statement in statements if statement.text not in names)
    # No name comes twice: those before one that failed are there.
    numbered = {text: f"agentmem_{connection.batches}_{place}".encode() for place, text in enumerate(new)}

    def prepared(text: bytes, name: bytes) -> Callable[[], None]:
        return lambda: connection.pgconn.send_prepare(name, text)

    if numbered:
        calls = [prepared(text, name) for text, name in numbered.items()]
        await _wait(connection, _exchange(connection, calls))
        names.update(numbered)


def _sent(connection: Connection, statement: Statement) -> Callable[[], None]:
    name = connection.batch_names.get(statement.text)
    formats = statement.formats or None
    if name is not None:
        return lambda: connection.pgconn.send_query_prepared(name, statement.values, formats)
    return lambda: connection.pgconn.send_query_params(
        statement.text, statement.values, param_formats=formats
    )


async def _wait(connection: Connection, exchange: _Waiting[T]) -> T:
    """Wait for the end of an exchange; where that is cancelled, for the server to stop what it does."""
    descriptor = connection.pgconn.socket
    try:
        return await wait_async(exchange, descriptor, _LOOK_UP)
    except CancelledError:
        # The driver itself closes the connection when it is cancelled again meanwhile, and the server goes on.
        with move_on_after(_STOP, shield=True), suppress(QueryCanceled):
            stopped = False
            while not stopped:
                # A server that has not begun yet stops nothing, and would go on later.
                await connection.cancel_safe()
                with move_on_after(_AGAIN) as patience:
                    await wait_async(exchange, descriptor, _LOOK_UP)
                stopped = not patience.cancelled_caught
        raise


def _exchange(connection: Connection, calls: Sequence[Callable[[], None]]) -> _Waiting[list[Value]]:
    """Send all at once, and read the answers up to the last even after an error: then the connection stays usable."""
    pgconn = connection.pgconn
    pgconn.enter_pipeline_mode()
    for call in calls:
        call()
    pgconn.pipeline_sync()
    while pgconn.flush():
        if ((yield Wait.RW) or 0) & Ready.R:
            pgconn.consume_input()
    results = yield from _results(pgconn)
    pgconn.exit_pipeline_mode()
    for result in results:
        if result.status == ExecStatus.FATAL_ERROR:
            raise errors.error_from_result(result, encoding=connection.info.encoding)
    return [results[-1].get_value(row, 0) for row in range(results[-1].ntuples)]


def _results(pgconn: PGconn) -> _Waiting[list[PGresult]]:
    results: list[PGresult] = []
    while True:
        while pgconn.is_busy():
            if (yield Wait.R):
                pgconn.consume_input()
        result = pgconn.get_result()
        if result is None:
            continue  # between the answers to two statements
        if result.status == ExecStatus.PIPELINE_SYNC:
            return results
        results.append(result)


def array(items: Iterable[str]) -> str:
    """Write an array of texts as the server reads it."""
    quoted = (item.replace("\\", "\\\\").replace('"', '\\"') for item in items)
    return "{" + ",".join(f'"{item}"' for item in quoted) + "}"


def byte_array(items: Iterable[bytes]) -> str:
    """Write an array of bytes as the server reads it."""
    return array(f"\\x{item.hex()}" for item in items)


def vector_array(connection: Connection, vectors: Sequence[bytes]) -> bytes:
    """Write an array of vectors, given as float32, as the server reads it in binary form.

    Args:
        connection: one whose pgvector is known, for the number of its type.
        vectors: the vectors.

    Returns:
        The array: dimensions, whether there are nulls, the type, the length and the first index, and behind them each
        vector: its size, how many numbers, and each number in big endian.
    """
    kind = connection.adapters.types["vector"].oid
    parts = [struct.pack(">iiIii", 1, 0, kind, len(vectors), 1)]
    for vector in vectors:
        count = len(vector) // 4
        numbers = struct.unpack(f"<{count}f", vector)
        parts.append(struct.pack(f">iHH{count}f", 4 + 4 * count, count, 0, *numbers))
    return b"".join(parts)
