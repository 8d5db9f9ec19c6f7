"""Where each setting comes from: flag, environment, project file, user config, or default."""

from __future__ import annotations

from agentmem_cli.settings.names import SETTINGS, Setting, find
from agentmem_cli.settings.redaction import redacted
from agentmem_cli.settings.resolution import Origin, Resolved, resolve

__all__ = ["SETTINGS", "Origin", "Resolved", "Setting", "find", "redacted", "resolve"]
