"""The real download path, against a hub on this machine, each time in a process that knows no other."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent_memory import paths
from agent_memory.embeddings import models
from agent_memory.embeddings.catalog import LOCAL_SHA256
from agent_memory.errors import ConfigurationError, ModelMissingError

from .hub import REVISION, Hub, serve

MINILM = "sentence-transformers/all-MiniLM-L6-v2"
REPOSITORY = "Qdrant/all-MiniLM-L6-v2-onnx"

PULL = """
import json, sys
from agent_memory.embeddings.models import pull_model
from agent_memory.errors import AgentMemoryError
seen = []
try:
    path = pull_model(sys.argv[1], progress=lambda *at: seen.append(at), offline="offline" in sys.argv)
    print(json.dumps({"path": str(path), "progress": seen[-1:]}))
except AgentMemoryError as error:
    print(json.dumps({"code": error.code, "error": str(error)}))
"""
EMBED = """
import asyncio, json, sys
from agent_memory.embeddings.fastembed import FastembedEmbedder
async def main():
    embedder = FastembedEmbedder(model=sys.argv[1])
    await embedder.prepare()
    vector = await embedder.embed_query("hello world")
    print(json.dumps({"revision": embedder.identity.revision, "bytes": len(vector)}))
asyncio.run(main())
"""


@pytest.fixture
def hub(model_folder: Path) -> Iterator[Hub]:
    server = Hub(REPOSITORY, model_folder)
    with serve(server):
        yield server


def run(script: str, *arguments: str, hub: Hub, **environment: str) -> dict[str, Any]:
    """Run a script in a process that knows this hub only; nothing may appear on stderr."""
    result = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        env=hub.environment(**environment),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (result.returncode, result.stderr) == (0, "")
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


def weights() -> Path:
    """Return where the downloaded weights lie."""
    return (
        paths.cache()
        / "fastembed"
        / f"models--{REPOSITORY.replace('/', '--')}"
        / "snapshots"
        / REVISION
        / "model.onnx"
    )


def test_a_model_is_pulled_once_and_then_used_without_network(hub: Hub) -> None:
    answer = run(PULL, MINILM, hub=hub)
    assert Path(answer["path"]) == weights().parent
    assert answer["progress"] == [[90_000_000, 90_000_000]]
    assert models.verify_model(MINILM) == LOCAL_SHA256
    assert models.model_path("all-minilm-l6-v2") == weights().parent
    hub.requests.clear()
    assert run(PULL, MINILM, hub=hub)["path"] == answer["path"]
    assert run(PULL, MINILM, "offline", hub=hub)["path"] == answer["path"]
    assert run(EMBED, MINILM, hub=hub) == {"revision": LOCAL_SHA256, "bytes": 4 * 384}
    assert hub.requests == []


def test_offline_and_not_here_fails_at_once(hub: Hub) -> None:
    for arguments, environment in ((["offline"], {}), ([], {"HF_HUB_OFFLINE": "1"})):
        start = time.monotonic()
        answer = run(PULL, MINILM, *arguments, hub=hub, **environment)
        assert answer["code"] == "refused"
        assert "would have to be downloaded" in answer["error"]
        assert time.monotonic() - start < 10
    assert hub.requests == []


def test_a_hub_that_cannot_be_reached_is_one_clear_error(hub: Hub) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        start = time.monotonic()
        answer = run(PULL, MINILM, hub=hub, HF_ENDPOINT=f"http://127.0.0.1:{unused.getsockname()[1]}")
    assert answer["code"] == "embedding"
    assert "could not be downloaded" in answer["error"]
    assert "\n" not in answer["error"]
    assert time.monotonic() - start < 30


def test_an_interrupted_download_goes_on_where_it_stopped(hub: Hub) -> None:
    hub.break_off_after = 2_000_000
    answer = run(PULL, MINILM, hub=hub)
    assert answer["code"] == "embedding"
    assert not weights().exists()
    with pytest.raises(ModelMissingError, match="pull_model"):
        models.verify_model(MINILM)
    hub.break_off_after = None
    run(PULL, MINILM, hub=hub)
    assert models.verify_model(MINILM) == LOCAL_SHA256


@pytest.mark.parametrize("damage", ["flipped", "cut", "gone", "tokenizer gone"])
def test_damage_is_found_and_repaired(hub: Hub, damage: str) -> None:
    run(PULL, MINILM, hub=hub)
    blob = weights().resolve()
    content = bytearray(blob.read_bytes())
    if damage == "flipped":
        content[9_999_999] ^= 4
        blob.write_bytes(content)
    elif damage == "cut":
        blob.write_bytes(content[:1_000_000])
    elif damage == "gone":
        blob.unlink()
    else:
        (weights().parent / "tokenizer.json").resolve().unlink()
    with pytest.raises(ModelMissingError, match="pull_model"):
        models.verify_model(MINILM)
    run(PULL, MINILM, hub=hub)
    assert models.verify_model(MINILM) == LOCAL_SHA256
    assert run(EMBED, MINILM, hub=hub)["revision"] == LOCAL_SHA256


def test_a_model_outside_the_catalog_is_listed_once_pulled(model_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "gte"
    (folder / "onnx").mkdir(parents=True)
    for file in model_folder.iterdir():
        shutil.copy(file, folder / "onnx" / file.name if file.suffix == ".onnx" else folder / file.name)
    server = Hub("thenlper/gte-base", folder)
    with serve(server):
        run(PULL, "thenlper/gte-base", hub=server)
    state = {model.card.name: model for model in models.list_models()}["thenlper/gte-base"]
    assert state.present
    assert state.card.dimension == 768


def test_the_list_tells_what_is_here() -> None:
    states = models.list_models()
    # The weights of both are installed with the tests; what has to be pulled is not here.
    here = [state.card.name for state in states if state.present]
    assert here == ["all-MiniLM-L6-v2-int8", "multilingual-e5-small-q4"]
    assert states[0].present
    assert states[0].problem == ""
    absent = {state.card.name: state.problem for state in states if not state.present}
    assert "pull_model('BAAI/bge-small-en-v1.5')" in absent["BAAI/bge-small-en-v1.5"]
    assert any("50 languages" in state.card.languages for state in states)


def test_the_default_model_is_verified_and_needs_no_pull() -> None:
    assert models.verify_model("local") == LOCAL_SHA256
    assert models.pull_model("all-MiniLM-L6-v2-int8", offline=True) == models.model_path("local")
    assert (models.model_path("local") / "model.onnx").is_file()


def test_an_unknown_model_is_named() -> None:
    for function in (models.model_path, models.verify_model, models.pull_model):
        with pytest.raises(ConfigurationError, match="nobody/nothing"):
            function("nobody/nothing")


def test_listing_imports_no_engine_and_touches_no_network() -> None:
    script = """
import socket, sys
socket.socket.connect = lambda *_: sys.exit("network")
from agent_memory.embeddings.models import list_models
assert len(list_models()) >= 8
print(sorted({"numpy", "onnxruntime", "fastembed", "huggingface_hub", "tokenizers", "httpx"} & sys.modules.keys()))
"""
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
