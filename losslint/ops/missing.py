"""Labels that are NaN where they are missing, and what masks them too late.

A ``where`` or a mask that drops the loss of a missing label sends 0 back there, and 0 * NaN is NaN: wherever the slope
towards the prediction was computed with the label, the gradient is lost. The label itself has to be replaced.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from losslint.graph import Node
from losslint.ops.gradients import edge_kind
from losslint.ops.linear import constant
from losslint.ops.relations import plain

if TYPE_CHECKING:
    from losslint.loss import Loss

_KEEPS_NUMBERS = frozenset(
    "lt le gt ge eq ne and or xor not is_nan is_inf is_finite shape_of size_of rank_of dynamic_dim static_dim "
    "zeros_like ones_like argmax argmin argsort count_nonzero any all one_hot range eye".split()
)
"""What is no NaN even where its inputs are."""
_CURVED = frozenset(
    "square abs pow sqrt rsqrt reciprocal exp expm1 log log1p sigmoid log_sigmoid tanh softplus sin cos tan erf norm "
    "std var l2_normalize softmax log_softmax logsumexp smooth".split()
)
"""One input, and a slope that depends on it."""
_PRODUCTS = frozenset({"mul", "mul_no_nan", "div", "div_no_nan", "xlogy", "xlog1py", "xdivy", "matmul", "einsum"})
MASKS = ("select", "boolean_mask", "mul", "mul_no_nan")


def masked_too_late(loss: Loss, mask: Node) -> tuple[Node, Node] | None:
    """The label that ``mask`` asks about, and the operation that makes NaN of the slope, or None."""
    for condition, branch, dropped_if in _uses(mask):
        found = _asks(loss, condition)
        if found is None or found[1] != dropped_if:
            continue
        missing = _nan_nodes(loss, found[0])
        if mask.op == "mul" and branch.id in missing:
            return found[0], mask
        trap = _trap(loss, branch, missing)
        if trap is not None:
            return found[0], trap
    return None


def _uses(mask: Node) -> list[tuple[Node, Node, bool]]:
    """The condition of a mask, what it may drop, and the answer that does so."""
    inputs = mask.inputs
    if mask.op == "select":
        return [(inputs[0], inputs[1], False), (inputs[0], inputs[2], True)]
    if mask.op == "mul":
        return [(inputs[1], inputs[0], False), (inputs[0], inputs[1], False)]
    return [(inputs[1], inputs[0], False)] if mask.op in ("boolean_mask", "mul_no_nan") else []


def _asks(loss: Loss, condition: Node) -> tuple[Node, bool] | None:
    """The label that is tested for NaN, and the answer where it is NaN."""
    condition = plain(condition)
    op, inputs = condition.op, condition.inputs
    if op == "not" or (op == "sub" and constant(inputs[0]) == 1):
        found = _asks(loss, inputs[-1])
        return None if found is None else (found[0], not found[1])
    if op in ("cast", "any", "all"):
        return _asks(loss, inputs[0])
    if op in ("and", "or"):
        asked = (_asks(loss, x) for x in inputs)
        return next((a for a in asked if a is not None and a[1] == (op == "or")), None)
    if op in ("is_nan", "is_finite") or (op in ("eq", "ne") and inputs[0].number == inputs[1].number):
        tested = plain(inputs[0])
        return (tested, op in ("is_nan", "ne")) if tested.id in loss.ranges.assumptions.labels else None
    return None


def _nan_nodes(loss: Loss, label: Node) -> set[int]:
    """The ids of what is NaN where ``label`` is."""
    found: set[int] = set()
    for node in loss.graph.nodes:
        if node.number == label.number:
            found.add(node.id)
        elif node.op in _KEEPS_NUMBERS or (node.op == "cast" and "float" not in str(node.attrs.get("dtype"))):
            continue
        elif node.op in ("select", "boolean_mask"):
            condition = _asks(loss, node.inputs[node.op == "boolean_mask"])
            if condition is None or condition[0].number != label.number:
                parts = node.inputs[1:] if node.op == "select" else node.inputs[:1]
                found.update([node.id] if any(x.id in found for x in parts) else [])
            elif node.op == "select" and node.inputs[1 if condition[1] else 2].id in found:
                found.add(node.id)
        elif any(x.id in found for x in node.inputs):
            found.add(node.id)
    return found


def _trap(loss: Loss, branch: Node, missing: set[int]) -> Node | None:
    """The first operation on the way of the gradient into ``branch`` whose slope is NaN where the label is missing."""
    traps: list[Node] = []
    seen = {branch.id}
    todo = [branch]
    while todo:
        node = todo.pop()
        for i, value in enumerate(node.inputs):
            if edge_kind(node, i) != "live" or not loss.gradients.live_from_source(value):
                continue
            if _slope_is_nan(node, i, missing):
                traps.append(node)
            if value.id not in seen:
                seen.add(value.id)
                todo.append(value)
    return min(traps, key=lambda n: n.id, default=None)


def _slope_is_nan(node: Node, i: int, missing: set[int]) -> bool:
    if node.op in _CURVED:
        return node.inputs[0].id in missing
    if node.op not in _PRODUCTS:
        return False
    factors = node.inputs[:i] + node.inputs[i + 1 :]
    if i and node.op not in ("mul", "mul_no_nan", "matmul", "einsum"):  # the slope towards a divisor has the divisor in
        factors = node.inputs
    return any(x.id in missing for x in factors)
