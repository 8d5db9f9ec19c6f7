"""fastembed's models as files: described, found in our cache, checked, and downloaded when told to."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import logging
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from agent_memory import paths
from agent_memory.embeddings import catalog, telemetry
from agent_memory.embeddings.base import one_line
from agent_memory.embeddings.catalog import ModelCard
from agent_memory.embeddings.hashes import sha256_of
from agent_memory.embeddings.memory_bound import ENGINE, check_room
from agent_memory.embeddings.threads import cores
from agent_memory.errors import (
    ConfigurationError,
    EmbeddingError,
    MissingDependencyError,
    ModelMissingError,
    PolicyError,
)
from agent_memory.hints import Hint

Progress = Callable[[int, int], None]
"""Called with the bytes that are here and the bytes expected, the latter a rough figure."""

_POOLING = {
    "OnnxTextEmbedding": catalog.CLS,
    "PooledEmbedding": catalog.MEAN,
    "PooledNormalizedEmbedding": catalog.MEAN,
}
"""What fastembed's classes do with the tokens; of any other, its name stands for what it does."""


def cache_folder(folder: str | os.PathLike[str] | None = None) -> Path:
    """Return the folder of downloaded models: our own, since fastembed's is wiped when the machine restarts."""
    return paths.expanded(folder) if folder else paths.cache() / "fastembed"


def describe(name: str, cache: Path | None = None) -> ModelCard:
    """Return what is known of a model; fastembed is imported only for one that was never pulled nor is well known.

    Raises:
        ConfigurationError: fastembed has no such model.
    """  # noqa: DOC501
    card = catalog.card_of(name) or remembered_cards(cache).get(name)
    if card is not None and card.provider == "fastembed":
        return card
    for kind in text_embedding().EMBEDDINGS_REGISTRY:
        for model in kind._list_supported_models():
            if model.model.casefold() == name.casefold():
                return ModelCard(
                    name=model.model,
                    provider="fastembed",
                    dimension=model.dim,
                    pooling=_pooling(kind, model.model),
                    megabytes=round(1000 * model.size_in_GB),
                    tokens=0,
                    languages="",
                    repository=model.sources.hf or "",
                    file=model.model_file,
                    more_files=tuple(model.additional_files),
                )
    known = [
        item.name
        for item in catalog.CARDS.values()
        if item.provider == "fastembed" and item.purpose == "embed"
    ]
    raise ConfigurationError.unknown(
        "fastembed model", name, [*known, "or any other that fastembed supports"]
    )


def _pooling(kind: Any, model: str) -> str:
    if kind.__name__ == "CustomTextEmbedding":
        return f"{kind.POSTPROCESSING_MAPPING[model].pooling.value.lower()},l2"
    return _POOLING.get(kind.__name__, f"{kind.__name__},l2")


def snapshot(card: ModelCard, cache: Path) -> Path:
    """Return the folder of a downloaded model.

    Raises:
        ModelMissingError: it is not there, or not all of it.
    """
    base = _folder(card, cache)
    try:
        folder = base / "snapshots" / (base / "refs" / "main").read_text().strip()
    except OSError:
        raise ModelMissingError(
            f"the model {card.name} is not on this machine",
            hint=Hint("{PULL_MODEL}  ({size} MB)", name=card.name, size=card.megabytes),
        ) from None
    for name in (card.file, *card.more_files, "tokenizer.json"):
        if not (folder / name).is_file():
            raise ModelMissingError(
                f"the model {card.name} is here only in part",
                hint=Hint("{PULL_MODEL}  fetches the rest", name=card.name),
            )
    return folder


def check_weights(card: ModelCard, folder: Path, *, again: bool = False) -> str:
    """Return the sha256 of a model's weights; of several files, that of their hashes.

    The hub names large files by their sha256, and its cache keeps that name: content that differs is damaged.

    Raises:
        ModelMissingError: a file is missing or damaged.
    """
    digests = []
    for name in (card.file, *card.more_files):
        file = folder / name
        try:
            digest = sha256_of(file, again=again)
        except OSError as error:
            raise ModelMissingError(
                f"there is no {name} in {folder}",
                hint="give the folder that holds the model's files as 'path'",
            ) from error
        if _named_by_hash(file.resolve()) and digest != file.resolve().name:
            raise ModelMissingError(
                f"{name} of {card.name} is damaged",
                hint=Hint("{PULL_MODEL}  fetches it again", name=card.name),
            )
        digests.append(digest)
    return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()


def pull(
    model: str,
    *,
    progress: Progress | None = None,
    offline: bool = False,
    cache_dir: str | os.PathLike[str] | None = None,
) -> Path:
    """Download a model, or what is missing of it, and return its folder. Nothing is fetched that is here.

    Args:
        model: its name.
        progress: called about five times a second, from another thread.
        offline: forbid the network; a model that is here is still found.
        cache_dir: where to, instead of our cache folder.

    Returns:
        The folder with the model's files.

    Raises:
        ConfigurationError: fastembed has no such model.
        PolicyError: something would have to be fetched, and that is forbidden.
        EmbeddingError: the download failed; run again, it goes on where it stopped.
    """
    cache = cache_folder(cache_dir)
    card = describe(model, cache)
    with contextlib.suppress(ModelMissingError):
        folder = snapshot(card, cache)
        check_weights(card, folder, again=True)
        return folder
    if offline or os.environ.get("HF_HUB_OFFLINE", "").strip().upper() in {"1", "TRUE", "YES", "ON"}:
        raise PolicyError(
            f"{card.name} would have to be downloaded",
            hint=Hint("leave out {OFFLINE} and HF_HUB_OFFLINE to allow it"),
        )
    paths.private_folder(cache)
    _drop_damaged(card, cache)
    with _reporting(card, cache, progress):
        _download(card, cache)
    folder = snapshot(card, cache)
    try:
        check_weights(card, folder, again=True)
    except ModelMissingError:
        _drop_damaged(card, cache)
        raise EmbeddingError(f"{card.name} arrived damaged", hint="try again") from None
    _remember(card, cache)
    return folder


