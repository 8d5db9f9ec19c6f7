"""The tools and the resource as a server of the SDK, whatever it is connected to."""

from __future__ import annotations

import logging
from collections.abc import Collection
from typing import Any, Final

import anyio
from mcp.server import Server
from mcp.server.caching import CacheHint
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    ListResourcesResult,
    ListResourceTemplatesResult,
    ListToolsResult,
    ReadResourceRequestParams,
    ReadResourceResult,
    Resource,
    TextContent,
    TextResourceContents,
    ToolAnnotations,
)
from mcp_types import Tool as ToolDefinition

from agent_memory.errors import AgentMemoryError
from agent_memory.version import __version__
from agentmem_mcp import answers, arguments, hints
from agentmem_mcp.definitions import Call, Tool
from agentmem_mcp.memories import Memories
from agentmem_mcp.tools import BY_NAME

NAME: Final = "agentmem"
BRIEF: Final = "memory://brief"
_MARKDOWN: Final = "text/markdown"
_ALWAYS_LOAD: Final = "anthropic/alwaysLoad"
_LISTS_CHANGE_NEVER: Final = CacheHint(ttl_ms=3_600_000)
logger = logging.getLogger("agentmem_mcp")


def build(names: Collection[str], memories: Memories) -> Server[Any]:
    """Return a server that offers these tools over the memories.

    Args:
        names: the names of the tools to offer.
        memories: what they work on.
    """
    tools = {name: BY_NAME[name] for name in BY_NAME if name in names}

    async def list_tools(context: Any, params: Any) -> ListToolsResult:
        return ListToolsResult(tools=[definition(tool) for tool in tools.values()])

    async def call_tool(context: Any, params: CallToolRequestParams) -> CallToolResult:
        if params.name not in tools:
            known = ", ".join(tools)
            raise MCPError(INVALID_PARAMS, f"unknown tool {params.name[:100]!r}; the tools are {known}")
        return await _call(tools[params.name], params.arguments, memories)

    async def list_resources(context: Any, params: Any) -> ListResourcesResult:
        brief = Resource(
            uri=BRIEF, name="brief", description="What to know at a session's start.", mime_type=_MARKDOWN
        )
        return ListResourcesResult(resources=[brief])

    async def list_templates(context: Any, params: Any) -> ListResourceTemplatesResult:
        return ListResourceTemplatesResult(resource_templates=[])

    async def read_resource(context: Any, params: ReadResourceRequestParams) -> ReadResourceResult:
        uri = str(params.uri)
        if uri != BRIEF:
            raise MCPError(
                INVALID_PARAMS, f"there is no resource {uri[:200]!r}; there is {BRIEF}", {"uri": uri}
            )
        result = await _call(BY_NAME["recall"], None, memories)
        text = "".join(block.text for block in result.content if isinstance(block, TextContent))
        if result.is_error:
            raise MCPError(INTERNAL_ERROR, text, {"uri": uri})
        return ReadResourceResult(contents=[TextResourceContents(uri=BRIEF, text=text, mime_type=_MARKDOWN)])

    return Server(
        NAME,
        version=__version__,
        instructions=answers.instructions(tools),
        cache_hints={
            "server/discover": _LISTS_CHANGE_NEVER,
            "tools/list": _LISTS_CHANGE_NEVER,
            "resources/list": _LISTS_CHANGE_NEVER,
            "resources/templates/list": _LISTS_CHANGE_NEVER,
        },
        on_list_tools=list_tools,
        on_call_tool=call_tool,
        on_list_resources=list_resources,
        on_list_resource_templates=list_templates,
        on_read_resource=read_resource,
    )


def definition(tool: Tool) -> ToolDefinition:
    """Return a tool as the protocol describes it."""
    return ToolDefinition(
        name=tool.name,
        description=tool.description,
        input_schema=tool.schema,
        annotations=ToolAnnotations(
            read_only_hint=tool.read_only,
            destructive_hint=tool.destructive,
            idempotent_hint=tool.idempotent,
            open_world_hint=False,
        ),
        _meta={_ALWAYS_LOAD: True} if tool.always_load else None,
    )


async def _call(tool: Tool, received: dict[str, Any] | None, memories: Memories) -> CallToolResult:
    """Call a tool, and make a text of whatever comes of it."""
    try:
        # A write that has begun is finished, though the client takes its request back or goes away.
        with anyio.CancelScope(shield=not tool.read_only):
            values = arguments.read(tool, received)
            async with memories.open(tool.name) as (memory, surroundings):
                text = await tool.run(Call(values, memory, surroundings))
        return _result("\n".join([text, *(f"note: {note}" for note in surroundings.notes)]))
    except AgentMemoryError as error:
        return _result("error: " + hints.told(error), is_error=True)
    except Exception as error:
        logger.exception("%s failed", tool.name)
        return _result(f"error: a fault in {tool.name}: {type(error).__name__}: {error}", is_error=True)


def _result(text: str, *, is_error: bool = False) -> CallToolResult:
    whole = text.encode("utf-8", "replace").decode("utf-8")  # half a character is in no encoding
    return CallToolResult(content=[TextContent(type="text", text=whole)], is_error=is_error)
