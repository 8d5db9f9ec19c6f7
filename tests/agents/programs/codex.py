"""Codex CLI."""

from __future__ import annotations

import json

from .program import Program, Rights


class Codex(Program):
    """Codex CLI."""

    name = "codex"
    title = "Codex"
    package = "@openai/codex"
    version = "0.169.0"
    settings = ".codex/config.toml"
    skills = (".agents/skills",)
    freely = ("--dangerously-bypass-approvals-and-sandbox",)
    ours = ("-c", 'mcp_servers.agentmem.default_tools_approval_mode="approve"')

    def arguments(self, prompt: str, url: str, rights: Rights) -> list[str]:
        provider = {
            "name": "stand-in",
            "base_url": f"{url}/v1",
            "wire_api": "responses",
            "env_key": "STAND_IN_KEY",
        }
        values = {f"model_providers.stand_in.{name}": value for name, value in provider.items()}
        values |= {"model_provider": "stand_in", "model": "stand-in"}
        options = [f"{name}={json.dumps(value)}" for name, value in values.items()]
        options += ["check_for_update_on_startup=false", "analytics.enabled=false"]
        more = {"all": self.freely, "ours": self.ours, "none": ()}[rights]
        pairs = [word for option in options for word in ("-c", option)]
        return ["exec", "--skip-git-repo-check", *pairs, *more, prompt]

    def variables(self, url: str) -> dict[str, str]:
        return {"STAND_IN_KEY": "none"}
