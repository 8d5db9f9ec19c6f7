"""The warm process itself: `python -P -m agentmem_cli.warm LOCK SOCKET [--model]`, started by `starting`."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Import what commands need, and serve the socket."""
    lock, path = int(sys.argv[1]), sys.argv[2]
    os.closerange(3, lock)
    os.closerange(lock + 1, 65_536)
    os.chdir("/")
    os.umask(0o077)
    from agentmem_cli.warm import ready

    ready.import_all()
    from agentmem_cli.warm.supervisor import Supervisor

    Supervisor(path, lock, with_model="--model" in sys.argv[3:]).serve()
    os._exit(0)


main()
