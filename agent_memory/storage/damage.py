"""What cannot be read: left out and named, so that one memory stops nothing but itself."""

from __future__ import annotations

import logging

logger = logging.getLogger("agent_memory.damage")


class Damaged(dict[str, str]):
    """What was left out, by a name such as `memory 7f3k2m9q`, and why."""

    def meet(self, name: str, why: str) -> None:
        """Remember something."""
        self.setdefault(name, why)


class Announced(Damaged):
    """The same, warning of each the first time."""

    def meet(self, name: str, why: str) -> None:
        """Remember something, and warn of it."""
        if name not in self:
            self[name] = why
            logger.warning("%s is damaged and was left out: %s", name, why)
