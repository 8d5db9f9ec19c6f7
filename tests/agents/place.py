"""Folders that belong to one test: a home, a project, a place for temporary files."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Place:
    """A home, a project and a folder for temporary files, below one root."""

    root: Path

    @classmethod
    def made_in(cls, root: Path) -> Place:
        """Make the folders. The project is a git repository, as that of most users."""
        place = cls(root.resolve())
        for folder in (place.home, place.project, place.tmp):
            folder.mkdir(parents=True)
        subprocess.run(["git", "init", "--quiet", str(place.project)], check=True)
        return place

    @property
    def home(self) -> Path:
        """The user's home."""
        return self.root / "home"

    @property
    def project(self) -> Path:
        """The folder that agents are started in."""
        return self.root / "project"

    @property
    def tmp(self) -> Path:
        """The folder for temporary files."""
        return self.root / "tmp"

    def variables(self, *programs: Path) -> dict[str, str]:
        """Return a whole environment; `agentmem` is not on its PATH, but the folders that are named are."""
        path = [str(folder) for folder in programs]
        path += [item for item in os.environ["PATH"].split(os.pathsep) if Path(item) != BIN]
        return {
            "PATH": os.pathsep.join(path),
            "HOME": str(self.home),
            "TMPDIR": str(self.tmp),
            "LANG": "C.UTF-8",
            "TERM": "dumb",
            "NO_COLOR": "1",
        }

    def agentmem(self, *arguments: str, program: Path = BIN / "agentmem") -> subprocess.CompletedProcess[str]:
        """Run our command line as this home's user would."""
        return subprocess.run(
            [str(program), *arguments],
            cwd=self.project,
            env=self.variables(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )

    def store(self, *texts: str) -> list[str]:
        """Store facts, and return their ids."""
        return [self.agentmem("add", text).stdout.strip() for text in texts]

    @property
    def file(self) -> Path:
        """The default agent's file."""
        return self.home / ".local" / "share" / "agentmem" / "default.db"
