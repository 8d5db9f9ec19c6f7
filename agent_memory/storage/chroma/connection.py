"""Reaching Chroma: a folder that one process holds at a time, or a server."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import anyio.to_thread
import chromadb
import httpx
from chromadb.config import Settings
from chromadb.errors import AuthorizationError, ChromaAuthError, ChromaError

from agent_memory import filesystem, paths
from agent_memory.errors import (
    BackendError,
    ClosedError,
    ConfigurationError,
    StoreBusyError,
    StoreUnreachableError,
)
from agent_memory.hints import Hint
from agent_memory.network import is_encrypted
from agent_memory.redaction import redacted
from agent_memory.storage import backend_options

T = TypeVar("T")
_SETTINGS = {"anonymized_telemetry": False}
_CONNECT_TIMEOUT = 5.0
_TIMEOUT = 120.0
"""Seconds; Chroma answers a commit of thousands of memories in one go."""
LOCK = "agentmem.lock"
_DATA = "chroma.sqlite3"
_INDEX = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""What Chroma calls the folder of an index."""


def location_of(options: Mapping[str, Any]) -> str:
    """Return the folder, absolute, or the URL of the server that the options name.

    Raises:
        ConfigurationError: both are named, or the URL cannot be read.
    """
    path, url = options.get("path"), options.get("url")
    if path is not None and url is not None:
        raise ConfigurationError("both path and url are given for chroma", hint="leave one of them out")
    if url is None:
        return str(paths.expanded(path).absolute() if path is not None else paths.home() / "chroma")
    scheme, _, rest = str(url).partition("://")
    scheme = scheme.lower().removeprefix("chroma+")
    if scheme in ("http", "https"):
        return _checked(f"{scheme}://{rest}")
    if scheme != "chroma" or not rest:
        raise ConfigurationError(
            f"the URL {redacted(str(url))} cannot be read", hint="write chroma:///folder or http://host:8000"
        )
    return str(paths.expanded(rest).absolute())


def _checked(url: str) -> str:
    """Return the URL of a server; the client reads nothing of it but the host and the port."""
    try:
        parts = urlsplit(url)
        unreadable = "" if parts.hostname else "it names no host"
        unreadable = unreadable or ("port 0 is none" if parts.port == 0 else "")
    except ValueError as error:
        unreadable = "a port is a number up to 65535" if "ort" in str(error) else str(error)
    if unreadable:
        raise ConfigurationError(
            f"the URL {redacted(url)} cannot be read ({unreadable})", hint="write http://host:8000"
        )
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ConfigurationError(
            f"the URL {redacted(url)} says more than a host and a port",
            hint="write http://host:8000; token, tenant and database are options, such as backend_config.tenant",
        )
    return url


class FolderInUseError(StoreBusyError):
    """Another process has the folder."""

    def __init__(self, path: str) -> None:
        BackendError.__init__(
            self,
            f"{path} is in use by another process, and Chroma allows one",
            hint=Hint(
                "end that one, or run `chroma run --path {path}` and use {BACKEND}",
                path=path,
                url="chroma+http://localhost:8000",
            ),
        )


@dataclass(slots=True)
class _Held:
    """A folder that this process has open, and how many of its stores use it."""

    client: Any
    lock: int
    stores: int
    process: int


_HELD: dict[str, _Held] = {}


