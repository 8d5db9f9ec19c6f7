from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from agent_memory.embeddings.base import EmbeddingIdentity, pack, pack_rows
from agent_memory.embeddings.catalog import LOCAL_SHA256, MEAN
from agent_memory.embeddings.registry import EMBEDDERS, create_embedder, options_for
from agent_memory.errors import ConfigurationError, EmbeddingError

MINILM = "sentence-transformers/all-MiniLM-L6-v2"
HEAVY = [
    "numpy",
    "onnxruntime",
    "tokenizers",
    "httpx",
    "fastembed",
    "huggingface_hub",
    "platformdirs",
    "anyio",
]


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("provider", "options"),
    [
        ("local", {}),
        ("multilingual", {}),
        ("dummy", {"dimension": 48}),
        ("openai", {"api_key": "k"}),
        (
            "openai",
            {"api_key": "k", "model": "text-embedding-3-large", "dimensions": 256, "query_prefix": "q: "},
        ),
        ("openai", {"model": "own", "base_url": "http://localhost:1/v1", "native_dimension": 99}),
        ("openai", {"model": "own", "base_url": "http://localhost:1/v1", "dimensions": 99}),
        ("fastembed", {"model": MINILM, "path": "FOLDER", "query_prefix": "ask: "}),
    ],
)
async def test_the_embedder_of_an_identity_can_be_made_again(
    provider: str, options: dict[str, Any], model_folder: Path
) -> None:
    options = {name: model_folder if value == "FOLDER" else value for name, value in options.items()}
    first = create_embedder(provider, options)
    assert first is not None
    await first.prepare()
    named, again_options = options_for(first.identity)
    beside = {name: options[name] for name in ("api_key", "base_url", "path") if name in options}
    again = create_embedder(named, {**beside, **again_options})
    assert again is not None
    await again.prepare()
    assert again.identity == first.identity


def test_the_default_weights_are_run_by_the_default_embedder() -> None:
    identity = EmbeddingIdentity(
        provider="fastembed", model=MINILM, revision=LOCAL_SHA256, dimension=384, pooling=MEAN
    )
    assert options_for(identity) == ("local", {})


def test_an_identity_of_an_embedder_that_is_not_installed_is_named() -> None:
    identity = EmbeddingIdentity(provider="somebody's", model="m", revision="", dimension=8)
    with pytest.raises(ConfigurationError, match="somebody's"):
        options_for(identity)


def test_none_is_no_embedder() -> None:
    assert create_embedder("none", {}) is None


@pytest.mark.parametrize("provider", ["local", "multilingual", "fastembed", "openai", "dummy"])
def test_an_unknown_option_is_refused_with_the_known_ones(provider: str) -> None:
    with pytest.raises(ConfigurationError, match=f"embedding_config key for {provider} 'colour': use one of"):
        create_embedder(provider, {"colour": "red"})


@pytest.mark.parametrize(
    "module",
    ["base", "registry", "catalog", "local", "multilingual", "fastembed", "openai", "dummy", "models"],
)
def test_each_module_imports_alone_and_nothing_heavy(module: str) -> None:
    script = (
        f"import sys, agent_memory.embeddings.{module}; print(sorted(set({HEAVY!r}) & sys.modules.keys()))"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_making_an_embedder_imports_nothing_heavy() -> None:
    script = (
        "import sys; from agent_memory.embeddings.registry import create_embedder; "
        "[create_embedder(name, {}) for name in ('local', 'multilingual', 'fastembed', 'openai', 'dummy')]; "
        f"print(sorted(set({HEAVY!r}) & sys.modules.keys()))"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_every_name_loads_its_class() -> None:
    for name in EMBEDDERS.names():
        assert EMBEDDERS.load(name).provider == name


def test_rows_are_packed_as_single_vectors_are() -> None:
    import numpy

    rows = numpy.random.default_rng(3).normal(size=(20, 7))
    for dtype in (numpy.float64, numpy.float32, numpy.float16):
        for row, packed in zip(rows.astype(dtype), pack_rows(rows.astype(dtype)), strict=True):
            expected = numpy.frombuffer(pack([float(value) for value in row]), "<f4")
            assert numpy.frombuffer(packed, "<f4") == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("value", [0.0, float("nan"), float("inf")])
def test_no_row_without_a_direction_is_packed(value: float) -> None:
    import numpy

    rows = numpy.ones((3, 4), dtype=numpy.float32)
    rows[1] = value
    with pytest.raises(EmbeddingError, match="all zero, or holds NaN"):
        pack_rows(rows)
