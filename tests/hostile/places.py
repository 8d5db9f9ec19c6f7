"""Where a program runs: its files, its disk, its streams, its locale, and the signals that it meets."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from random import Random
from typing import Final

from agent_memory import SyncAgentMemory
from agent_memory.settings import Settings

LOCALES: Final = ("C.UTF-8", "C.UTF-8", "C", "POSIX", "en_US.ISO-8859-1", "xx_XX.nowhere", "")
ZONES: Final = (
    "UTC",
    "Asia/Tokyo",
    "America/New_York",
    "Africa/Cairo",
    "Pacific/Apia",
    "Nowhere/Else",
    "",
    "EST5EDT",
)
WIDTHS: Final = ("80", "0", "1", "10", "-5", "1000000", "wide", "")
SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
OUTPUTS: Final = ("pipe", "pipe", "pipe", "terminal", "closed", "full", "gone")
_SOMETIMES: Final = {"NO_COLOR": "1", "AGENTMEM_OFFLINE": "1", "AGENTMEM_SESSION": "river", "PYTHONUTF8": "0"}
ODD: Final = (
    *(
        "project folder",
        "project rubbish",
        "project nested",
        "config rubbish",
        "config bom",
        "fifo agent",
        "tiny agent",
    ),
    *("foreign agent", "folder agent", "hashes", "home file"),
)
"""Odd files that may stand in the home or in the folder of a project."""


@dataclass(frozen=True)
class Circumstances:
    """What one run meets."""

    environment: Mapping[str, str]
    stdin: bytes | None = None
    """None: it is closed."""
    out: str = "pipe"
    err: str = "pipe"
    signal: signal.Signals | None = None
    after: float = 0.0
    """Seconds until the signal."""


@dataclass
class Place:
    """The folders of a case."""

    root: Path
    disk: str = "usual"
    """`usual`, `read-only` or `full`."""
    odd: list[str] = field(default_factory=list)

    @property
    def home(self) -> Path:
        """The folder of all agents' files."""
        return self.root / "home"

    @property
    def work(self) -> Path:
        """Where the program is started."""
        return self.root / "work"


def template(root: Path) -> tuple[list[str], bytes]:
    """Make what every case begins with: two agents, all types, some not embedded, some put away.

    Returns:
        Ids of memories, and an export.
    """
    home, work = root / "home", root / "work"
    home.mkdir(parents=True)
    work.mkdir()
    for agent in ("default", "other"):
        settings = Settings(
            backend_config={"path": str(home / f"{agent}.db")},
            embedding_provider="dummy",
            embed_on_write=agent == "other",
        )
        with SyncAgentMemory(agent, settings) as memory:
            ids = [
                memory.long_term.add(f"Fact {n} of the heron", tags=["bird"], metadata={"n": n})
                for n in range(20)
            ]
            ids.append(memory.long_term.add("Lisbon", key="city"))
            memory.long_term.store_preference("theme", "dark")
            memory.short_term.set_working_memory("step", {"at": 1})
            memory.conversation.new_conversation("talk")
            for number in range(6):
                memory.conversation.add_message(("user", "assistant")[number % 2], f"message {number}")
            ids.append(memory.episodic.record_event("deploy", "went out", "failed: timeout", ["Ann"], "Oslo"))
            memory.semantic.add_document(
                "# Title\n\n" + "A long paragraph about marshes. " * 200, title="Marsh"
            )
            ids.append(memory.procedural.record_skill("release", "build and ship", ["deploy"], "git"))
            if agent == "default":
                memory.index()
            memory.long_term.add("Not embedded yet")
            memory.forget(ids.pop(0))
            memory.export_to(work / "export.jsonl", history=True)
    (work / "notes.md").write_text("# Notes\n\nThe kestrel hovers.\n")
    (work / "empty.md").write_text("")
    (work / "latin1.txt").write_bytes("Zaunkönig\n".encode("latin-1"))
    (work / "big.txt").write_text("a line of a log\n" * 3000)
    (work / "folder").mkdir()
    os.mkfifo(work / "fifo")
    return ids, (work / "export.jsonl").read_bytes()


