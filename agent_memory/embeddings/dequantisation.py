"""The default model's graph, changed so that it does not unpack all its weights in each run.

The file holds weights as int8 with a scale for each row or column, and its graph makes float32 of every one of them
before it uses any. Without graph optimisation, which takes longer than a run, that is three quarters of a run. Here

* the embedding of a token is looked up first and unpacked then: of 30,522 rows those that are asked for. The numbers
  are the same to the last bit;
* a product is scaled instead of the matrix in it. They differ by the rounding of float32, 1e-7 of a vector's length.

Only the list of nodes at the beginning of the file is read and written anew (ONNX is a protocol buffer); the weights
are handed on as they are. What the file is, is checked before (`local.check_weights`).
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

_GRAPH: Final = 7 << 3 | 2
"""The tag of the graph in a model. All tags here are of fields that are bytes with their length before them."""
_NODE: Final = 1 << 3 | 2
_INPUT: Final = 1 << 3 | 2
_OUTPUT: Final = 2 << 3 | 2
_NAME: Final = 3 << 3 | 2
_KIND: Final = 4 << 3 | 2
_HEAD: Final = 1 << 18
"""Bytes in which the list of nodes ends; it takes 40,000."""


class Node(NamedTuple):
    """One operation of a graph."""

    kind: bytes
    inputs: Sequence[bytes]
    outputs: Sequence[bytes]
    beside: bytes
    """Its other fields, as they are encoded, but for its name: no two may have the same, and none needs one."""

    def encoded(self) -> bytes:
        """Return it as it stands in a graph."""
        parts = [_field(_INPUT, name) for name in self.inputs]
        parts += [_field(_OUTPUT, name) for name in self.outputs]
        return _field(_NODE, b"".join([*parts, _field(_KIND, self.kind), self.beside]))


class _Unpacking(NamedTuple):
    """The two nodes that make float32 of a weight: `Cast`, and `Mul` by its scale."""

    cast: Node
    scaled: Node

    @property
    def packed(self) -> bytes:
        """The name of the int8 weight."""
        return self.cast.inputs[0]

    @property
    def scale(self) -> bytes:
        """The name of its scale."""
        return self.scaled.inputs[1]


def read_model(path: Path) -> bytes:
    """Read a model, with its graph changed.

    Returns:
        The model, encoded.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is no model of this form.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        try:
            head, end = _changed_head(content[:_HEAD])
        except (IndexError, ValueError) as error:
            raise ValueError(f"{path} is no model of the expected form") from error
        with memoryview(content) as rest, rest[end:] as weights:
            return b"".join([head, weights])


def _changed_head(head: bytes) -> tuple[bytes, int]:
    """Return a new beginning of a model, and where what it stands for ends.

    Raises:
        IndexError, ValueError: the model has another form.
    """
    start = _graph_at(head)
    length, graph = _number(head, start + 1)
    nodes, end = _nodes(head, graph)
    changed = b"".join(node.encoded() for node in late_dequantisation(nodes))
    size = len(changed) + graph + length - end
    return b"".join([head[: start + 1], _encoded_number(size), changed]), end


def late_dequantisation(nodes: Sequence[Node]) -> Iterator[Node]:
    """Give the nodes of a graph in order, with weights unpacked only after they were looked up or multiplied."""
    makers = {name: node for node in nodes for name in node.outputs}
    users: dict[bytes, list[Node]] = {}
    for node in nodes:
        for name in node.inputs:
            users.setdefault(name, []).append(node)
    dropped: set[bytes] = set()
    changed: dict[bytes, list[Node]] = {}
    for node in nodes:
        place = {b"Gather": 0, b"MatMul": 1}.get(node.kind)
        unpacking = None if place is None else _unpacking(node.inputs[place], makers)
        if unpacking is None or len(users[unpacking.scaled.outputs[0]]) > 1:
            continue
        dropped.add(unpacking.scaled.outputs[0])
        if node.kind == b"Gather":
            dropped.add(unpacking.cast.outputs[0])
            changed[node.outputs[0]] = _looked_up_first(node, unpacking)
        else:
            changed[node.outputs[0]] = _multiplied_first(node, unpacking)
    for node in nodes:
        if node.outputs[0] not in dropped:
            yield from changed.get(node.outputs[0], [node])


def _unpacking(name: bytes, makers: Mapping[bytes, Node]) -> _Unpacking | None:
    """Return how a weight is made of what the file holds; None where it is made in another way."""
    scaled = makers.get(name)
    if scaled is None or scaled.kind != b"Mul":
        return None
    cast = makers.get(scaled.inputs[0])
    if cast is None or cast.kind != b"Cast" or cast.inputs[0] in makers or scaled.inputs[1] in makers:
        return None
    return _Unpacking(cast, scaled)


def _looked_up_first(gather: Node, unpacking: _Unpacking) -> list[Node]:
    result, places = gather.outputs[0], gather.inputs[1]
    packed, wide, scale = result + b"_packed", result + b"_wide", result + b"_scale"
    return [
        Node(b"Gather", [unpacking.packed, places], [packed], gather.beside),
        Node(b"Cast", [packed], [wide], unpacking.cast.beside),
        Node(b"Gather", [unpacking.scale, places], [scale], gather.beside),
        Node(b"Mul", [wide, scale], [result], b""),
    ]


def _multiplied_first(product: Node, unpacking: _Unpacking) -> list[Node]:
    result = product.outputs[0]
    unscaled = result + b"_unscaled"
    return [
        Node(b"MatMul", [product.inputs[0], unpacking.cast.outputs[0]], [unscaled], product.beside),
        Node(b"Mul", [unscaled, unpacking.scale], [result], b""),
    ]


# --- protocol buffers ----------------------------------------------------------------------------------------------


def _graph_at(model: bytes) -> int:
    """Return where the graph begins."""
    place = 0
    while model[place] != _GRAPH:
        tag, after = _number(model, place)
        if tag & 7 not in (0, 2):
            raise ValueError(f"field {tag >> 3} of the model is of an unknown kind")
        number, after = _number(model, after)
        place = after + (number if tag & 7 else 0)
    return place


def _nodes(model: bytes, start: int) -> tuple[list[Node], int]:
    """Return the nodes that a graph begins with, and where they end."""
    nodes = []
    while model[start] == _NODE:
        length, begin = _number(model, start + 1)
        start = begin + length
        if start >= len(model):
            raise ValueError("the list of nodes is longer than it should be")
        nodes.append(_node(model, begin, start))
    return nodes, start


def _node(model: bytes, place: int, end: int) -> Node:
    names: dict[int, list[bytes]] = {_INPUT: [], _OUTPUT: [], _KIND: []}
    beside = []
    while place < end:
        tag = model[place]
        length, begin = _number(model, place + 1)
        if tag & 7 != 2:
            raise ValueError(f"field {tag >> 3} of a node is of an unknown kind")
        if tag in names:
            names[tag].append(model[begin : begin + length])
        elif tag != _NAME:
            beside.append(model[place : begin + length])
        place = begin + length
    return Node(names[_KIND][0], names[_INPUT], names[_OUTPUT], b"".join(beside))


def _number(model: bytes, place: int) -> tuple[int, int]:
    """Read a number, seven bits a byte and the lowest first; return it and where the next field begins."""
    value = shift = 0
    while True:
        byte = model[place]
        place += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return value, place


def _encoded_number(value: int) -> bytes:
    result = bytearray()
    while value > 0x7F:
        result.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*result, value])


def _field(tag: int, content: bytes) -> bytes:
    return bytes([tag]) + _encoded_number(len(content)) + content
