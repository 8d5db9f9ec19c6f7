from __future__ import annotations

from ..running import done, run


def test_the_default_model_needs_no_download() -> None:
    assert done("model", "pull", "--offline").out == done("model", "path").out


def test_offline_forbids_a_download() -> None:
    ran = run("model", "pull", "BAAI/bge-small-en-v1.5", "--offline")
    assert (ran.code, ran.out) == (6, "")
    assert "offline" in ran.err
