"""A cross-encoder is loaded from files by fastembed itself; the small one here counts shared tokens."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from agent_memory.embeddings import catalog
from agent_memory.embeddings.cross_encoder import CrossEncoder
from agent_memory.embeddings.fastembed import FastembedEmbedder
from agent_memory.errors import ConfigurationError, ModelMissingError

pytestmark = pytest.mark.anyio


async def test_each_text_is_read_with_the_query_and_answers_come_in_the_order_of_the_texts(
    reranker_folder: Path,
) -> None:
    encoder = CrossEncoder({"path": str(reranker_folder)})
    texts = [
        "a whole long sentence about nothing of that kind, with many words in it",
        "the red boat sank",
        "red",
        "",
    ]
    # [SEP] stands in both segments, so it counts as one.
    assert await encoder.scores("the red boat", texts) == [-3.0, 0.0, -2.0, -3.0]
    assert await encoder.scores("the red boat", []) == []
    many = [f"red {'x ' * (n % 9)}" for n in range(40)] + ["the red boat"]
    assert await encoder.scores("the red boat", many) == [-2.0] * 40 + [0.0]


async def test_a_model_that_is_not_here_is_named_with_what_fetches_it(tmp_path: Path) -> None:
    with pytest.raises(ModelMissingError, match=r"pull_model\('Xenova/ms-marco-MiniLM-L-6-v2"):
        await CrossEncoder({"cache_dir": str(tmp_path)}).scores("a", ["b"])


async def test_a_pulled_model_is_found_in_the_cache(tmp_path: Path, reranker_folder: Path) -> None:
    base = tmp_path / "models--Xenova--ms-marco-MiniLM-L-6-v2"
    shutil.copytree(reranker_folder, base / "snapshots" / "abc")
    (base / "refs").mkdir()
    (base / "refs" / "main").write_text("abc")
    assert await CrossEncoder({"cache_dir": str(tmp_path)}).scores("red boat", ["red boat"]) == [-1.0]


async def test_a_damaged_model_is_an_error_and_not_a_crash(tmp_path: Path, reranker_folder: Path) -> None:
    folder = shutil.copytree(reranker_folder, tmp_path / "model")
    (folder / "onnx" / "model.onnx").write_bytes(b"no model")
    with pytest.raises(ModelMissingError, match="cannot be loaded"):
        await CrossEncoder({"path": str(folder)}).scores("a", ["b"])


@pytest.mark.parametrize(
    "options", [{"model": "BAAI/bge-small-en-v1.5"}, {"model": "nothing"}, {"modle": "x"}]
)
def test_what_is_no_reranker_is_refused_and_those_there_are_named(options: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match=r"ms-marco|model"):
        CrossEncoder(options)


async def test_a_reranker_is_no_embedder() -> None:
    with pytest.raises(ConfigurationError, match="makes no vectors"):
        await FastembedEmbedder(model=catalog.RERANKER).prepare()


def test_the_cards_agree_with_fastembed() -> None:
    from fastembed.rerank.cross_encoder import TextCrossEncoder

    known = {
        supported_model["model"]: supported_model
        for supported_model in TextCrossEncoder.list_supported_models()
    }
    for card in catalog.CARDS.values():
        if card.purpose == "rerank":
            theirs = known[card.name]
            assert (theirs["sources"]["hf"], theirs["model_file"]) == (card.repository, card.file)
            assert round(1000 * theirs["size_in_GB"]) == card.megabytes
