"""The stand-in for a model: four formats, a script, and a record of what was asked."""

from .requests import Request, Tool
from .script import Script, Step, say, use
from .server import ModelServer

__all__ = ["ModelServer", "Request", "Script", "Step", "Tool", "say", "use"]
