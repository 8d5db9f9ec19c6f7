"""Everything that can go wrong, in one tree.

    AgentMemoryError
    ├── ValidationError             what was given cannot be stored or asked for   (also a ValueError)
    │   └── AmbiguousIdError        an id prefix fits several memories
    ├── ConfigurationError          a setting is unknown or contradictory          (also a ValueError)
    ├── MemoryNotFoundError         no memory has this id, key or prefix           (also a LookupError)
    ├── PolicyError                 refused by a rule of the user's, not by a fault
    ├── MissingDependencyError      an optional package is not installed           (also an ImportError)
    │   └── MissingExtensionError   the server lacks a module that the backend needs
    ├── EmbeddingError              text could not be turned into vectors
    │   ├── EmbeddingMismatchError  the store holds vectors of another model
    │   └── ModelMissingError       the model's files are not on this machine
    └── BackendError                the store could not do what was asked
        ├── ClosedError             the memory was closed, and stays so
        ├── StoreBusyError          another process holds the store; retries are used up
        ├── StoreUnreachableError   the server of the store does not answer
        ├── StoreReadOnlyError      the store can be read, and not written
        ├── StoreFullError          the disk has no room for what was to be stored
        ├── ConflictError           the memory changed since it was read
        ├── CapabilityError         this backend cannot do that at all
        └── IntegrityError          the store's content contradicts itself or its schema

Each class builds its own message. `hint` says what to do next and is part of `str(error)`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from agent_memory.hints import Hint
from agent_memory.redaction import redacted


class AgentMemoryError(Exception):
    """Base of every error this library raises on purpose."""

    code: ClassVar[str] = "error"
    """A stable word for programs: the `code` of the command line's JSON errors."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        # What somebody typed is named in many an error, a connection string with its password too.
        super().__init__(message := _safe(message))
        self.message = message
        self.hint = hint if hint is None else _safe(hint)

    def __str__(self) -> str:
        return f"{self.message}: {self.hint}" if self.hint else self.message


class ValidationError(AgentMemoryError, ValueError):
    """What was given cannot be stored or asked for."""

    code = "invalid"


class AmbiguousIdError(ValidationError):
    """An id prefix fits several memories."""

    code = "ambiguous"

    def __init__(self, reference: str, candidates: Sequence[str]) -> None:
        self.candidates = tuple(candidates)
        shown = " ".join(self.candidates[:8])
        super().__init__(
            f"'{reference}' fits {len(candidates)} memories", hint=f"give more of one of {shown}"
        )


class ConfigurationError(AgentMemoryError, ValueError):
    """A setting is unknown or contradicts another."""

    code = "configuration"

    @classmethod
    def unknown(cls, what: str, name: object, known: Iterable[str]) -> ConfigurationError:
        """Build the error for a name that is not one of the known ones."""
        return cls(f"unknown {what} {name!r}", hint="use one of " + ", ".join(known))


class MemoryNotFoundError(AgentMemoryError, LookupError):
    """No memory has this id, key or prefix."""

    code = "not_found"

    def __init__(
        self, reference: str | None = None, *, what: str = "memory", hint: str | None = None
    ) -> None:
        self.reference = reference
        said = f"there is no {what} yet" if reference is None else f"no {what} '{reference}'"
        if hint is None and what == "memory" and reference is not None and 0 < len(reference) < 4:
            hint = "give at least 4 characters of an id"
        super().__init__(said, hint=hint or Hint("{LIST} shows what is there"))


class PolicyError(AgentMemoryError):
    """Refused by a rule of the user's, not by a fault."""

    code = "refused"

    @classmethod
    def offline(cls, what: str) -> PolicyError:
        """Build the error for something that uses the network where that is forbidden."""
        return cls(
            f"{redacted(what)} uses the network, and the setting offline forbids it",
            hint=Hint("leave out {OFFLINE}, or use what is on this machine"),
        )


class MissingDependencyError(AgentMemoryError, ImportError):
    """An optional package is not installed."""

    code = "missing_dependency"

    def __init__(self, what: str, *, extra: str) -> None:
        super().__init__(f"{what} is not installed", hint=f"pip install {_requirement(extra)}")


class MissingExtensionError(MissingDependencyError):
    """The server lacks a module that the backend needs."""

    def __init__(self, where: str, extension: str, *, hint: str) -> None:
        AgentMemoryError.__init__(self, f"{redacted(where)} has no {extension}", hint=hint)


class EmbeddingError(AgentMemoryError):
    """Text could not be turned into vectors."""

    code = "embedding"


class EmbeddingMismatchError(EmbeddingError):
    """The store holds vectors of another model than the one asked for."""

    code = "embedding_mismatch"

    def __init__(self, *, stored: str, asked: str) -> None:
        super().__init__(
            f"this memory was embedded with {stored}, not with {asked}",
            hint=Hint("leave the embedder out to use the stored one, or run {REEMBED} to change it"),
        )


class ModelMissingError(EmbeddingError):
    """The model's files are not on this machine, or are not the ones expected."""

    code = "model_missing"


class BackendError(AgentMemoryError):
    """The store could not do what was asked."""

    code = "backend"

    @classmethod
    def forked(cls, what: str) -> BackendError:
        """Build the error for something of a parent process that a forked child cannot use."""
        return cls(f"{what} was opened before a fork", hint="open a new AgentMemory in the child process")


