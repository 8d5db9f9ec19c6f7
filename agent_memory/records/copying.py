"""Records of which the caller may change what is mutable: a store may keep those that it returned."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from typing import Any

from agent_memory.records.base import R
from agent_memory.records.registry import OWN_FIELDS


def copied(record: R) -> R:
    """Return a record that shares nothing changeable with the one given."""
    changeable: dict[str, Any] = {
        own.name: deepcopy(value)
        for own in OWN_FIELDS[record.memory_type]
        if isinstance(value := getattr(record, own.name), (dict, list))
    }
    # One without any has an empty dictionary, in which the caller may put something.
    changeable["metadata"] = deepcopy(dict(record.metadata)) if record.metadata else {}
    return replace(record, **changeable)
