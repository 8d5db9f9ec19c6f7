"""The statements that store new memories in one round trip."""

from __future__ import annotations

import pytest
from psycopg import DataError

from agent_memory.storage.postgres.add_statements import Template, check, inserts


def test_a_parameter_has_one_number_wherever_it_stands() -> None:
    template = Template("select :b::int4, '\"a\":' || :a::text, now()::text where :b::int4 is null")
    assert template.text == b"select $1::int4, '\"a\":' || $2::text, now()::text where $1::int4 is null"
    statement = template.statement({"a": "x", "b": b"\0", "other": "left out"})
    assert (statement.values, statement.formats) == ([b"\0", b"x"], [1, 0])


def test_a_text_with_a_nul_is_refused() -> None:
    with pytest.raises(DataError):
        Template("select :a::text").statement({"a": "one\0two"})


def test_only_what_is_stored_is_asked_for() -> None:
    assert check(1, vectors=False, messages=False).names == ("hlc", "ids", "content_hashes", "now")
    assert "conversation" in check(1, vectors=False, messages=True).names
    assert "text_hashes" in check(1, vectors=True, messages=False).names
    assert all(
        b"where current_setting('agentmem.place', true)" in template.text for template in inserts(1)[3:6]
    )
