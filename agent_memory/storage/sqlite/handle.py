"""A store's hold on its file: one connection in a thread of its own, and units of work sent there whole."""

from __future__ import annotations

import os
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from copy import copy
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Concatenate, ParamSpec, TypeVar

from agent_memory import filesystem, paths
from agent_memory.errors import (
    AgentMemoryError,
    BackendError,
    ClosedError,
    ConfigurationError,
    PolicyError,
    StoreBusyError,
)
from agent_memory.hints import Hint
from agent_memory.storage import backend_options, moved
from agent_memory.storage.base import FullStore, Store
from agent_memory.storage.damage import Damaged
from agent_memory.storage.sqlite import connection as opening
from agent_memory.storage.sqlite import driver, ownership, parked, setting, virtual, word_index
from agent_memory.storage.sqlite.damage import ReadContext, tolerantly
from agent_memory.storage.sqlite.driver import Connection
from agent_memory.storage.sqlite.errors import is_busy, is_damage, is_unwritable, schema_changed
from agent_memory.storage.sqlite.kept import Kept
from agent_memory.storage.sqlite.worker import Worker
from agent_memory.storage.waiting import may_wait

P = ParamSpec("P")
T = TypeVar("T")
FEW_ROWS = 200
"""Rows that change fewer pages than SQLite puts into the file by itself, with a commit."""
_ATTEMPTS = 5
_MOMENT = 0.1
"""Seconds in which somebody else's commit is over, and after which what is written by the way is left to later."""


class DamagedWordsError(Exception):
    """The full-text index is damaged; `reason` is what SQLite said."""

    def __init__(self, reason: Exception) -> None:
        super().__init__(str(reason))
        self.reason = reason