def remembered_cards(cache: Path | None = None) -> Mapping[str, ModelCard]:
    """Return the descriptions of models that were pulled and are not in our catalog, by name."""
    try:
        content = json.loads((_cards_file(cache or cache_folder())).read_bytes())
        return {
            item["name"]: ModelCard(**{**item, "more_files": tuple(item["more_files"])})
            for item in content.values()
        }
    except (OSError, ValueError, TypeError, AttributeError, KeyError):
        return {}


def _cards_file(cache: Path) -> Path:
    return cache / "pulled.json"


def _remember(card: ModelCard, cache: Path) -> None:
    if catalog.card_of(card.name) is None:
        cards = {**remembered_cards(cache), card.name: card}
        content = json.dumps({name: dataclasses.asdict(item) for name, item in cards.items()}, indent=1)
        with contextlib.suppress(OSError):
            _cards_file(cache).write_text(content)


def quiet_fastembed() -> None:
    """Make ready to import fastembed: no telemetry, no log on stderr."""
    # Read when huggingface_hub is imported, so they are set here, and only where the user has not decided.
    # Blobs shared between repositories are hard links elsewhere, which onnxruntime refuses for external data.
    telemetry.decline()
    os.environ.setdefault("HF_HUB_DISABLE_SHARED_BLOBS", "1")
    with contextlib.suppress(ImportError):
        from loguru import logger

        logger.disable("fastembed")  # what it logs on stderr, our errors say


def text_embedding() -> Any:
    """Import fastembed and return its `TextEmbedding`."""
    quiet_fastembed()
    try:
        from fastembed import TextEmbedding
    except ImportError as error:
        raise MissingDependencyError("fastembed", extra="all") from error
    return TextEmbedding


def load(engine: Any, card: ModelCard, folder: Path, cache: Path, threads: int | None) -> Any:
    """Load a model by one of fastembed's engines, from the files in a folder.

    Returns:
        The engine, with the model loaded.

    Raises:
        EmbeddingError: this process may not take the memory that the model needs.
        ModelMissingError: the files are no model.
    """
    check_room(ENGINE + 3 * card.megabytes)
    try:
        # With its folder named, fastembed looks nothing up, neither in a cache nor on the network.
        return engine(
            card.name,
            threads=threads or cores() or None,
            specific_model_path=str(folder),
            cache_dir=str(cache),
            local_files_only=True,
        )
    except Exception as error:  # onnxruntime's own have no common base
        raise ModelMissingError(
            f"{card.name} cannot be loaded from {folder}: {one_line(error)}",
            hint=Hint("{VERIFY_MODEL}", name=card.name),
        ) from error


def _download(card: ModelCard, cache: Path) -> None:
    engine = text_embedding()
    from huggingface_hub.utils.tqdm import disable_progress_bars

    disable_progress_bars()
    logger = logging.getLogger("huggingface_hub")  # it tells of each new attempt on stderr
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        engine.download_files_from_huggingface(
            card.repository, cache_dir=str(cache), extra_patterns=[card.file, *card.more_files]
        )
    except Exception as error:
        raise EmbeddingError(
            f"{card.name} could not be downloaded: {one_line(error)}",
            hint="check the network and run it again: it goes on where it stopped (HF_ENDPOINT names a mirror)",
        ) from error
    finally:
        logger.setLevel(level)


def _drop_damaged(card: ModelCard, cache: Path) -> None:
    """Delete weights whose content contradicts their name, and what vouches for them: they are fetched again."""
    base = _folder(card, cache)
    for name in (card.file, *card.more_files):
        for file in base.glob(f"snapshots/*/{name}"):
            blob = file.resolve()
            with contextlib.suppress(OSError):
                if not blob.exists() or (_named_by_hash(blob) and sha256_of(blob, again=True) != blob.name):
                    file.unlink(missing_ok=True)
                    blob.unlink(missing_ok=True)
                    (base / "files_metadata.json").unlink(missing_ok=True)


def _named_by_hash(file: Path) -> bool:
    return len(file.name) == 64 and not file.name.strip("0123456789abcdef")


def _folder(card: ModelCard, cache: Path) -> Path:
    return cache / f"models--{card.repository.replace('/', '--')}"


@contextlib.contextmanager
def _reporting(card: ModelCard, cache: Path, progress: Progress | None) -> Iterator[None]:
    """Tell how much has arrived, by looking at the folder, which works with every version of the hub's client."""
    if progress is None:
        yield
        return
    blobs = _folder(card, cache) / "blobs"
    expected = card.megabytes * 1_000_000
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.2):
            with contextlib.suppress(OSError):
                here = sum(file.stat().st_size for file in blobs.iterdir())
                progress(min(here, expected), expected)

    watcher = threading.Thread(target=watch, name="agentmem-pull", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()
    progress(expected, expected)
