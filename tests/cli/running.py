"""Running the program in this process, as the shell would run it, or by a warm process where a variable says so."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

from agentmem_cli import entry
from tests.cli.process.programs import PROGRAM

ANSWERED = os.environ.get("AGENTMEM_TESTS_ANSWERED", "")
"""`warm`: by a warm process; "": in this one."""


class Ran(NamedTuple):
    """What a run left behind."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class _Pipe(io.TextIOWrapper):
    """Text in memory that has a buffer, as a pipe has."""

    def __init__(self, content: bytes = b"") -> None:
        super().__init__(io.BytesIO(content), encoding="utf-8", write_through=True)


def run(*arguments: str, stdin: str | bytes = "") -> Ran:
    """Run `agentmem` with these arguments."""
    given = stdin.encode() if isinstance(stdin, str) else stdin
    if ANSWERED == "warm":
        ended = subprocess.run([PROGRAM, *arguments], input=given, capture_output=True)
        return Ran(ended.returncode, ended.stdout.decode(), ended.stderr.decode())
    out, err, code = _Pipe(), _Pipe(), 0
    with (
        patch.object(sys, "argv", ["agentmem", *arguments]),
        patch.object(sys, "stdin", _Pipe(given)),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        try:
            code = entry.run(list(arguments))
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
        out.flush()
    return Ran(code, *(stream.buffer.getvalue().decode() for stream in (out, err)))  # type: ignore[attr-defined]


def done(*arguments: str, stdin: str | bytes = "") -> Ran:
    """Run `agentmem` and insist that it went well."""
    ran = run(*arguments, stdin=stdin)
    assert ran.code == 0, ran.err
    return ran


_templates: dict[Callable[[], Any], tuple[tempfile.TemporaryDirectory[str], Any]] = {}


def prepared(fill: Callable[[], Any]) -> Any:
    """Fill the test's home and return what `fill` returns; a second time, with copies of the same files."""
    home = Path(os.environ["AGENTMEM_HOME"])
    if fill not in _templates:
        value = fill()
        template = tempfile.TemporaryDirectory(prefix="template-")
        shutil.copytree(home, template.name, dirs_exist_ok=True)
        _templates[fill] = template, value
    else:
        shutil.copytree(_templates[fill][0].name, home)
    return _templates[fill][1]
