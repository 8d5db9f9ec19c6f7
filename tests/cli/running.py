"""Running the program in this process, as the shell would run it."""

from __future__ import annotations

import io
import json
import sys
from contextlib import redirect_stderr, redirect_stdout
from typing import Any, NamedTuple
from unittest.mock import patch

from agentmem_cli import entry


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
