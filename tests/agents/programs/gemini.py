"""Gemini CLI."""

from __future__ import annotations

import json

from ..place import Place
from .program import Program, Rights


class Gemini(Program):
    """Gemini CLI."""

    name = "gemini"
    title = "Gemini CLI"
    package = "@google/gemini-cli"
    version = "0.61.0"
    skills = (".agents/skills",)
    freely = ("--approval-mode", "yolo")

    def arguments(self, prompt: str, url: str, rights: Rights) -> list[str]:
        more = self.freely if rights == "all" else ()
        return ["-m", "gemini-2.5-flash", *more, "-p", prompt]

    def variables(self, url: str) -> dict[str, str]:
        return {
            # A key of the Gemini API would need a setting in the file that the entry belongs in.
            "GOOGLE_GENAI_USE_VERTEXAI": "true",
            "GOOGLE_VERTEX_BASE_URL": url,
            "GOOGLE_API_KEY": "none",
            "GEMINI_CLI_TRUST_WORKSPACE": "true",  # it refuses to work in a folder that nobody trusted
        }

    def allow(self, place: Place) -> None:
        path = place.home / ".gemini" / "settings.json"
        settings = json.loads(path.read_text())
        settings["mcpServers"]["agentmem"]["trust"] = True
        path.write_text(json.dumps(settings))
