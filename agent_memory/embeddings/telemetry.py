"""Keeping the libraries that embed from telling their makers about it; to be called before they are imported.

From 1.32 on onnxruntime's wheels for Linux and macOS collect events: importing it already writes an identifier and a
database below `~/.cache/Microsoft`, to be sent when there is a network. Its own `disable_telemetry_events` comes too
late for that; the variable does not (onnxruntime, Privacy.md).
"""

from __future__ import annotations

import os
from typing import Final

_VARIABLES: Final = ("ORT_DISABLE_TELEMETRY", "HF_HUB_DISABLE_TELEMETRY")


def decline() -> None:
    """Set the variables that these libraries read when they are imported, where the user has set none."""
    for name in _VARIABLES:
        os.environ.setdefault(name, "1")
