"""How the process begins and ends."""

from __future__ import annotations

import subprocess
import sys

import pytest

LEAVES = (
    "import atexit, sys; from agentmem_cli import entry; atexit.register(lambda: print('last', flush=True))\n"
)


def ran(program: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program, *words], capture_output=True, text=True, check=False, timeout=60
    )


@pytest.mark.cold
@pytest.mark.parametrize(("words", "code"), [(("version",), 0), (("no-such-command",), 2)])
def test_what_is_registered_for_the_end_runs_once_and_the_code_is_kept(
    words: tuple[str, ...], code: int
) -> None:
    done = ran(LEAVES + "entry.main()", *words)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (code, "last")
    assert done.stdout.count("last") == 1


def test_nothing_is_taken_apart_at_the_end() -> None:
    kept = "class Kept:\n    def __del__(self): print('apart', flush=True)\nkept = Kept()\n"
    assert "apart" in ran(kept).stdout
    assert "apart" not in ran(kept + LEAVES + "entry.main()", "version").stdout


def test_garbage_is_looked_for_seldom_but_not_never() -> None:
    tell = "import gc; atexit.register(lambda: print(gc.isenabled(), gc.get_threshold()[0], flush=True))\n"
    assert "True 100000" in ran(LEAVES + tell + "entry.main()", "version").stdout