class FileStore(FullStore):
    """The half of `SqliteStore` that opens, closes and hands over."""

    options: ClassVar[frozenset[str]] = frozenset({"path", "busy_timeout", "synchronous", "create"})

    def __init__(self, agent_id: str | None, **options: Any) -> None:
        super().__init__(agent_id, **options)
        path = options.get("path")
        self._busy_timeout = backend_options.seconds(options, "busy_timeout", opening.BUSY_TIMEOUT, zero=True)
        self._synchronous = options.get("synchronous", "full")
        self._create = options.get("create", True)
        opening.check_settings(path, self._synchronous, self._create)
        if agent_id is not None:
            agent_id = self.requested_agent = paths.check_agent_id(agent_id)
        self.path = _absolute(path, agent_id)
        """The file."""
        self._worker: Worker | None = None
        self._extension: bool | None = None
        self._kept = Kept()
        self._asked = False
        """Whether anything was read yet that is kept."""
        self._writes = 0
        """How often this object may have written, accesses apart."""
        self._stand_in = 0
        """The version of the data that a full-text index in memory was made for, in place of a damaged one."""
        self._unwritable: BackendError | None = None
        """Why the file can only be read, where that is so."""
        self._all_renewed = False
        """Whether all words are known to be those of the present analyser, so that nobody need look again."""

    @classmethod
    def exists(cls, agent_id: str | None = None, path: str | os.PathLike[str] | None = None) -> bool:
        """Return whether the file that these settings name is there, without opening it."""
        return filesystem.kind(_absolute(path, agent_id)) is not None

    # --- life ----------------------------------------------------------------------------------------------

    async def _open(self) -> str:
        await self._close()
        worker = Worker(f"agentmem {self.path.name}")
        try:
            self._unwritable = await worker.open(
                lambda: opening.open_file(
                    str(self.path),
                    busy_timeout=self._busy_timeout,
                    synchronous=self._synchronous,
                    create=self._create,
                )
            )
            self._extension = None
            self._all_renewed = self._asked = False
            self._stand_in = 0
            self._worker = worker
            return await self._run(self._learn_agent)
        except BaseException:
            self._worker = None
            await worker.close()
            raise

    def _learn_agent(self, connection: Connection) -> str:
        names = ownership.names_in(connection, self.path)
        if self._unwritable is None and not names.damaged and (names.agent is None or not names.settled):
            with opening.writing(connection):
                names = ownership.names_in(connection, self.path)  # somebody may have been faster
                if names.agent is None:
                    names = names._replace(agent=self.requested_agent or "default")
                # Where the table is damaged, the file does without.
                virtual.in_savepoint(connection, ownership.settle, connection, names)
        agent = names.agent or self.requested_agent or "default"
        if self.requested_agent is not None and agent != self.requested_agent:
            raise ConfigurationError(
                f"{self.path} belongs to the agent '{agent}', not to '{self.requested_agent}'",
                hint=Hint("use the agent '{agent}', or {ANOTHER_FILE}", agent=agent),
            )
        return agent

    async def _close(self) -> None:
        worker, self._worker = self._worker, None
        kept, self._kept = self._kept, Kept()
        if worker is None:
            return
        if self.damaged or self._stand_in or not parked.worth_parking(kept):
            await worker.close()
            return
        mark = await worker.close(lambda connection: self._mark_of(kept, connection))
        if mark is not None:
            parked.park(str(self.path), mark, kept)

    def _mark_of(self, kept: Kept, connection: Connection) -> parked.Mark | None:
        """Return what identifies the last write; None if what is kept does not hold any more."""
        with suppress(driver.Error), opening.reading(connection):
            mark = parked.mark(connection)
            return mark if kept.version == (data_version(connection), self._writes) else None
        return None

    def sibling(self, agent_id: str) -> Store:
        options = {name: value for name, value in self.settings.items() if name != "path"}
        return type(self)(agent_id, **options, path=self.path.parent / f"{paths.file_stem(agent_id)}.db")

    async def _list_agents(self) -> set[str]:
        from agent_memory.storage.sqlite import peek

        agents: set[str] = set()
        for path in filter(lambda file: file.suffix == ".db", self.path.parent.iterdir()):
            with suppress(AgentMemoryError):  # it is no file of ours, or a damaged one
                agents.add(peek.contents(path).agent_id or "default")
        return agents

    async def _drop(self) -> None:
        from agent_memory.storage.sqlite import peek

        await self.close()  # its file cannot be deleted while it is open
        if not peek.deletable(self.path):
            raise PolicyError(f"{self.path} is another program's file", hint="nothing was deleted")
        ownership.delete(self.path)

    # --- units of work -------------------------------------------------------------------------------------

    # A unit is a function of the connection. It goes through `_run`, which sends it to the thread, translates its
    # errors and does it anew where the schema has changed. `_read`, `_read_words` and `_write` put a transaction
    # around it there.

    async def _run(self, function: Callable[[Connection], T]) -> T:
        """Run a function of the connection in its thread, and translate its errors."""
        if self._worker is None:
            raise ClosedError("the sqlite store")
        return await self._worker.run(partial(self._attempt, function))

    async def _read(self, function: Callable[[Connection], T]) -> T:
        """Run several statements on one state of the file."""
        return await self._run(partial(_in_snapshot, function))

    async def _read_words(self, function: Callable[[Connection], T]) -> T:
        """Do what `_read` does where the full-text index is asked, in parts that are under `_asking_words`.

        Where it is damaged, one in memory answers instead of it.

        Returns:
            What the function returned.
        """
        return await self._run(partial(self._in_snapshot_of_words, function))

    async def _ask_words(self, function: Callable[[Connection], T]) -> T:
        """Run statements that ask the full-text index only."""

        def work(connection: Connection) -> T:
            with self._asking_words():
                return function(connection)

        return await self._read_words(work)

    async def _write(
        self, function: Callable[[Connection], T], *, vectors: bool = False, verb: str | None = None
    ) -> T:
        """Run a function in one write transaction; with `vectors`, load sqlite-vec before it if possible.

        `verb` is what the operation does, if the write is one: some are done though the agent was moved.

        Returns:
            What the function returned.
        """

        def work(connection: Connection) -> T:
            moved.check(_moved(connection), verb)
            return function(connection)

        return await self._run(partial(self._in_transaction, work, vectors, may_wait()))

    def _attempt(self, function: Callable[[Connection], T], connection: Connection) -> T:
        for last in (*[False] * _ATTEMPTS, True):
            try:
                with opening.translated(str(self.path)):
                    return tolerantly(connection, function)
            except StoreBusyError as error:
                # A whole unit leaves nothing behind when it fails, so it can be done anew.
                if last or not schema_changed(error.__cause__):
                    raise
        raise AssertionError("unreachable")

    def _in_snapshot_of_words(self, function: Callable[[Connection], T], connection: Connection) -> T:
        if self._stand_in and self._stand_in != data_version(connection):
            self._withdraw_words(connection)  # others have written meanwhile
        try:
            return _in_snapshot(function, connection)
        except DamagedWordsError as error:
            if self._stand_in:
                raise error.reason from error
        self.damaged.meet("the full-text index", Hint("{REPAIR} makes it anew"))
        self._note_write()
        with opening.writing_aside(connection):
            word_index.stand_in(connection, self.agent_id)
        self._stand_in = data_version(connection)
        try:
            return _in_snapshot(function, connection)
        except DamagedWordsError as error:
            raise error.reason from error

    def _kept_in(self, connection: Connection) -> Kept:
        """Return what is kept, as far as it holds in the snapshot that the connection has open."""
        version = (data_version(connection), self._writes)
        if self._kept.version != version:
            known = None if self._asked else parked.take_up(str(self.path), connection)
            if known is None:
                self._kept.begin(version)
            else:
                self._kept, known.version = known, version
            self._asked = True
        return self._kept

    def _note_write(self) -> None:
        """Note that something may be written: what was kept of the version before goes at once."""
        self._writes += 1
        self._kept.begin(None)
        parked.forget(str(self.path))

    def _in_transaction(
        self, function: Callable[[Connection], T], vectors: bool, patient: bool, connection: Connection
    ) -> T:
        self._note_write()
        self._withdraw_words(connection)
        if vectors:
            self._load_extension(connection)
        try:
            if not patient:
                with self._not_waiting(connection, _MOMENT), opening.writing(connection, rounds=1):
                    return function(connection)
            with opening.writing(connection):
                return function(connection)
        except driver.Error as error:
            if not is_damage(error) or not self._words_mended(connection):
                raise
        with opening.writing(connection):
            return function(connection)

    @contextmanager
    def _asking_words(self) -> Iterator[None]:
        """Tell damage of the full-text index from damage of anything else."""
        try:
            yield
        except driver.Error as error:
            if not is_damage(error):
                raise
            raise DamagedWordsError(error) from error

    def _check_writable(self) -> None:
        if self._unwritable is not None:
            raise copy(self._unwritable)

    def _words_mended(self, connection: Connection) -> bool:
        """Make the full-text index anew if it is damaged, and say whether it was: it may stop no write."""
        try:
            with opening.writing(connection):
                word_index.check(connection)
        except driver.Error as error:
            if not is_damage(error):
                return False
        else:
            return False
        with opening.writing(connection):
            word_index.rebuild(connection, self.agent_id)
        return True

    def _withdraw_words(self, connection: Connection) -> None:
        """Ask the full-text index in the file again."""
        if self._stand_in:
            self._note_write()
            word_index.withdraw(connection)
            self._stand_in = 0

    def _load_extension(self, connection: Connection) -> None:
        """Load sqlite-vec when it is first needed: a command that touches no vectors does without."""
        if self._extension is None:
            self._extension = driver.load_vector_extension(connection)

    def _at_once(
        self, connection: Connection, function: Callable[[Connection], T], *, few: bool = False
    ) -> T | None:
        """Write something if that is possible without waiting, and leave it where it is not.

        What is kept of the file stays: the caller says what of it holds no longer.

        Args:
            connection: where it is written.
            function: what writes it.
            few: whether these are no more than `FEW_ROWS`: then not even the beginning of a log waits for the disk.

        Returns:
            What the function returned; None where nothing was written.
        """  # noqa: DOC501
        try:
            if few and self._log_is_empty():
                with self._not_waiting(connection, synchronous="off"), opening.writing(connection, rounds=1):
                    if self._log_is_empty():  # now that nobody else can begin one
                        return function(connection)
            with self._not_waiting(connection), opening.writing(connection, rounds=1):
                return function(connection)
        except driver.Error as error:
            if not is_busy(error) and not is_unwritable(error):
                raise
        return None

    def _log_is_empty(self) -> bool:
        """Return whether there is a log beside the file, with nothing in it.

        SQLite waits for the disk as it begins a log: the rest of an older one may stand behind the beginning, and be
        taken for the present one's after a power cut. In an empty log there is none. Whatever puts the log into
        the file waits until the disk has the log, so what a power cut takes before that was never in the file.
        """
        try:
            return not os.stat(f"{self.path}-wal").st_size  # noqa: PTH116
        except OSError:
            return False  # a file that SQLite writes without one

    @contextmanager
    def _not_waiting(
        self, connection: Connection, seconds: float = 0.0, synchronous: str = "normal"
    ) -> Iterator[None]:
        """Write without waiting for others, nor for the disk: nobody is told that it is stored."""
        opening.set_busy_timeout(connection, seconds)
        connection.execute(f"pragma synchronous = {synchronous}")
        try:
            yield
        finally:
            connection.execute(f"pragma synchronous = {self._synchronous}")
            opening.set_busy_timeout(connection, self._busy_timeout)


