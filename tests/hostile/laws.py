"""What holds after every run."""

from __future__ import annotations

import os
import re
from typing import Final

from agent_memory import SyncAgentMemory
from agent_memory.settings import Settings

from .doors import reference
from .places import Place
from .running import DEADLINE, Ran

_SIGNAL: Final = 128
_NOTHING_FOUND: Final = 3  # what `--fail-empty` ends with; it is no error and says so in its own words
_CANNOT_SAY: Final = 120  # Python's own code where it cannot write its last words
_NEVER: Final = re.compile(rb"Traceback|report it|Error: |\bbug\b|Segmentation")
_IN_PYTHON: Final = re.compile(rb"import runpy|init_import_site|Fatal Python error: init")
"""What Python says of a signal that meets it while it looks for its own modules, or for the program."""

_ON_A_TERMINAL: Final = re.compile(
    "\x1b(?!\\[[0-9;]*m|\\[\\?25[lh]|\\[[0-9]*[AKGF]|\\[[0-9]*;?[0-9]*H)|[\x00-\x06\x0e-\x1a\x7f-\x9f\u202a-\u202e\u2066-\u2069]"
)


class BrokenLawError(AssertionError):
    """A run did what none may do."""


def starting() -> float:
    """Return the seconds within which a signal may meet Python before our first line runs: the longer, the busier."""
    return 0.6 * max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def check(ran: Ran) -> None:
    """Look at what a run printed and how it ended.

    Raises:
        BrokenLawError: it did what none may do.
    """
    if ran.code is None:
        raise BrokenLawError(f"it did not end within {DEADLINE:g} s")
    documented = {int(code) for code in reference()["exit_codes"]}
    code, met = ran.code, ran.circumstances.signal
    if met is not None and ran.signalled is not None and code in (-met, _SIGNAL + met):
        if code < 0 and ran.signalled > starting():
            raise BrokenLawError(f"{met.name} after {ran.signalled:.2f} s killed it without a word")
        return
    if met is not None and code == _CANNOT_SAY and ran.signalled is not None and ran.signalled < starting():
        return  # Python was starting, and its own words of the signal found no reader
    if (
        met is not None
        and ran.signalled is not None
        and ran.signalled < starting()
        and _IN_PYTHON.search(ran.err)
    ):
        return  # Python was starting, and the signal met it before it had the program
    if code not in documented:
        raise BrokenLawError(f"it ended with {code}, which is not documented")
    if "--debug" not in ran.arguments:
        for text in (ran.out, ran.err):
            found = _NEVER.search(text if text is ran.err else b"")
            if found:
                raise BrokenLawError(
                    f"it says {found.group().decode()!r}: {text[-1500:].decode(errors='replace')}"
                )
    nothing_found = code == _NOTHING_FOUND and "--fail-empty" in ran.arguments
    if code and not nothing_found and ran.circumstances.err == "pipe" and "--debug" not in ran.arguments:
        _one_line(ran)
    for kind, text in ((ran.circumstances.out, ran.out), (ran.circumstances.err, ran.err)):
        if kind == "terminal":
            raw = _ON_A_TERMINAL.search(text.decode("utf-8", "replace"))
            if raw:
                raise BrokenLawError(f"a terminal got {raw.group()!r}: {text[:1500]!r}")


def _one_line(ran: Ran) -> None:
    """An error is one line; where nothing was asked for, the help is shown."""
    said = ran.err.decode("utf-8", "replace").splitlines()
    errors = [line for line in said if line.startswith(("error: ", '{"error":', "interrupted"))]
    shows_help = any("usage:" in line.lower() for line in said)
    if len(errors) != 1 and not shows_help:
        raise BrokenLawError(
            f"it ended with {ran.code} and says {ran.err[-1500:].decode(errors='replace')!r}"
        )


def check_after(place: Place, stored: list[str]) -> None:
    """Look at the files after a case: they are sound, what was acknowledged is there, and nothing is left over.

    Raises:
        BrokenLawError: something is not as it should be.
    """
    left = [
        path
        for path in place.root.rglob("*")
        if path.name.endswith(".part") or path.name.startswith(".salvage-")
    ]
    if left and place.disk == "usual":
        raise BrokenLawError(f"left over: {[path.name for path in left]}")
    for agent in ("default", "other"):
        path = place.home / f"{agent}.db"
        if not path.exists():
            continue
        settings = Settings(backend_config={"path": str(path)}, embedding_provider="none")
        with SyncAgentMemory(None, settings) as memory:
            faults = memory.check()
            if faults:
                raise BrokenLawError(f"{path.name}: {faults[:5]}")
            for item in stored if agent == "default" else ():
                if not memory.history(item):
                    raise BrokenLawError(f"{item} was acknowledged, and the journal does not know it")


def acknowledged(ran: Ran) -> list[str]:
    """Return the ids that an `add` printed."""
    elsewhere = {"-a", "--agent", "--db", "--backend", "--dry-run", "-o", "--output"}
    if (
        ran.code
        or ran.circumstances.out != "pipe"
        or elsewhere & {argument.partition("=")[0] for argument in ran.arguments}
    ):
        return []
    if not ran.circumstances.environment["AGENTMEM_HOME"].endswith("home"):
        return []
    if "add" not in ran.arguments[:3]:
        return []
    return re.findall(r"^[0-9a-z]{20}$", ran.out.decode(), re.MULTILINE)
