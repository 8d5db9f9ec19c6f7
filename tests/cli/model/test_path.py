from __future__ import annotations

from pathlib import Path

from ..running import done, run


def test_the_folder_of_the_default_model() -> None:
    folder = Path(done("model", "path").out.strip())
    assert (folder / "model.onnx").is_file()
    assert done("model", "path", "local").out.strip() == str(folder)


def test_a_model_that_is_not_here_says_how_to_get_it() -> None:
    ran = run("model", "path", "BAAI/bge-small-en-v1.5")
    assert (ran.code, ran.out) == (7, "")
    assert "agentmem model pull BAAI/bge-small-en-v1.5" in ran.err
