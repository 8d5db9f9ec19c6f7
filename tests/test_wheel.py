"""The built wheel holds everything, and works installed in another folder."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_the_wheel_works_in_another_folder(tmp_path: Path) -> None:
    build = [
        sys.executable,
        "-m",
        "build",
        "--wheel",
        "--no-isolation",
        "--outdir",
        str(tmp_path / "dist"),
        str(ROOT),
    ]
    made = subprocess.run(build, capture_output=True, text=True)
    assert made.returncode == 0, made.stdout + made.stderr
    wheel = next((tmp_path / "dist").glob("*.whl"))
    target = tmp_path / "elsewhere"
    install = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--no-index",
        "--target",
        str(target),
    ]
    done = subprocess.run([*install, str(wheel)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    env = {
        **os.environ,
        # The dependencies come from where they are installed; the two packages only from the wheel.
        "PYTHONPATH": f"{target}{os.pathsep}{sysconfig.get_path('purelib')}",
    }
    code = (
        "import agent_memory, agentmem_cli.app\n"
        f"assert agent_memory.__file__.startswith({str(target)!r}), agent_memory.__file__\n"
        f"assert agentmem_cli.__file__.startswith({str(target)!r})\n"
        "from agentmem_mcp import answers\n"
        "assert answers.tool_names()[0] == 'recall'\n"
        "from agent_memory import SyncAgentMemory\n"
        "with SyncAgentMemory('wheel') as memory:\n"
        "    memory.long_term.store_fact('User prefers dark mode')\n"
        "    print(memory.search('Which theme should the interface have?')[0].memory.content)\n"
    )
    # -S and an explicit path: a checkout that is installed editable must not help out.
    ran = subprocess.run(
        [sys.executable, "-S", "-c", code], env=env, capture_output=True, text=True, cwd=tmp_path
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout == "User prefers dark mode\n"
    assert (target / "agent_memory" / "py.typed").is_file()
    assert (target / "agentmem_cli" / "SKILL.md").is_file()
    shell = subprocess.run(
        [sys.executable, "-S", "-m", "agentmem_cli", "-a", "wheel", "list"],
        env=env,
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert "dark mode" in shell.stdout, shell.stderr
