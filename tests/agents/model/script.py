"""What the model does, step by step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from .requests import SEARCHES, Request, Tool

SERVER = "agentmem"


@dataclass(frozen=True)
class Step:
    """A text, or a call of a tool."""

    text: str = ""
    tool: str = ""
    server: str = SERVER
    """The server that the tool is of; empty for a tool of the agent itself."""
    arguments: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """What the stand-in answers: a text, or a call of a tool that the model knows."""

    text: str = ""
    tool: Tool | None = None
    arguments: dict[str, Any] = field(default_factory=dict)


Script = Sequence[Step | Callable[[Request], Step]]
"""The steps of one conversation. One may depend on what has reached the model by then."""


def say(text: str) -> Step:
    """Answer with a text, which ends the turn."""
    return Step(text)


def use(tool: str, **arguments: Any) -> Step:
    """Call a tool of our server."""
    return Step(tool=tool, arguments=arguments)


def answer(script: Script, request: Request) -> Answer:
    """Choose the answer to a request.

    Agents also ask for titles and summaries, without tools, and repeat requests. So the step is not counted by
    requests but by the results that the conversation holds.

    Returns:
        The step's answer. A tool whose definition is kept back is searched for first, as a model does.
    """
    number = len(request.results)
    if not request.tools or number >= len(script):
        return Answer("OK")
    item = script[number]
    step = item if isinstance(item, Step) else item(request)
    if not step.tool:
        return Answer(step.text)
    tool = request.tool(step.server, step.tool)
    if tool is not None:
        return Answer(tool=tool, arguments=step.arguments)
    name = request.listed(step.server, step.tool)
    search = next((tool for tool in request.tools if tool.name in SEARCHES), None)
    if search is not None and not request.searches:
        return Answer(tool=search, arguments={"query": f"select:{name}" if name else f"{SERVER} {step.tool}"})
    if name is not None:
        return Answer(tool=Tool(name), arguments=step.arguments)
    return Answer(f"there is no tool {step.tool}")
