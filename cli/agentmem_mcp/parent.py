"""Noticing that the program which started this one has gone.

Its end usually closes stdin. It does not where another process has inherited the other end of the pipe, and the
server would stay for ever.
"""

from __future__ import annotations

import os
import select
import threading
import time
from collections.abc import Callable
from typing import Final

_INTERVAL: Final = 1.0
"""Seconds between two looks, where the system cannot tell of the end by itself."""


def watch(gone: Callable[[], None]) -> None:
    """Call a function when the parent process has ended."""
    parent = os.getppid()
    threading.Thread(target=_wait, args=(parent, gone), name="agentmem-parent", daemon=True).start()


def _wait(parent: int, gone: Callable[[], None]) -> None:
    if not _wait_for_end(parent):
        while os.getppid() == parent:
            time.sleep(_INTERVAL)
    gone()


def _wait_for_end(parent: int) -> bool:
    """Sleep until a process has ended; False where the system has no way to do that."""
    # `prctl(PR_SET_PDEATHSIG)` would not do: it tells of the end of the thread that started this process, and a
    # client may start servers from a thread that is short-lived.
    if not hasattr(os, "pidfd_open") or not hasattr(select, "poll"):
        return False
    try:
        process = os.pidfd_open(parent)
    except OSError:
        return False
    try:
        if os.getppid() != parent:
            return True  # it ended before it could be opened, and the number may be somebody else's by now
        poll = select.poll()
        poll.register(process, select.POLLIN)
        poll.poll()
    finally:
        os.close(process)
    return os.getppid() != parent
