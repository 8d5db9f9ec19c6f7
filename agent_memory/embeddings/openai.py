"""Any endpoint that speaks OpenAI's embeddings API: OpenAI itself, or a server of one's own.

One POST per batch over httpx; nothing else of the API is used, so no client library is needed.
"""

from __future__ import annotations

import base64
import json
import os
import random
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

from agent_memory import paths
from agent_memory.embeddings.base import Embedder, EmbeddingIdentity, IdentityLike, pack_rows
from agent_memory.embeddings.fail_fast import fails_fast
from agent_memory.embeddings.segments import split_by_bytes, well_formed
from agent_memory.embeddings.threads import in_worker
from agent_memory.errors import ConfigurationError, EmbeddingError, MissingDependencyError
from agent_memory.network import is_elsewhere, is_encrypted

if TYPE_CHECKING:
    import httpx

    from agent_memory.vectors import Vector

DEFAULT_MODEL = "text-embedding-3-small"
DEFAULT_URL = "https://api.openai.com/v1"
_KNOWN: Mapping[str, int] = {
    "text-embedding-3-small": 1536,
    "text-embedding-3-large": 3072,
    "text-embedding-ada-002": 1536,
}
"""OpenAI's models and their dimensions (platform.openai.com/docs/guides/embeddings)."""
_OPENAI_TOKENS = 8_191
_OTHER_TOKENS = 2_048
"""How much another server's model is taken to read, unless `max_tokens` says it."""
_REQUEST_BYTES = 250_000
"""Of one request: OpenAI allows 300,000 tokens, and no text has more tokens than bytes."""
_RETRIED = frozenset({408, 409, 429, 500, 502, 503, 504})
_LONGEST_WAIT = 60.0  # seconds; a server that asks for more is not waited for
_NOTHING = "."
"""What is sent for a text without a visible character, which servers refuse."""
_OPTIONS = (
    "model",
    "base_url",
    "api_key",
    "api_key_file",
    "dimensions",
    "native_dimension",
    "query_prefix",
    "document_prefix",
    "batch_size",
    "timeout",
    "max_retries",
    "max_tokens",
    "encoding_format",
)


