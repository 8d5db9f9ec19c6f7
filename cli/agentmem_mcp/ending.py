"""Ending the process, whatever may hang: a lock, a store's server, a client that does not read."""

from __future__ import annotations

import os
import sys
import threading
import time
from contextlib import suppress
from typing import NoReturn


def leave() -> NoReturn:
    """End at once: all that was acknowledged is stored, and taking an interpreter down can take long."""
    temporary = sys.modules.get("agent_memory.temporary")
    if temporary is not None:
        temporary.remove_all()
    with suppress(OSError, ValueError):
        sys.stderr.flush()
    os._exit(0)


def leave_within(seconds: float) -> None:
    """End at the latest after some time, from a thread of its own."""

    def wait() -> None:
        time.sleep(seconds)
        leave()

    threading.Thread(target=wait, name="agentmem-end", daemon=True).start()
