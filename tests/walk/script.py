"""Printing a walk as a Python program that does the same again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from agent_memory.settings import Settings

from .pools import DIMENSION
from .values import Vector
from .verbs import Verb

_HEAD = """\
import datetime, os, tempfile
from agent_memory import AgentMemoryError, SyncAgentMemory, clock
from agent_memory.settings import Settings

folder = tempfile.mkdtemp()
def opened():
    return SyncAgentMemory({agent!r}, Settings({settings})).open()
def at(text):  # the clock stands still at this moment
    return clock.fixed(datetime.datetime.fromisoformat(text))
def ids(memory):  # of every memory that has not expired, oldest first
    return [each.id for each in memory.list(None, status=None, descending=False)]
def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    open(path, "w").write(text)
"""
_VECTOR = """\
def vector(text):
    from array import array
    from agent_memory.embeddings.dummy import DummyEmbedder
    return array("f", DummyEmbedder(dimension={dimension})._vector(text)).tolist()
"""


class Script:
    """Collects what was done."""

    def __init__(self, agent: str, settings: Settings, folder: str) -> None:
        self._agent = agent
        self._settings = settings
        self._folder = folder
        self._lines: list[str] = []
        self._names: dict[str, str] = {}
        """By id, how the program can name it."""
        self._handles: set[str] = set()

    def opened(self, handle: str) -> None:
        """A handle is used, and opened if it is not open."""
        if handle not in self._handles:
            self._handles.add(handle)
            self._lines.append(f"{handle} = opened()")

    def closed(self, handle: str) -> None:
        """A handle is closed."""
        if handle in self._handles:
            self._handles.discard(handle)
            self._lines.append(f"{handle}.close()")

    def killed(self, what: str, *, within: bool = False) -> None:
        """A process is gone with its handles, `within` the last step or behind it."""
        self._handles.clear()
        where = "in the middle of that step" if within else "here"
        self._lines.append(f"# {where} the process was killed (SIGKILL); the next one: {what or 'alike'}")

    def process(self, what: str) -> None:
        """From here on another process works."""
        self._lines.append(f"# in a process of its own, with {what}")

    def written(self, path: str, text: str) -> None:
        """A file is there, with that text."""
        self._lines.append(f"write({self._source(path)}, {text!r})")

    def step(
        self, number: int, handle: str, verb: Verb, arguments: Mapping[str, Any], moment: datetime
    ) -> None:
        """Add a call; its answer has the name `r` and the number."""
        said = ", ".join(f"{name}={self._source(value)}" for name, value in arguments.items())
        self._lines.append(f"with at({moment.isoformat()!r}):")
        self._lines.append(f"    r{number} = {handle}.{verb}({said})")

    def refused(self, message: str) -> None:
        """The last call raised an error."""
        call = self._lines.pop().strip()
        self._lines += [
            "    try:",
            f"        {call}",
            f"    except AgentMemoryError as error: print(error)  # {message}",
        ]

    def learnt(self, number: int, answer: Any, handle: str, seen: Sequence[str]) -> None:
        """Remember how the program names what has come up."""
        for memory_id, name in _names(f"r{number}", answer):
            self._names.setdefault(memory_id, name)
        for place, memory_id in enumerate(seen):
            self._names.setdefault(memory_id, f"ids({handle})[{place}]")

    def _source(self, value: Any) -> str:
        if isinstance(value, _Named):
            return value.source(self._names)
        if isinstance(value, Vector):
            return f"vector({value.text!r})"
        if isinstance(value, list):
            return f"[{', '.join(map(self._source, value))}]"
        return (
            repr(value).replace(repr(self._folder)[1:-1], "' + folder + '") if self._folder else repr(value)
        )

    def __str__(self) -> str:
        given = {name: getattr(self._settings, name) for name in _SETTINGS}
        settings = ", ".join(f"{name}={self._source(value)}" for name, value in given.items())
        lines = "\n".join(self._lines)
        head = _HEAD.format(agent=self._agent, settings=settings)
        return f"{head}{_VECTOR.format(dimension=DIMENSION) if 'vector(' in lines else ''}{lines}"


_SETTINGS = (
    "backend",
    "backend_config",
    "embedding_provider",
    "embedding_config",
    "embed_on_write",
    "conversation_max_messages",
    "session",
)


class _Named(str):
    """An id, a part of one or a key, that knows which memory it names."""

    memory_id: str
    form: str

    def source(self, names: Mapping[str, str]) -> str:
        """Return how a program says it."""
        name = names.get(self.memory_id)
        if name is None or self.form == "key":
            return repr(str(self))
        return f"{name}[:{len(self)}]" if self.form == "prefix" else name


def named(form: str, memory_id: str, said: str) -> str:
    """Return a text that remembers which memory it names, and whether by `id`, `prefix` or `key`."""
    result = _Named(said)
    result.memory_id, result.form = memory_id, form
    return result


def _names(name: str, answer: Any) -> list[tuple[str, str]]:
    if isinstance(answer, str):
        return [(answer, name)]
    if isinstance(answer, list | tuple):
        return [pair for place, part in enumerate(answer) for pair in _names(f"{name}[{place}]", part)]
    if isinstance(getattr(answer, "id", None), str):
        return [(answer.id, f"{name}.id")]
    return []
