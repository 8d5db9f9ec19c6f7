"""Keeping secrets out of everything that is shown."""

from __future__ import annotations

import re
from typing import Any

# A slash in a password should have been written as %2F; where it was not, better too much is hidden.
_PASSWORD = re.compile(r"(?P<before>\b[a-z][a-z0-9+.-]*://[^\s/?#:@]*):(?:[^\s/?#]*|\S*)@", re.IGNORECASE)
_PARAMETER = re.compile(
    r"(?P<before>[?&](?:password|passwd|api[-_]?key|token|secret)=)[^\s&#]+", re.IGNORECASE
)
_SECRET_NAME = re.compile(r"(?:^|[._])(?:api_?key|key|token|password|secret)$", re.IGNORECASE)


def redacted(text: str) -> str:
    """Return a text with the passwords of its URLs written as ***."""
    return _PARAMETER.sub(r"\g<before>***", _PASSWORD.sub(r"\g<before>:***@", text))


def is_secret(name: str) -> bool:
    """Say whether a setting of that name holds a secret itself, rather than the place of one."""
    return _SECRET_NAME.search(name) is not None


def shown(name: str, value: Any) -> Any:
    """Return a setting's value as it may be shown: secrets as ***."""
    if value is None:
        return None
    if is_secret(name):
        return "***"
    return redacted(value) if isinstance(value, str) else value
