"""Model folders as other programs know them."""

from __future__ import annotations

import json
import os
from pathlib import Path

from agent_memory.embeddings.local import find_weights, load_tokenizer


def write_model_folder(folder: Path) -> Path:
    """Write the five files of all-MiniLM-L6-v2 that fastembed asks for, from the default model's weights."""
    from tokenizers import processors

    folder.mkdir(parents=True, exist_ok=True)
    source = find_weights()
    try:
        os.link(source, folder / "model.onnx")
    except OSError:
        (folder / "model.onnx").write_bytes(source.read_bytes())
    tokenizer = load_tokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair=None, special_tokens=[("[CLS]", 101), ("[SEP]", 102)]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    contents: dict[str, dict[str, object]] = {
        "tokenizer_config.json": {"model_max_length": 256, "max_length": 256, "pad_token": "[PAD]"},
        "config.json": {"pad_token_id": 0},
        "special_tokens_map.json": {
            name: f"[{name[:-6].upper()}]"
            for name in ("pad_token", "unk_token", "cls_token", "sep_token", "mask_token")
        },
    }
    for name, content in contents.items():
        (folder / name).write_text(json.dumps(content))
    return folder
