"""Errors as people and programs read them: one line on stderr that says what to type next, and an exit code."""

from __future__ import annotations

import errno
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from difflib import get_close_matches
from itertools import pairwise
from typing import Any

from agent_memory.errors import AgentMemoryError
from agentmem_cli import exit_codes, hints, streams

_INSTEAD = {
    ("agentmem event", "list"): "event timeline",
    ("agentmem config", "unset"): "config set NAME --unset",
    **{("agentmem", name): "search" for name in ("find", "query", "lookup", "ask")},
    **{("agentmem", name): "add" for name in ("save", "store", "insert")},
    **{("agentmem", name): "get" for name in ("show", "cat", "view")},
    **{("agentmem", name): "update" for name in ("edit", "tag")},
    **{("agentmem", name): "forget" for name in ("remove", "archive", "purge")},
    ("agentmem", "ls"): "list",
    ("agentmem", "count"): "stats",
    ("agentmem", "info"): "status",
    ("agentmem", "check"): "doctor",
    ("agentmem", "backup"): "export",
    ("agentmem", "context"): "recall",
}
"""Commands that people look for, and what does it here."""

_PLAINLY = (
    (r"^Got unexpected extra argument\(s\)", "unexpected extra argument"),
    (r"is not a valid (int|integer)( range)?$", "is not a whole number"),
    (r"is not a valid float( range)?$", "is not a number"),
    (r"is not in the range x>=([\d.]+)$", r"is too small, the least is \1"),
    (r"is not in the range ([\d.]+)<=x<=([\d.]+)$", r"is not between \1 and \2"),
)
"""What the parser says, and the same in words."""
_WHAT_TO_DO = {
    errno.ENOSPC: "make room, or write to another disk",
    errno.EDQUOT: "make room, or write to another disk",
    errno.EROFS: "write to another place",
    errno.EACCES: "check its permissions",
    errno.EPERM: "check its permissions",
}
"""By the number of an error of the system's."""


def near(name: str, known: Sequence[str], what: str) -> str | None:
    """Return a hint that names what may be meant: what is spelt nearly so, or holds the word; None if nothing is."""
    import shlex

    matches = (
        get_close_matches(name, known, 1, 0.6) or [entry for entry in known if name and name in entry][:1]
    )
    return f"did you mean `{what} {shlex.quote(matches[0])}`?" if matches else None


class UnknownCommandError(AgentMemoryError):
    """There is no such command."""

    code = "usage"

    def __init__(self, program: str, name: str, known: Sequence[str]) -> None:
        instead = _INSTEAD.get((program, name))
        near = [f"{program} {match}" for match in get_close_matches(name, known, 1, 0.6)]
        meant = f"agentmem {instead}" if instead else near[0] if near else None
        hint = f"did you mean `{meant}`?" if meant else f"`{program} --help` lists what there is"
        super().__init__(f"{program} has no command '{name}'", hint=hint)


class NotConfirmedError(AgentMemoryError):
    """A destructive command was neither confirmed nor run on a terminal where it could ask."""

    code = "not_confirmed"


class Outcome:
    """What the program ends with."""

    def __init__(self) -> None:
        self.code = exit_codes.DONE


@contextmanager
def reported(arguments: Sequence[str]) -> Iterator[Outcome]:
    """Turn whatever is raised inside into a line and an exit code."""
    outcome = Outcome()
    debug = "--debug" in arguments
    try:
        yield outcome
    except BrokenPipeError:
        outcome.code = _reader_has_gone()
    except SystemExit as stop:
        # Typer makes 1 of a closed pipe.
        if not isinstance(stop.__context__, BrokenPipeError):
            raise
        outcome.code = _reader_has_gone()
    except Exception as error:
        outcome.code = _report(error, as_json="--json" in arguments or _wants(arguments, "json"), debug=debug)


def _reader_has_gone() -> int:
    """Be quiet: the reader has seen enough, and Python would complain again as it flushes stdout at exit."""
    streams.give_up(sys.stdout)
    return exit_codes.DONE


def _wants(arguments: Sequence[str], form: str) -> bool:
    return f"--output={form}" in arguments or any(
        name in ("-o", "--output") and value == form for name, value in pairwise(arguments)
    )


def _report(error: Exception, *, as_json: bool, debug: bool) -> int:
    name = type(error).__name__
    if name == "Exit":
        return int(getattr(error, "exit_code", 0))
    if debug:
        import traceback

        traceback.print_exception(error)
    if isinstance(error, AgentMemoryError):
        code = exit_codes.USAGE if error.code in ("usage", "not_confirmed") else exit_codes.of(error)
        hint = error.hint and hints.worded(error.hint)
        return _said(error.code, hints.worded(error.message), hint, as_json, code)
    if hasattr(error, "format_message"):
        return _usage(error, as_json)
    if isinstance(error, OSError):
        from agent_memory.filesystem import MORE_OPEN_FILES, is_out_of_descriptors

        what = (None if error.filename else streams.written_out()) or (error.strerror or str(error)).lower()
        what = f"{error.filename}: {what}" if error.filename else what
        hint = MORE_OPEN_FILES if is_out_of_descriptors(error) else _WHAT_TO_DO.get(error.errno or 0)
        return _said("failed", what, hint, as_json, exit_codes.FAILED)
    hint = None if debug else "run it again with --debug to see where, and report it"
    return _said("bug", f"{name}: {error}", hint, as_json, exit_codes.FAILED)


def _usage(error: Exception, as_json: bool) -> int:
    """Report what Typer could not read; asked for nothing, it shows the help."""
    context = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError" and context is not None:
        _print(context.get_help())
        return exit_codes.USAGE
    message = _plainly(" ".join(_of_parser(error).split()).rstrip("."))
    shown = f"`{context.command_path} --help` shows how" if context is not None else None
    hint = "; ".join(part for part in (_usage_hint(error, message), shown) if part) or None
    return _said("usage", message[:1].lower() + message[1:], hint, as_json, exit_codes.USAGE)


def _of_parser(error: Any) -> str:
    """Return the parser's message; of an unknown option without the likely ones, which the hint names."""
    return str(error.message if type(error).__name__ == "NoSuchOption" else error.format_message())


def _usage_hint(error: Exception, message: str) -> str | None:
    """Return what is most often meant by what cannot be read."""
    if type(error).__name__ == "NoSuchOption":
        option, known = getattr(error, "option_name", ""), getattr(error, "possibilities", None) or ()
        meant = get_close_matches(option, known, 1, 0.8)
        return f"there is {meant[0]}" if meant else "a text that begins with a hyphen goes behind --"
    return "a text of several words stands in quotes" if "unexpected extra argument" in message else None


def _plainly(message: str) -> str:
    """Return a message of the parser's in words, where it speaks of types or writes a formula."""
    for pattern, words in _PLAINLY:
        message = re.sub(pattern, words, message)
    return message


def say(code: str, message: str, hint: str, arguments: Sequence[str], exit_code: int) -> int:
    """Say what went wrong in the form that the arguments ask for, and return the exit code."""
    return _said(code, message, hint, "--json" in arguments or _wants(arguments, "json"), exit_code)


def _said(code: str, message: str, hint: str | None, as_json: bool, exit_code: int) -> int:
    if as_json:
        import json

        line = json.dumps({"error": {"code": code, "message": message, "hint": hint}}, ensure_ascii=False)
    else:
        line = "error: " + " ".join((f"{message}: {hint}" if hint else message).split())
    _print(line)
    return exit_code


def _print(text: str) -> None:
    with suppress(OSError):  # the exit code says it as well
        print(text, file=sys.stderr)  # noqa: T201
