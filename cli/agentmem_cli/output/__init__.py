"""Results on stdout in the form asked for; everything said about them on stderr.

The forms: a table for people on a terminal, plain text for pipes, JSON and NDJSON for programs, CSV for spreadsheets,
and bare ids.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from agent_memory import clock
from agent_memory.records import MemoryRecord, ScoredMemory, Version, to_dict
from agentmem_cli import hints, streams
from agentmem_cli.output import plain
from agentmem_cli.output.shapes import changed_fields, recall_to_dict, scored_to_dict, version_to_dict

if TYPE_CHECKING:
    from agent_memory import Recall

Row = Mapping[str, Any]
SHORT_ID = 8
_ROOM_FOR_TABLES = 60
"""On a narrower terminal a table has no room for what the memories say: there results are lines, as in a pipe."""
DEFAULT_COLUMNS = ("id", "type", "created", "content", "tags")


class Output:
    """Prints results in one form."""

    def __init__(self, form: str | None, *, quiet: bool = False, verbose: bool = False) -> None:
        self.terminal = sys.stdout.isatty()
        self.form = form or ("table" if self.terminal and streams.columns() >= _ROOM_FOR_TABLES else "text")
        self.quiet = quiet
        self.verbose = verbose

    # --- beside the results --------------------------------------------------------------------------------

    def note(self, text: str) -> None:
        """Say something on stderr, unless asked to be quiet."""
        if not self.quiet:
            sys.stdout.flush()
            with suppress(OSError):  # what was asked for counts, not what is said of it
                print(hints.worded(text), file=sys.stderr)  # noqa: T201

    def detail(self, text: str) -> None:
        """Say something on stderr if asked to say more."""
        if self.verbose:
            self.note(text)

    # --- single values -------------------------------------------------------------------------------------

    def line(self, text: str) -> None:
        """Print a line on stdout."""
        print(text)  # noqa: T201

    def raw(self, text: str) -> None:
        """Print a text as it is."""
        sys.stdout.write(text if text.endswith("\n") or not text else text + "\n")

    def _json(self, value: Any) -> None:
        indent = 2 if self.terminal and self.form == "json" else None
        text = json.dumps(value, ensure_ascii=False, indent=indent, default=str)
        if not streams.can_write(text):
            text = json.dumps(value, indent=indent, default=str)
        self.line(streams.harmless_json(text) if self.terminal else text)

    def _programs(self, rows: Sequence[Any], ids: Sequence[Any]) -> bool:
        """Print for programs where that is asked for; False leaves it to the forms for people."""
        if self.form == "json":
            self._json(rows)
        elif self.form == "ndjson":
            for row in rows:
                self._json(row)
        elif self.form == "csv":
            self._csv(rows)
        elif self.form == "id":
            for memory_id in ids:
                self.line(str(memory_id))
        else:
            return False
        return True

    def _csv(self, rows: Iterable[Row], columns: Sequence[str] = ()) -> None:
        from agentmem_cli.output import comma_separated

        comma_separated.write(rows, sys.stdout, columns)

    def value(self, value: Any) -> None:
        """Print one value; nothing for None."""
        if self.form in ("json", "ndjson"):
            self._json(value)
        elif value is not None:
            self.line(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))

    def id(self, id: str) -> None:
        """Print the id of what was stored, whole: it is what a script takes on."""
        if self.form in ("json", "ndjson"):
            self._json({"id": id})
        elif self.form == "csv":
            self._csv([{"id": id}])
        else:
            self.line(id)

    def ids(self, ids: Sequence[str]) -> None:
        """Print several ids."""
        if not self._programs([{"id": id} for id in ids], ids):
            for id in ids:
                self.line(id)

    def chunks(self, rows: Sequence[Row]) -> None:
        """Print the chunks of documents: for people their ids, for programs what else is known of each."""
        ids = [row["id"] for row in rows]
        if not self._programs(rows, ids):
            for id in ids:
                self.line(id)

    def written(self, written: Sequence[Any]) -> None:
        """Print what came of adding memories: their ids, and on stderr which were known."""
        rows = [
            {
                "id": write.id,
                "outcome": write.outcome,
                **({"changed": list(write.changed)} if write.changed else {}),
            }
            for write in written
        ]
        known = [
            write.id for write in written if write.outcome in ("known", "unchanged") and not write.changed
        ]
        if self.form == "json":
            self._json(rows[0] if len(rows) == 1 else rows)
        elif not self._programs(rows, [write.id for write in written]):
            for write in written:
                self.line(write.id)
        if len(known) == 1:
            self.note(f"already known: {known[0][:SHORT_ID]}")
        elif known:
            self.note(f"already known: {len(known)} of {len(written)}")
        for write in written:
            if write.changed:
                self.note(
                    f"already known: {write.id[:SHORT_ID]}, which took over {plain.listed(write.changed)}"
                )
            if write.outcome == "updated":
                self.note(f"new version of {write.id[:SHORT_ID]} (agentmem history {write.id[:SHORT_ID]})")

    def forgotten(
        self,
        records: Sequence[MemoryRecord],
        *,
        dry_run: bool = False,
        purge: bool = False,
        shred: bool = False,
    ) -> None:
        """Print which memories were put away, and on stderr what is left of them."""
        if not self._programs([to_dict(result) for result in records], [result.id for result in records]):
            for result in records:
                self.line(f"{result.id[:SHORT_ID]}  {plain.cut(result.content, 80)}")
        count = len(records)
        if dry_run:
            verb = "shred" if shred else "purge" if purge else "archive"
            self.note(f"would {verb} {count}")
        elif shred:
            self.note(f"shredded {count}; nothing is left in the file. Copies and backups are not reached")
        elif purge:
            self.note(f"purged {count}; history still holds its text: undo brings it back, --shred erases it")
        elif count:
            back = f"agentmem restore {records[0].id[:SHORT_ID]}" if count == 1 else "agentmem undo"
            self.note(f"archived {count} ({back})")
        else:
            self.note("nothing to put away")

    # --- memories ------------------------------------------------------------------------------------------

    def record(self, record: MemoryRecord) -> None:
        """Print one memory with all that is known of it."""
        self.full_records([record])

    def full_records(self, records: Sequence[MemoryRecord], *, many: bool = False) -> None:
        """Print memories one below the other with all that is known of them."""
        rows = [to_dict(record) for record in records]
        if self.form == "json":
            self._json(rows if many or len(rows) != 1 else rows[0])
        elif not self._programs(rows, [record.id for record in records]):
            for place, row in enumerate(rows):
                if place:
                    self.line("")
                self._details({name: value for name, value in row.items() if value not in (None, [], {}, "")})

    def records(
        self,
        records: Sequence[MemoryRecord],
        columns: Sequence[str] = DEFAULT_COLUMNS,
        *,
        none: str = "nothing here yet",
    ) -> None:
        """Print a list of memories; where there are none, say so in these words on stderr."""
        self._say_if_empty(records, none)
        if self._programs([to_dict(record) for record in records], [record.id for record in records]):
            return
        if self.form == "table":
            from agentmem_cli.output import tables

            tables.records(records, columns)
        else:
            for record in records:
                self.line(plain.record(record, columns))

    def scored(
        self, results: Sequence[ScoredMemory], terms: Sequence[str] = (), *, explain: bool = False
    ) -> None:
        """Print what a search found, best first; where that is nothing, say so on stderr."""
        self._say_if_empty(results, "nothing found")
        rows = [scored_to_dict(result) for result in results]
        if self._programs(rows, [result.memory.id for result in results]):
            return
        if self.form == "table":
            from agentmem_cli.output import tables

            tables.scored(results, terms, explain=explain)
        else:
            for result in results:
                self.line(plain.scored(result))
                if explain and result.explanation is not None:
                    self.line("    " + plain.explanation(result))

    def messages(self, records: Sequence[MemoryRecord]) -> None:
        """Print messages as a conversation."""
        self._say_if_empty(records, "no messages")
        if not self._programs([to_dict(result) for result in records], [result.id for result in records]):
            for result in records:
                self.line(plain.message(result))

    def turns(self, rows: Sequence[Row]) -> None:
        """Print pairs of what was said and answered."""
        self._say_if_empty(rows, "no messages")
        ids = [side["id"] for row in rows for side in (row["user"], row["assistant"]) if side]
        if self._programs(rows, ids):
            return
        for row in rows:
            for said in (row["user"], row["assistant"]):
                if said:
                    self.line(f"{said['name'] or said['role']}: {said['content']}")

    def texts(self, records: Sequence[MemoryRecord]) -> None:
        """Print the texts of memories, one after the other."""
        if not self._programs([to_dict(result) for result in records], [result.id for result in records]):
            self.raw("".join(result.content for result in records))

    def groups(self, rows: Sequence[Row]) -> None:
        """Print memories that belong together: the one that stays, those that say the same (=), similar ones (~)."""
        self._say_if_empty(rows, "no two say the same, and none are similar")
        if self._programs(rows, [row["kept"]["id"] for row in rows]):
            return
        for row in rows:
            self.line(f"{row['kept']['id'][:SHORT_ID]}  {plain.cut(row['kept']['content'], 90)}")
            for sign, beside in (("=", row["merged"]), ("~", row["similar"])):
                for item in beside:
                    self.line(f"  {sign} {item['id'][:SHORT_ID]}  {plain.cut(item['content'], 86)}")

    def versions(self, versions: Sequence[Version]) -> None:
        """Print a memory's history."""
        if not self._programs(
            [version_to_dict(result) for result in versions], [result.revision for result in versions]
        ):
            for result in versions:
                text = result.after or result.before
                names = ", ".join(changed_fields(result))
                changed = f"  ({names})" if names else ""
                changed += f"  by {result.actor}" if result.actor else ""
                start = f"{clock.shown_minute(result.at)}  {result.verb:<9}  "
                room = max(20, min(100, plain.line_width() - len(start) - len(changed)))
                said = plain.cut(text.content, room) if text is not None else "(erased)"
                self.line(start + said + changed)

    def recall(self, recall: Recall) -> None:
        """Print a packed text; for programs, with an account of what is in it."""
        if self.form in ("text", "table"):
            self.raw(recall.text)
        elif self.form == "id":
            for item in recall.items:
                self.line(item.memory.id)
        elif self.form == "csv":
            self._csv(recall_to_dict(recall)["items"])
        else:
            self._json(recall_to_dict(recall))

    # --- rows of anything ----------------------------------------------------------------------------------

    def _say_if_empty(self, items: Sequence[object], none: str) -> None:
        if not items and none:
            self.note(none)

    def rows(
        self,
        rows: Iterable[Row],
        *,
        id: str = "id",
        columns: Sequence[str] | None = None,
        none: str = "nothing here yet",
    ) -> None:
        """Print rows with named values; `id` names the one that `-o id` prints. Without any, `none` is said."""
        listed = list(rows)
        self._say_if_empty(listed, none)
        if self._programs(listed, [row.get(id) for row in listed]):
            return
        shown = list(columns or dict.fromkeys(name for row in listed for name in row))
        if self.form == "table":
            from agentmem_cli.output import tables

            tables.rows(listed, shown)
        else:
            for row in listed:
                self.line("\t".join(plain.cell(row.get(name)) for name in shown))

    def stream(self, rows: Iterable[Row]) -> None:
        """Print rows as they come, however many; `-o id` prints the first value of each."""
        from agentmem_cli.output import streaming

        streaming.write(self, rows)

    def details(self, row: Row) -> None:
        """Print one set of named values."""
        if self.form in ("json", "ndjson"):
            self._json(row)
        elif self.form == "csv":
            self._csv([row])
        else:
            self._details(row)

    def _details(self, row: Row) -> None:
        if self.form == "table":
            from agentmem_cli.output import tables

            tables.details(row)
            return
        width = max((len(name) for name in row), default=0)
        for name, value in row.items():
            self.line(f"{name:<{width}}  {plain.cell(value)}")
