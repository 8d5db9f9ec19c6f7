"""Whether what this process runs is still what is installed."""

from __future__ import annotations

import os
import sys
from typing import Final

_OURS: Final = ("agent_memory", "agentmem_cli", "agentmem_mcp")
_INSTALLED: Final = ("site-packages", "dist-packages")


class Installed:
    """The files that the loaded modules of this package come from, and the folders that others are installed in."""

    def __init__(self) -> None:
        modules = [module for name, module in list(sys.modules.items()) if name.partition(".")[0] in _OURS]
        files = {file for module in modules if (file := getattr(module, "__file__", None))}
        folders = {folder for folder in sys.path if os.path.basename(folder) in _INSTALLED}  # noqa: PTH119
        self._paths = sorted(files | folders)
        self._marks = self._now()

    def changed(self) -> bool:
        """Return whether one of them is another now."""
        return self._now() != self._marks

    def _now(self) -> list[tuple[int, int, int] | None]:
        return [_mark(path) for path in self._paths]


def _mark(path: str) -> tuple[int, int, int] | None:
    try:
        about = os.stat(path)  # noqa: PTH116 - some hundred of them for every command: a Path takes five times as long
    except OSError:
        return None
    return about.st_ino, about.st_mtime_ns, about.st_size
