"""Claude Code."""

from __future__ import annotations

from .program import Program, Rights


class Claude(Program):
    """Claude Code."""

    name = "claude"
    title = "Claude Code"
    package = "@anthropic-ai/claude-code"
    version = "2.1.332"
    skills = (".claude/skills",)
    freely = ("--dangerously-skip-permissions",)
    ours = ("--allowedTools", "mcp__agentmem")

    def arguments(self, prompt: str, url: str, rights: Rights) -> list[str]:
        more = {"all": self.freely, "ours": self.ours, "none": ()}[rights]
        return ["-p", prompt, "--output-format", "json", *more]

    def variables(self, url: str) -> dict[str, str]:
        return {
            "ANTHROPIC_BASE_URL": url,
            "ANTHROPIC_API_KEY": "none",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "DISABLE_AUTOUPDATER": "1",
            "IS_SANDBOX": "1",  # else it refuses root the argument that skips questions
        }
