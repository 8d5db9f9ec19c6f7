"""Choosing each setting's value: flag > environment > project file > user config > default."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

from agent_memory.errors import ConfigurationError
from agent_memory.settings import in_shell
from agentmem_cli.settings import files, project
from agentmem_cli.settings.names import FAMILIES, NOT_SETTINGS, SETTINGS, Setting, known, of_variable
from agentmem_cli.settings.names import find as find_setting
from agentmem_cli.settings.values import parse

Source = Literal["flag", "environment", "project", "user", "default"]


_RANK: tuple[Source, ...] = ("default", "user", "project", "environment", "flag")
"""From the weakest to the strongest."""


class Origin(NamedTuple):
    """Who said so."""

    source: Source
    where: str | None = None
    """The flag, the variable or the file."""

    def __str__(self) -> str:
        return f"{self.source} ({self.where})" if self.where else self.source


_DEFAULT = Origin("default")


class Resolved:
    """Every setting's value and where it comes from."""

    def __init__(
        self,
        chosen: Mapping[str, tuple[Any, Origin]],
        *,
        notices: tuple[str, ...] = (),
        user_config: Path,
        project_file: project.ProjectFile | None = None,
        ignored: tuple[str, ...] = (),
    ) -> None:
        self._chosen = chosen
        self.notices = notices
        """One line each, to be said on stderr once."""
        self.user_config = user_config
        self.project_file = project_file
        """The project file that counts here, trusted or not."""
        self.ignored = ignored
        """Settings in the project file that wait for `agentmem config trust`."""

    def get(self, name: str) -> Any:
        """Return a setting's value: a str, int, bool, tuple, timedelta or absolute Path, or None where unset.

        Raises:
            ConfigurationError: there is no such setting.
        """
        setting = find_setting(name)
        return self._chosen[name][0] if name in self._chosen else setting.default

    def origin(self, name: str) -> Origin:
        """Return where a setting's value comes from.

        Raises:
            ConfigurationError: there is no such setting.
        """
        find_setting(name)
        return self._chosen[name][1] if name in self._chosen else _DEFAULT

    def options(self, family: str) -> dict[str, Any]:
        """Return the options given under `embedding`, `rerank` or `backend_config`, without the provider."""
        start = family + "."
        return {
            name.removeprefix(start): value
            for name, (value, _) in self._chosen.items()
            if name.startswith(start) and name not in SETTINGS
        }

    def for_library(self) -> dict[str, Any]:
        """Return the settings of the library by the names of their fields."""
        return {
            field.name: self.options(name) if name in FAMILIES else self.get(name)
            for name, field in in_shell().items()
        }

    def names(self) -> list[str]:
        """List every setting, then the options that somebody gave."""
        return [*SETTINGS, *(name for name in self._chosen if name not in SETTINGS)]


def resolve(flags: Mapping[str, str | None], *, folder: Path | None = None) -> Resolved:
    """Find every setting's value and origin.

    Args:
        flags: what the command line says, by setting; None is not said.
        folder: where the project file is looked for; None for the current folder.

    Returns:
        The values, each with its origin.

    Raises:
        ConfigurationError: a value cannot be read, or the user's config holds an unknown name; the message
            says where.
    """
    notices: list[str] = []
    chosen: dict[str, tuple[Any, Origin]] = {}
    user_file = files.user_config()

    # From the weakest to the strongest, each overwriting the ones before.
    for name, value in _user(user_file):
        chosen[name] = (value, Origin("user", str(user_file)))
    project_values, ignored = _project(project.find(folder), user_file, chosen, notices)
    for variable, text in os.environ.items():
        if variable.startswith("AGENTMEM_") and variable not in NOT_SETTINGS and text:
            setting = of_variable(variable)
            if setting is None:
                _suggest(variable, notices)
            else:
                chosen[setting.name] = (_parsed(setting, text, variable), Origin("environment", variable))
    for name, flag_value in flags.items():
        if flag_value is not None:
            flag = "--" + name.replace(".", "-").replace("_", "-")
            chosen[name] = (_parsed(find_setting(name), flag_value, flag), Origin("flag", flag))
    _choose_place(chosen)
    return Resolved(
        chosen, notices=tuple(notices), user_config=user_file, project_file=project_values, ignored=ignored
    )


def _choose_place(chosen: dict[str, tuple[Any, Origin]]) -> None:
    """Choose between a file and a backend where both are set: the stronger source wins, and the file at equal rank.

    The options of a backend that does not count are left out with it.
    """
    if "db" not in chosen or "backend" not in chosen:
        return
    (_, file_origin), (backend, backend_origin) = chosen["db"], chosen["backend"]
    if backend.lower() == "sqlite":
        return
    if _RANK.index(file_origin.source) < _RANK.index(backend_origin.source):
        del chosen["db"]
        return
    chosen["backend"] = ("sqlite", file_origin)
    if backend.partition("://")[0].lower() != "sqlite":
        for name in [name for name in chosen if name.startswith("backend_config.")]:
            del chosen[name]


def _user(path: Path) -> Iterator[tuple[str, Any]]:
    content = files.read(path)
    for name, value in files.parse(path, content).items() if content else ():
        try:
            setting = find_setting(name)
        except ConfigurationError as error:
            raise ConfigurationError(f"{error.message} in {path}", hint=error.hint) from None
        yield name, _parsed(setting, value, str(path), path.parent)


def _project(
    project_file: project.ProjectFile | project.Refused | None,
    user_file: Path,
    chosen: dict[str, tuple[Any, Origin]],
    notices: list[str],
) -> tuple[project.ProjectFile | None, tuple[str, ...]]:
    """Take over what the project file may set, and say what it may not."""
    if isinstance(project_file, project.Refused):
        notices.append(f"ignored {project_file.path}: {project_file.reason}")
        return None, ()
    if project_file is None:
        return None, ()
    path, trusted, ignored = project_file.path, None, []
    try:
        settings = files.parse(path, project_file.content)
    except ConfigurationError as error:
        # Anybody may have put it there; whoever works in that folder works on without it.
        notices.append(f"ignored {path}: {error.message.removeprefix(f'{path} ')}")
        return None, ()
    for name, value in settings.items():
        try:
            setting = find_setting(name)
        except ConfigurationError:
            # Somebody else's file, maybe of a newer version: it must not stop the work in its folder.
            notices.append(f"ignored unknown setting {name!r} in {path}; known are {', '.join(known())}")
            continue
        if not setting.project:
            if trusted is None:
                trusted = project.is_trusted(project_file, user_file)
            if not trusted:
                ignored.append(name)
                continue
        chosen[name] = (_parsed(setting, value, str(path), path.parent), Origin("project", str(path)))
    if ignored:
        notices.append(
            f"ignored {', '.join(ignored)} in {path}: look at it, then run `agentmem config trust`"
        )
    return project_file, tuple(ignored)


def _parsed(setting: Setting, value: Any, where: str, base: Path | None = None) -> Any:
    try:
        return parse(setting, value, base=base)
    except ConfigurationError as error:
        raise ConfigurationError(f"{error.message} ({where})", hint=error.hint) from error


def _suggest(variable: str, notices: list[str]) -> None:
    """Mention a variable that looks like a slip of the pen; others may be meant for another version."""
    from difflib import get_close_matches

    variables = [setting.variable for setting in SETTINGS.values()]
    if near := get_close_matches(variable, variables, 1, 0.85):
        notices.append(f"ignored {variable}: did you mean {near[0]}?")
