"""The bar: drawn on a terminal alone, when work takes a moment, and gone at its end."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from contextlib import suppress

import pytest

PROGRAM = """
import sys, time
from agentmem_cli import progress, streams
streams.prepare()
with progress.bar("embedding", unit={unit!r}, quiet={quiet}) as report:
    if report is None:
        print("nobody sees it")
    else:
        for done in range(6):
            report(done, 5)
            time.sleep({pause})
print("rich.progress" in sys.modules)
"""


def drawn(*, quiet: bool = False, unit: str = "texts", pause: float = 0.15) -> tuple[str, str]:
    """Return what came on stdout, and what on a terminal that is stderr."""
    controller, terminal = pty.openpty()
    code = PROGRAM.format(quiet=quiet, unit=unit, pause=pause)
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=terminal, check=True)
    os.set_blocking(controller, False)
    came = b""
    with suppress(BlockingIOError):
        while part := os.read(controller, 1 << 20):  # a terminal gives no more than 4 kB at once
            came += part
    seen = re.sub(r"\x1b\[\d*m", "", came.decode())  # without colours
    os.close(terminal)
    os.close(controller)
    return done.stdout.decode(), seen


@pytest.mark.parametrize(("unit", "count"), [("texts", "5/5 texts"), ("bytes", "5/5 bytes")])
def test_long_work_has_a_bar_that_goes_away(unit: str, count: str) -> None:
    _, seen = drawn(unit=unit)
    assert "embedding" in seen
    assert count in seen
    assert "100%" in seen
    assert seen.rstrip("\r\n").endswith("\x1b[2K")  # the line is cleared


def test_short_work_has_none_and_imports_nothing_for_it() -> None:
    assert drawn(pause=0) == ("False\n", "")


def test_quiet_is_quiet() -> None:
    assert drawn(quiet=True) == ("nobody sees it\nFalse\n", "")


AGENTS = """
import sys, time
from agentmem_cli import progress, streams
streams.prepare()
with progress.agents(print, quiet={quiet}) as report:
    for name in ("ann", "[red]bob"):
        report(name, "waiting")
    time.sleep(0.5)
    report("ann", "copying", 1, 2)
    time.sleep(0.15)
    report("[red]bob", "switching")
    time.sleep(0.15)
    report("ann", "failed")
    time.sleep(0.15)
    report("[red]bob", "done")
"""


def test_many_agents_have_a_table_on_a_terminal_and_lines_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[__name__], "PROGRAM", AGENTS)
    out, seen = drawn()
    assert out == ""
    assert "copying" in seen
    assert "1/2" in seen
    assert "[red]bob" in seen
    assert "1 failed" in seen
    assert seen.rstrip("\r\n").endswith("\x1b[2K")
    out, seen = drawn(quiet=True)
    assert (out, seen) == ("ann: failed (1 of 2)\n[red]bob: done (2 of 2)\n", "")
