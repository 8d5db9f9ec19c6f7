"""Keeping passwords out of everything that is shown."""

from __future__ import annotations

import re
from typing import Final

_HIDDEN: Final = "***"
_SCHEME: Final = r"\b[a-z][a-z0-9+.-]{0,30}://"
_URL: Final = re.compile(rf"(?P<scheme>{_SCHEME})(?P<rest>[^\n]*?)(?={_SCHEME}|\n|$)", re.IGNORECASE)
_PORT: Final = re.compile(r"(?:\[[^\]]*\]|[^:/?#]*):\d{1,5}(?:[/?#].*)?[.,;)'\"]*")
_LATER_HOST: Final = re.compile(r"[^\n]*@(?=[^\s@/]*(?::\d+|/))")
"""All before a host with a port or a path: where a space was left in a password of digits, they look like a port."""
_NAMES_USERS: Final = frozenset({"postgres://", "postgresql://"})
"""Where a word before the @ is most often a user's name; elsewhere it may well be the password itself."""
# What is called so holds a secret, whatever stands in front: `sslpassword`, `client_secret`, `x-api-key`.
_NAMED: Final = re.compile(
    r"(?P<name>\b[\w.-]{0,40}?(?:password|passwd|passphrase|pwd|secret|token|credentials?|api[-_]?key|access[-_]?key)"
    r"['\"]?\s*=\s*)(?:'(?:[^'\\]|\\.)*+'?|\"(?:[^\"\\]|\\.)*+\"?|[^\s&#;,'\")]+)",
    re.I,
)
_ENCODED: Final = re.compile(
    r"(?P<scheme>\b[a-z][a-z0-9+.-]{0,30}(?:%3A(?:%2F|/){2}|:(?:%2F){2}))[^\s&#]*%40", re.IGNORECASE
)
"""A URL within the query of another, with all that stands before its host."""
_KEY: Final = re.compile(r"\b(?:(?P<kind>Bearer|Basic)\s+[\w.~+/=-]{8,}|(?P<start>sk-|pcsk_)[\w-]{8,})", re.I)


def redacted(text: str) -> str:
    """Return a text with the passwords, tokens and keys in its URLs and connection strings written as ***."""
    if "://" in text:
        text = _URL.sub(_without_password, text)
    if "%40" in text:
        text = _ENCODED.sub(rf"\g<scheme>{_HIDDEN}%40", text)
    if "=" in text:
        text = _NAMED.sub(rf"\g<name>{_HIDDEN}", text)
    return _KEY.sub(
        lambda key: f"{key['kind']} {_HIDDEN}" if key["kind"] else f"{key['start']}{_HIDDEN}", text
    )


def _without_password(url: re.Match[str]) -> str:
    """Hide what stands before the host.

    A slash, a space or an @ in a password should have been written as %2F, %20 or %40. Where it was not, better too
    much is hidden: all up to the last @ of the word, or of the line where the word has none and no port.

    Returns:
        The same, with stars in place of the password.
    """
    scheme, rest = url["scheme"], url["rest"]
    word = rest.split(maxsplit=1)[0] if rest[:1].strip() else ""
    name, colon, _ = word.partition(":")
    ends = word.rfind("@")
    if ends < 0 and colon and not _PORT.fullmatch(word):
        ends = rest.rfind("@")
    if ends < 0 and colon and (later := _LATER_HOST.match(rest)):
        ends = later.end() - 1
    if len(name) >= ends:
        name, colon = rest[: max(ends, 0)], ""
    if ends < 0 or rest.startswith("[") or any(item in name for item in "/?#"):
        return url[0]  # the @, if there is one, stands in the path
    if colon:
        return f"{scheme}{name}:{_HIDDEN}{rest[ends:]}"
    return url[0] if scheme.lower() in _NAMES_USERS else f"{scheme}{_HIDDEN}{rest[ends:]}"
