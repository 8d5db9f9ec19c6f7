"""What arguments may be: small pools by the name of the parameter, so that steps meet each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, get_args

from agent_memory.recall.formats import Format
from agent_memory.recall.query import Mode
from agent_memory.records import MemoryType
from agent_memory.storage.base import Order
from agent_memory.transfer.deciding import OnConflict

START = datetime(2026, 5, 8, 12, 30, 33, 400, tzinfo=UTC)
"""When a walk begins."""

DIMENSION = 256
"""Of the vectors: enough that texts without a word in common are not near by chance."""

WORDS: Mapping[str, str] = {
    "The heron stands in the shallow water": "heron",
    "the heron stands in the shallow water.": "heron",
    "Alice is the manager of Bob, says the osprey": "osprey",
    "Bob is the manager of Alice, says the osprey": "osprey",
    "- deploy failed\n- the kestrel hovers": "kestrel",
    "Der Zaunkönig singt: cafe\u0301 um 6:30": "zaunkönig",
    '{"bittern": [1, 2.50, null]}': "bittern",
    "rm -rf build && computeShippingCost(siskin, 's3')": "siskin",
    "  the   plover\truns \n": "plover",
    "wren": "wren",
    "今天天气很好 moorhen 👩‍👩‍👧": "moorhen",
    "# Field notes\n\nThe marsh is quiet. The marsh is quiet.\n\nThen an avocet calls.": "avocet",
    "Lapwings tumble; <b>lapwing</b> & friends": "lapwing",
    "Dunlin: 3.10 of 10, yes": "dunlin",
}
"""Texts, each with a word that hardly another has."""
TEXTS = tuple(WORDS)
QUERIES = (*dict.fromkeys(WORDS.values()), *TEXTS, "alpha", "manager of the marsh", "🎉")
DOCUMENTS = (*TEXTS, *("\n\n".join(TEXTS[place : place + 3]) for place in range(0, len(TEXTS) - 3, 2)))
"""What stands in files."""
FILES = ("notes/one.md", "notes/two.txt", "three.md")

_TIMES = (
    START - timedelta(days=1),
    START,
    datetime(2020, 1, 1, tzinfo=UTC),
    datetime(2026, 5, 8, 1, 30, tzinfo=timezone(timedelta(hours=9))),
    datetime(2023, 3, 1, 12, 0, 33, 999_700, tzinfo=UTC),
    START + timedelta(days=10),
)
_METADATA = ({"env": "dev"}, {"env": "prod", "n": 1}, {"deep": {"a": [1, None, "x"]}}, {"t": (1, 2)})
_DURATIONS = (3600.0, "7d", timedelta(days=30), 60)
_TAGS = ("blue", "red", "blau", ["blue"], ["red", "blau"])
_NAMES = ("alpha", "beta", "Gamma one")
_SESSIONS = ("river", "lake")
_TRIGGERS = ("merge conflict", "deploy")
_OUTCOMES = ("success", "failed: timeout", "error-free", "4 of 5")
_TYPES = tuple(memory_type.value for memory_type in MemoryType)
_FLAGS = (False, True)
_CONTENT = ("content", "context", "fact", "description", "pattern", "preference", "new_content", "action")
_QUERY = ("query", "situation", "text")
SAID = frozenset([*_CONTENT, *_QUERY, "value", "chunks", "document"])
"""What is said, as against how it is named."""


def _all(names: str, values: Sequence[Any]) -> dict[str, Sequence[Any]]:
    return dict.fromkeys(names.split(), values)


POOLS: Mapping[str, Sequence[Any]] = {
    # texts
    **dict.fromkeys(_CONTENT, TEXTS),
    **dict.fromkeys(_QUERY, QUERIES),
    "chunks": [list(TEXTS[:1]), list(TEXTS[1:3]), list(TEXTS[2:5]), [*TEXTS[:2], TEXTS[6]]],
    "steps": [["pull"], ["pull", "run the tests"], ["run the tests", "pull", "tag it"]],
    "format_template": ["{role}: {content}", "{name} ({time}) {content}"],
    # names
    **_all("key name", _NAMES),
    **_all("conversation_id session", _SESSIONS),
    **_all("outcome result", _OUTCOMES),
    "title": ["Field notes", "Ledger"],
    "document_id": ["doc-1", "doc-2"],
    "source": ["web", "mail"],
    "category": ["ui", "git"],
    "context_type": ["general", "code"],
    "event_type": ["deploy", "action"],
    "role": ["user", "assistant", "system", "tool"],
    "location": ["Oslo", "room 5"],
    "trigger": _TRIGGERS,
    "triggers": [list(_TRIGGERS[:1]), list(_TRIGGERS)],
    "participants": [["Alice"], ["Alice", "Bob"]],
    **_all("tags add_tags remove_tags", _TAGS),
    **_all("metadata extra_metadata", _METADATA),
    "value": [*TEXTS[5:], 1, 2.5, None, [1, {"a": None}], {"t": (1, 2)}, "heron\r\n"],
    # numbers and times
    **_all("importance updated_importance", [0.5, 0.0, 0.3, 1.0]),
    **_all("min_importance min_score min_relevance", [0.0, 0.4]),
    "standing_share": [None, 0.0, 0.5],
    "similarity_threshold": [0.9, 0.5, 1.0],
    **_all("ttl additional_time", _DURATIONS),
    "duration": [90.0, timedelta(minutes=2)],
    **_all("occurred_at at since until start end created_at expires_at", _TIMES),
    "limit": [10, 1, 3, 100],
    "offset": [0, 1],
    "page": [1, 3, 20],
    "count": [1, 2, 3],
    "n": [1, 3],
    "last": [0, 3],
    "hours": [24.0, 1.5],
    "min_uses": [1, 3],
    "budget": [2000, 120],
    # choices
    "type": _TYPES,
    "types": [*_TYPES, list(_TYPES[:2]), list(_TYPES[2:5])],
    "status": ["active", "archived", None],
    "mode": get_args(Mode),
    "format": get_args(Format),
    "on_conflict": get_args(OnConflict),
    "sort": ["created", "updated", "occurred", "used", "importance"],
    "order": [Order("created", descending=False), Order("occurred")],
    **_all(
        "purge shred dry_run force pinned expired success archived prune prune_empty replace default standing",
        _FLAGS,
    ),
    **_all(
        "explain count_access missing_ok detailed descending include_system history usage with_vectors",
        _FLAGS,
    ),
    # embedders, files, other stores
    "embedding_provider": [None, "dummy"],
    "embedding_config": [None, {"dimension": DIMENSION}, {"dimension": 192}],
    "file": ["one.jsonl", "two.jsonl"],
    "target": ["memory", "sqlite://other.db"],
    "glob": ["*.md", "*.txt"],
    "defaults": [{"tags": ["blue"]}, {"type": "event", "source": "web"}],
}
"""By name of the parameter."""

LEFT_OUT: Mapping[str, str] = {
    "progress": "is called back, and changes nothing",
    "names": "say what an error calls each item",
    "summarizer": "is the caller's own; without it a summary is picked",
    "revision": "is tested where revisions are known; any other is a conflict",
    "must_exist": "is a refusal where nothing is there, and changes nothing else",
    "rerank": "loads a model, and changes nothing but the order",
    "backend_config": "belongs to a target given by name; here it is a URL",
    "switch": "refuses all writes that follow; is tested with writers beside it",
}
"""Parameters that stay as they are, and why."""

KEPT_BY_THE_LIBRARY = frozenset(
    ["kind", "position", "use_count", "success_count", "last_used_at", "superseded_by", "value", "path"]
)
"""A type's own fields that its verbs keep; given from outside they say what is not so."""
