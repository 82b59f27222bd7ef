"""Products with a trained weight, such as ``x @ W``: training can take them anywhere."""

from __future__ import annotations

from losslint.graph import Node, ancestors
from losslint.ops.assumptions import SAME_VALUES
from losslint.ops.linear import constant

CONTRACTIONS = frozenset({"matmul", "tensordot", "einsum", "conv"})
"""Primitives that multiply by a weight and add up."""
_KEPT = SAME_VALUES - {"variable_of", "leaves_tensorflow"}


def projects(node: Node) -> bool:
    """Whether the contraction ``node`` multiplies by a trained weight: ``x @ W``, but not ``W @ W^T``.

    A gain that is multiplied element by element is not meant: it starts positive, and stays so.
    """
    if node.op == "conv" and "conv" not in str(node.attrs.get("how")):
        return False  # pooling, attention
    for i, x in enumerate(node.inputs):
        others = node.inputs[:i] + node.inputs[i + 1 :]
        weight = _weight(x)
        if weight is not None and others and all(constant(y) != 0 for y in others):
            return all(n.number != weight.number for n in ancestors(others))
    return False


def _weight(node: Node) -> Node | None:
    """The variable whose values ``node`` holds, None where there is none or it is kept in bounds."""
    while node.op in _KEPT and node.inputs:
        node = node.inputs[0]
    trained = node.op == "source" and node.attrs.get("role") == "variable"
    return node if trained and not node.attrs.get("list") and not node.attrs.get("constrained") else None


def independent(a: Node, b: Node) -> bool:
    """Whether ``a`` and ``b`` have no variable in common."""
    return _variables(a).isdisjoint(_variables(b))


def _variables(node: Node) -> set[int]:
    return {n.number for n in ancestors([node]) if n.op == "source" and n.attrs.get("role") == "variable"}
