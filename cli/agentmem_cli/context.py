"""One run of the program: what was asked for, the settings that follow from it, and the memory."""

from __future__ import annotations

import logging
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from agentmem_cli import hints
from agentmem_cli.global_options import Flags
from agentmem_cli.tree import entry_of

if TYPE_CHECKING:
    from agent_memory import Store
    from agent_memory.settings import Settings
    from agent_memory.sync import SyncAgentMemory
    from agentmem_cli.output import Output
    from agentmem_cli.progress import Report
    from agentmem_cli.settings.resolution import Resolved

_NAMED = 5
"""How many damaged rows an error names."""
EMBED_AT_ONCE = 16
"""A command that stores more texts than this embeds them before it ends; fewer are owed to the next search."""


class Invocation:
    """What a command needs besides its own arguments."""

    def __init__(self, flags: Flags, words: Sequence[str]) -> None:
        self.flags = flags
        self.words = tuple(words)
        """The words that call the command."""
        self.missing: Path | None = None
        """The file that would hold this agent's memories, where there is none: it is answered as an empty one."""
        self.dry_run = False
        """Whether the command only shows what it would do: then it makes no file."""
        self.damage: list[str] = []
        """What the library left out since it cannot be read, a line for each."""
        self.wrote = False
        """Whether the command has stored, changed or put away anything."""

    @classmethod
    def of(cls, context: typer.Context) -> Invocation:
        """Return the invocation that a command runs in."""
        words: list[str] = []
        at: Any = context
        while at.parent is not None:
            words.insert(0, at.info_name)
            at = at.parent
        invocation = cls(at.obj if isinstance(at.obj, Flags) else Flags(), words)
        for notice in invocation.settings.notices:
            invocation.output.note(notice)
        context.call_on_close(invocation._tell_damage)
        return invocation

    def _tell_damage(self) -> None:
        """Once the command has printed what there is, end with an error that names what is damaged.

        What a command has stored is stored: there it is a note.

        Raises:
            IntegrityError: something is damaged, and nothing was stored.
        """
        from agent_memory.errors import IntegrityError

        if self.wrote:
            for line in self.damage:
                self.output.note(line)
        elif self.damage and sys.exc_info()[1] is None:
            shown = "; ".join(self.damage[:_NAMED])
            more = len(self.damage) - _NAMED
            raise IntegrityError(
                f"{shown}; and {more} more" if more > 0 else shown,
                hint="`agentmem history ID` shows a memory's versions, `agentmem doctor` names all that is damaged",
            )

    @cached_property
    def settings(self) -> Resolved:
        """Every setting's value and where it comes from."""
        from agentmem_cli.settings import resolve

        flags = {
            "agent": self.flags.agent,
            "db": self.flags.db,
            "backend": self.flags.backend,
            "output": self.flags.output,
            "offline": "true" if self.flags.offline else None,
        }
        resolved = resolve(flags)
        # Only this user's own word counts: a project file could start processes otherwise. And `warm stop` would end
        # one and leave another.
        asked_for = resolved.get("warm") and resolved.origin("warm").source in ("user", "environment")
        if asked_for and self.words[:1] not in (("warm",), ("mcp",)):
            from agentmem_cli.warm import starting

            starting.wanted = True
        return resolved

    @cached_property
    def output(self) -> Output:
        """Where results go."""
        from agentmem_cli.output import Output

        return Output(self.settings.get("output"), quiet=self.flags.quiet, verbose=self.flags.verbose)

    def tags(self, tags: Sequence[str] | None) -> list[str]:
        """Return the tags of a new memory: those given, and those that every one gets."""
        return list(dict.fromkeys([*self.settings.get("tags"), *(tags or ())]))

    @property
    def model_folder(self) -> Path | None:
        """The folder for downloaded models, if the settings name one."""
        folder = self.settings.options("embedding").get("cache_dir")
        from agent_memory import paths

        return paths.expanded(folder) if folder else None

    # --- the memory ----------------------------------------------------------------------------------------

    @contextmanager
    def memory(self) -> Iterator[SyncAgentMemory]:
        """Open the memory that the settings name, for one command."""
        from agent_memory.sync import SyncAgentMemory

        with self._notices(), SyncAgentMemory(self.agent, self.library_settings()) as memory:
            yield memory
            self.wrote = memory.wrote

    @contextmanager
    def memory_in(self, store: Store) -> Iterator[SyncAgentMemory]:
        """Open the memory in a store that the command names itself."""
        from agent_memory.settings import Settings
        from agent_memory.sync import SyncAgentMemory

        settings = Settings(
            embedding_provider="none",
            offline=self.settings.get("offline"),
            actor=self.actor,
            session=self.settings.get("session"),
        )
        with self._notices(), SyncAgentMemory(None, settings, backend=store) as memory:
            yield memory

    @property
    def actor(self) -> str:
        """Who writes, for the log."""
        return "agentmem " + " ".join(self.words)

    @property
    def agent(self) -> str | None:
        """The agent asked for; None where a file is named and nobody named an agent beside it."""
        named = self.settings.origin("agent").source != "default"
        beside = self.settings.origin("agent").source == "flag"
        if self.settings.get("db") is not None and not beside:
            return None
        return str(self.settings.get("agent")) if named else "default"

    def library_settings(self) -> Settings:
        """Return the library's settings; those of an empty memory where there is no file and nothing is stored."""
        from agent_memory.memories import opening
        from agent_memory.settings import Settings

        settings = Settings(
            **{
                **self.settings.for_library(),
                "backend": str(self.settings.get("backend")),
                "embedding_provider": self._embedder(),
                "backend_config": self._backend_options(),
            },
            # A config file says what new memories are to be embedded with; a file that has vectors keeps to its own.
            embedder_named=self.settings.origin("embedding.provider").source in ("flag", "environment"),
            embed_on_write=False,
            actor=self.actor,
        )
        path = self._file() if settings.backend.partition("://")[0].lower() == "sqlite" else None
        if path is None:
            return settings
        if self._stores:
            self._check_folder(path)
        elif (
            missing := opening.missing_file(path, self._agent_meant, self.settings.get("home"))
        ) is not None:
            self.missing = path
            self.output.note(missing.notice)
            return opening.empty(settings)
        settings.backend = "sqlite"
        settings.backend_config = {**settings.backend_config, "path": str(path)}
        return settings

    def _backend_options(self) -> dict[str, Any]:
        """Return the options of the backend.

        A new process does not know what the one before it has written, so it reads where writes go, unless the
        command itself names replicas.
        """
        options = dict(self.settings.options("backend_config"))
        in_url = "read_url=" in str(self.settings.get("backend"))
        if in_url and self.settings.origin("backend").source == "flag":
            options.pop("read_url", None)
        elif in_url or "read_url" in options:
            options["read_url"] = ""
        return options

    @property
    def _agent_meant(self) -> str | None:
        """The agent that is asked for; None where a file is named."""
        if self.settings.get("db") is not None or self._file_of_backend:
            return None
        return str(self.settings.get("agent"))

    def _check_folder(self, path: Path) -> None:
        from agent_memory import filesystem
        from agent_memory.errors import ValidationError

        named = self.settings.get("db") is not None
        if named and filesystem.kind(path) is None and not path.parent.is_dir():
            raise ValidationError(
                f"there is no folder {path.parent}", hint=f"mkdir -p {shlex.quote(str(path.parent))}"
            )

    def _embedder(self) -> str:
        from agentmem_cli.settings.values import check_embedder

        return check_embedder(
            str(self.settings.get("embedding.provider")), str(self.settings.origin("embedding.provider"))
        )

    def file(self) -> Path:
        """Return the SQLite file in use.

        Raises:
            ValidationError: the memories are kept elsewhere.
        """
        from agent_memory.errors import ValidationError

        backend = str(self.settings.get("backend"))
        if backend.partition("://")[0].lower() != "sqlite":
            raise ValidationError(f"the backend is {backend}, which keeps no file", hint="give a --db PATH")
        return self._file()

    def _file(self) -> Path:
        """Return the SQLite file in use."""
        from agent_memory import paths

        if named := self._file_of_backend:
            return paths.expanded(named)
        if (db := self.settings.get("db")) is not None:
            return Path(db)
        home = self.settings.get("home")
        stem = paths.file_stem(str(self.settings.get("agent")))
        return (Path(home) if home is not None else paths.home()) / f"{stem}.db"

    @property
    def server(self) -> str | None:
        """The backend, if it is none that keeps agents in files here."""
        backend = str(self.settings.get("backend"))
        return None if backend.partition("://")[0].lower() in ("sqlite", "memory") else backend

    @property
    def _file_of_backend(self) -> str:
        """The file that the backend's own options or its URL name; empty where neither does, or `db` beats them."""
        with_flag = [name for name in ("db", "backend") if self.settings.origin(name).source == "flag"]
        if self.settings.get("db") is not None and with_flag != ["backend"]:
            return ""
        options = self.settings.options("backend_config")
        scheme, _, rest = str(self.settings.get("backend")).partition("://")
        return str(options.get("path") or (rest if scheme.lower() == "sqlite" else ""))

    @property
    def _stores(self) -> bool:
        entry = entry_of(self.words)
        return entry is not None and entry.stores and not self.dry_run

    @contextmanager
    def _notices(self) -> Iterator[None]:
        """Say the library's notices on stderr, each once."""
        handler = _Notices(self.output, self.damage)
        logger = logging.getLogger("agent_memory")
        logger.addHandler(handler)
        logger.propagate = False
        try:
            yield
        finally:
            logger.removeHandler(handler)
            logger.propagate = True

    def progress(self, what: str, *, unit: str = "") -> AbstractContextManager[Report | None]:
        """Give a function to call with (done, total), which draws a bar; None where nobody would see it."""
        from agentmem_cli import progress

        return progress.bar(what, unit=unit, quiet=self.flags.quiet)

    def embed_pending(self, memory: SyncAgentMemory, stored: int, no_embed: bool = False) -> None:
        """Embed what a command stored, if that was many texts; nobody waits for a model after a single one."""
        from agent_memory.errors import ConfigurationError, EmbeddingError, MissingDependencyError

        if stored <= EMBED_AT_ONCE or no_embed or not memory.has_semantic:
            return
        try:
            with self.progress("embedding", unit="pieces") as report:
                memory.index(progress=report)
            if failed := memory.get_status()["failed_embeddings"]:
                said = "1 text is" if failed == 1 else f"{failed} texts are"
                self.output.note(f"{said} found by words only: `agentmem status` says why")
        except (EmbeddingError, MissingDependencyError, ConfigurationError) as error:
            self.output.note(f"stored, and found by words only: {hints.told(error)}")


class _Notices(logging.Handler):
    def __init__(self, output: Output, damage: list[str]) -> None:
        super().__init__(logging.WARNING)
        self._output = output
        self._damage = damage
        self._said: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        if isinstance(record.args, tuple):  # a copy would be worded, and other handlers get this one
            words = tuple(hints.worded(item) if isinstance(item, str) else item for item in record.args)
            said = hints.worded(record.msg) % words if words else hints.worded(record.msg)
        else:
            said = record.getMessage()
        if said not in self._said:
            self._said.add(said)
            if record.name == "agent_memory.damage":
                self._damage.append(said)
            else:
                self._output.note(said)


def stdin_is_piped() -> bool:
    """Return whether something may be read from stdin without waiting for a person."""
    return sys.stdin is not None and not sys.stdin.closed and not sys.stdin.isatty()
