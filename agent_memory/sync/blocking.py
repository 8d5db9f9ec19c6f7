"""Forwarding a blocking call to the coroutine of the same name."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from functools import wraps
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar, cast

from agent_memory.memories.base import TypeMemory
from agent_memory.records import MemoryRecord, MemoryType

P = ParamSpec("P")
S = TypeVar("S")  # not Any: pyright would then take the records of a type for Any as well
T = TypeVar("T")
R = TypeVar("R", bound=MemoryRecord)


class Owner(Protocol):
    """Who has the event loop."""

    def run(self, call: Callable[[], Awaitable[T]]) -> T:
        """Run a coroutine to its end and return what it returns."""


def blocking(method: Callable[Concatenate[S, P], Awaitable[T]]) -> Callable[Concatenate[Any, P], T]:
    """Make the blocking delegate of a coroutine method; name, signature and docstring survive."""
    name = method.__name__  # looked up on the delegate, whose class may have refined it

    @wraps(method)
    def call(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self.run(lambda: getattr(self._delegate, name)(*args, **kwargs))  # type: ignore[no-any-return]

    return cast("Callable[Concatenate[Any, P], T]", call)


def iterating(
    method: Callable[Concatenate[S, P], AsyncIterator[T]],
) -> Callable[Concatenate[Any, P], Iterator[T]]:
    """Make the blocking delegate of an asynchronous generator; name, signature and docstring survive."""
    name = method.__name__

    @wraps(method)
    def call(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> Iterator[T]:
        items: AsyncGenerator[T] = getattr(self._delegate, name)(*args, **kwargs)  # what is wrong is told now

        def in_turn() -> Iterator[T]:
            try:
                while True:
                    try:
                        yield self.run(lambda: anext(items))
                    except StopAsyncIteration:
                        return
            finally:
                self.run(items.aclose)

        return in_turn()

    return cast("Callable[Concatenate[Any, P], Iterator[T]]", call)


class _Blocking:
    """A blocking object and its async delegate."""

    _delegate: Any
    _owner: Owner

    def __init__(self, delegate: Any, owner: Owner) -> None:
        self._delegate = delegate
        self._owner = owner

    def run(self, call: Callable[[], Awaitable[T]]) -> T:
        """Run a coroutine of the delegate to its end and return what it returns."""
        return self._owner.run(call)


class SyncTypeMemory(_Blocking, Generic[R]):
    """What can be done with memories of any type, blocking."""

    _delegate: TypeMemory[R]

    @property
    def memory_type(self) -> MemoryType:
        """Which type these are."""
        return self._delegate.memory_type

    add = blocking(TypeMemory.add)
    add_many = blocking(TypeMemory.add_many)
    add_many_detailed = blocking(TypeMemory.add_many_detailed)
    remove = blocking(TypeMemory.remove)
    clear = blocking(TypeMemory.clear)
    get = blocking(TypeMemory[R].get)
    list = blocking(TypeMemory[R].list)
    search = blocking(TypeMemory[R].search)
    search_similar = blocking(TypeMemory[R].search_similar)
    count = blocking(TypeMemory.count)
