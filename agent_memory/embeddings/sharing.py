"""One model for a whole process, and a fork that finds it neither half loaded nor locked.

Who uses a model holds it by a plain reference, and the last to let go frees it: an agent that was closed, and one
that was forgotten, count alike. A process that opens one memory after another has them kept by `keep_models`.
"""

from __future__ import annotations

import os
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar
from weakref import WeakSet, WeakValueDictionary

from agent_memory.embeddings.threads import abandon

M = TypeVar("M", bound="SharedModel")
_FORK_PATIENCE: Final = 10.0  # seconds; loading takes less than one


class SharedModel(ABC):
    """A model with the locks and threads that it needs; loads nothing until it is used."""

    def __init__(self) -> None:
        self.begin()
        _models.add(self)

    @abstractmethod
    def begin(self) -> None:
        """Make locks and threads, unloaded; called again in a forked child, where the old ones are of no use."""

    @property
    @abstractmethod
    def session(self) -> object:
        """What is loaded; None before that."""


class HeldModel(SharedModel):
    """A model that needs nothing but loading, by the function given."""

    def __init__(self, load: Callable[[], Any]) -> None:
        self._load = load
        super().__init__()

    def begin(self) -> None:
        """Start anew, unloaded."""
        self._loading = threading.Lock()
        self._model: Any = None

    @property
    def session(self) -> object:
        """What is loaded."""
        return self._model

    def get(self) -> Any:
        """Return the model, loading it the first time."""
        with self._loading:
            if self._model is None:
                with loading():
                    self._model = self._load()
            return self._model


def shared(key: Hashable, make: Callable[[], M]) -> M:
    """Return the model that this process has under a key, made now if nobody uses one."""
    with _lock:
        model = _shared.get(key)
        if model is None:
            model = _shared[key] = make()
        if _most_kept:
            _kept.pop(key, None)
            _kept[key] = model
            while len(_kept) > _most_kept:
                del _kept[next(iter(_kept))]
        return model  # type: ignore[return-value]


def keep_models(most: int) -> None:
    """Keep the models used last, though nobody uses them any more: for a process that opens one memory after another.

    Args:
        most: how many to keep; 0, as at first, keeps none.
    """
    global _most_kept
    with _lock:
        _most_kept = most
        while len(_kept) > most:
            del _kept[next(iter(_kept))]


def loaded_models(kind: type[SharedModel] = SharedModel) -> int:
    """Count what is loaded in this process, of one kind."""
    return sum(isinstance(model, kind) and model.session is not None for model in list(_models))


@contextmanager
def loading() -> Iterator[None]:
    """Keep other threads from forking while a model is loaded: the child would inherit an import that never ends."""
    with _gate:
        _under_way.append(threading.get_ident())
    try:
        yield
    finally:
        with _gate:
            _under_way.remove(threading.get_ident())
            _gate.notify_all()


_models: WeakSet[SharedModel] = WeakSet()
_shared: WeakValueDictionary[Hashable, SharedModel] = WeakValueDictionary()
_kept: dict[Hashable, SharedModel] = {}
"""Models that are held here, the one used last at the end."""
_most_kept = 0
_lock = threading.Lock()
_gate = threading.Condition(threading.RLock())
_under_way: list[int] = []


def _before_fork() -> None:
    _gate.acquire()
    mine = threading.get_ident()  # whose own loading forks waits for nobody
    _gate.wait_for(lambda: mine in _under_way or not _under_way, _FORK_PATIENCE)


def _after_fork_in_child() -> None:
    global _lock, _gate
    _lock = threading.Lock()
    _gate = threading.Condition(threading.RLock())
    _under_way.clear()
    for model in list(_models):
        abandon(model.session)
        model.begin()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork,
        after_in_parent=lambda: _gate.release(),
        after_in_child=_after_fork_in_child,
    )
