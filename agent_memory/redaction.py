"""Keeping passwords out of everything that is shown."""

from __future__ import annotations

import re

# A slash in a password should have been written as %2F; where it was not, better too much is hidden.
_PASSWORD = re.compile(r"(?P<before>\b[a-z][a-z0-9+.-]*://[^\s/?#:@]*):(?:[^\s/?#]*|\S*)@", re.IGNORECASE)
_PARAMETER = re.compile(
    r"(?P<before>[?&](?:password|passwd|api[-_]?key|token|secret)=)[^\s&#]+", re.IGNORECASE
)


def redacted(text: str) -> str:
    """Return a text with the passwords of its URLs written as ***."""
    return _PARAMETER.sub(r"\g<before>***", _PASSWORD.sub(r"\g<before>:***@", text))
