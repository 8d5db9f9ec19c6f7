"""`agentmem storage distribute`."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from agent_memory.storage.postgres import distributing

from ..running import done, run


@pytest.mark.parametrize(
    ("flag", "statements"), [("--schema", distributing.by_schema), ("--row", distributing.by_row)]
)
def test_statements_are_printed_as_a_script_and_nothing_is_run(
    flag: str, statements: Callable[[str], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGENTMEM_BACKEND", "postgresql://nobody@192.0.2.1/nowhere")
    ran = done("storage", "distribute", flag)
    script = [line for line in ran.out.splitlines() if not line.startswith("--")]
    assert script == [f"{statement};" for statement in statements("agentmem")]
    assert f"agentmem storage distribute {flag} | psql" in ran.out
    assert ran.err == "nothing was run; these statements were tested without Citus\n"


def test_programs_get_a_list_for_the_schema_in_the_settings() -> None:
    done("config", "set", "backend_config.schema", "team")
    rows = done("storage", "distribute", "--schema", "--json").json
    assert [row["statement"] for row in rows] == distributing.by_schema("team")


@pytest.mark.parametrize("flags", [(), ("--schema", "--row")])
def test_one_layout_is_named(flags: tuple[str, ...]) -> None:
    ran = run("storage", "distribute", *flags)
    assert (ran.code, ran.out) == (2, "")
    assert "--schema and --row" in ran.err
