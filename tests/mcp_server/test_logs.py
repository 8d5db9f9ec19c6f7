"""What the library says stands on stderr in the words of the server."""

from __future__ import annotations

import logging

import pytest

from agent_memory.hints import Hint
from agentmem_mcp.logs import StderrHandler


@pytest.mark.parametrize(
    ("message", "arguments", "said"),
    [
        (
            Hint("found by words only until {INDEX} has embedded them"),
            (),
            "until `agentmem index` in a shell has",
        ),
        (
            "%s was left out: %s",
            ("memory a", Hint("{REPAIR} mends it")),
            "memory a was left out: `agentmem doctor --fix` in",
        ),
        ("100% of it", (), "agentmem: 100% of it\n"),
    ],
)
def test_a_notice_is_one_line_in_the_words_of_the_server(
    message: str, arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    record = logging.LogRecord("agent_memory", logging.WARNING, "", 0, message, arguments, None)
    StderrHandler().emit(record)
    printed = capsys.readouterr()
    assert said in printed.err
    assert printed.err.count("\n") == 1
    assert printed.out == ""
