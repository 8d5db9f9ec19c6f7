"""A relay between a client and a server that counts round trips: how often the client speaks after an answer."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, urlsplit

from agent_memory import AgentMemory, Found

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Relay:
    """Listens on a port of its own and passes on what comes, both ways."""

    def __init__(self, url: str) -> None:
        self._target = urlsplit(url)
        self._server: asyncio.Server | None = None
        self._passing: set[asyncio.Task[None]] = set()
        self._writers: list[asyncio.StreamWriter] = []
        self.round_trips = 0

    @property
    def port(self) -> int:
        """Where it listens."""
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def url(self) -> str:
        """Where it listens, for the same user and database."""
        user, at, _ = self._target.netloc.rpartition("@")
        return f"{self._target.scheme}://{user}{at}127.0.0.1:{self.port}{self._target.path}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._passing:
            task.cancel()
        await asyncio.gather(*self._passing, return_exceptions=True)
        for writer in self._writers:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for writer in self._writers), return_exceptions=True)

    async def _connect(self) -> Streams:
        folder = parse_qs(self._target.query).get("host", [""])[0]
        if folder.startswith("/"):
            port = parse_qs(self._target.query).get("port", ["5432"])[0]
            return await asyncio.open_unix_connection(f"{folder}/.s.PGSQL.{port}")
        return await asyncio.open_connection(self._target.hostname, self._target.port)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await self._connect()
        self._writers += [writer, server_writer]
        answered = True

        async def ask() -> None:
            nonlocal answered
            with suppress(ConnectionError):  # who hangs up may cut the connection off
                while data := await reader.read(1 << 16):
                    self.round_trips += answered
                    answered = False
                    server_writer.write(data)
            server_writer.close()

        async def answer() -> None:
            nonlocal answered
            with suppress(ConnectionError):
                while data := await server_reader.read(1 << 16):
                    answered = True
                    writer.write(data)
            writer.close()

        for way in (ask, answer):
            task = asyncio.create_task(way())
            self._passing.add(task)
            task.add_done_callback(self._passing.discard)


async def fill(memory: AgentMemory) -> None:
    """Store some memories of every type, with a conversation of questions and answers."""
    for number in range(12):
        topic = ("boat", "harbour", "deploy", "garden")[number % 4]
        await memory.long_term.add(
            f"The {topic} is looked after by Ana, note {number}.", key=f"note-{number}"
        )
        await memory.episodic.add(f"The {topic} was repaired.", event_type="repair", outcome="success")
        await memory.semantic.add(f"A {topic} needs care every {number + 2} weeks.", title=f"Care {number}")
        await memory.procedural.add(f"How to clean the {topic}.", name=f"cleaning-{number}")
        await memory.short_term.add(f"Talking about the {topic} now, part {number}.")
        await memory.conversation.add_message("user", f"Who cleans the {topic} number {number}?", name="Ben")
        await memory.conversation.add_message("user", f"Ana does it on day {number}.", name="Ana")
        await memory.conversation.add_message("assistant", f"Noted: the {topic}.")


async def search(memory: AgentMemory) -> Found:
    """Search without a filter, by words and meaning; the first search of a memory prepares much else."""
    return await memory.search("who cleans the boat")
