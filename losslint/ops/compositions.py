"""Compositions that lose what a fused operation keeps: log(softmax), log(sigmoid), log(1 + exp), log(sum(exp))."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from losslint.graph import Node
from losslint.ops.linear import chain, constant
from losslint.ops.relations import plain

if TYPE_CHECKING:
    from losslint.loss import Loss

OVERFLOW = 88.0
"""exp of more overflows float32 (and bfloat16); an argument known to stay below is safe."""
_PICKED = frozenset(["gather", "gather_nd", "index", "unstack", "boolean_mask", "reverse", "concat"])


class Fused(NamedTuple):
    """What was written, the operation to use instead, and what was computed."""

    written: str
    better: str
    fact: str


def fused(loss: Loss, node: Node) -> Fused | None:
    """The fused operation for ``log`` or ``log1p`` at ``node``, None where there is none or nothing can overflow."""
    if node.op == "log1p":
        return _softplus(loss, _exponential(node.inputs[0]))
    inner = _picked(node.inputs[0])
    if inner.internal:
        return None
    if inner.op == "softmax":
        return Fused("log(softmax(x))", "tf.nn.log_softmax(x)", "softmax rounds to 0 from a logit gap of about 104")
    if inner.op == "sigmoid":
        return Fused("log(sigmoid(x))", "tf.math.log_sigmoid(x)", "sigmoid(x) rounds to 0 below x = -104")
    if inner.op == "sum":
        exponential = _exponential(inner.inputs[0])
        if exponential is not None and not _tame(loss, exponential):
            return Fused(
                "log(sum(exp(x)))",
                "tf.reduce_logsumexp(x)",
                f"the exponent is in {loss.ranges.of(exponential.inputs[0])}",
            )
        return None
    links = chain(inner)
    if links.constants and links.constant == 1 and links.sign > 0:
        return _softplus(loss, _exponential(links.core))
    return None


def _softplus(loss: Loss, exponential: Node | None) -> Fused | None:
    if exponential is None or exponential.internal or _tame(loss, exponential):
        return None
    return Fused(
        "log(1 + exp(x))", "tf.math.softplus(x)", f"the exponent is in {loss.ranges.of(exponential.inputs[0])}"
    )


def _exponential(node: Node) -> Node | None:
    node = plain(node)
    return node if node.op == "exp" else None


def _picked(node: Node) -> Node:
    """What the elements of ``node`` were computed as: picking some of them commutes with the logarithm."""
    while True:
        node = plain(node)
        if node.op not in _PICKED or (len({x.op for x in node.inputs}) != 1 and node.op == "concat"):
            return node
        node = node.inputs[0]


def _tame(loss: Loss, exponential: Node) -> bool:
    """Whether the exponent is bounded, or was reduced by its maximum as in a hand-written logsumexp."""
    exponent = exponential.inputs[0]
    if loss.ranges.of(exponent).high.at <= OVERFLOW:
        return True
    exponent = plain(exponent)
    return exponent.op == "sub" and constant(exponent) is None and plain(exponent.inputs[1]).op in ("max", "maximum")
