"""Reaching Pinecone: the indexes that are needed, and what went wrong in one line."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, Final

import pinecone
from pinecone import errors

from agent_memory.errors import (
    BackendError,
    ConfigurationError,
    StoreBusyError,
    StoreUnreachableError,
)
from agent_memory.hints import Hint
from agent_memory.redaction import redacted
from agent_memory.storage import backend_options
from agent_memory.storage.closed import ClosedClient

_METRIC: Final = "cosine"


def index_name(options: Mapping[str, Any]) -> str:
    """Return the name of the index that the options name.

    Raises:
        ConfigurationError: they name none.
    """
    url = str(options.get("url") or "")
    name = str(options.get("index") or url.removeprefix("pinecone://").strip("/"))
    if not name or "://" in name:
        raise ConfigurationError(
            "no Pinecone index is named", hint=Hint("use {BACKEND}", url="pinecone://INDEX")
        )
    return name


class Service:
    """One store's way to its indexes."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.index_name = index_name(options)
        self._options = options
        self.host = options.get("host") or os.environ.get("PINECONE_CONTROLLER_HOST")
        self.location = f"pinecone://{self.index_name}" + (f" ({self.host})" if self.host else "")
        self._key = self._api_key()
        self._client: Any = None
        self._indexes: dict[int, Any] = {}
        self.dimension = 0
        """Of the index that was named."""

    def _api_key(self) -> str:
        api_key = self._options.get("api_key") or os.environ.get("PINECONE_API_KEY")
        key = backend_options.secret(self._options, "api_key_file") or api_key
        if not key:
            raise ConfigurationError(
                "Pinecone needs an API key", hint="set PINECONE_API_KEY or backend_config.api_key_file"
            )
        return str(key)

    async def open(self) -> None:
        """Connect to the index, making it if it is not there."""
        await self.close()
        named: dict[str, Any] = {"host": self.host} if self.host else {}
        named["retry_config"] = pinecone.RetryConfig(max_retries=2)
        self._client = pinecone.AsyncPinecone(api_key=self._key, **named)
        try:
            with self.translated():
                self.dimension = await self._open_index(self.index_name, None)
        except BaseException:
            await self.close()
            raise

    async def _open_index(self, name: str, dimension: int | None) -> int:
        """Open an index, which is made if it is not there, and return its dimension."""
        indexes = self._client.indexes
        if not await indexes.exists(name):
            await self._create(
                name, dimension or backend_options.whole(self._options, "dimension", 384, least=1)
            )
        model = await indexes.describe(name)
        size, metric = _described(model)
        if metric != _METRIC or (dimension is not None and size != dimension):
            raise ConfigurationError(
                f"the Pinecone index '{name}' has {size} dimensions and the metric {metric}",
                hint=f"name one of {dimension or 'any number of'} dimensions and the metric {_METRIC}",
            )
        self._indexes[size] = await self._client.index(host=model.host)
        return size

    async def _create(self, name: str, dimension: int) -> None:
        spec = pinecone.ServerlessSpec(
            cloud=self._options.get("cloud", "aws"), region=self._options.get("region", "us-east-1")
        )
        with suppress(errors.ConflictError):  # somebody else made it meanwhile
            await self._client.indexes.create(name=name, dimension=dimension, metric=_METRIC, spec=spec)

    async def index(self, dimension: int | None = None) -> Any:
        """Return the index for vectors of a dimension: the one that was named, or one beside it."""
        wanted = dimension or self.dimension
        if wanted not in self._indexes:
            with self.translated():
                await self._open_index(f"{self.index_name}-{wanted}", wanted)
        return self._indexes[wanted]

    async def close(self) -> None:
        """Give all connections back."""
        client, self._client = self._client, ClosedClient("pinecone")
        indexes, self._indexes = self._indexes, {}
        for index in indexes.values():
            await index.close()
        if client is not None and not isinstance(client, ClosedClient):
            await client.close()

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Turn what the SDK raises into our own errors."""
        try:
            yield
        except (errors.PineconeConnectionError, errors.PineconeTimeoutError) as error:
            raise StoreUnreachableError(self.location, self._said(error)) from error
        except (errors.UnauthorizedError, errors.ForbiddenError) as error:
            raise BackendError(
                f"{self.location} refuses the API key",
                hint="set PINECONE_API_KEY or backend_config.api_key_file",
            ) from error
        except errors.RateLimitError as error:
            raise StoreBusyError(self.location) from error
        except errors.PineconeError as error:
            raise BackendError(
                f"{self.location} refused: {self._said(error)}", hint="Pinecone's console may say more"
            ) from error

    def _said(self, error: Exception) -> str:
        return redacted(" ".join(str(error).split())).replace(self._key, "***")


def _described(model: Any) -> tuple[int, str]:
    """Return an index's dimension and metric, as either version of the SDK tells them."""
    schema = getattr(model, "schema", None)
    fields = getattr(schema, "fields", None)
    if fields:
        described = next(iter(fields.values()))
        if not isinstance(described, dict):
            described = {name: getattr(described, name, None) for name in ("dimension", "metric")}
        return int(described.get("dimension") or 0), str(described.get("metric") or _METRIC)
    return int(model.dimension), str(model.metric)
