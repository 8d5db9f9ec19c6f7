"""Every server runs in an empty folder, with an empty config, and with vectors that cost nothing."""

from __future__ import annotations

from cli.conftest import clean_surroundings, warm_socket

__all__ = ["clean_surroundings", "warm_socket"]
