"""OpenCode."""

from __future__ import annotations

import json

from .program import Program, Rights


class OpenCode(Program):
    """OpenCode."""

    name = "opencode"
    title = "OpenCode"
    package = "opencode-ai"
    version = "1.18.33"
    settings = ".config/opencode/opencode.json"
    skills = (".agents/skills", ".claude/skills")

    def arguments(self, prompt: str, url: str, rights: Rights) -> list[str]:
        return ["run", "--model", "stand-in/stand-in", prompt]

    def variables(self, url: str) -> dict[str, str]:
        model = {"name": "stand-in", "limit": {"context": 200_000, "output": 8_000}, "tool_call": True}
        provider = {
            "npm": "@ai-sdk/openai-compatible",
            "options": {"baseURL": f"{url}/v1", "apiKey": "none"},
            "models": {"stand-in": model},
        }
        settings = {
            "provider": {"stand-in": provider},
            "model": "stand-in/stand-in",
            "autoupdate": False,
            "share": "disabled",
            "snapshot": False,
        }
        return {
            "OPENCODE_CONFIG_CONTENT": json.dumps(settings),
            "OPENCODE_DISABLE_AUTOUPDATE": "1",
            "OPENCODE_DISABLE_MODELS_FETCH": "1",
            "OPENCODE_DISABLE_LSP_DOWNLOAD": "1",
        }