def furnish(place: Place, start: Path, chance: Random) -> None:
    """Copy what every case begins with, and put odd files beside it."""
    shutil.copytree(start, place.root, ignore=shutil.ignore_patterns("fifo"), dirs_exist_ok=True)
    os.mkfifo(place.work / "fifo")
    place.odd = chance.sample(ODD, chance.choice((0, 0, 0, 1, 2)))
    project, config = place.work / ".agentmem.toml", place.root / "config/agentmem/config.toml"
    config.parent.mkdir(parents=True)
    for name in place.odd:
        match name:
            case "project folder":
                shutil.rmtree(project) if project.is_dir() else project.unlink(missing_ok=True)
                project.mkdir()
            case "project rubbish" if not project.exists():
                project.write_bytes(b"\xff\xfe\x00agent = ")
            case "project nested" if not project.exists():
                project.write_text("tags = " + "[" * 5000)
            case "config rubbish":
                config.write_text(
                    chance.choice(("limit = 'many'", "nonsense = 1", "[[[", "limit = 99999999999999999999"))
                )
            case "config bom":
                config.write_bytes(b"\xef\xbb\xbflimit = 3\r\n")
            case "fifo agent":
                os.mkfifo(place.home / "fifo.db")
            case "tiny agent":
                (place.home / "tiny.db").write_bytes(b"x")
            case "foreign agent":
                (place.home / "foreign.db").write_bytes(b"This is no database." * 100)
            case "folder agent":
                (place.home / "folder.db").mkdir()
            case "hashes":
                (place.home / "hashes.json").write_text("[" * 10_000)
            case "home file":
                (place.root / "file").write_text("no folder")


def environment(place: Place, chance: Random) -> dict[str, str]:
    """Make the environment of one run."""
    made = {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": str(place.root),
        "XDG_CONFIG_HOME": str(place.root / "config"),
        "AGENTMEM_HOME": str(place.home),
        "AGENTMEM_EMBEDDING_PROVIDER": chance.choice(("dummy", "dummy", "dummy", "none", "local")),
        "AGENTMEM_SQLITE_DRIVER": chance.choice(("sqlite3", "pysqlite3")),
        "LC_ALL": chance.choice(LOCALES),
        "TZ": chance.choice(ZONES),
        "COLUMNS": chance.choice(WIDTHS),
        "TERM": chance.choice(("xterm-256color", "dumb", "")),
        "EDITOR": chance.choice(("true", "false", "nosuchprogram", "'", "cat", "")),
        "HTTPS_PROXY": "http://127.0.0.1:1",
    }
    made |= {name: value for name, value in _SOMETIMES.items() if chance.random() < 0.4}
    if "home file" in place.odd and chance.random() < 0.5:
        made["AGENTMEM_HOME"] = str(place.root / "file")
    return {name: value for name, value in made.items() if value or name in ("LC_ALL", "TZ", "COLUMNS")}


# --- disks -----------------------------------------------------------------------------------------------------

_READ_ONLY: Final = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && cd work && exec "$@"'
_FULL: Final = (
    'size=$(du -sk "$0" | cut -f1); rm -rf "$0.kept" && mkdir "$0.kept" && cp -a "$0/." "$0.kept" && '
    'mount -t tmpfs -o size=$((size + 200))k none "$0" && cp -a "$0.kept/." "$0" && '
    '{ head -c 100000000 /dev/zero > "$0/work/filler"; } 2>/dev/null; cd "$0/work"; "$@"; code=$?; '
    'rm "$0/work/filler"; cp -a "$0/home/." "$0.kept/home"; exit $code'
)


def prefix(place: Place) -> list[str]:
    """Return what stands before a command so that it meets the disk of its place."""
    if place.disk == "usual" or not namespaces():
        return []
    return [
        "unshare",
        "-Urm",
        "sh",
        "-c",
        _READ_ONLY if place.disk == "read-only" else _FULL,
        str(place.root),
    ]


@cache
def namespaces() -> bool:
    """Return whether disks can be mounted for one program alone."""
    tried = subprocess.run(
        ["unshare", "-Urm", "mount", "-t", "tmpfs", "none", "/tmp"], capture_output=True, check=False
    )
    return tried.returncode == 0
