"""Raw clients: what the library told its client to do while it stored is done again by the client alone."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol
from unittest import mock

import numpy as np

from agent_memory.storage.base import Store
from agent_memory.testing import builders
from benchmarks.backends.servers import Served

Recorded = list[Any]


class Raw(Protocol):
    """A raw client."""

    async def fill(self, recorded: Recorded) -> float:
        """Do what was recorded, and return the seconds that it took."""

    async def search(self, query: bytes, rare: bool) -> int:
        """Find the ten nearest and fetch their documents."""

    async def close(self) -> None:
        """Close the connections."""


@contextmanager
def recording(name: str) -> Iterator[Recorded]:
    """Write down what the library tells a client to do."""
    recorded: Recorded = []
    if name == "postgres":
        from agent_memory.storage.postgres import vectors, writing
        from agent_memory.storage.postgres.copying import insert

        async def noted(connection: Any, table: str, columns: Any, values: Any) -> None:
            rows = list(values)
            if rows:
                recorded.append((table, tuple(columns), rows))
            await insert(connection, table, columns, rows)

        with mock.patch.object(writing, "insert", noted), mock.patch.object(vectors, "insert", noted):
            yield recorded
    elif name.startswith("redis"):
        from redis.asyncio.client import Pipeline

        execute = Pipeline.execute

        async def executed(self: Any, *arguments: Any, **named: Any) -> Any:
            if self.explicit_transaction:
                recorded.append([command[0] for command in self.command_stack])
            return await execute(self, *arguments, **named)

        with mock.patch.object(Pipeline, "execute", executed):
            yield recorded
    elif name == "chroma":
        from chromadb.api.models.Collection import Collection

        upsert = Collection.upsert

        def upserted(self: Any, **named: Any) -> Any:
            recorded.append((self.name.rsplit("-", 2)[-1], named))
            return upsert(self, **named)

        with mock.patch.object(Collection, "upsert", upserted):
            yield recorded
    elif name == "pinecone":
        from agent_memory.storage.pinecone.store import PineconeStore

        written = PineconeStore._upsert

        async def upserted_(self: Any, index: Any, namespace: str, records: Any) -> None:
            recorded.append((namespace, records))
            await written(self, index, namespace, records)

        with mock.patch.object(PineconeStore, "_upsert", upserted_):
            yield recorded
    else:
        yield recorded


async def settle(name: str, store: Store) -> None:
    """Make what is made once after a bulk load."""
    if name == "postgres":
        from agent_memory.storage.postgres import PostgresStore

        assert isinstance(store, PostgresStore)
        await store._server.outside("vacuum analyze")


async def size(store: Store) -> int:
    """Return how many bytes the backend takes; 0 where nobody can tell."""
    # Each is imported with its name alone, for the client that a backend talks through may not be installed.
    match store.name:
        case "sqlite":
            from agent_memory.storage.sqlite import SqliteStore

            assert isinstance(store, SqliteStore)
            return sum(path.stat().st_size for path in store.path.parent.glob(f"{store.path.name}*"))
        case "postgres":
            from agent_memory.storage.postgres import PostgresStore

            assert isinstance(store, PostgresStore)
            return await store._server.read(_tables)
        case "redis":
            from agent_memory.storage.redis import RedisStore

            assert isinstance(store, RedisStore)
            return int((await store._client.info("memory"))["used_memory"])
        case "chroma":
            from agent_memory.storage.chroma import ChromaStore

            assert isinstance(store, ChromaStore)
            folder = Path(store._chroma.location)
            return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return 0


async def _tables(connection: Any) -> int:
    query = "select sum(pg_total_relation_size(c.oid)) from pg_class c join pg_namespace n"
    sizes = await connection.execute(
        f"{query} on n.oid = relnamespace where nspname = 'agentmem' and relkind = 'r'"
    )
    return int((await sizes.fetchone())[0])


async def client(name: str, server: Served) -> Raw:
    """Return a raw client of a backend that has just been started."""
    if name == "postgres":
        return await RawPostgres.made(server)
    if name.startswith("redis"):
        return RawRedis(server, name.partition("-")[2])
    if name == "chroma":
        return RawChroma(server)
    return await RawPinecone.made(server)


class RawPostgres:
    def __init__(self, connection: Any) -> None:
        self._connection = connection

    @classmethod
    async def made(cls, server: Served) -> RawPostgres:
        import psycopg
        from pgvector.psycopg import register_vector_async

        from agent_memory.storage.postgres import PostgresStore

        store = PostgresStore("bench", url=server.backend)
        await store.open()
        await store.add_space(builders.space(dimension=384))
        await store.close()
        connection = await psycopg.AsyncConnection.connect(server.backend, autocommit=True)
        await connection.execute("set search_path to agentmem, public")
        await register_vector_async(connection)
        return cls(connection)

    async def fill(self, recorded: Recorded) -> float:
        begun = time.perf_counter()
        cursor = self._connection.cursor()
        await cursor.execute("delete from operation")
        seq = 0
        for table, columns, values in recorded:
            if table == "memory":
                await self._connection.execute("begin")
            if table == "journal":
                seq += 1
                await cursor.execute(
                    "insert into operation values (1, %s, %s, 'add', null, null, now())", (seq, values[0][4])
                )
            async with cursor.copy(f"copy {table} ({', '.join(columns)}) from stdin") as copy:
                for row in values:
                    await copy.write_row(row)
            if table == "journal":
                await self._connection.execute("commit")
        await self._connection.execute("vacuum analyze")
        # The graph that the library makes over many vectors.
        if (await (await cursor.execute("select count(*) from embedding")).fetchone())[0] >= 50_000:
            await self._connection.execute(
                "create index concurrently graph on embedding using hnsw ((vector::vector(384)) vector_cosine_ops)"
                " where agent = 1 and space = 1"
            )
        return time.perf_counter() - begun

    async def search(self, query: bytes, rare: bool) -> int:
        from pgvector import Vector

        from agent_memory.storage.postgres import rows

        vector = Vector(np.frombuffer(query, "<f4"))
        await self._connection.execute("set hnsw.ef_search to 200")
        if rare:
            sql = (
                "select m.id from memory m join embedding e on e.agent = 1 and e.space = 1"
                " and e.text_hash = m.embedded_hash where m.agent = 1 and m.status = 'active' and m.place in"
                " (select memory from memory_tag where agent = 1 and tag = 'rare') order by e.vector <=> %s limit 10"
            )
        else:
            sql = (
                "select m.id from (select text_hash, vector::vector(384) <=> %s as far from embedding"
                " where agent = 1 and space = 1 order by 2 limit 40) e join memory m on m.agent = 1"
                " and m.embedded_hash = e.text_hash where m.status = 'active' order by far limit 10"
            )
        ids = [row[0] for row in await (await self._connection.execute(sql, (vector,))).fetchall()]
        # Whole memories, as the library gives them.
        whole = f"{rows.select(1)} where m.agent = 1 and m.id = any(%s)"
        return len(await (await self._connection.execute(whole, (ids,))).fetchall())

    async def close(self) -> None:
        await self._connection.close()


class RawRedis:
    def __init__(self, server: Served, mode: str) -> None:
        from redis.asyncio import Redis

        self._client: Any = Redis.from_url(server.backend, socket_timeout=600)
        self._mode = mode
        self._copy: Any = None
        self._root = "{agentmem:bench}"

    async def fill(self, recorded: Recorded) -> float:
        if self._mode == "search":
            from agent_memory.storage.redis.keys import Keys
            from agent_memory.storage.redis.search import SearchModule

            module = SearchModule(self._client, Keys(self._root))
            await module.prepare([builders.space(dimension=384, id=1)])
        begun = time.perf_counter()
        for commands in recorded:
            pipe = self._client.pipeline(transaction=True)
            for command in commands:
                pipe.execute_command(*command)
            await pipe.execute()
        return time.perf_counter() - begun

    async def search(self, query: bytes, rare: bool) -> int:
        if self._mode == "search":
            tag = " @tags:{72617265}" if rare else ""
            answer = await self._client.execute_command(
                *(
                    "FT.SEARCH",
                    f"{self._root}:vectors:1",
                    f"(@status:{{active}}{tag})=>[KNN 10 @vector $v AS far]",
                ),
                *("SORTBY", "far", "RETURN", "1", "far", "LIMIT", "0", "10", "PARAMS", "2", "v", query),
                *("DIALECT", "2"),
            )
            ids = [item[b"id"].decode().rsplit(":", 2)[1] for item in answer[b"results"]]
        elif rare:
            members = sorted(
                await self._client.sinter(f"{self._root}:tag:rare", f"{self._root}:status:active")
            )
            pipe = self._client.pipeline(transaction=False)
            for member in members:
                pipe.hget(f"{self._root}:vec:1:{member.decode()}:0", "vector")
            matrix = np.frombuffer(b"".join(await pipe.execute()), "<f4").reshape(len(members), -1)
            best = np.argsort(-(matrix @ np.frombuffer(query, "<f4")))[:10]
            ids = [members[place].decode() for place in best]
        elif self._mode == "vector-sets":
            answer = await self._client.execute_command(
                *("VSIM", f"{self._root}:near:1", "FP32", query, "COUNT", 10, "EF", 500)
            )
            ids = [item.decode().split(":")[0] for item in answer]
        else:
            ids = await self._compared(query)
        pipe = self._client.pipeline(transaction=False)
        for memory_id in ids:
            pipe.hget(f"{self._root}:doc:{memory_id}", "json")
        return len([json.loads(text) for text in await pipe.execute()])

    async def _compared(self, query: bytes) -> list[str]:
        if self._copy is None:
            members = [member.decode() for member in await self._client.zrange(f"{self._root}:places", 0, -1)]
            flat = []
            for start in range(0, len(members), 2000):
                pipe = self._client.pipeline(transaction=False)
                for member in members[start : start + 2000]:
                    pipe.hget(f"{self._root}:vec:1:{member}:0", "vector")
                flat += await pipe.execute()
            self._copy = members, np.frombuffer(b"".join(flat), "<f4").reshape(len(members), -1)
        await self._client.get(f"{self._root}:head")
        members, matrix = self._copy
        cosines = matrix @ np.frombuffer(query, "<f4")
        return [members[place] for place in np.argpartition(-cosines, 9)[:10]]

    async def close(self) -> None:
        await self._client.aclose()


class RawChroma:
    def __init__(self, server: Served) -> None:
        import chromadb
        from chromadb.config import Settings

        self._folder = str(server.options["path"])
        # `close` is the client's and not the interface's that this function says it returns.
        self._client: Any = chromadb.PersistentClient(
            path=self._folder, settings=Settings(anonymized_telemetry=False)
        )
        self._collections: dict[str, Any] = {}

    def _collection(self, part: str) -> Any:
        from agent_memory.storage.chroma.store import _GRAPH

        if part not in self._collections:
            self._collections[part] = self._client.create_collection(
                f"raw-{part}x", configuration=_GRAPH, embedding_function=None
            )
        return self._collections[part]

    async def fill(self, recorded: Recorded) -> float:
        begun = time.perf_counter()
        for part, named in recorded:
            self._collection(part).upsert(**named)
        return time.perf_counter() - begun

    async def search(self, query: bytes, rare: bool) -> int:
        wanted = [{"status": "active"}, *([{"tag:72617265": True}] if rare else [])]
        answer = self._collection("1").query(
            query_embeddings=[np.frombuffer(query, "<f4")],
            n_results=10,
            where={"$and": wanted} if rare else wanted[0],
            include=["distances"],
        )
        ids = [result.split(":")[0] for result in answer["ids"][0]]
        texts = self._collection("memories").get(ids=ids, include=["documents"])["documents"]
        return len([json.loads(text) for text in texts])

    async def close(self) -> None:
        self._client.close()


class RawPinecone:
    def __init__(self, client: Any, index: Any) -> None:
        self._client, self._index = client, index

    @classmethod
    async def made(cls, server: Served) -> RawPinecone:
        import pinecone

        client = pinecone.AsyncPinecone(api_key=server.options["api_key"], host=server.options["host"])
        spec = pinecone.ServerlessSpec(cloud="aws", region="us-east-1")
        await client.indexes.create(name="bench", dimension=384, metric="cosine", spec=spec)
        host = (await client.indexes.describe("bench")).host
        assert host is not None
        return cls(client, await client.index(host=host))

    async def fill(self, recorded: Recorded) -> float:
        begun = time.perf_counter()
        for namespace, records in recorded:
            for start in range(0, len(records), 100):
                part = records[start : start + 100]
                await self._index.upsert(vectors=part, namespace=namespace, show_progress=False)
        return time.perf_counter() - begun

    async def search(self, query: bytes, rare: bool) -> int:
        wanted = {"status": {"$eq": "active"}, **({"tags": {"$eq": "rare"}} if rare else {})}
        vector = [float(item) for item in np.frombuffer(query, "<f4")]
        answer = await self._index.query(vector=vector, top_k=10, namespace="bench--space-1", filter=wanted)
        ids = [match.id.split("#")[0] for match in answer.matches]
        records = (await self._index.fetch(ids=ids, namespace="bench--memories")).vectors.values()
        return len([json.loads(record.metadata["document"]) for record in records])

    async def close(self) -> None:
        await self._index.close()
        await self._client.close()
