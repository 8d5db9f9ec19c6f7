from __future__ import annotations

import socket
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent_memory.embeddings import openai
from agent_memory.embeddings.base import Embedder
from agent_memory.embeddings.dummy import DummyEmbedder
from agent_memory.embeddings.openai import OpenAIEmbedder
from agent_memory.errors import ConfigurationError, EmbeddingError, MissingDependencyError
from agent_memory.testing.embedder import EmbedderSuite, cosine

from .hub import serve
from .wire import EmbeddingServer, Failure

pytestmark = pytest.mark.anyio
KEY = "sk-very-secret-key"


@pytest.fixture(autouse=True)
def no_key_of_a_person(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def server() -> Iterator[EmbeddingServer]:
    server = EmbeddingServer()
    with serve(server):
        yield server


def client(server: EmbeddingServer, **options: Any) -> OpenAIEmbedder:
    return OpenAIEmbedder(**{"base_url": server.url, "model": "some-model", "api_key": KEY, **options})


class TestOpenAIEmbedder(EmbedderSuite):
    @pytest.fixture
    def embedder(self, server: EmbeddingServer) -> Embedder:
        return client(server)


class TestTheWire:
    @pytest.mark.parametrize("encoding", ["float", "base64"])
    @pytest.mark.parametrize("with_index", [True, False])
    async def test_answers_are_ordered_and_normalised(
        self, server: EmbeddingServer, encoding: str, with_index: bool
    ) -> None:
        server.with_index = with_index
        embedder = client(server, encoding_format=encoding)
        await embedder.prepare()
        texts = [f"text number {number}" for number in range(40)]
        expected = await DummyEmbedder(dimension=32).embed_documents(texts)
        for one, other in zip(await embedder.embed_documents(texts), expected, strict=True):
            assert cosine(one[0], other[0]) == pytest.approx(1.0, abs=1e-5)
        assert server.requests[-1].body["encoding_format"] == encoding
        assert server.requests[-1].headers["Authorization"] == f"Bearer {KEY}"
        await embedder.close()

    async def test_dimensions_are_sent_and_named_in_the_identity(self, server: EmbeddingServer) -> None:
        embedder = client(server, dimensions=16)
        await embedder.prepare()
        assert server.requests == []
        assert len(await embedder.embed_query("hello")) == 4 * 16
        assert server.requests[0].body["dimensions"] == 16
        assert embedder.identity.revision == "dimensions=16"
        await embedder.close()

    async def test_dimensions_are_not_sent_unasked(self, server: EmbeddingServer) -> None:
        embedder = client(server, native_dimension=32)
        await embedder.prepare()
        await embedder.embed_query("hello")
        assert "dimensions" not in server.requests[0].body
        await embedder.close()

    async def test_without_a_known_dimension_one_call_finds_it_out(self, server: EmbeddingServer) -> None:
        embedder = client(server)
        await embedder.prepare()
        await embedder.prepare()
        assert embedder.identity.dimension == 32
        assert len(server.requests) == 1
        await embedder.close()

    async def test_texts_go_out_in_batches(self, server: EmbeddingServer) -> None:
        embedder = client(server, native_dimension=32, batch_size=10)
        await embedder.prepare()
        texts = [f"text {number}" for number in range(25)]
        assert len(await embedder.embed_documents(texts)) == 25
        assert [len(request.body["input"]) for request in server.requests] == [10, 10, 5]
        await embedder.close()

    async def test_a_request_holds_no_more_than_the_service_takes(self, server: EmbeddingServer) -> None:
        embedder = client(server, native_dimension=32, max_tokens=8_191)
        await embedder.prepare()
        await embedder.embed_documents(["many words " * 700] * 100)
        sizes = [sum(len(text.encode()) for text in request.body["input"]) for request in server.requests]
        assert max(sizes) <= 250_000
        assert sum(sizes) == 100 * 700 * 11
        await embedder.close()

    async def test_no_piece_is_longer_than_the_model_reads(self, server: EmbeddingServer) -> None:
        embedder = client(server, native_dimension=32, max_tokens=500, document_prefix="passage: ")
        await embedder.prepare()
        text = "Ein Satz mit Umlauten wie ä, ö und ü. 还有中文。 " * 100
        (vectors,) = await embedder.embed_documents([text])
        assert len(vectors) == len(server.texts) > 1
        assert all(len(sent.encode()) <= 500 for sent in server.texts)
        assert "".join(sent.removeprefix("passage: ") for sent in server.texts) == text
        await embedder.close()

    async def test_prefixes_are_put_before(self, server: EmbeddingServer) -> None:
        embedder = client(server, native_dimension=32, query_prefix="q: ", document_prefix="d: ")
        await embedder.prepare()
        await embedder.embed_query("one")
        await embedder.embed_documents(["two", ""])
        assert server.texts == ["q: one", "d: two", "d: ."]
        await embedder.close()


class TestTrouble:
    @pytest.mark.parametrize(
        "failure",
        [
            Failure(429, '{"error": {"message": "slow down"}}', {"retry-after": "0.2"}),
            Failure(429, "", {"retry-after-ms": "200"}),
            Failure(500, "oops"),
            Failure(503, "", {"retry-after": "0"}),
        ],
        ids=["429", "429 in ms", "500", "503"],
    )
    async def test_a_busy_server_is_asked_again(self, server: EmbeddingServer, failure: Failure) -> None:
        embedder = client(server, native_dimension=32)
        await embedder.prepare()
        server.failures = [failure]
        start = time.monotonic()
        assert len(await embedder.embed_query("again")) == 4 * 32
        assert len(server.requests) == 2
        assert time.monotonic() - start >= (0.2 if failure.status == 429 else 0)
        await embedder.close()

    async def test_it_gives_up_in_the_end(self, server: EmbeddingServer) -> None:
        embedder = client(server, native_dimension=32, max_retries=2)
        await embedder.prepare()
        server.failures = [Failure(503, "closed", {"retry-after": "0"})] * 5
        with pytest.raises(EmbeddingError, match="answered 503: closed"):
            await embedder.embed_query("hello")
        assert len(server.requests) == 3
        await embedder.close()

    @pytest.mark.parametrize(
        "failure",
        [
            Failure(400, '{"error": {"message": "this model does not exist"}}'),
            Failure(401, '{"error": {"message": "wrong key ' + KEY + '"}}'),
            Failure(404, "not found"),
            Failure(429, '{"error": {"message": "pay first", "code": "insufficient_quota"}}'),
            Failure(429, "", {"retry-after": "3600"}),
        ],
        ids=["400", "401", "404", "no money", "an hour"],
    )
    async def test_what_cannot_get_better_is_not_tried_again(
        self, server: EmbeddingServer, failure: Failure
    ) -> None:
        embedder = client(server, native_dimension=32)
        await embedder.prepare()
        server.failures = [failure]
        with pytest.raises(EmbeddingError, match=f"answered {failure.status}") as caught:
            await embedder.embed_query("hello")
        assert len(server.requests) == 1
        assert caught.value.hint
        assert KEY not in "".join(traceback.format_exception(caught.value))
        await embedder.close()

    async def test_too_few_vectors_are_an_error(self, server: EmbeddingServer) -> None:
        server.with_index = False
        server.drop = 1
        embedder = client(server, native_dimension=32)
        await embedder.prepare()
        with pytest.raises(EmbeddingError, match="returned 2 vectors for 3 texts"):
            await embedder.embed_documents(["a", "b", "c"])
        await embedder.close()

    async def test_wrong_numbering_is_an_error(self, server: EmbeddingServer) -> None:
        server.number = lambda index: index // 2
        embedder = client(server, native_dimension=32)
        await embedder.prepare()
        with pytest.raises(EmbeddingError, match="numbered its vectors wrongly"):
            await embedder.embed_documents(["a", "b", "c"])
        await embedder.close()

    async def test_a_server_that_ignores_dimensions_is_found_out(self, server: EmbeddingServer) -> None:
        server.honours_dimensions = False
        embedder = client(server, dimensions=16)
        await embedder.prepare()
        with pytest.raises(EmbeddingError, match=r"32 dimensions, not 16: .*leave `dimensions` out"):
            await embedder.embed_query("hello")
        await embedder.close()

    async def test_a_model_of_another_dimension_is_found_out(self, server: EmbeddingServer) -> None:
        embedder = client(server, native_dimension=48)
        await embedder.prepare()
        with pytest.raises(EmbeddingError, match="32 dimensions, not 48"):
            await embedder.embed_query("hello")
        await embedder.close()

    @pytest.mark.parametrize("spoilt", [float("nan"), float("inf"), "x", {}, [1]])
    async def test_what_is_no_number_never_gets_through(
        self, server: EmbeddingServer, spoilt: object
    ) -> None:
        server.spoil = spoilt
        embedder = client(server, native_dimension=32)
        await embedder.prepare()
        with pytest.raises(EmbeddingError):
            await embedder.embed_query("hello")
        await embedder.close()

    @pytest.mark.parametrize(
        "body", ["", "<html>", "[]", '{"data": 3}', '{"data": [{"embedding": "%%%"}]}', "null"]
    )
    async def test_another_kind_of_server_is_recognised(self, server: EmbeddingServer, body: str) -> None:
        embedder = client(server, native_dimension=32)
        await embedder.prepare()
        server.failures = [Failure(200, body)]
        with pytest.raises(EmbeddingError, match=r"not one of the embeddings API|not a vector of numbers"):
            await embedder.embed_query("hello")
        await embedder.close()

    async def test_nobody_there(self) -> None:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            embedder = OpenAIEmbedder(
                base_url=f"http://user:hidden@127.0.0.1:{unused.getsockname()[1]}/v1",
                model="m",
                native_dimension=8,
                max_retries=0,
            )
            await embedder.prepare()
            with pytest.raises(EmbeddingError, match="cannot be reached") as caught:
                await embedder.embed_query("hello")
            await embedder.close()
        assert "hidden" not in str(caught.value)


class TestSettings:
    async def test_known_models_need_no_call(self) -> None:
        for model, dimension in (("text-embedding-3-small", 1536), ("text-embedding-3-large", 3072)):
            embedder = OpenAIEmbedder(model=model, api_key=KEY)
            await embedder.prepare()
            assert (embedder.identity.dimension, embedder.identity.revision) == (dimension, "")

    async def test_the_full_dimension_is_the_same_space_named_or_not(self) -> None:
        named, unnamed = OpenAIEmbedder(api_key=KEY, dimensions=1536), OpenAIEmbedder(api_key=KEY)
        await named.prepare()
        await unnamed.prepare()
        assert named.identity == unnamed.identity

    async def test_openai_wants_a_key(self) -> None:
        with pytest.raises(ConfigurationError, match="OPENAI_API_KEY"):
            await OpenAIEmbedder().prepare()

    async def test_a_server_of_ones_own_needs_none(self, server: EmbeddingServer) -> None:
        embedder = client(server, api_key=None)
        await embedder.prepare()
        assert "Authorization" not in server.requests[0].headers
        await embedder.close()

    async def test_the_key_can_come_from_a_file_or_the_environment(
        self, server: EmbeddingServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "key").write_text("from-file\n")
        monkeypatch.setenv("OPENAI_API_KEY", "from-environment")
        for options in ({"api_key_file": tmp_path / "key"}, {}):
            embedder = client(server, api_key=None, **options)
            await embedder.prepare()
            await embedder.close()
        sent = [request.headers["Authorization"] for request in server.requests]
        assert sent == ["Bearer from-file", "Bearer from-environment"]

    def test_the_key_is_nowhere_to_be_seen(self, server: EmbeddingServer) -> None:
        embedder = client(server)
        assert KEY not in repr(embedder) + repr(embedder.settings) + str(embedder)
        with pytest.raises(ConfigurationError) as caught:
            client(server, api_key=KEY + "\u00e9")
        assert KEY not in str(caught.value)

    async def test_a_strange_model_without_an_address_goes_nowhere(self) -> None:
        embedder = OpenAIEmbedder(model="nomic-embed-text", api_key=KEY)
        with pytest.raises(ConfigurationError, match="which server has the model 'nomic-embed-text'"):
            await embedder.prepare()

    @pytest.mark.parametrize("url", ["localhost:11434", "ftp://x/v1", "http://", "http://x:y/v1"])
    def test_an_address_is_checked(self, url: str) -> None:
        with pytest.raises(ConfigurationError, match="base_url"):
            OpenAIEmbedder(base_url=url)

    @pytest.mark.parametrize(
        "options",
        [
            {"batch_size": 0},
            {"dimensions": "8"},
            {"max_retries": -1},
            {"timeout": 0},
            {"encoding_format": "hex"},
        ],
    )
    def test_options_are_checked(self, options: dict[str, Any]) -> None:
        with pytest.raises(ConfigurationError, match=next(iter(options))):
            OpenAIEmbedder(api_key=KEY, **options)

    async def test_without_httpx_the_error_names_the_extra(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(openai, "find_spec", lambda name: None)
        with pytest.raises(MissingDependencyError, match=r"httpx.*\[openai\]"):
            await OpenAIEmbedder(api_key=KEY).prepare()
