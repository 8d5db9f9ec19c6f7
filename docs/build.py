"""Write what in the documentation comes from the program: pictures, the command reference, completions.

`python -m docs.build` writes everything, `python -m docs.build pictures` one part. Pictures are what the real
program prints on a terminal, 100 columns wide, over a small memory made for them.
"""

from __future__ import annotations

import io
import os
import pty
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import MISSING, fields
from datetime import timedelta
from pathlib import Path

from rich.console import Console
from rich.text import Text

from agent_memory.settings import PublicSettings, about
from agent_memory.storage.registry import BACKENDS
from agentmem_cli.completion import write_all as write_completions
from agentmem_cli.reference import write as write_reference
from agentmem_mcp.answers import FILE as ANSWERS
from agentmem_mcp.recording import write as write_answers
from docs.agents import write as write_agents

ROOT = Path(__file__).parent.parent
IMAGES = ROOT / "docs" / "images"
WIDTH = 100

FILL = """
add "User prefers dark mode in every editor" --type fact --tag ui --importance 0.8
add "The staging database runs in Oslo" --type fact --tag ops --tag database
add "Rotate the signing key before 1 December" --type note --ttl 30d
pref set editor "vim, with the default key bindings"
chat add user "Can you check why the checkout tests are slow?" --name Maria
chat add assistant "They wait for the session store; it evicts under memory pressure."
event add "Checkout test run took 14 minutes, usually 3" --type ci --outcome failed --tag tests
event add "Raised maxmemory of the session store; tests take 3 minutes again" --type ci --outcome success --tag tests
event add "Deploy of version 2 failed: disk full" --type deploy --outcome failed
skill add free-disk "Delete old images with docker system prune, then retry the deploy" --trigger "disk full"
skill add bisect-slow-tests "Run pytest --durations=10, then bisect the slowest fixture" --trigger "slow tests"
add "Checkout keeps its sessions in Redis. When Redis runs out of memory it evicts sessions." --type doc --tag ops
"""

PICTURES = {
    "search": 'search "why are the checkout tests slow" --limit 4',
    "recall": 'recall "the deploy failed, what now?" --budget 220 --explain',
    "stats": "stats",
}


def pictures() -> None:
    """Draw each command's output as the terminal shows it."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    program = str(Path(sys.executable).parent / "agentmem")
    with tempfile.TemporaryDirectory() as home:
        env = {
            **os.environ,
            "AGENTMEM_HOME": home,
            "AGENTMEM_AGENT": "demo",
            "COLUMNS": str(WIDTH),
            "LINES": "60",
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
        }
        env.pop("NO_COLOR", None)
        for line in FILL.strip().splitlines():
            subprocess.run([program, *shlex.split(line)], env=env, check=True, stdout=subprocess.DEVNULL)
        subprocess.run([program, "index"], env=env, check=True, stdout=subprocess.DEVNULL)
        for name, command in PICTURES.items():
            shown = on_terminal([program, *shlex.split(command)], env).replace(
                home, "~/.local/share/agentmem"
            )
            console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
            console.print(Text(f"$ agentmem {command}", style="bold"))
            console.print(Text.from_ansi(shown))
            # A fixed id keeps the file the same when the picture is the same.
            console.save_svg(str(IMAGES / f"{name}.svg"), title="agentmem", unique_id=f"agentmem-{name}")
            print(f"docs/images/{name}.svg")


def on_terminal(arguments: list[str], env: dict[str, str]) -> str:
    """Run a command on a pseudo-terminal of our width and return all that it shows."""
    controller, terminal = pty.openpty()
    import fcntl
    import struct
    import termios

    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 60, WIDTH, 0, 0))
    process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=terminal, stderr=terminal, env=env)
    os.close(terminal)
    shown = b""
    while True:
        try:
            part = os.read(controller, 65536)
        except OSError:  # how Linux says that the other end is closed
            break
        if not part:
            break
        shown += part
    os.close(controller)
    if process.wait() != 0:
        raise SystemExit(f"{shlex.join(arguments)} failed:\n{shown.decode()}")
    return shown.decode().replace("\r\n", "\n").rstrip()


_ABILITIES = {
    "persistent": "outlives the process",
    "shared": "several processes may write at once",
    "full_text": "full text",
    "vectors": "vectors",
    "transactions": "a write is all or nothing",
    "journal": "history, undo, log",
    "usage": "counts accesses",
    "ttl": "drops expired short-term memories by itself",
    "filters": "applies every filter itself",
    "ordering": "orders lists itself",
    "counts": "counts without fetching (exact everywhere)",
}


def abilities() -> str:
    """Return the table of what each backend can do, as its code says."""
    stores = {name: BACKENDS.load(name) for name in BACKENDS.builtin}
    rows = [["", *stores], ["---"] * (len(stores) + 1)]
    for name, shown in _ABILITIES.items():
        rows.append(
            [shown, *("yes" if getattr(store.capabilities, name) else "-" for store in stores.values())]
        )
    largest = [store.capabilities.largest for store in stores.values()]
    rows.append(["bytes a memory may take", *(f"{size:,}" if size else "any" for size in largest)])
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def settings() -> str:
    """Return the table of the settings of `MemoryConfig`, as they are declared."""
    rows = [["name", "type", "default", "meaning", "in the shell"], ["---"] * 5]
    for setting in fields(PublicSettings):
        known = about(setting)
        assert known is not None
        default = setting.default if setting.default_factory is MISSING else setting.default_factory()
        bounds = "" if known.least is None else f", from {known.least}"
        bounds += "" if known.most is None else f" to {known.most}"
        kind, _, or_none = str(setting.type).partition(" | ")
        rows.append(
            [
                f"`{setting.name}`",
                f"`{kind}`{or_none and ', or ' + or_none}{bounds}",
                f"`{_default(default)}`",
                known.help,
                f"`{known.shell}`" if known.shell else "-",
            ]
        )
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _default(value: object) -> str:
    if isinstance(value, timedelta):
        days, seconds = value.days, value.seconds
        return f"timedelta(days={days})" if days else f"timedelta(hours={seconds // 3600})"
    return repr(value).replace("'", '"')


def write_table(page: str, name: str, table: str) -> None:
    """Put a table between its marks in a page."""
    path = ROOT / "docs" / page
    text = path.read_text()
    beginning, end = f"<!-- {name}: written by `make docs` -->", f"<!-- end of {name} -->"
    start, stop = text.index(beginning) + len(beginning), text.index(end)
    path.write_text(f"{text[:start]}\n\n{table}\n\n{text[stop:]}")
    print(f"docs/{page}")


PARTS: dict[str, Callable[[], object]] = {
    "reference": lambda: write_reference(ROOT / "docs" / "cli.md"),
    "completions": lambda: write_completions(ROOT / "completions"),
    "answers": lambda: write_answers(Path(ANSWERS)),
    "backends": lambda: write_table("backends.md", "abilities", abilities()),
    "settings": lambda: write_table("reference/python.md", "settings", settings()),
    "agents": write_agents,
    "pictures": pictures,
}

if __name__ == "__main__":
    for part in sys.argv[1:] or PARTS:
        PARTS[part]()
