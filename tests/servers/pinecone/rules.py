"""What Pinecone takes and what it refuses: ids, vectors, metadata, and its filter language."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

METADATA = 40_960
UPSERT = 2 * 1024 * 1024
_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "$gt": lambda left, right: left > right,
    "$gte": lambda left, right: left >= right,
    "$lt": lambda left, right: left < right,
    "$lte": lambda left, right: left <= right,
}


class RefusedError(Exception):
    """An answer that is an error."""

    def __init__(self, status: int, message: str, code: int = 3) -> None:
        super().__init__(message)
        self.status, self.message, self.code = status, message, code


def checked_id(name: Any) -> str:
    if not isinstance(name, str) or not 1 <= len(name) <= 512 or not name.isascii():
        raise RefusedError(400, f"the id {name!r} is not ASCII of 1 to 512 characters")
    return name


def checked(dimension: int, values: Any) -> Any:
    if len(values) != dimension:
        raise RefusedError(
            400,
            f"Vector dimension {len(values)} does not match the dimension of the index {dimension}",
        )
    vector = np.asarray(values, "<f4")
    if not np.isfinite(vector).all():
        raise RefusedError(400, "a value is not a finite number")
    if not vector.any():
        raise RefusedError(400, "Dense vectors must contain at least one non-zero value")
    return vector


def checked_metadata(record: Mapping[str, Any]) -> dict[str, Any]:
    metadata = record.get("metadata") or {}
    size = len(json.dumps(metadata, ensure_ascii=False, separators=(",", ":")).encode())
    if size > METADATA:
        raise RefusedError(
            400, f"Metadata size is {size} bytes, which exceeds the limit of {METADATA} bytes per vector"
        )
    for name, value in metadata.items():
        good = isinstance(value, (str, bool, int, float)) or (
            isinstance(value, list) and all(isinstance(item, str) for item in value)
        )
        if not good:
            raise RefusedError(
                400,
                f"Metadata value must be a string, number, boolean or list of strings, got {value!r} for {name}",
            )
    return dict(metadata)


def checked_filter(wanted: Mapping[str, Any]) -> Mapping[str, Any]:
    for name, condition in wanted.items():
        if name in ("$and", "$or"):
            if not isinstance(condition, list) or not condition:
                raise RefusedError(400, f"{name} takes a list of conditions")
            for item in condition:
                checked_filter(item)
        elif isinstance(condition, dict):
            for operator, value in condition.items():
                if operator in _COMPARE and (isinstance(value, bool) or not isinstance(value, (int, float))):
                    raise RefusedError(400, f"{operator} takes a number")
                if operator in ("$in", "$nin") and not isinstance(value, list):
                    raise RefusedError(400, f"{operator} takes a list")
                if operator not in (*_COMPARE, "$eq", "$ne", "$in", "$nin", "$exists"):
                    raise RefusedError(400, f"unknown operator {operator}")
        elif not isinstance(condition, (str, int, float, bool)):
            raise RefusedError(400, f"{name} cannot be compared with {condition!r}")
    return wanted


def fits(metadata: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Return whether a record's metadata fulfils a filter."""
    for name, condition in wanted.items():
        if name == "$and":
            good = all(fits(metadata, item) for item in condition)
        elif name == "$or":
            good = any(fits(metadata, item) for item in condition)
        else:
            tests = condition if isinstance(condition, dict) else {"$eq": condition}
            good = all(_holds(metadata.get(name), operator, value) for operator, value in tests.items())
        if not good:
            return False
    return True


def _holds(actual: Any, operator: str, value: Any) -> bool:
    if operator == "$exists":
        return (actual is not None) is value
    several = actual if isinstance(actual, list) else [actual]
    if operator == "$eq":
        return any(_equal(item, value) for item in several)
    if operator == "$ne":
        return not any(_equal(item, value) for item in several)
    if operator == "$in":
        return any(_equal(item, other) for item in several for other in value)
    if operator == "$nin":
        return not any(_equal(item, other) for item in several for other in value)
    number = isinstance(actual, (int, float)) and not isinstance(actual, bool) and math.isfinite(actual)
    return number and _COMPARE[operator](float(actual), float(value))


def _equal(left: Any, right: Any) -> bool:
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    numbers = isinstance(left, (int, float)) and isinstance(right, (int, float))
    return float(left) == float(right) if numbers else left == right
