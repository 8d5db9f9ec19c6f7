"""A process that opens a file, asks it once by vector, and ends: `python cold.py FILE VECTOR.json`."""

import asyncio
import json
import sys
from pathlib import Path

import numpy as np

from agent_memory import AgentMemory
from agent_memory.settings import Settings
from agent_memory.storage.base import vector_store
from agent_memory.storage.where import Where
from agent_memory.vectors import Vector


async def main(file: str, query: Path) -> None:
    """Fetch the ten nearest to a vector with their documents."""
    async with AgentMemory(None, Settings(backend_config={"path": file})) as memory:
        vector = Vector(np.array(json.loads(query.read_text()), "<f4").tobytes())
        nearest = await vector_store(memory.backend).by_vector(vector, Where(), 10)
        await memory.backend.get([id for id, _ in nearest])


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
