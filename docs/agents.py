"""The parts of the pages about coding agents that were recorded: `make agents` records, `make docs` writes them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
RECORDED = ROOT / "benchmarks" / "results" / "agents.json"
PAGES = ROOT / "docs" / "how-to" / "agents"
BEGINNING, END = "<!-- recorded: written by `make docs` -->", "<!-- end of what was recorded -->"
_FAULTS = {
    "locked": "another process holds the store, after `add`",
    "corrupt": "the file is no database",
    "missing": "there is no file",
    "newer": "the file is of a newer version",
    "wrong argument": "`search` without a query",
}
_RIGHTS = {"reading": "`recall`, `search`", "add": "`add`", "update": "`update`", "forget": "`forget`"}


def recorded() -> dict[str, Any]:
    """Read what was recorded last."""
    content: dict[str, Any] = json.loads(RECORDED.read_text())
    return content


def tokens(size: int) -> str:
    """Say how many bytes, and how many tokens that may be."""
    return f"{size:,} bytes, about {size / 4:.0f} tokens"


def section(about: Mapping[str, Any], name: str) -> str:
    """Return what was recorded of one agent, as Markdown."""
    return "\n".join(_lines(about, about["agents"][name]))


def _lines(about: Mapping[str, Any], agent: Mapping[str, Any]) -> Iterator[str]:
    tools, told = agent["tools"], agent["instructions"]
    size = sum(tool["bytes"] for tool in tools)
    yield f"Recorded with {agent['title']} {agent['version']} and agentmem {about['version']}, {about['date']}."
    yield "\n### The definitions\n"
    yield f"{len(tools)} tools take {tokens(size)} of each request, as JSON:\n"
    yield "```json"
    yield from (json.dumps(tool["definition"], ensure_ascii=False, separators=(",", ":")) for tool in tools)
    yield "```"
    yield "\n### The instructions\n"
    if told["where"] == "nowhere":
        yield f"{agent['title']} does not pass them on. They are:\n"
    else:
        yield f"They stand in the {told['where']} ({told['bytes']} bytes):\n"
    yield f"> {told['text']}"
    yield "\n### Results\n"
    yield "What the model reads after `recall`, `search`, `add`, `update` and `forget`:\n"
    for text in agent["results"].values():
        yield f"````text\n{text}\n````\n"
    yield "### When something is wrong\n"
    yield "The turn goes on, and the model reads:\n"
    for fault, meaning in _FAULTS.items():
        yield f"- {meaning}:\n\n    ````text\n{_indented(agent['errors'][fault])}\n    ````\n"
    yield "### What runs without a person\n"
    yield "| tool | by itself |"
    yield "|---|---|"
    yield from (f"| {tool} | {agent['rights'][key]} |" for key, tool in _RIGHTS.items())
    yield "\n### The skill\n"
    yield f"Its name and description are in the {agent['skill']['where']}; the model reads the rest when it wants to."


def _indented(text: str) -> str:
    return "\n".join(f"    {line}".rstrip() for line in text.splitlines())


def overview(about: Mapping[str, Any]) -> str:
    """Return the table of all agents."""
    titles = [
        "",
        "version",
        "definitions",
        "instructions in the",
        "reads unasked",
        "adds unasked",
        "without the server",
    ]
    rows = [f"| {' | '.join(titles)} |", "|---" * len(titles) + "|"]
    for name, agent in about["agents"].items():
        size = sum(tool["bytes"] for tool in agent["tools"])
        cells = [
            f"[{agent['title']}]({name}.md)",
            agent["version"],
            tokens(size),
            agent["instructions"]["where"],
            agent["rights"]["reading"],
            agent["rights"]["add"],
            agent["errors"]["server missing"],
        ]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def parts() -> dict[Path, str]:
    """Return, by page, what was recorded for it."""
    about = recorded()
    pages = {PAGES / f"{name}.md": section(about, name) for name in about["agents"]}
    return {PAGES / "index.md": overview(about), **pages}


def write() -> None:
    """Put what was recorded into the pages."""
    for page, part in parts().items():
        text = page.read_text()
        start, end = text.index(BEGINNING) + len(BEGINNING), text.index(END)
        page.write_text(f"{text[:start]}\n\n{part}\n\n{text[end:]}")
        print(page.relative_to(ROOT))
