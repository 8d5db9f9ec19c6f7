"""Errors as people and programs read them: one line on stderr that says what to type next, and an exit code."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from difflib import get_close_matches
from itertools import pairwise

from agent_memory.errors import AgentMemoryError
from agentmem_cli import exit_codes, hints, streams

_INSTEAD = {("agentmem event", "list"): "timeline"}
"""Commands that people look for, and what does it here."""


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
        near = [instead] if instead else get_close_matches(name, known, 1, 0.6)
        hint = f"did you mean `{program} {near[0]}`?" if near else f"`{program} --help` lists what there is"
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
        hint = MORE_OPEN_FILES if is_out_of_descriptors(error) else None
        return _said("failed", what, hint, as_json, exit_codes.FAILED)
    hint = None if debug else "run it again with --debug to see where, and report it"
    return _said("bug", f"{name}: {error}", hint, as_json, exit_codes.FAILED)


def _usage(error: Exception, as_json: bool) -> int:
    """Report what Typer could not read; asked for nothing, it shows the help."""
    context = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError" and context is not None:
        _print(context.get_help())
        return exit_codes.USAGE
    message = " ".join(str(error.format_message()).split()).rstrip(".")  # type: ignore[attr-defined]
    hint = f"`{context.command_path} --help` shows how" if context is not None else None
    if type(error).__name__ == "NoSuchOption":
        hint = "a text that begins with a hyphen goes behind --" + (f"; {hint}" if hint else "")
    return _said("usage", message[:1].lower() + message[1:], hint, as_json, exit_codes.USAGE)


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
