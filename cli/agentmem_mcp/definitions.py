"""What a tool is: its name, what the model is told of it, its arguments, and the function that does it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from agent_memory import AgentMemory
    from agentmem_mcp.memories import Surroundings

Kind = Literal["string", "integer", "number", "strings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """One argument of a tool."""

    name: str
    kind: Kind = "string"
    help: str = ""
    required: bool = False
    choices: tuple[str, ...] = ()
    least: float | None = None
    most: float | None = None
    """The range is no part of the schema: the error names it, and each byte there is part of every prompt."""

    def schema(self) -> dict[str, Any]:
        """Return its JSON schema, with nothing in it that a model does not need."""
        schema: dict[str, Any] = {"type": "array" if self.kind == "strings" else self.kind}
        if self.kind == "strings":
            schema["items"] = {"type": "string"}
        if self.help:
            schema["description"] = self.help
        if self.choices:
            schema["enum"] = list(self.choices)
        return schema


class Call(NamedTuple):
    """One call of a tool."""

    arguments: Mapping[str, Any]
    """Those that were given, as the tool takes them."""
    memory: AgentMemory
    surroundings: Surroundings
    """The settings that hold for it, and what has to be said beside its result."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """One tool."""

    name: str
    """Also the name of the command that does the same in a shell."""
    description: str
    arguments: tuple[Argument, ...]
    run: Callable[[Call], Awaitable[str]]
    """Does it and returns what the model reads."""
    read_only: bool = False
    destructive: bool = False
    """Whether what was there can no longer be read afterwards, even if a person can bring it back."""
    idempotent: bool = False
    always_load: bool = False
    """Whether its definition is in the model's first request, where others are looked up when they are needed."""
    schema: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        schema: dict[str, Any] = {
            "type": "object",
            "properties": {argument.name: argument.schema() for argument in self.arguments},
        }
        if required := [argument.name for argument in self.arguments if argument.required]:
            schema["required"] = required
        object.__setattr__(self, "schema", schema)
