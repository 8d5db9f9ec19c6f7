"""Heavy work off the event loop."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, TypeVarTuple

from agent_memory.errors import ConfigurationError

if TYPE_CHECKING:
    from anyio import CapacityLimiter
    from anyio.lowlevel import RunVar

Result = TypeVar("Result")
Arguments = TypeVarTuple("Arguments")

_limiters: RunVar[CapacityLimiter] | None = None
_abandoned: list[object] = []


async def in_worker(function: Callable[[*Arguments], Result], *arguments: *Arguments) -> Result:
    """Run a function in a thread, one at a time per event loop, in the order asked for.

    One at a time, because one run of a model keeps all cores busy: two at once take longer together. A bulk of
    texts should come in small portions, so that a query waits for one portion only, and a cancelled task
    likewise.

    Returns:
        What the function returned.
    """
    global _limiters
    from anyio import CapacityLimiter, to_thread
    from anyio.lowlevel import RunVar

    if _limiters is None:
        _limiters = RunVar("agent_memory.embeddings")
    try:
        limiter = _limiters.get()
    except LookupError:
        limiter = CapacityLimiter(1)
        _limiters.set(limiter)
    return await to_thread.run_sync(function, *arguments, limiter=limiter)


def abandon(session: object) -> None:
    """Keep a model session, or what holds one, that was opened before a fork, so that the child never closes it.

    Its threads do not exist there, and closing waits for them for ever: as the interpreter exits, too, when it lets
    go of all that modules hold. So it is counted as held once more than it is.
    """
    if session is None:
        return
    if sys.implementation.name == "cpython":
        import ctypes  # here, since few processes fork with a model loaded

        ctypes.pythonapi.Py_IncRef(ctypes.py_object(session))
        if "onnxruntime" in sys.modules and not _abandoned:
            # Once Python has ended, its C++ library would wait for the parent's threads, too. What is registered last
            # is called first, and gets the exit code.
            process = ctypes.CDLL(None)
            if hasattr(process, "on_exit"):
                process.on_exit(process._exit, None)
                _abandoned.append(True)
    else:
        _abandoned.append(session)


def check_threads(threads: object) -> None:
    """Check an embedder's option for how many threads embed at once; None leaves it to the cores there are.

    Raises:
        ConfigurationError: it is no whole number from 1 up.
    """
    if threads is not None and (not isinstance(threads, int) or threads < 1):
        raise ConfigurationError(
            f"threads is {threads!r}", hint="give a whole number from 1 up, or leave it out"
        )


def usable_cores() -> int:
    """Count the cores that this process may use: in a container fewer than the machine has."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with contextlib.suppress(OSError, ValueError):
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        if quota != "max":
            allowed = min(allowed, max(1, round(int(quota) / int(period))))
    return allowed


def cores() -> int:
    """Return `usable_cores`; 0, if that is all, leaves the choice to onnxruntime: one thread per physical core.

    onnxruntime looks at the machine only, and starts a thread for each core of the host in a container that is
    allowed one.
    """
    allowed = usable_cores()
    return 0 if allowed == (os.cpu_count() or 1) else allowed
