"""What becomes of a graph whose weights are unpacked late."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent_memory.embeddings.dequantisation import Node, late_dequantisation, read_model
from agent_memory.embeddings.local import find_weights

UNPACKED = [
    Node(b"Cast", [b"table_q"], [b"table_f"], b"to float"),
    Node(b"Mul", [b"table_f", b"table_scale"], [b"table"], b""),
]


def test_rows_are_looked_up_before_they_are_unpacked() -> None:
    nodes = list(late_dequantisation([*UNPACKED, Node(b"Gather", [b"table", b"ids"], [b"out"], b"axis")]))
    assert [(node.kind, node.inputs[0]) for node in nodes] == [
        (b"Gather", b"table_q"),
        (b"Cast", b"out_packed"),
        (b"Gather", b"table_scale"),
        (b"Mul", b"out_wide"),
    ]
    assert nodes[-1].outputs == [b"out"]
    assert [node.beside for node in nodes] == [b"axis", b"to float", b"axis", b""]


def test_a_product_is_scaled_and_not_the_matrix_in_it() -> None:
    nodes = list(late_dequantisation([*UNPACKED, Node(b"MatMul", [b"x", b"table"], [b"out"], b"")]))
    assert [(node.kind, *node.inputs) for node in nodes] == [
        (b"Cast", b"table_q"),
        (b"MatMul", b"x", b"table_f"),
        (b"Mul", b"out_unscaled", b"table_scale"),
    ]


@pytest.mark.parametrize(
    "nodes",
    [
        [*UNPACKED, Node(b"MatMul", [b"table", b"x"], [b"out"], b"")],  # a row's scale is no column's
        [*UNPACKED, *(Node(b"MatMul", [b"x", b"table"], [name], b"") for name in (b"a", b"b"))],
        [Node(b"Add", [b"x", b"y"], [b"table"], b""), Node(b"Gather", [b"table", b"ids"], [b"out"], b"")],
        [Node(b"Cast", [b"x"], [b"y"], b""), Node(b"Gather", [b"y", b"ids"], [b"out"], b"")],
        [Node(b"Mul", [b"x", b"y"], [b"z"], b""), Node(b"MatMul", [b"x", b"z"], [b"out"], b"")],
    ],
)
def test_what_has_another_form_stays_as_it_is(nodes: list[Node]) -> None:
    assert list(late_dequantisation(nodes)) == nodes


def test_the_weights_of_the_model_are_handed_on_as_they_are() -> None:
    own, changed = find_weights().read_bytes(), read_model(find_weights())
    assert changed[-22_000_000:] == own[-22_000_000:]
    assert abs(len(changed) - len(own)) < 10_000


@pytest.mark.parametrize("content", [b"no model at all", b"\x3a", b"\x3a\x85\x01\x0a\xff\x01", b"\x0d1234"])
def test_what_is_no_model_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "model.onnx").write_bytes(content)
    with pytest.raises(ValueError, match="no model of the expected form"):
        read_model(tmp_path / "model.onnx")
