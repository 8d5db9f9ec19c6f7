from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from agent_memory.embeddings import catalog, downloads
from agent_memory.embeddings.base import Embedder
from agent_memory.embeddings.fastembed import FastembedEmbedder
from agent_memory.embeddings.local import LocalEmbedder
from agent_memory.errors import ConfigurationError, ModelMissingError
from agent_memory.testing.embedder import EmbedderSuite, cosine

pytestmark = pytest.mark.anyio
MINILM = "sentence-transformers/all-MiniLM-L6-v2"


class TestFastembedEmbedder(EmbedderSuite):
    @pytest.fixture
    def embedder(self, model_folder: Path) -> Embedder:
        return FastembedEmbedder(model=MINILM, path=model_folder)


async def ready(embedder: Embedder) -> Embedder:
    await embedder.prepare()
    return embedder


async def test_the_same_weights_make_the_same_space_as_the_default(model_folder: Path) -> None:
    here = await ready(LocalEmbedder())
    there = await ready(FastembedEmbedder(model=MINILM, path=model_folder))
    assert there.identity.provider != here.identity.provider
    assert there.identity.fingerprint == here.identity.fingerprint
    texts = [
        "User prefers dark mode",
        "",
        "Zürich, naïve café",
        "中国人 한국어",
        "[CLS] x [SEP]",
        "y" * 150,
        "long " * 600,
    ]
    for text, one, other in zip(
        texts, await here.embed_documents(texts), await there.embed_documents(texts), strict=True
    ):
        assert len(one) == len(other), text
        assert all(cosine(a, b) > 0.999 for a, b in zip(one, other, strict=True)), text
        assert here.language_coverage(text) == there.language_coverage(text)


async def test_prefixes_reach_the_model_and_the_identity(model_folder: Path) -> None:
    plain = await ready(FastembedEmbedder(model=MINILM, path=model_folder))
    prefixed = await ready(
        FastembedEmbedder(
            model=MINILM, path=model_folder, query_prefix="query: ", document_prefix="passage: "
        )
    )
    assert prefixed.identity.fingerprint != plain.identity.fingerprint
    assert cosine(await prefixed.embed_query("tea"), await plain.embed_query("query: tea")) > 0.999
    ((one,),) = await prefixed.embed_documents(["tea"])
    ((other,),) = await plain.embed_documents(["passage: tea"])
    assert cosine(one, other) > 0.999


async def test_a_prefix_takes_its_tokens_from_the_text(model_folder: Path) -> None:
    embedder = await ready(
        FastembedEmbedder(model=MINILM, path=model_folder, document_prefix="a b c d e f g h ")
    )
    assert await embedder.split("word " * 246) == ["word " * 246]
    assert len(await embedder.split("word " * 247)) == 2


async def test_the_models_own_limit_is_read_from_its_files(model_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(model_folder, tmp_path / "short")
    config = tmp_path / "short" / "tokenizer_config.json"
    config.write_text(json.dumps({"model_max_length": 64, "pad_token": "[PAD]"}))
    embedder = await ready(FastembedEmbedder(model=MINILM, path=tmp_path / "short"))
    assert [len(segment.split()) for segment in await embedder.split("word " * 124)] == [62, 62]


@pytest.mark.parametrize(
    ("model", "query", "document"),
    [
        ("intfloat/multilingual-e5-large", "query: ", "passage: "),
        ("BAAI/bge-small-en-v1.5", "Represent this sentence for searching relevant passages: ", ""),
        ("nomic-ai/nomic-embed-text-v1.5-Q", "search_query: ", "search_document: "),
        (
            "snowflake/snowflake-arctic-embed-xs",
            "Represent this sentence for searching relevant passages: ",
            "",
        ),
        (MINILM, "", ""),
    ],
)
def test_models_are_asked_as_they_were_trained(model: str, query: str, document: str) -> None:
    assert catalog.prefixes(model) == (query, document)


async def test_a_model_that_is_not_here_is_not_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "text_embedding", lambda: pytest.fail("fastembed was imported"))
    with pytest.raises(ModelMissingError, match=r"pull_model\('BAAI/bge-small-en-v1\.5'\)` +\(67 MB\)"):
        await FastembedEmbedder().prepare()


async def test_an_unknown_model_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigurationError, match=r"'nobody/nothing': use one of .*bge-small"):
        await FastembedEmbedder(model="nobody/nothing").prepare()


async def test_a_folder_without_the_models_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ModelMissingError, match=r"there is no model\.onnx in"):
        await FastembedEmbedder(model=MINILM, path=tmp_path).prepare()


async def test_a_folder_that_cannot_be_loaded_is_an_error(model_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(model_folder, tmp_path / "bad")
    (tmp_path / "bad" / "model.onnx").unlink()
    (tmp_path / "bad" / "model.onnx").write_bytes(b"not a model")
    embedder = await ready(FastembedEmbedder(model=MINILM, path=tmp_path / "bad"))
    with pytest.raises(ModelMissingError, match="cannot be loaded"):
        await embedder.embed_query("hello")


def test_the_catalog_agrees_with_fastembed() -> None:
    known = {model["model"]: model for model in _supported()}
    for card in catalog.CARDS.values():
        if card.provider == "fastembed" and card.purpose == "embed":
            model = known[card.name]
            assert (card.dimension, card.file, card.repository, list(card.more_files)) == (
                model["dim"],
                model["model_file"],
                model["sources"]["hf"],
                model["additional_files"],
            )


def test_a_model_outside_the_catalog_is_described_by_fastembed() -> None:
    card = downloads.describe("thenlper/gte-base")
    assert (card.dimension, card.pooling, card.file) == (768, catalog.MEAN, "onnx/model.onnx")


def test_poolings_in_the_catalog_are_those_of_fastembeds_classes(monkeypatch: pytest.MonkeyPatch) -> None:
    cards = [
        card for card in catalog.CARDS.values() if card.provider == "fastembed" and card.purpose == "embed"
    ]
    monkeypatch.setattr(catalog, "card_of", lambda name: None)
    for card in cards:
        assert downloads.describe(card.name).pooling == card.pooling


def _supported() -> list[dict[str, Any]]:
    from fastembed import TextEmbedding

    models: list[dict[str, Any]] = TextEmbedding.list_supported_models()
    return models
