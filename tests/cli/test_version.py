from __future__ import annotations

from agent_memory import __version__

from .running import done


def test_the_version() -> None:
    assert done("version").out == f"{__version__}\n"
    assert done("--version").out == f"{__version__}\n"
    assert done("version", "--json").json == {"version": __version__}
