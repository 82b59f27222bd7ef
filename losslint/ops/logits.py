"""What a loss takes for logits, and whether it is a probability already."""

from __future__ import annotations

from typing import Any

from losslint.graph import Graph, Node
from losslint.ops.assumptions import SAME_VALUES
from losslint.ops.linear import constant

ACTIVATIONS = frozenset({"softmax", "sigmoid"})
_GUARDS = frozenset({"clip", "maximum", "minimum"})
_EPSILON = 0.02  # a constant up to this is a guard


def as_logits(g: Graph, x: Any, activation: str, recovers: bool = False) -> Node:
    """``x`` in the slot of logits, to which ``activation`` is applied.

    ``recovers``: Keras looks for the operation that made ``x``, and takes what it was applied to (in a graph).
    """
    return g.op("identity", x, logits=activation, recovers=recovers)


def probability(node: Node) -> Node | None:
    """The softmax or sigmoid whose values ``node`` holds, guards and picking aside; scaled values are none."""
    while True:
        if node.op in ACTIVATIONS:
            return node
        if node.op in SAME_VALUES or node.op in ("index", "unstack"):
            node = node.inputs[0]
        elif node.op in _GUARDS or (node.op in ("add", "sub") and _is_guard(node)):
            variable = [x for x in node.inputs if constant(x) is None]
            if len(variable) != 1:
                return None
            node = variable[0]
        else:
            return None


def _is_guard(node: Node) -> bool:
    known = [c for c in map(constant, node.inputs) if c is not None]
    return len(known) == 1 and abs(known[0]) <= _EPSILON and (node.op == "add" or constant(node.inputs[1]) is not None)
