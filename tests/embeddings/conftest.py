from __future__ import annotations

from pathlib import Path

import pytest

from .folders import write_model_folder


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the five files of all-MiniLM-L6-v2 that fastembed asks for."""
    return write_model_folder(tmp_path_factory.mktemp("minilm"))
