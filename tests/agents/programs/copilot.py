"""GitHub Copilot CLI."""

from __future__ import annotations

from .program import Program, Rights


class Copilot(Program):
    """GitHub Copilot CLI."""

    name = "copilot"
    title = "Copilot CLI"
    package = "@github/copilot"
    version = "1.0.102"
    skills = (".agents/skills",)
    freely = ("--allow-all-tools",)
    ours = ("--allow-tool", "agentmem")

    def arguments(self, prompt: str, url: str, rights: Rights) -> list[str]:
        more = {"all": self.freely, "ours": self.ours, "none": ()}[rights]
        return ["-p", prompt, *more]

    def variables(self, url: str) -> dict[str, str]:
        return {
            "COPILOT_CACHE_HOME": str(self.folder / "cache"),  # it unpacks 237 MB of itself there
            "COPILOT_OFFLINE": "true",
            "COPILOT_PROVIDER_BASE_URL": f"{url}/v1",
            "COPILOT_PROVIDER_API_KEY": "none",
            "COPILOT_MODEL": "stand-in",
            "COPILOT_AUTO_UPDATE": "false",
        }