class OpenAIEmbedder(Embedder):
    """Vectors from an OpenAI-compatible endpoint. The texts leave this machine, unless the endpoint is on it.

    Options:
        model: `text-embedding-3-small` if left out.
        base_url: the address up to and including `/v1`; else `OPENAI_BASE_URL`, else OpenAI's own.
        api_key, api_key_file: the key or a file that holds it; else `OPENAI_API_KEY`. A server of one's own
            may need none.
        dimensions: shortens the vectors; sent to the server.
        native_dimension: what the model gives, not sent; spares the one call that finds it out.
        query_prefix, document_prefix: what is put before a text.
        batch_size: texts in one request, 256 if left out.
        timeout: seconds for one request, 30 if left out.
        max_retries: how often a request is repeated that met a full or failing server, 3 if left out.
        max_tokens: how much the model reads; 8,191 for OpenAI's, else 2,048. Longer texts are embedded in
            segments of at most as many bytes, which cannot be more tokens.
        encoding_format: `float` or `base64`; base64 for OpenAI's own address, else float.
    """

    provider: ClassVar[str] = "openai"
    options: ClassVar[frozenset[str]] = frozenset(_OPTIONS)
    uses_network: ClassVar[bool] = True

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._model: str = options.get("model") or DEFAULT_MODEL
        given_url = options.get("base_url") or os.environ.get("OPENAI_BASE_URL")
        self._url: str = str(given_url or DEFAULT_URL).rstrip("/")
        try:
            address = urlsplit(self._url)
            port = address.port
        except ValueError as error:
            raise ConfigurationError("base_url is no address", hint=str(error)) from None
        if address.scheme not in {"http", "https"} or not address.hostname:
            raise ConfigurationError(
                "base_url is no http address", hint="give one such as http://localhost:11434/v1"
            )
        self._host = address.hostname + (f":{port}" if port else "")
        self._official = address.hostname == "api.openai.com"
        self._given_url = given_url is not None
        self._dimensions = _whole(options, "dimensions", None)
        self._native = _whole(options, "native_dimension", None) or _KNOWN.get(self._model)
        self._batch_size = _whole(options, "batch_size", 256)
        self._max_retries = _whole(options, "max_retries", 3, least=0)
        self._room = _whole(
            options, "max_tokens", _OPENAI_TOKENS if self._model in _KNOWN else _OTHER_TOKENS, least=64
        )
        self._timeout = options.get("timeout", 30.0)
        if not isinstance(self._timeout, int | float) or self._timeout <= 0:
            raise ConfigurationError(f"timeout is {self._timeout!r}", hint="give seconds")
        self._format = options.get("encoding_format") or ("base64" if self._official else "float")
        if self._format not in {"float", "base64"}:
            raise ConfigurationError.unknown("encoding_format", self._format, ["float", "base64"])
        self._query_prefix = str(options.get("query_prefix") or "")
        self._document_prefix = str(options.get("document_prefix") or "")
        self._key = _find_key(options)
        if self._key is not None:
            self.settings = {name: "***" if name == "api_key" else value for name, value in options.items()}
        self._identity: EmbeddingIdentity | None = None
        self._client: httpx.AsyncClient | None = None

    @property
    def leaves_machine(self) -> bool:
        return is_elsewhere(self._url)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(model={self._model!r}, host={self._host!r})"

    @classmethod
    def options_from(cls, identity: IdentityLike) -> dict[str, Any]:
        """Return model, dimension and prefixes of that identity; address and key are the user's to say."""
        asked = identity.revision.startswith("dimensions=")
        return {
            "model": identity.model,
            "dimensions" if asked else "native_dimension": identity.dimension,
            "query_prefix": identity.query_prefix,
            "document_prefix": identity.document_prefix,
        }

    async def prepare(self) -> None:
        """Make the identity known: from the options or the model's name, else by embedding one word."""
        if self._identity is not None:
            return
        if find_spec("httpx") is None:
            raise MissingDependencyError("httpx, which openai needs,", extra="openai")
        if self._model not in _KNOWN and not self._given_url:
            raise ConfigurationError(
                f"nothing says which server has the model {self._model!r}",
                hint=f"set base_url in embedding_config, or OPENAI_BASE_URL ({DEFAULT_URL} is OpenAI's own)",
            )
        if self._official and self._key is None:
            raise ConfigurationError(
                "there is no key for OpenAI", hint="set OPENAI_API_KEY, api_key or api_key_file"
            )
        dimension = self._dimensions or self._native
        if dimension is None:
            dimension = len((await self._request(["dimension"]))[0]) // 4
        shortened = self._dimensions is not None and self._dimensions != self._native
        self._identity = EmbeddingIdentity(
            provider=self.provider,
            model=self._model,
            # A server may shorten vectors to any length; those of another length are another version.
            revision=f"dimensions={dimension}" if shortened else "",
            dimension=dimension,
            query_prefix=self._query_prefix,
            document_prefix=self._document_prefix,
        )

    @property
    def identity(self) -> EmbeddingIdentity:
        """Which vectors these are. Known once `prepare` has returned."""
        if self._identity is None:
            raise RuntimeError("call `await embedder.prepare()` first")
        return self._identity

    async def close(self) -> None:
        """Close the connections; used again, new ones are opened."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    def _split_into_parts(self, text: str) -> list[str]:
        # Counting bytes is so cheap that a segment is a segment already.
        prefix = max(len(self._query_prefix.encode()), len(self._document_prefix.encode()))
        return split_by_bytes(text, max(32, self._room - prefix - 8))  # 8 for special tokens

    async def _embed(self, texts: Sequence[str], *, query: bool) -> Sequence[bytes]:
        prefix = self._query_prefix if query else self._document_prefix
        sent = [prefix + (well_formed(text) if text.strip() else _NOTHING) for text in texts]
        vectors: list[bytes] = []
        for batch in self._batches(sent):
            vectors += await self._request(batch)
        return vectors

    def _batches(self, texts: Sequence[str]) -> Iterator[list[str]]:
        batch: list[str] = []
        size = 0
        for text in texts:
            length = len(text.encode())
            if batch and (len(batch) == self._batch_size or size + length > _REQUEST_BYTES):
                yield batch
                batch, size = [], 0
            batch.append(text)
            size += length
        if batch:
            yield batch

    # --- the wire ----------------------------------------------------------------------------------------------

    async def _request(self, texts: list[str]) -> list[Vector]:
        body: dict[str, Any] = {"model": self._model, "input": texts, "encoding_format": self._format}
        if self._dimensions is not None:
            body["dimensions"] = self._dimensions
        return await in_worker(self._read, await self._post(body), len(texts))

    async def _post(self, body: Mapping[str, Any]) -> bytes:
        import anyio
        import httpx

        client = self._client
        if client is None:
            headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
            client = self._client = httpx.AsyncClient(
                timeout=self._timeout, headers=headers, verify=is_encrypted(self._url)
            )
        attempt = 0
        while True:
            wait: float | None = None
            try:
                response = await client.post(f"{self._url}/embeddings", json=body)
            except httpx.TransportError as error:
                problem = (
                    f"{self._host} cannot be reached: {self._without_key(str(error)) or type(error).__name__}"
                )
                hint = "check base_url and the network"
            else:
                if response.is_success:
                    return response.content
                problem, hint = self._describe(response)
                wait = _asked_wait(response.headers)
                if response.status_code not in _RETRIED or "insufficient_quota" in response.text:
                    raise EmbeddingError(problem, hint=hint)
            attempt += 1
            retries = 0 if fails_fast() else self._max_retries
            if attempt > retries or (wait or 0) > _LONGEST_WAIT:
                raise EmbeddingError(problem, hint=hint)
            if wait is None:
                wait = min(8.0, 0.5 * 2 ** (attempt - 1)) * random.uniform(0.75, 1.0)
            await anyio.sleep(wait)

    def _read(self, content: bytes, expected: int) -> list[Vector]:
        """Turn an answer into unit vectors in the order of the texts."""
        import numpy

        try:
            items = json.loads(content)["data"]
            if any(item.get("index") is not None for item in items):
                items = sorted(items, key=lambda item: int(item["index"]))
                if [int(item["index"]) for item in items] != list(range(len(items))):
                    raise EmbeddingError(
                        f"{self._host} numbered its vectors wrongly", hint="that server has a fault"
                    )
            answers = [item["embedding"] for item in items]
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
            raise EmbeddingError(
                f"the answer of {self._host} is not one of the embeddings API",
                hint="check base_url: it ends with /v1",
            ) from error
        try:
            rows = [_numbers(answer) for answer in answers]
        except (TypeError, ValueError, OverflowError) as error:
            raise EmbeddingError(
                f"{self._host} returned something that is not a vector of numbers",
                hint="that server has a fault",
            ) from error
        if len(rows) != expected:
            raise EmbeddingError(
                f"{self._host} returned {len(rows)} vectors for {expected} texts",
                hint="try a smaller batch_size",
            )
        wanted = (
            self._dimensions or self._native or (self._identity.dimension if self._identity else len(rows[0]))
        )
        for row in rows:
            if len(row) != wanted:
                raise EmbeddingError(
                    f"{self._model} of {self._host} returned a vector of {len(row)} dimensions, not {wanted}",
                    hint=self._dimension_hint(len(row)),
                )
        try:
            return pack_rows(numpy.stack(rows))
        except EmbeddingError as error:
            raise EmbeddingError(f"{self._host}: {error.message}", hint="that server has a fault") from error

    def _dimension_hint(self, dimension: int) -> str:
        if self._dimensions is not None:
            return "that server does not shorten vectors: leave `dimensions` out of embedding_config"
        return f"set native_dimension to {dimension} in embedding_config, if that is the right model"

    def _describe(self, response: httpx.Response) -> tuple[str, str]:
        """Describe what the server refused, in its own words, without the key."""
        try:
            content = json.loads(response.content)
            said = content.get("error", content) if isinstance(content, dict) else content
            said = said.get("message") or said.get("detail") or said if isinstance(said, dict) else said
        except ValueError:
            said = response.text
        words = " ".join(self._without_key(str(said)).split())[:200]
        problem = f"{self._host} answered {response.status_code}{': ' + words if words else ''}"
        hints = {
            401: "check the key: OPENAI_API_KEY, api_key or api_key_file",
            403: "check the key: OPENAI_API_KEY, api_key or api_key_file",
            404: f"check that base_url ends with /v1 and that the server has the model {self._model}",
            413: "set a smaller max_tokens or batch_size in embedding_config",
            429: "wait, or set a smaller batch_size in embedding_config",
        }
        return problem, hints.get(response.status_code, "check model and options in embedding_config")

    def _without_key(self, text: str) -> str:
        for secret in (self._key, urlsplit(self._url).password):
            if secret:
                text = text.replace(secret, "***")
        return text


def _numbers(embedding: Any) -> Any:
    import numpy

    if isinstance(embedding, str):
        return numpy.frombuffer(base64.b64decode(embedding, validate=True), dtype="<f4")
    row = numpy.asarray(embedding, dtype=numpy.float64)
    if row.ndim != 1:
        raise ValueError("not a list of numbers")
    return row


def _asked_wait(headers: Mapping[str, str]) -> float | None:
    """Return how many seconds the server asks us to wait."""
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        try:
            return max(0.0, float(headers[name]) / unit)
        except KeyError:
            continue
        except ValueError:
            return _until(headers[name])
    return None


def _until(date: str) -> float | None:
    from email.utils import parsedate_to_datetime

    from agent_memory import clock

    try:
        return max(0.0, (parsedate_to_datetime(date) - clock.now()).total_seconds())
    except (TypeError, ValueError):
        return None


def _find_key(options: Mapping[str, Any]) -> str | None:
    key = options.get("api_key") or os.environ.get("OPENAI_API_KEY")
    if not options.get("api_key") and options.get("api_key_file"):
        file = paths.expanded(options["api_key_file"])
        try:
            key = file.read_text()
        except (OSError, ValueError):
            raise ConfigurationError(
                f"api_key_file {file} cannot be read", hint="give a readable text file"
            ) from None
    key = str(key or "").strip()
    if not (key.isascii() and key.isprintable()):
        raise ConfigurationError("the API key holds characters that no key has", hint="copy it again")
    return key or None


def _whole(options: Mapping[str, Any], name: str, otherwise: Any, *, least: int = 1) -> Any:
    value = options.get(name)
    if value is None:
        return otherwise
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise ConfigurationError(f"{name} is {value!r}", hint=f"give a whole number from {least} up")
    return value
