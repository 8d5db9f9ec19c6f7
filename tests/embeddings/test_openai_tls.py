"""Whom the client of OpenAI's API trusts, over TLS and without."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from servers.tls import Authority

from agent_memory.embeddings.openai import OpenAIEmbedder
from agent_memory.errors import EmbeddingError

from .hub import serve
from .wire import EmbeddingServer

pytestmark = pytest.mark.anyio


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "known")


async def _embed(url: str) -> bytes:
    embedder = OpenAIEmbedder(base_url=url, model="some-model", native_dimension=32, max_retries=0)
    await embedder.prepare()
    try:
        return await embedder.embed_query("hello")
    finally:
        await embedder.close()


async def test_a_certificate_is_checked(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = EmbeddingServer()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.certificate, authority.key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    with serve(server):
        url = server.url.replace("http:", "https:")
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
        assert len(await _embed(url)) == 4 * 32
        assert len(await _embed(url.replace("https:", "HTTPS:"))) == 4 * 32
        monkeypatch.setenv("SSL_CERT_FILE", str(Authority(tmp_path / "other").file))
        for address in (url, url.replace("https:", "HTTPS:")):
            with pytest.raises(EmbeddingError, match="CERTIFICATE_VERIFY_FAILED"):
                await _embed(address)


async def test_without_tls_no_authorities_are_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "is not there"))
    with serve(server := EmbeddingServer()):
        assert len(await _embed(server.url)) == 4 * 32
