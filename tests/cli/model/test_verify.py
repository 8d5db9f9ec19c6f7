from __future__ import annotations

from agent_memory.embeddings.catalog import LOCAL_SHA256

from ..running import done, run


def test_the_default_model_is_what_it_has_to_be() -> None:
    assert done("model", "verify").out == LOCAL_SHA256 + "\n"


def test_a_model_that_is_not_here_cannot_be_verified() -> None:
    assert run("model", "verify", "BAAI/bge-small-en-v1.5").code == 7
