"""Vectors of length 1 and the cosines between them, which lie in [-1, 1] however many elements are summed."""

from __future__ import annotations

from losslint.graph import Node
from losslint.ops.linear import constant

_SAME = frozenset({"identity", "cast", "stop_gradient"})
_GUARDS = frozenset({"maximum", "add"})


def cosine(node: Node) -> tuple[Node, Node] | None:
    """The two vectors (or stacks of them) whose cosine ``node`` is, None where it is none."""
    if node.op == "sum":
        product = _bare(node.inputs[0])
        pair = _pair(product) if product.op == "mul" else None
        if pair is None or any(unit_axis(x) is None or unit_axis(x) != _axis(product, node) for x in pair):
            return None
        return pair
    if node.op == "div":
        return _quotient(*node.inputs[:2])
    if node.op == "matmul":
        a, b = node.inputs[:2]
        along = -2 if node.attrs.get("transpose_a") else -1, -1 if node.attrs.get("transpose_b") else -2
        return (a, b) if (unit_axis(a), unit_axis(b)) == along else None
    return _einsum(node) if node.op == "einsum" else None


def unit_axis(node: Node, rank: int | None = None) -> int | None:
    """The axis, counted from the end, along which the vectors in ``node``, of this ``rank``, have length 1."""
    node = _bare(node)
    if node.op == "l2_normalize":
        return _axis(node, node, rank)
    if node.op == "transpose" and node.shape.rank == 2:
        inner = unit_axis(node.inputs[0])
        return None if inner is None else -3 - inner
    if node.op == "div":
        length = _length_of(node.inputs[1])
        if length is not None and length[0].number == _bare(node.inputs[0]).number:
            return _axis(length[0], length[1], rank)
    return None


def _pair(product: Node) -> tuple[Node, Node] | None:
    a, b = product.inputs[:2]
    return (a, b) if constant(a) is None and constant(b) is None else None


def _quotient(above: Node, below: Node) -> tuple[Node, Node] | None:
    """sum(a * b) / (|a| * |b|)."""
    above, below = _bare(above), _unguarded(below)
    if above.op != "sum" or _bare(above.inputs[0]).op != "mul" or below.op != "mul":
        return None
    pair = _pair(_bare(above.inputs[0]))
    lengths = [_length_of(x) for x in below.inputs[:2]]
    if pair is None or None in lengths:
        return None
    measured = {length[0].number for length in lengths if length is not None}
    return pair if measured == {_bare(x).number for x in pair} else None


def _length_of(node: Node) -> tuple[Node, Node] | None:
    """The vectors whose length ``node`` is, and the reduction that has the axis."""
    node = _unguarded(node)
    if node.op == "norm" and node.attrs.get("ord") in (None, 2, 2.0, "euclidean"):
        return _bare(node.inputs[0]), node
    if node.op != "sqrt":
        return None
    total = _unguarded(node.inputs[0])
    square = _bare(total.inputs[0]) if total.op == "sum" else None
    if square is None or not (
        square.op == "square"
        or (square.op == "mul" and square.inputs[0].number == square.inputs[1].number)
        or (square.op == "pow" and constant(square.inputs[1]) == 2)
    ):
        return None
    return _bare(square.inputs[0]), total


def _einsum(node: Node) -> tuple[Node, Node] | None:
    equation = node.attrs.get("equation")
    if not isinstance(equation, str) or "->" not in equation or "." in equation or len(node.inputs) != 2:
        return None
    left, right = equation.replace(" ", "").split("->")
    labels = left.split(",")
    summed = {label for label in "".join(labels) if label not in right}
    if len(labels) != 2 or len(summed) != 1:
        return None
    (label,) = summed
    a, b = node.inputs
    along = tuple(part.find(label) - len(part) if label in part else None for part in labels)
    found = tuple(unit_axis(x, len(part)) for x, part in zip((a, b), labels, strict=True))
    return (a, b) if found == along else None


def _axis(of: Node, reduction: Node, rank: int | None = None) -> int | None:
    """The one axis of ``reduction`` over ``of``, from the end."""
    axis, rank = reduction.attrs.get("axis"), of.shape.rank or rank
    if isinstance(axis, tuple) and len(axis) == 1:
        axis = axis[0]
    if not isinstance(axis, int) or isinstance(axis, bool):
        return None
    if axis < 0:
        return axis
    return None if rank is None else axis - rank


def _bare(node: Node) -> Node:
    while node.op in _SAME and node.inputs:
        node = node.inputs[0]
    return node


def _unguarded(node: Node) -> Node:
    """``node`` without the epsilon that keeps it from 0."""
    node = _bare(node)
    while node.op in _GUARDS:
        variable = [x for x in node.inputs if constant(x) is None]
        if len(variable) != 1:
            return node
        node = _bare(variable[0])
    return node
