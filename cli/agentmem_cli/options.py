"""Options that several commands have, each once."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from agent_memory.errors import ValidationError
from agent_memory.records import TYPE_ALIASES
from agent_memory.text.incoming import check_depth, too_deep

Text = Annotated[
    str | None, typer.Argument(metavar="[TEXT|-]", help="The text; - or a pipe reads it from stdin.")
]
Reference = Annotated[str, typer.Argument(metavar="ID|KEY", help="An id, the beginning of one, or a key.")]
References = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="ID|KEY ...", help="Ids, beginnings of ids (4 characters or more), or keys; - reads them."
    ),
]
Files = Annotated[
    list[Path] | None,
    typer.Option("--file", metavar="FILE", help="Take the text from a file; may be repeated."),
]
Glob = Annotated[
    str | None,
    typer.Option("--glob", metavar="GLOB", help="Take texts from the files that fit, such as '*.md'."),
]

Types = Annotated[
    list[str] | None,
    typer.Option(
        "--type", metavar="TYPE", help=f"Only this type: {', '.join(TYPE_ALIASES)}; may be repeated."
    ),
]
Tags = Annotated[
    list[str] | None, typer.Option("--tag", "-t", metavar="TAG", help="Only with any of these tags.")
]
Since = Annotated[
    str | None, typer.Option("--since", metavar="TIME", help="Only from then on: 2026-05-08, yesterday, 7d.")
]
Until = Annotated[str | None, typer.Option("--until", metavar="TIME", help="Only before then.")]
Rerank = Annotated[
    bool,
    typer.Option(
        "--rerank",
        help="Order the best 50 by how well their words match; with rerank.model, by a cross-encoder.",
    ),
]
MinImportance = Annotated[
    float,
    typer.Option("--min-importance", metavar="0..1", min=0.0, max=1.0, help="Only this important or more."),
]
Where = Annotated[
    list[str] | None,
    typer.Option(
        "--where",
        metavar="K=V",
        help="Only where the metadata says so: lang=en, stars>=3, or lang: has any; repeated, all must hold.",
    ),
]
Session = Annotated[
    str | None, typer.Option("--session", metavar="SESSION", help="The session or conversation.")
]
Conversation = Annotated[
    str | None, typer.Option("--conversation", "-c", metavar="CONVERSATION", help="Which conversation.")
]

NewTags = Annotated[
    list[str] | None, typer.Option("--tag", "-t", metavar="TAG", help="A tag; may be repeated.")
]
Metadata = Annotated[
    list[str] | None, typer.Option("--meta", "-m", metavar="K=V", help="A metadata value; may be repeated.")
]
Importance = Annotated[
    float | None, typer.Option("--importance", metavar="0..1", min=0.0, max=1.0, help="How much it matters.")
]
Ttl = Annotated[
    str | None, typer.Option("--ttl", metavar="TIME", help="How long it lives: 90s, 10m, 2h, 7d.")
]
At = Annotated[str | None, typer.Option("--at", metavar="TIME", help="When it happened, if not now.")]
Key = Annotated[
    str | None, typer.Option("--key", "-k", metavar="KEY", help="A name; adding again makes a version.")
]
Source = Annotated[str | None, typer.Option("--source", metavar="TEXT", help="Where it comes from.")]
Force = Annotated[bool, typer.Option("--force", help="Store it even if it is known already.")]
NoEmbed = Annotated[
    bool, typer.Option("--no-embed", help="Leave embedding to a later search or `agentmem index`.")
]

ListLimit = Annotated[int, typer.Option("--limit", "-n", metavar="N", min=1, help="How many at most.")]
FewLimit = Annotated[int, typer.Option("--limit", "-n", metavar="N", min=1, help="How many at most.")]
EventLimit = Annotated[int, typer.Option("--limit", "-n", metavar="N", min=1, help="How many at most.")]
All = Annotated[bool, typer.Option("--all", help="All of them, however many.")]
EventKind = Annotated[str | None, typer.Option("--type", metavar="KIND", help="Only this kind of event.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only show what would be done.")]
Purge = Annotated[bool, typer.Option("--purge", help="Take the rows away; only history keeps the text.")]
Shred = Annotated[bool, typer.Option("--shred", help="Leave nothing, in history either. Cannot be undone.")]

EVENT_COLUMNS = ("id", "happened", "event_type", "outcome", "content", "tags")


def only_given(**values: Any) -> dict[str, Any]:
    """Return the arguments that were given; the library's own defaults hold for the others."""
    return {name: value for name, value in values.items() if value is not None}


def metadata(pairs: Sequence[str] | None) -> dict[str, Any] | None:
    """Read `k=v` pairs; a value that is a JSON number, true, false, null, list or object is that."""
    if not pairs:
        return None
    result: dict[str, Any] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.strip():
            raise ValidationError(f"'{pair}' is not a metadata value", hint="give it as name=value")
        if name.strip() in result:
            raise ValidationError(
                f"'{name.strip()}' is given twice", hint=f"give one value, or a list: '{name.strip()}=[1, 2]'"
            )
        result[name.strip()] = scalar(value)
    return result


def scalar(text: str) -> Any:
    """Read a value as JSON if it is some, else as the text it is; 3.10, 1e5 and NaN are texts.

    A number is one only where it prints back as it was typed: versions, hashes and times of builds look like numbers.

    Returns:
        The value.
    """  # noqa: DOC501
    try:
        value = json.loads(text, parse_float=_number, parse_int=_number, parse_constant=str)
    except ValueError:
        return text
    except RecursionError:
        raise too_deep("a value") from None
    check_depth(value, "a value")
    return value


def _number(text: str) -> int | float | str:
    number = float(text) if "." in text or "e" in text.lower() else int(text)
    return number if json.dumps(number) == text else text


_CONDITION = re.compile(r"^([^=!<>]+?)\s*(>=|<=|!=|=|<|>)\s*(.*)$", re.DOTALL)


def where(texts: Sequence[str] | None) -> dict[str, list[dict[str, Any]]] | None:
    """Read conditions such as `lang=en`, `stars>=3` and `lang` (is there at all); all of them must hold."""
    if not texts:
        return None
    result: dict[str, list[dict[str, Any]]] = {}
    for text in texts:
        match = _CONDITION.match(text)
        if match is not None and match[3][:1] in tuple("=<>!"):
            match = None
        if match is None and (not text.strip() or any(sign in text for sign in "=<>")):
            raise ValidationError(
                f"'{text}' is not a condition", hint="give it as lang=en, stars>=3 or lang!=en"
            )
        if match is None:
            result.setdefault(text.strip(), []).append({"exists": True})
        else:
            result.setdefault(match[1].strip(), []).append({match[2]: scalar(match[3])})
    return result


def moments(since: str | None, until: str | None) -> dict[str, Any]:
    """Read a period as the library takes it."""
    from agent_memory.clock import parse_moment

    return {
        "since": parse_moment(since) if since else None,
        "until": parse_moment(until) if until else None,
    }
