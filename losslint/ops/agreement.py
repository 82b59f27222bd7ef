"""Whether a loss rises or falls as its predictions approach the labels.

It is evaluated at tensors of equal elements: at v against v, and at v against others. A loss that is nowhere lower and
somewhere higher where the two agree is a similarity that ought to be maximized.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from losslint.domain.shape import Dim
from losslint.graph import Node, ancestors
from losslint.ops.directions import cosine
from losslint.ops.relations import plain
from losslint.ops.witness import COUNT

if TYPE_CHECKING:
    from losslint.loss import Loss

_LABELS = (1.0, 0.0)
_PREDICTIONS = (0.0, 0.25, 0.75, 1.0)
_CLOSE = 1e-6
_SETTING = 0.7  # what a hyper-parameter is taken to be
LABEL, PREDICTION, _ELSE = (frozenset({side}) for side in ("label", "prediction", "else"))


def similarity(loss: Loss) -> Node | None:
    """The overlap ratio or cosine of labels and predictions that the result is computed from, None without one."""
    found = [n for n in loss.gradients.order if _compares(loss, n) and loss.gradients.live(n)]
    return found[-1] if found else None


def _compares(loss: Loss, node: Node) -> bool:
    """Whether ``node`` is a cosine between labels and predictions, or a ratio of sums over both."""
    pair = cosine(node)
    if pair is not None:
        return {_sides(loss, pair[0]), _sides(loss, pair[1])} == {LABEL, PREDICTION}
    if node.op not in ("div", "div_no_nan"):
        return False
    return all(_sides(loss, x) == LABEL | PREDICTION and plain(x).op != "sub" for x in node.inputs[:2])


def rises_with_agreement(loss: Loss) -> bool:
    """Whether the value at equal labels and predictions is nowhere lower, and somewhere higher, than elsewhere."""
    higher = False
    for label in _LABELS if isinstance(loss.value, Node) else ():
        same = _at(loss, label, label)
        for other in _PREDICTIONS if same is not None else ():
            apart = _at(loss, label, other)
            if other == label or apart is None or same is None:
                continue
            if same < apart - _CLOSE:
                return False
            higher = higher or same > apart + _CLOSE
    return higher


def _at(loss: Loss, label: float, prediction: float) -> float | None:
    """The result where all labels and all predictions have these values; None where that cannot be told."""

    def of(leaf: Node) -> float | None:
        sides, interval = _sides(loss, leaf), loss.ranges.of(leaf)
        if cosine(leaf) is not None and sides == LABEL | PREDICTION:
            return 1.0 if label == prediction else -1.0
        if len(sides) == 1:
            value = label if sides == LABEL else prediction
            return None if sides == _ELSE or interval.excludes(value) else value
        if sides:
            return None
        if isinstance(leaf.attrs.get("dim"), Dim):
            return COUNT if interval.constant is None else interval.constant
        return _SETTING if leaf.op == "source" else None

    found = loss.ranges.witness.value(loss.value, of)
    return None if found is None or not math.isfinite(found) else found


def _sides(loss: Loss, node: Node) -> frozenset[str]:
    """Which of labels and predictions ``node`` is computed from; "else" for other tensors."""
    memo = loss.ranges.memo
    key = ("sides", node.id)
    if key not in memo:
        found = set()
        for leaf in ancestors([node]):
            if leaf.op == "source":
                role = leaf.attrs.get("role")
                if role in ("label", "prediction"):
                    found.add(str(role))
                elif role not in ("config",) and (role != "argument" or leaf.shape.min_rank):
                    found.add("else")
            elif leaf.op in ("model", "opaque", "random", "gradient_of"):
                found.add("prediction" if leaf.op == "model" else "else")
        memo[key] = frozenset(found)
    sides: frozenset[str] = memo[key]  # type: ignore[assignment]
    return sides
