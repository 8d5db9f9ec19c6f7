"""Names that stand for classes, loaded only when asked for.

Listing what exists imports nothing; asking for one imports that one. Others may add theirs through an entry
point group of the same name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from agent_memory.errors import ConfigurationError, MissingDependencyError


@dataclass(frozen=True)
class Registry:
    """A table of names, each with the place of its class."""

    what: str
    """What the names stand for, as errors say it: `backend`, `embedding provider`."""
    group: str
    """The entry point group through which installed packages add names."""
    builtin: Mapping[str, str]
    """Name to `package.module:Class`."""
    extras: Mapping[str, str] = field(default_factory=dict)
    """Name to the extra of our own distribution that brings what it needs."""

    def names(self) -> list[str]:
        """List the names that can be loaded, without importing any of them."""
        return [*self.builtin, *sorted(self._entry_points().keys() - self.builtin.keys())]

    def load(self, name: str) -> Any:
        """Import and return the class of that name.

        Returns:
            The class.

        Raises:
            ConfigurationError: the name is unknown.
            MissingDependencyError: a package that it needs is not installed.
            ModuleNotFoundError: a module is missing that no known package brings.
        """  # noqa: DOC501
        if name in self.builtin:
            module, _, attribute = self.builtin[name].partition(":")
        else:
            entry_point = self._entry_points().get(name)
            if entry_point is None:
                raise ConfigurationError.unknown(self.what, name, self.names())
            module, _, attribute = entry_point.partition(":")
        try:
            return getattr(import_module(module), attribute)
        except ModuleNotFoundError as error:
            if name in self.extras and not (error.name or "").startswith("agent_memory"):
                raise MissingDependencyError(
                    f"{error.name}, which {name} needs,", extra=self.extras[name]
                ) from error
            raise

    def _entry_points(self) -> dict[str, str]:
        from importlib.metadata import entry_points

        return {entry_point.name: entry_point.value for entry_point in entry_points(group=self.group)}
