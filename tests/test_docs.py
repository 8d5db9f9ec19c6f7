"""What the documentation takes from the code is up to date."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

DOCS = Path(__file__).parent.parent / "docs"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_table_of_abilities_is_fresh() -> None:
    sys.path.insert(0, str(DOCS.parent))
    from docs.build import abilities

    assert abilities() in (DOCS / "backends.md").read_text(), "run `make docs`"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_table_of_settings_is_fresh() -> None:
    sys.path.insert(0, str(DOCS.parent))
    from docs.build import settings

    assert settings() in (DOCS / "reference" / "python.md").read_text(), "run `make docs`"


def test_what_was_recorded_of_coding_agents_is_in_their_pages() -> None:
    from docs.agents import BEGINNING, END, parts, recorded

    assert len(parts()) == 6
    for page, part in parts().items():
        assert f"{BEGINNING}\n\n{part}\n\n{END}" in page.read_text(), f"{page.name}: run `make docs`"
    assert not [line for line in str(recorded()).split() if "/tmp/" in line or "/work/" in line]


def test_what_was_recorded_is_what_the_server_says_today() -> None:
    from agentmem_mcp import answers
    from docs.agents import recorded

    listed = answers.recorded()["answers"][answers.recorded()["latest"]]["tools/list"]["result"]["tools"]
    for agent in recorded()["agents"].values():
        for tool, shown in zip(
            sorted(listed, key=lambda tool: tool["name"]), _by_name(agent["tools"]), strict=True
        ):
            assert tool["description"] in str(shown), "run `make agents` and `make docs`"
        assert agent["instructions"]["text"] == answers.instructions(answers.tool_names())


def _by_name(tools: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(tools, key=lambda tool: re.split(r"[^a-z]+", tool["name"])[-1])


def test_every_host_has_a_page() -> None:
    from agentmem_mcp.hosts import Host

    pages = "".join(page.read_text() for page in (DOCS / "how-to" / "agents").glob("*.md"))
    for host in Host:
        assert f"--print {host}" in pages or f"| `{host}` |" in pages


def test_every_option_of_a_backend_is_explained() -> None:
    from agent_memory.storage.registry import BACKENDS

    for name in BACKENDS.builtin:
        store = BACKENDS.load(name)
        for option in store.options:
            assert option in (store.__doc__ or ""), f"{name}: {option}"


BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```\n(?:\n<!-- output: (.*?) -->)?", re.MULTILINE | re.DOTALL)


def run_block(language: str, code: str, folder: Path) -> str:
    command = ["sh", "-e", "-c", code] if language == "sh" else [sys.executable, "-c", code]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, "PATH": path}, capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 0, f"{code}\n{done.stdout}{done.stderr}"
    return done.stdout


def test_the_tutorial_does_what_it_says(tmp_path: Path) -> None:
    blocks = BLOCK.findall((DOCS / "tutorial.md").read_text())
    assert len(blocks) > 10
    for language, code, expected in blocks:
        assert expected in run_block(language, code, tmp_path), code


def test_the_embedder_of_the_how_to_works(tmp_path: Path) -> None:
    (language, code, expected), *_ = BLOCK.findall((DOCS / "how-to" / "embedder.md").read_text())
    assert run_block(language, code, tmp_path) == f"{expected}\n"


def test_everything_that_is_exported_is_in_the_reference() -> None:
    import agent_memory
    from agent_memory import errors

    text = "".join(page.read_text() for page in (DOCS / "reference").glob("*.md"))
    described = {name.rpartition(".")[2] for name in re.findall(r"^::: (\S+)$", text, re.MULTILINE)}
    assert "::: agent_memory.errors\n" in text
    described |= {name for name in vars(errors) if name.endswith("Error")}
    described |= set(re.findall(r"`agent_memory\.(\w+)`", text))
    assert set(agent_memory.__all__) <= described


def test_what_the_reference_describes_is_there() -> None:
    from pkgutil import resolve_name

    for page in (DOCS / "reference").glob("*.md"):
        for name in re.findall(r"^::: (\S+)$", page.read_text(), re.MULTILINE):
            assert resolve_name(name).__doc__, name


def test_every_page_is_in_the_table_of_contents() -> None:
    """Decisions are listed on a page of their own."""
    contents = (DOCS.parent / "mkdocs.yml").read_text()
    decisions = (DOCS / "decisions" / "index.md").read_text()
    for page in DOCS.rglob("*.md"):
        name = page.relative_to(DOCS).as_posix()
        if page.parent.name == "decisions" and page.name != "index.md":
            assert f"({page.name})" in decisions, name
        else:
            assert f": {name}\n" in contents, name


@pytest.mark.parametrize("page", [*DOCS.rglob("*.md"), DOCS.parent / "README.md"], ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
        assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_architecture_is_read_in_a_quarter_of_an_hour() -> None:
    assert len((DOCS / "architecture.md").read_text().split()) < 900
    assert (
        len([line for line in (DOCS / "glossary.md").read_text().splitlines() if line.startswith("|")]) <= 32
    )


def test_the_files_that_the_architecture_names_are_there() -> None:
    text = (DOCS / "architecture.md").read_text()
    root = DOCS.parent
    for name in set(re.findall(r"`((?:[a-z_]+/)+[a-z_]+\.py)`", text)):
        homes = (root, root / "agent_memory", root / "cli" / "agentmem_cli")
        assert any((home / name).is_file() for home in homes), name


def test_the_files_that_contributing_names_are_there() -> None:
    text = (DOCS.parent / "CONTRIBUTING.md").read_text()
    root = DOCS.parent
    homes = (root, root / "agent_memory", root / "cli" / "agentmem_cli")
    for name in set(re.findall(r"`((?:[a-z_]+/)*[a-z_]+\.(?:py|md|toml))`", text)):
        if "/" in name:
            assert any((home / name).is_file() for home in homes), name
    for target in re.findall(r"`?make ([a-z]+)", text):
        assert f"\n{target}:" in (root / "Makefile").read_text(), target
