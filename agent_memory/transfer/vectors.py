"""Vectors as text: half precision, base64. Half precision is what files keep anyway, so nothing is rounded twice."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Final

from agent_memory.vectors import Vector

_NEAR: Final = 0.002
"""How far the numbers of unit vectors may be apart that were rounded to half precision, or made on two machines."""


def to_text(vector: Vector) -> str:
    """Write a vector of float32."""
    import numpy as np

    return base64.b64encode(np.frombuffer(vector, "<f4").astype("<f2").tobytes()).decode("ascii")


def from_text(text: str) -> Vector:
    """Read what `to_text` wrote, as float32.

    Returns:
        The vector.

    Raises:
        ValueError: it is no such text.
    """
    import numpy as np

    try:
        return Vector(np.frombuffer(base64.b64decode(text, validate=True), "<f2").astype("<f4").tobytes())
    except (binascii.Error, TypeError) as error:
        raise ValueError("a vector is not base64") from error


def near(some: Sequence[Vector], others: Sequence[Vector]) -> bool:
    """Return whether two memories have the same vectors, but for rounding."""
    import numpy as np

    if [len(item) for item in some] != [len(other) for other in others]:
        return False
    left, right = np.frombuffer(b"".join(some), "<f4"), np.frombuffer(b"".join(others), "<f4")
    return bool(np.abs(left - right).max(initial=0.0) <= _NEAR)