def reads(
    function: Callable[Concatenate[Connection, P], T],
) -> Callable[Concatenate[Any, P], Coroutine[Any, Any, T]]:
    """Make the method of a store that reads by a function of the connection."""

    async def method(self: FileStore, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._read(lambda connection: function(connection, *args, **kwargs))

    return method


def reads_records(
    function: Callable[Concatenate[Connection, ReadContext, P], T],
) -> Callable[Concatenate[Any, P], Coroutine[Any, Any, T]]:
    """Make the method of a store that reads memories by a function of the connection."""

    async def method(self: FileStore, /, *args: P.args, **kwargs: P.kwargs) -> T:
        context = ReadContext(self.agent_id, self.damaged)
        return await self._read(lambda connection: function(connection, context, *args, **kwargs))

    return method


def reads_words(
    function: Callable[Concatenate[Connection, P], T],
) -> Callable[Concatenate[Any, P], Coroutine[Any, Any, T]]:
    """Make the method of a store that reads the full-text index by a function of the connection."""

    async def method(self: FileStore, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._ask_words(lambda connection: function(connection, *args, **kwargs))

    return method


def writes(
    function: Callable[Concatenate[Connection, P], T], *, vectors: bool = False
) -> Callable[Concatenate[Any, P], Coroutine[Any, Any, T]]:
    """Make the method of a store that writes by a function of the connection."""

    async def method(self: FileStore, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._write(lambda connection: function(connection, *args, **kwargs), vectors=vectors)

    return method


def _moved(connection: Connection) -> str | None:
    """Return the mark of an agent that was moved; a damaged one does not stop a write."""
    try:
        return setting.get(connection, moved.SETTING, Damaged())
    except driver.Error as error:
        if not is_damage(error):
            raise
        return None


def _in_snapshot(function: Callable[[Connection], T], connection: Connection) -> T:
    with opening.reading(connection):
        return function(connection)


def data_version(connection: Connection) -> int:
    """Return a number that moves when another connection has written."""
    return int(connection.execute("pragma data_version").fetchone()[0])


def _absolute(path: str | os.PathLike[str] | None, agent_id: str | None) -> Path:
    """Return the file that settings name; links are followed, so that a new file is made where they lead."""
    named = paths.expanded(path) if path is not None else paths.database(agent_id or "default")
    return Path(os.path.realpath(named))
