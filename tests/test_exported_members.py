"""What `agent_memory` exports: sorted, all there, and all that a call gives or takes."""

from __future__ import annotations

import inspect
import subprocess
import sys

import agent_memory
from agent_memory import errors, records


def test_all_is_sorted_and_there() -> None:
    assert agent_memory.__all__ == sorted(agent_memory.__all__)
    assert len(agent_memory.__all__) == len({*agent_memory.__all__})
    for name in agent_memory.__all__:
        member = getattr(agent_memory, name)
        assert getattr(member, "__name__", name) == name or name in ("Moment", "__version__")
    assert {*agent_memory.__all__} <= {*dir(agent_memory)}


def test_every_error_and_every_record_is_exported() -> None:
    theirs = [
        name
        for module in (errors, records)
        for name, member in inspect.getmembers(module, inspect.isclass)
        if issubclass(member, errors.AgentMemoryError | records.MemoryRecord)
        and member.__module__.startswith("agent_memory.")
    ]
    assert {*theirs} <= {*agent_memory.__all__}


def test_importing_the_package_loads_next_to_nothing() -> None:
    program = (
        "import sys, agent_memory; print(*sorted(m for m in sys.modules if m.startswith('agent_memory')))"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["agent_memory", "agent_memory.version"]
