"""What all agents have in common: they are installed by npm, and answer a prompt without a person."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from ..model import ModelServer, Request, Script
from ..place import Place
from ..processes import end_all

Rights = Literal["all", "ours", "none"]
"""What may run without a person: all; ours, as the documentation says; only what the agent itself allows."""
_HERE = "127.0.0.1,localhost"


@dataclass(frozen=True)
class Run:
    """What came of one prompt."""

    code: int | None
    """The exit code; None for an agent that had to be killed."""
    seconds: float
    out: str
    err: str
    requests: Sequence[Request]
    others: Sequence[str]
    """What it asked for besides answers of the model."""
    left: Sequence[str]
    """Processes that were still there afterwards."""

    @property
    def turns(self) -> list[Request]:
        """The requests of the conversation; those for titles and the like have no tools."""
        return [request for request in self.requests if request.tools]

    @property
    def first(self) -> Request:
        """The first request of the conversation."""
        return self.turns[0]

    @property
    def results(self) -> list[str]:
        """The results of tools that reached the model."""
        return self.turns[-1].results

    @property
    def outside(self) -> list[str]:
        """The machines that it tried to reach."""
        hosts = [item.split()[1].rpartition(":")[0] for item in self.others if item.startswith("CONNECT")]
        return sorted(set(hosts))


class Program:
    """An agent. Its subclasses hold what differs, and changes with their versions."""

    name: ClassVar[str]
    title: ClassVar[str]
    package: ClassVar[str]
    version: ClassVar[str]
    """The version that the tests were written for."""
    settings: ClassVar[str | None] = None
    """The file below the home that the printed entry belongs in; None where it is a command."""
    skills: ClassVar[Sequence[str]]
    """The folders below the home that it takes skills from, of those that our documentation names."""
    freely: ClassVar[Sequence[str]] = ()
    """Arguments that let every tool run without a question."""
    ours: ClassVar[Sequence[str]] = ()
    """Arguments that let our tools run without a question, as the documentation gives them."""

    def __init__(self, programs: Path) -> None:
        self.folder = programs.resolve() / self.name

    # --- installing ----------------------------------------------------------------------------------------

    @property
    def bin(self) -> Path:
        """The folder of the executable."""
        return self.folder / "node_modules" / ".bin"

    def installed(self) -> str | None:
        """Return the version that is installed, if one is."""
        about = self.folder / "node_modules" / self.package / "package.json"
        if not (about.is_file() and (self.bin / self.name).exists()):
            return None
        return str(json.loads(about.read_text())["version"])

    def install(self) -> None:
        """Install the version that the tests were written for."""
        if self.installed() == self.version:
            return
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        npm = ["npm", "install", "--no-audit", "--no-fund", "--loglevel=error", "--prefix", str(self.folder)]
        subprocess.run([*npm, f"{self.package}@{self.version}"], check=True)

    # --- what differs --------------------------------------------------------------------------------------

    def arguments(self, prompt: str, url: str, rights: Rights) -> list[str]:
        """Return the arguments for one prompt without a person."""
        raise NotImplementedError

    def variables(self, url: str) -> dict[str, str]:
        """Return the variables that lead it to the stand-in, and keep it from updating itself."""
        raise NotImplementedError

    def allow(self, place: Place) -> None:
        """Do what the documentation says lets our tools run, where that is no argument."""

    # --- running -------------------------------------------------------------------------------------------

    def register(self, place: Place, entry: str) -> None:
        """Do with a printed entry what its reader is told: run it, or put it where it belongs."""
        if self.settings:
            path = place.home / self.settings
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(entry)
            return
        done = subprocess.run(
            ["sh", "-e", "-c", entry],
            cwd=place.project,
            env=self._environment(place, "http://127.0.0.1:9"),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def run(
        self,
        place: Place,
        prompt: str,
        script: Script = (),
        *,
        rights: Rights = "all",
        variables: Mapping[str, str] | None = None,
        arguments: Sequence[str] = (),
        limit: float = 120,
        patience: float = 3,
    ) -> Run:
        """Give it one prompt, and wait for its end and that of all it started.

        Args:
            place: where it runs.
            prompt: what the user asks.
            script: what the model does.
            rights: what may run without a person.
            variables: more variables of its environment.
            arguments: more arguments.
            limit: after how many seconds it is killed.
            patience: how many seconds its servers may take to end.

        Returns:
            What reached the model, and what is left.
        """
        if rights == "ours":
            self.allow(place)
        out, err = place.root / "out.txt", place.root / "err.txt"
        with ModelServer(script) as model, out.open("wb") as to_out, err.open("wb") as to_err:
            words = [str(self.bin / self.name), *self.arguments(prompt, model.url, rights), *arguments]
            started = time.monotonic()
            # Files and no pipes: what it leaves behind would hold those open.
            process = subprocess.Popen(
                words,
                cwd=place.project,
                env={**self._environment(place, model.url), **(variables or {})},
                stdin=subprocess.DEVNULL,
                stdout=to_out,
                stderr=to_err,
            )
            code: int | None
            try:
                code = process.wait(limit)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                code = None
            seconds = time.monotonic() - started
            left = end_all(place.home, patience)
        said, complained = (path.read_text(errors="replace") for path in (out, err))
        return Run(code, seconds, said, complained, model.requests, model.others, left)

    def _environment(self, place: Place, url: str) -> dict[str, str]:
        proxy = {"HTTPS_PROXY": url, "https_proxy": url, "NO_PROXY": _HERE, "no_proxy": _HERE}
        return {**place.variables(self.bin), **proxy, **self.variables(url)}
