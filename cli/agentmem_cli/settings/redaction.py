"""Keeping secrets out of everything that is shown."""

from __future__ import annotations

import re
from typing import Any

from agent_memory.redaction import redacted as redacted

_SECRET_NAME = re.compile(r"(?:^|[._])(?:api_?key|key|token|password|secret)$", re.IGNORECASE)


def is_secret(name: str) -> bool:
    """Return whether a setting of that name holds a secret itself, rather than the place of one."""
    return _SECRET_NAME.search(name) is not None


def shown(name: str, value: Any) -> Any:
    """Return a setting's value as it may be shown: secrets as ***."""
    if value is None:
        return None
    if is_secret(name):
        return "***"
    return redacted(value) if isinstance(value, str) else value
