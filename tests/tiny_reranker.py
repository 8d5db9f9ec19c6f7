"""A cross-encoder small enough to be written by a test."""

from __future__ import annotations

import json
from pathlib import Path

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper
from tokenizers import processors

from agent_memory.embeddings.local import load_tokenizer


def write_reranker_folder(folder: Path) -> Path:
    """Write the files of a cross-encoder, whose logit is how many tokens of the text stand in the query, less 4.

    A real graph in the real format, with the inputs and outputs of the models that fastembed runs; it has no weights.
    """

    def number(name: str, *values: int | float, kind: str = "int64") -> onnx.TensorProto:
        return numpy_helper.from_array(numpy.array(values, kind), name)

    # Both segments of a pair, [batch, tokens]; a token of the second counts if the first holds it.
    nodes = [
        helper.make_node("Unsqueeze", ["input_ids", "last"], ["rows"]),
        helper.make_node("Unsqueeze", ["input_ids", "middle"], ["columns"]),
        helper.make_node("Equal", ["rows", "columns"], ["same"]),
        helper.make_node("Cast", ["same"], ["alike"], to=TensorProto.FLOAT),
        helper.make_node("Cast", ["token_type_ids"], ["text"], to=TensorProto.FLOAT),
        helper.make_node("Cast", ["attention_mask"], ["there"], to=TensorProto.FLOAT),
        helper.make_node("Sub", ["there", "text"], ["query"]),
        helper.make_node("Unsqueeze", ["query", "middle"], ["in_query"]),
        helper.make_node("Mul", ["alike", "in_query"], ["found"]),
        helper.make_node("ReduceMax", ["found"], ["held"], axes=[2], keepdims=0),
        helper.make_node("Mul", ["held", "text"], ["counted"]),
        helper.make_node("ReduceSum", ["counted", "one"], ["count"], keepdims=1),
        helper.make_node("Sub", ["count", "four"], ["logits"]),
    ]
    axes = ["batch", "tokens"]
    inputs = ("input_ids", "attention_mask", "token_type_ids")
    graph = helper.make_graph(
        nodes,
        "overlap",
        [helper.make_tensor_value_info(name, TensorProto.INT64, axes) for name in inputs],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 1])],
        [number("last", 2), number("middle", 1), number("one", 1), number("four", 4, kind="float32")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model)
    (folder / "onnx").mkdir(parents=True)
    onnx.save(model, folder / "onnx" / "model.onnx")
    tokenizer = load_tokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 101), ("[SEP]", 102)],
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    contents: dict[str, dict[str, object]] = {
        "tokenizer_config.json": {"model_max_length": 512, "max_length": 512, "pad_token": "[PAD]"},
        "config.json": {"pad_token_id": 0},
        "special_tokens_map.json": {"pad_token": "[PAD]", "cls_token": "[CLS]", "sep_token": "[SEP]"},
    }
    for name, content in contents.items():
        (folder / name).write_text(json.dumps(content))
    return folder
