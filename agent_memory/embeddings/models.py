"""Which models there are, which of them are on this machine, and getting those that are not.

Listing, locating and verifying import neither fastembed nor onnxruntime, and use no network.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from agent_memory.embeddings import catalog, downloads, local, multilingual
from agent_memory.embeddings.catalog import ModelCard
from agent_memory.embeddings.downloads import Progress
from agent_memory.errors import MissingDependencyError, ModelMissingError


@dataclass(frozen=True, slots=True)
class ModelState:
    """A model, and whether it is on this machine."""

    card: ModelCard
    path: Path | None
    """Its folder; None if it is not here."""
    problem: str = ""
    """Why it cannot be used, and what to do about that."""

    @property
    def present(self) -> bool:
        """Whether its files are here; only `verify_model` says whether they are whole."""
        return self.path is not None


def list_models(cache_dir: str | os.PathLike[str] | None = None) -> list[ModelState]:
    """List the models known by name, the default first, and all that were ever pulled."""
    cache = downloads.cache_folder(cache_dir)
    cards = {**catalog.CARDS, **downloads.remembered_cards(cache)}
    states = []
    for card in cards.values():
        try:
            states.append(ModelState(card, _folder(card, cache)))
        except (MissingDependencyError, ModelMissingError) as error:
            states.append(ModelState(card, None, str(error)))
    return states


def model_path(name: str, cache_dir: str | os.PathLike[str] | None = None) -> Path:
    """Return the folder of a model on this machine; it can be given as `path` in `embedding_config`.

    Raises:
        ConfigurationError: there is no such model.
        ModelMissingError: it is not here.
    """
    cache = downloads.cache_folder(cache_dir)
    return _folder(_card(name, cache), cache)


def verify_model(name: str, cache_dir: str | os.PathLike[str] | None = None) -> str:
    """Read a model's weights from end to end and return their sha256.

    Returns:
        The sha256, in hexadecimal.

    Raises:
        ConfigurationError: there is no such model.
        ModelMissingError: it is not here, or damaged.
    """
    cache = downloads.cache_folder(cache_dir)
    card = _card(name, cache)
    if (bundled := _BUNDLED.get(card.provider)) is not None:
        return bundled.check_weights(bundled.find_weights(), again=True)
    return downloads.check_weights(card, downloads.snapshot(card, cache), again=True)


def pull_model(
    name: str,
    *,
    progress: Progress | None = None,
    offline: bool = False,
    cache_dir: str | os.PathLike[str] | None = None,
) -> Path:
    """Make sure that a model is here and whole, downloading what is missing, and return its folder.

    The default model is part of the installation, and `multilingual` of that with its extra: they are checked, and
    where one is missing the error names what to install.

    Returns:
        The folder with the model's files.

    Raises:
        ConfigurationError: there is no such model.
        ModelMissingError: the default model is missing or damaged.
        PolicyError: something would have to be downloaded, and `offline` forbids that.
        EmbeddingError: the download failed.
    """
    card = catalog.card_of(name)
    bundled = None if card is None else _BUNDLED.get(card.provider)
    if bundled is not None:
        weights = bundled.find_weights()
        bundled.check_weights(weights, again=True)
        return weights.parent
    return downloads.pull(name, progress=progress, offline=offline, cache_dir=cache_dir)


def _card(name: str, cache: Path) -> ModelCard:
    return catalog.card_of(name) or downloads.describe(name, cache)


def _folder(card: ModelCard, cache: Path) -> Path:
    bundled = _BUNDLED.get(card.provider)
    return downloads.snapshot(card, cache) if bundled is None else bundled.find_weights().parent


class _Bundled(Protocol):
    """A module of an embedder whose weights are installed with a package."""

    def find_weights(self) -> Path: ...
    def check_weights(self, path: Path, *, again: bool = False) -> str: ...


_BUNDLED: dict[str, _Bundled] = {"local": local, "multilingual": multilingual}
