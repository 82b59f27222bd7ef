"""Values that no input moves, because of what they are made of: ``x - x``, the sum of a softmax, that of one class."""

from __future__ import annotations

from collections.abc import Iterable

from losslint.domain.shape import ONE
from losslint.graph import Node
from losslint.ops.linear import beneath, constant, terms

_CARRIED = frozenset({"identity", "cast", "stop_gradient"})
_PLACED = _CARRIED | {"reshape"}


def unmoved(nodes: Iterable[Node]) -> frozenset[int]:
    """The ids of those ``nodes`` that have inputs and are constant all the same, for samples of one shape."""
    return frozenset(
        n.id
        for n in nodes
        if not n.attrs.get("fused") and (vanishes(n) or one_class(n) or cancels(n) or softmax_under(n) is not None)
    )


def vanishes(node: Node) -> bool:
    """Whether ``node`` is 0 everywhere, by what it is: ``x - x``, labels times what they are not, one class's log."""
    if node.op == "mul":
        return _apart(*node.inputs[:2])
    return (node.op == "log_softmax" and one_class(node)) or (cancels(node) and not terms(node).constant)


def one_class(node: Node) -> bool:
    """Whether ``node`` is a softmax, or its log, over one class: 1, or 0, though a fused kernel sends a gradient."""
    return node.op in ("softmax", "log_softmax") and node.attrs.get("extent") == ONE


def _apart(a: Node, b: Node) -> bool:
    """Whether one of a and b is 1 minus the other, which holds nothing but 0 and 1."""
    while a.op == b.op and a.op in _PLACED and a.attrs == b.attrs:
        a, b = a.inputs[0], b.inputs[0]
    return any(
        other.op == "sub"
        and constant(other.inputs[0]) == 1.0
        and beneath(other.inputs[1], _CARRIED).number == beneath(flags, _CARRIED).number
        and beneath(flags, _CARRIED).op == "one_hot"
        for flags, other in ((a, b), (b, a))
    )


def cancels(node: Node) -> bool:
    """Whether ``node`` is a sum that is written with tensors and in which all of them cancel."""
    return (
        node.op in ("add", "sub")
        and any(constant(x) is None for x in node.inputs)
        and not any("dim" in x.attrs for x in node.inputs)
        and not terms(node).parts
    )


def softmax_under(node: Node) -> Node | None:
    """The softmax of which ``node`` is the sum (the 1-norm) or mean over the axes along which it is one."""
    if node.op not in ("sum", "mean") and not (node.op == "norm" and node.attrs.get("ord") == 1):
        return None
    inner = beneath(node.inputs[0], _CARRIED)
    return inner if shares_of_one(node, inner) else None


def shares_of_one(node: Node, inner: Node) -> bool:
    """Whether the reduction ``node`` takes in all axes along which ``inner`` is a softmax."""
    if inner.op != "softmax":
        return False
    axis, along = node.attrs.get("axis"), inner.attrs.get("axis")
    if axis is None:
        return True
    rank = inner.shape.rank
    over, classes = (
        {a % rank if rank else a for a in ((x,) if isinstance(x, int) else tuple(x or ()))} for x in (axis, along)
    )
    return bool(classes) and classes <= over
