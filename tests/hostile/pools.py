"""Values for arguments, options and stdin: usual ones, and hostile ones made of odd pieces."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, Final

# fmt: off
PIECES: Final = (
    "deploy", "the heron", "Zaunkönig", "cafe\u0301", "今天天气", "👩\u200d👩\u200d👧", "مرحبا", "\u202e",
    "\u2066x\u2069", "\ufeff", "\x1b]0;owned\x07", "\x1b[2J", "\x9b31m", "\r", "\n", "\t", "\x0b", "\x85",
    "\u2028", "\x01", "\x7f", "\ufffe", "\udcff", "\udc80\udce9", "- one", "-", "--", "--purge", "-x", "=",
    "a=b", "a b=c", "=b", "key=", "!=", ">=5", "'", '"', "`id`", "$(id)", "%s", "{0}", "{role}", "\\", "/",
    "../..", "~", "~nosuchuser/x", "*", "[", "]", "<b>", "0", "-1", "1e999", "nan", "inf", "0.5", "9" * 40,
    "1.0.0", "3.10", "0x10", "١٢", "½", "1,5", "true", "null", "today", "yesterday", "3 days ago",
    "2026-02-30", "9999-12-31T23:59Z", "0001-01-01", "24:00", "2h", "7d", "-5m", "now", "last week", "10:30",
    "1760000000", "2026-03-08T02:30", "Thu, 07 May 2026 10:00:00 +0200", "99999d", '{"a": 1}', "[1,",
    '{"a":{"a":{}}}', "NaN", "# Title", "```", "</memory>", "]]>", "&amp;", "\n\n# System\n",
)
# fmt: on
"""What hostile texts are made of; those of the surrogates are bytes that are no UTF-8."""
_LONG: Final = (
    "a",
    "today ",
    "[",
    '{"a":',
    "e\u0301",
    "👩‍👩‍👧",
    "-",
    "' ",
    "1.",
    "x/",
    "\n",
    "=",
    "😀",
    "A1",
    "((",
)


def hostile(chance: Random) -> str:
    """Make a text of odd pieces; now and then a very long one."""
    if chance.random() < 0.08:
        piece = chance.choice(_LONG)
        return piece * (chance.choice((300, 5_000, 60_000)) // len(piece.encode("utf-8", "surrogateescape")))
    glue = chance.choice(("", " ", " ", "\n"))
    return glue.join(chance.choice(PIECES) for _ in range(chance.choice((1, 1, 1, 2, 3, 5))))


_TEXTS = ("The heron stands in the water", "deploy failed: timeout", "uses s3", "a")
_KEYS = ("city", "theme", "step", "no such key", "release")
_NAMES = ("default", "other", "new", "Ann")
_TIMES = ("2026-05-08", "2026-05-08T10:00Z", "yesterday", "2h", "30d", "90s")
_FILES = (
    "notes.md",
    "missing.md",
    "folder",
    "fifo",
    "empty.md",
    "latin1.txt",
    "export.jsonl",
    "new.jsonl",
    "big.txt",
)
_TYPES = ("fact", "note", "chat", "event", "doc", "skill", "episodic", "facts", "pref", "work")
_URLS = (
    *(
        "memory",
        "sqlite",
        "new.db",
        "sqlite://new.db",
        "redis://127.0.0.1:1/0",
        "postgresql://u:p w@127.0.0.1:1/x",
    ),
    *("chroma://folder", "pinecone://x", "nonsense://x", "redis://:secret@[::1]:1", "folder", "export.jsonl"),
)

USUAL: Final[Mapping[str, Sequence[str]]] = {
    **dict.fromkeys(("TEXT|-", "TEXT", "VALUE|-", "QUERY|-", "WORDS"), (*_TEXTS, "-", "")),
    **dict.fromkeys(
        ("KEY", "ID|KEY", "SKILL", "DOCUMENT", "SETTING"), (*_KEYS, "{id}", "{prefix}", "abc", "")
    ),
    **dict.fromkeys(("NAME", "AGENT", "NEW-NAME", "ROLE", "PLACE", "KIND", "CATEGORY", "COMMAND"), _NAMES),
    **dict.fromkeys(("SESSION", "CONVERSATION", "NEW-ID"), ("talk", "river", "{id}")),
    **dict.fromkeys(("FILE", "PATH", "FILE|-", "PATH|-", "NEW", "GLOB"), (*_FILES, "-", "*.md", "**")),
    **dict.fromkeys(("URL", "URL|PATH"), _URLS),
    **dict.fromkeys(("N", "TOKENS"), ("0", "1", "5", "1000000", "-3", "2.5")),
    "TAG": ("bird", "blue", "no such tag"),
    "TYPE": _TYPES,
    "TIME": _TIMES,
    "K=V": ("env=prod", "n=3", "n>=2", "env!=dev", "deep.a=1", "ver=3.10", "novalue", "=x"),
    "NAME=VALUE": ("word=heron", "n=3", "n=", "=x", "novalue", "a-b=1"),
    "SQL|-": (
        *(
            "select id, content from memory",
            "select count(*) from memory_fts where memory_fts match :word",
            "",
        ),
        *("delete from memory", "attach 'other.db' as x", "pragma journal_mode=delete", "select 1; select 2"),
        *(
            "select * from nowhere",
            "select load_extension('x')",
            "with recursive c(n) as (select 1 union all select n+1 from c limit 20000) select * from c",
            "vacuum",
            "select x'00ff', 1e999, null, 'a' || char(0)",
        ),
    ),
    "0..1": ("0", "0.5", "1", "1.1", "-0.1"),
    "MODE": ("hybrid", "keyword", "vector", "words"),
    "FORMAT": ("markdown", "text", "xml", "json", "messages", "yaml"),
    "FORM": ("table", "text", "json", "ndjson", "id", "csv", "yaml"),
    "BY": ("created", "updated", "occurred", "used", "importance", "size"),
    "created|used|success": ("created", "used", "success"),
    "WAY": ("newer", "skip", "keep", "overwrite", "ask"),
    "PROVIDER": ("none", "dummy", "local", "openai", "nobody"),
    "MODEL": ("minilm", "no-such-model", "../x", "sentence-transformers/all-MiniLM-L6-v2"),
    "VALUE": ("5", "true", "0.5", "", "dummy", "sqlite"),
    "LIST": ("recall", "recall,search,add", "add,", "remember", ""),
    "HOST": ("claude", "codex", "zed", "nobody", ""),
    "SHELL": ("bash", "zsh", "fish", "powershell", "tcsh"),
}
"""By what a value is called in the reference; `{id}` and `{prefix}` stand for a memory that is there."""


def value(chance: Random, called: str, ids: Sequence[str]) -> str:
    """Make a value for an argument or option."""
    if chance.random() < 0.35:
        return hostile(chance)
    found = chance.choice(USUAL[called])
    some = chance.choice(ids) if ids else "0000000000"
    return found.replace("{id}", some).replace("{prefix}", some[:6])


_WRONG: Final[Sequence[Any]] = (
    5,
    True,
    None,
    "no",
    "",
    [],
    {},
    [1],
    {"a": 1},
    1e308,
    -1,
    "2026-01-01",
    ["x", None],
)
_FIELDS: Final = (
    *(
        "content",
        "text",
        "type",
        "key",
        "tags",
        "tag",
        "metadata",
        "meta",
        "importance",
        "ttl",
        "at",
        "occurred_at",
    ),
    *(
        "created_at",
        "expires_at",
        "session",
        "source",
        "pinned",
        "steps",
        "triggers",
        "participants",
        "role",
        "id",
    ),
    *(
        "status",
        "position",
        "value",
        "duration",
        "outcome",
        "access_count",
        "embedding",
        "force",
        "colour",
        "kind",
    ),
)


def _line(chance: Random) -> str:
    made: dict[str, Any] = {"content": chance.choice(_TEXTS)} if chance.random() < 0.8 else {}
    if chance.random() < 0.5:
        made["type"] = chance.choice(_TYPES)
    for name in chance.sample(_FIELDS, chance.choice((0, 1, 1, 2, 3))):
        made[name] = chance.choice(_WRONG) if chance.random() < 0.7 else hostile(chance)
    line = json.dumps(made, ensure_ascii=chance.random() < 0.5)
    return (
        line if chance.random() < 0.85 else chance.choice((line[:-1], f"[{line}]", "5", '{"a":' * 9000, ""))
    )


def stdin(chance: Random, export: bytes) -> bytes:
    """Make what stands on stdin: text, lines, NDJSON or an export, in odd encodings."""
    kind = chance.choice(("text", "lines", "ndjson", "ndjson", "export", "rubbish", "empty"))
    if kind == "empty":
        return b""
    if kind == "rubbish":
        return chance.randbytes(chance.choice((1, 100, 70_000)))
    if kind == "export":
        data = export
    elif kind == "ndjson":
        made = "\n".join(_line(chance) for _ in range(chance.choice((1, 2, 5))))
        data = made.encode("utf-8", "surrogatepass")
    else:
        texts = [hostile(chance) for _ in range(1 if kind == "text" else chance.choice((2, 40)))]
        data = "\n".join(texts).encode("utf-8", "surrogateescape")
    if chance.random() < 0.3:
        data = data.replace(b"\n", b"\r\n")
    if chance.random() < 0.2:
        data = b"\xef\xbb\xbf" + data
    if chance.random() < 0.1:
        data = data.decode("utf-8", "replace").encode("utf-16")
    return data if chance.random() < 0.9 else data[: chance.randrange(len(data) + 1)]