class ClosedError(BackendError):
    """The memory was closed, and stays so."""

    code = "closed"

    def __init__(self, what: str = "this memory") -> None:
        super().__init__(f"{what} is closed", hint="make a new AgentMemory or SyncAgentMemory to go on")


class StoreBusyError(BackendError):
    """Another process holds the store, and all retries are used up."""

    code = "busy"

    def __init__(self, where: str) -> None:
        super().__init__(f"{where} is locked by another process", hint="try again; nothing was written")


class StoreUnreachableError(BackendError):
    """The server of the store does not answer."""

    code = "unreachable"

    def __init__(self, where: str, reason: str) -> None:
        reason = " ".join(reason.split())
        super().__init__(
            f"{redacted(where)} does not answer ({redacted(reason)})",
            hint="start the server or correct the URL, and try again; what was not acknowledged may not be stored",
        )

    @classmethod
    def untrusted(cls, where: str, reason: str, option: str) -> StoreUnreachableError:
        """Make the error for a server whose certificate is not accepted.

        Args:
            where: its URL.
            reason: what is wrong with the certificate.
            option: what names the certificates to trust in the URL.

        Returns:
            The error.
        """
        error = cls(where, reason)
        error.message = (
            f"the certificate of {redacted(where)} is not accepted: {redacted(' '.join(reason.split()))}"
        )
        error.args = (error.message,)
        error.hint = (
            f"{option}=FILE in the URL names the authority that signed it; the host must be named as in it"
        )
        return error


class StoreReadOnlyError(BackendError):
    """The store can be read, and not written."""

    code = "read_only"

    def __init__(self, where: str) -> None:
        super().__init__(
            f"{redacted(where)} is read-only", hint="check the permissions of the file and its folder"
        )

    @classmethod
    def server(cls, where: str, reason: str) -> StoreReadOnlyError:
        """Build the error for a server that takes no writes, such as a replica."""
        error = cls(f"{where} ({' '.join(reason.split())})")
        error.hint = "write to the primary server, or make this one writable; nothing was written"
        return error

    @classmethod
    def moved(cls, to: str, *, done: bool) -> StoreReadOnlyError:
        """Build the error for an agent that was moved to another store, or is just being moved."""
        error = cls("")
        error.message = f"this agent {'was' if done else 'is being'} moved to {redacted(to)}"
        error.args = (error.message,)
        sentence = (
            "nothing was written; try again in a moment, or if that was stopped, run it again or {REOPEN}"
        )
        if done:
            use = "{USE_BACKEND}" if "://" in to else "{USE_FILE}"
            sentence = (
                f"nothing was written; write there ({use}); {{REOPEN}} lets this store take writes again"
            )
        error.hint = Hint(sentence, to=redacted(to))
        return error


class StoreFullError(BackendError):
    """The disk has no room for what was to be stored; nothing was."""

    code = "disk_full"

    def __init__(self, where: str) -> None:
        super().__init__(
            f"the disk of {redacted(where)} is full", hint="make room and try again; nothing was written"
        )

    @classmethod
    def server(cls, where: str, reason: str) -> StoreFullError:
        """Build the error for a server that has no disk or memory left for a write."""
        error = cls(where)
        error.message = f"{redacted(where)} has no room left ({redacted(' '.join(reason.split()))})"
        error.args = (error.message,)
        return error


class ConflictError(BackendError):
    """The memory changed between reading and writing it."""

    code = "conflict"

    def __init__(self, memory_id: str) -> None:
        self.memory_id = memory_id
        super().__init__(
            f"memory {memory_id} was changed by somebody else meanwhile", hint="read it and try again"
        )


class CapabilityError(BackendError):
    """This backend cannot do that at all."""

    code = "unsupported"

    def __init__(self, backend: str, ability: str) -> None:
        super().__init__(
            f"the {backend} backend has no {ability}", hint="`docs/backends.md` says which one does"
        )


class IntegrityError(BackendError):
    """The store's content contradicts itself or its schema."""

    code = "integrity"

    @classmethod
    def damaged(cls, name: str, why: str) -> IntegrityError:
        """Build the error for something damaged that was itself asked for; `name` is such as `memory 7f3k2m9q`."""
        hint = Hint("{CHECK} names all that is damaged")
        if name.startswith("memory "):
            hint = Hint(
                "{HISTORY} shows its versions, {CHECK} names all that is damaged",
                id=name.removeprefix("memory "),
            )
        return cls(f"{name} is damaged: {why}", hint=hint)


def _safe(text: str) -> str:
    """Return a text without passwords. A hint stays one, and is redacted when it is worded."""
    return text if isinstance(text, Hint) and redacted(text) == text else redacted(text)


def _requirement(extra: str) -> str:
    """Return what to give to pip: the published name, or the checkout while there is none.

    The name stands in pyproject.toml alone, so it is read back from the installed metadata.
    """
    from importlib.metadata import packages_distributions

    names = packages_distributions().get("agent_memory", [])
    return f"'{names[0]}[{extra}]'  (from a checkout: pip install '.[{extra}]')" if names else f"'.[{extra}]'"
