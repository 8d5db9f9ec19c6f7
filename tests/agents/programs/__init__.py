"""The coding agents, one module each: what they are called, where they keep things, and how they are started."""

from .claude import Claude
from .codex import Codex
from .copilot import Copilot
from .gemini import Gemini
from .opencode import OpenCode
from .program import Program, Run

PROGRAMS: dict[str, type[Program]] = {
    program.name: program for program in (Claude, Codex, Gemini, OpenCode, Copilot)
}

__all__ = ["PROGRAMS", "Claude", "Codex", "Copilot", "Gemini", "OpenCode", "Program", "Run"]