class Chroma:
    """One store's way to its collections."""

    def __init__(self, location: str, options: Mapping[str, Any]) -> None:
        self.location = location
        self.remote = location.startswith(("http://", "https://"))
        self._options = options
        self._client: Any = None
        self._calls = 0
        """How many are under way."""
        self._left: Any = None
        """A client that was closed in the middle of calls: the last of them hangs up."""

    @property
    def client(self) -> Any:
        """Return the client.

        Raises:
            BackendError: it is closed.
            ClosedError: the store was closed.
        """
        if self._client is None:
            raise ClosedError("the chroma store")
        return self._client

    async def open(self) -> None:
        """Connect, or take the folder."""
        with self._translated():
            self._client = await anyio.to_thread.run_sync(self._server if self.remote else self._folder)

    def _server(self) -> Any:
        address = urlsplit(self.location)
        token = self._options.get("token")
        named = {name: str(self._options[name]) for name in ("tenant", "database") if self._options.get(name)}
        limit = httpx.Timeout(
            backend_options.seconds(self._options, "timeout", _TIMEOUT), connect=_CONNECT_TIMEOUT
        )
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        # Chroma's own client waits without end, already while it is made: so the server is asked for a sign first.
        verified = is_encrypted(self.location)
        heartbeat = f"{self.location.rstrip('/')}/api/v2/heartbeat"
        sign = httpx.get(heartbeat, headers=headers, timeout=limit, verify=verified)
        if sign.status_code in (httpx.codes.NOT_FOUND, httpx.codes.NOT_IMPLEMENTED):
            raise ConfigurationError(
                f"{self.location} is no Chroma server: it has no /api/v2/heartbeat", hint="correct the URL"
            )
        client = chromadb.HttpClient(
            host=address.hostname or "localhost",
            port=address.port or (443 if address.scheme == "https" else 8000),
            ssl=address.scheme == "https",
            headers=headers or None,
            settings=Settings(**_SETTINGS, chroma_server_ssl_verify=verified),  # type: ignore[arg-type]
            **named,
        )
        client._server._session.timeout = limit  # type: ignore[attr-defined]  # it has no setting for this
        return client

    def _folder(self) -> Any:
        folder_client = _HELD.get(self.location)
        if folder_client is None or folder_client.process != os.getpid():
            _check_folder(Path(self.location))
            path = paths.private_folder(Path(self.location))
            lock = _locked(path / LOCK, self.location)
            client = chromadb.PersistentClient(path=self.location, settings=Settings(**_SETTINGS))  # type: ignore[arg-type]
            folder_client = _HELD[self.location] = _Held(client, lock, 0, os.getpid())
            for file in filter(_made_here, path.iterdir()):
                file.chmod(0o700 if file.is_dir() else 0o600)
        folder_client.stores += 1
        return folder_client.client

    async def close(self) -> None:
        """Hang up, or give the folder back with its last store."""
        client, self._client = self._client, None
        if client is not None and self.remote:
            if self._calls:
                self._left = client  # a connection that is just being made would stay open
            else:
                await _hang_up(client)
            return
        folder_client = _HELD.get(self.location)
        if client is None or folder_client is None or folder_client.client is not client:
            return
        folder_client.stores -= 1
        if not folder_client.stores and folder_client.process == os.getpid():
            del _HELD[self.location]
            await anyio.to_thread.run_sync(client.close)
            os.close(folder_client.lock)

    async def run(self, function: Callable[..., T], /, *arguments: Any, **named: Any) -> T:
        """Call a function of the client in a thread; again, if the connection broke: all of them can be repeated."""
        call = partial(function, *arguments, **named)
        self._calls += 1
        try:
            with self._translated():
                return await self._called(call)
        finally:
            self._calls -= 1
            if self._left is not None and not self._calls:
                client, self._left = self._left, None
                with anyio.CancelScope(shield=True):
                    await _hang_up(client)

    async def _called(self, call: Callable[[], T]) -> T:
        try:
            return await anyio.to_thread.run_sync(call)
        except httpx.TransportError:
            if not self.remote or self._client is None:
                raise
            await anyio.sleep(0.1)
            return await anyio.to_thread.run_sync(call)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except ConfigurationError:
            raise
        except httpx.TransportError as error:
            raise StoreUnreachableError(self.location, str(error) or type(error).__name__) from error
        except (AuthorizationError, ChromaAuthError) as error:
            raise BackendError(
                f"{redacted(self.location)} refuses this user", hint="give the token as backend_config.token"
            ) from error
        except (ChromaError, ValueError) as error:
            said = " ".join(str(error).split())
            if self.remote and "connect" in said.lower():
                raise StoreUnreachableError(self.location, said) from error
            raise BackendError(
                f"{redacted(self.location)} refused: {redacted(said)}", hint="Chroma's log may say more"
            ) from error


async def _hang_up(client: Any) -> None:
    """Close a client's connections; its own `close` leaves them open, and a server takes only so many."""
    for part in (client, client._admin_client):  # each has a session of its own
        await anyio.to_thread.run_sync(part._server._session.close)
    await anyio.to_thread.run_sync(client.close)


def _check_folder(path: Path) -> None:
    """Raise where what is there cannot be Chroma's folder, before anything in it is opened."""
    what = filesystem.kind(path)
    if what not in ("a folder", None):
        raise BackendError(f"{path} is {what}", hint="name a folder")
    for name in (LOCK, _DATA):
        filesystem.file_size(path / name)


def _made_here(file: Path) -> bool:
    """Return whether Chroma or we made a file: nobody else's is touched, should there be any in the folder."""
    return file.name == LOCK or file.name.startswith(_DATA) or _INDEX.fullmatch(file.name) is not None


def _locked(file: Path, location: str) -> int:
    """Take a lock that goes with the process, and return the open file that holds it."""
    handle = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        raise FolderInUseError(location) from None
    return handle
