"""Values that no input moves, because of what they are made of: ``x - x``, the sum of a softmax."""

from __future__ import annotations

from collections.abc import Iterable

from losslint.graph import Node
from losslint.ops.linear import beneath, constant, terms

_CARRIED = frozenset({"identity", "cast", "stop_gradient"})


def unmoved(nodes: Iterable[Node]) -> frozenset[int]:
    """The ids of those ``nodes`` that have inputs and are constant all the same, for samples of one shape."""
    return frozenset(node.id for node in nodes if cancels(node) or softmax_under(node) is not None)


def cancels(node: Node) -> bool:
    """Whether ``node`` is a sum that is written with tensors and in which all of them cancel."""
    return (
        node.op in ("add", "sub")
        and any(constant(x) is None for x in node.inputs)
        and not any("dim" in x.attrs for x in node.inputs)
        and not terms(node).parts
    )


def softmax_under(node: Node) -> Node | None:
    """The softmax of which ``node`` is the sum or mean over the axes along which it is one."""
    if node.op not in ("sum", "mean"):
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
