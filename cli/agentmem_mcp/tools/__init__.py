"""The tools, in the order in which they are listed."""

from __future__ import annotations

from agentmem_mcp.definitions import Tool
from agentmem_mcp.tools import add, forget, recall, search, update

TOOLS: tuple[Tool, ...] = (recall.TOOL, search.TOOL, add.TOOL, update.TOOL, forget.TOOL)
BY_NAME = {tool.name: tool for tool in TOOLS}
