"""What leaves this machine and what does not: its own loopback addresses and Unix sockets are no network."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

_AUTHORITY = re.compile(
    r"[a-z][a-z0-9+.-]*://(?P<authority>[^/?#]*)(?:[^?#]*\?(?P<query>[^#]*))?", re.IGNORECASE
)
_WORD = re.compile(r"\b(?:host|hostaddr)\s*=\s*(?:'(?P<quoted>[^']*)'|(?P<plain>[^\s&]*))", re.IGNORECASE)


def is_elsewhere(place: str, default: str = "") -> bool:
    """Return whether a URL or a connection string (`host=db port=5432`) may lead to another machine.

    Args:
        default: the host where none is named; empty is this machine.
        place: a host name or an address.
    """
    return any(_is_another(host) for host in list(_hosts(place)) or [default])


def is_encrypted(url: str) -> bool:
    """Return whether a URL asks for TLS.

    Where it does not, a client can be told not to check certificates, and then reads no list of authorities:
    20 ms of CPU for each client that is made.
    """
    return url.strip().lower().startswith("https:")


def _hosts(place: str) -> Iterator[str]:
    match = _AUTHORITY.match(place.strip())
    if place.strip().lower().startswith("unix:"):
        yield "/"
        return
    named = match["query"] or "" if match is not None else place
    for host_match in _WORD.finditer(named):
        host = host_match["plain"] if host_match["quoted"] is None else host_match["quoted"]
        yield from (host or "").split(",")
    if match is not None:
        # Some servers are several, `a:1,b:2`; what stands before the last @ says who asks.
        for part in match["authority"].rpartition("@")[2].split(","):
            yield from filter(None, [_without_port(part)])


def _without_port(address: str) -> str:
    if address.startswith("["):
        return address[1:].partition("]")[0]
    return address.partition(":")[0]


def _is_another(host: str) -> bool:
    host = host.strip().rstrip(".").lower()
    if not host or host.startswith(("/", "@", "%2f")):  # a socket in the file system, or without a name in it
        return False
    if host == "localhost" or host.endswith(".localhost"):
        return False
    import ipaddress

    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return True
    mapped = getattr(address, "ipv4_mapped", None) or address
    return not (mapped.is_loopback or mapped.is_unspecified)


def postgres_host() -> str:
    """Return the host that PostgreSQL's own library goes to where none is named."""
    return os.environ.get("PGHOSTADDR") or os.environ.get("PGHOST") or ""
