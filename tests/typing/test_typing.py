"""The public API as a type checker sees it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent
ROOT = FOLDER.parent.parent


@pytest.fixture(scope="module")
def errors() -> list[str]:
    files = [str(FOLDER / "api.py"), str(FOLDER / "misspelt.py")]
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--hide-error-context", *files]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 1, ran.stderr
    return [line for line in ran.stdout.splitlines() if ": error:" in line]


def test_a_typed_program_passes(errors: list[str]) -> None:
    assert [line for line in errors if "misspelt.py" not in line] == []


def test_each_misspelt_name_is_an_error(errors: list[str]) -> None:
    reported = {
        (int(line.split(":")[1]), match[1])
        for line in errors
        if "misspelt.py" in line and (match := re.search(r"\[([a-z-]+)\]$", line))
    }
    lines = (FOLDER / "misspelt.py").read_text().splitlines()
    expected = {
        (number, line.rpartition("  # ")[2])
        for number, line in enumerate(lines, 1)
        if re.search(r"  # [a-z-]+$", line)
    }
    assert reported == expected
