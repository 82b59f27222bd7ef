"""Where an exponential overflows, and what makes NaN of its infinity.

Above 88.7 exp is inf in float32. That alone is an infinite loss; a quotient, a logarithm or a difference of infinities
is worse: NaN, in the value or in the gradient (of ``1 / (1 + exp(-x))`` it is 0 * inf, though the value is 0).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from losslint.graph import Node, ancestors
from losslint.ops.compositions import fused
from losslint.ops.gradients import edge_kind
from losslint.ops.linear import constant
from losslint.ops.relations import plain
from losslint.ops.singularities import singularity, users
from losslint.ops.witness import Sample

if TYPE_CHECKING:
    from losslint.loss import Loss

EXPONENTIALS = frozenset({"exp", "expm1", "cosh", "sinh"})
_EVEN = frozenset({"cosh", "sinh"})
"""Exponentials that overflow on both sides."""
_LIMITS = {"float16": 11.0, "float64": 709.0}
LIMIT = 88.0
"""exp of more overflows float32 and bfloat16."""
_MOST = 60  # operations downstream that are looked at


class Overflow(NamedTuple):
    """``node`` overflows; ``breaks`` makes NaN or inf of that, None where it is only handed on."""

    node: Node
    breaks: Node | None
    limit: float


def overflow(loss: Loss, node: Node) -> Overflow | None:
    """The overflow of the exponential ``node``, None where its argument is bounded or nothing says what it is.

    A composition that has a stable form (LL409), and a result that a ``where`` hides (LL407), are told elsewhere.
    """
    limit = _LIMITS.get(node.dtype or "", LIMIT)
    exponent = node.inputs[0]
    if _bounded(loss, node, limit) or not loss.gradients.live_from_source(exponent) or _shifted(exponent):
        return None
    if any(n.attrs.get("abstract") for n in ancestors([exponent])):
        return None
    found = singularity(loss, node)
    if found is not None and found.masks:
        return None
    inner = _downstream(loss, node)
    if any(n.op in ("log", "log1p") and fused(loss, n) is not None for n in inner):
        return None
    samples = loss.ranges.witness.samples(exponent, *inner[:_MOST])
    ways = [_way(loss, node, s) for s in samples if _overflows(node, s.value(exponent), limit)]
    breaking = [at for at, _ in ways if at is not None]
    if not breaking and not any(reached for _, reached in ways):
        return None
    return Overflow(node, min(breaking, key=lambda n: n.id, default=None), limit)


def _bounded(loss: Loss, node: Node, limit: float) -> bool:
    interval = loss.ranges.of(node.inputs[0])
    return interval.high.at <= limit and (node.op not in _EVEN or interval.low.at >= -limit)


def _overflows(node: Node, value: float | None, limit: float) -> bool:
    if value is None or not math.isfinite(value):
        return False
    return value > limit + 1 or (node.op in _EVEN and value < -limit - 1)


def _downstream(loss: Loss, node: Node) -> list[Node]:
    """What is computed from ``node``, in order."""
    found: dict[int, Node] = {}
    todo = [node]
    while todo:
        for user, _ in users(loss).get(todo.pop().id, ()):
            if user.id not in found:
                found[user.id] = user
                todo.append(user)
    return sorted(found.values(), key=lambda n: n.id)


def _way(loss: Loss, node: Node, sample: Sample) -> tuple[Node | None, bool]:
    """The first operation that breaks on the infinity of ``node``, and whether that comes to a result."""
    results = {n.id for n in loss.results}
    breaking: Node | None = None
    reached = False
    seen = {node.id}
    todo = [node]
    while todo:
        at = todo.pop()
        reached = reached or at.id in results
        for user, i in users(loss).get(at.id, ()):
            if edge_kind(user, i) == "dead" or user.id in seen:
                continue
            seen.add(user.id)
            if _breaks(user, i, sample) and loss.gradients.live_to_result(user):
                breaking = user if breaking is None or user.id < breaking.id else breaking
            value = sample.value(user)
            if value is not None and not math.isfinite(value):
                todo.append(user)
    return breaking, reached


def _breaks(user: Node, i: int, sample: Sample) -> bool:
    """Whether ``user`` makes NaN of its infinite input ``i``, in the value or the gradient, or is its logarithm."""
    if user.op in ("log", "log1p", "reciprocal"):
        return True
    value = sample.value(user)
    if any((v := sample.value(x)) is not None and math.isnan(v) for x in user.inputs):
        return False  # something else has made NaN of it: 0 times inf
    if user.op == "div":
        return i == 1 or (value is not None and math.isnan(value))
    others = [constant(x) if (v := sample.value(x)) is None else v for x in user.inputs]
    infinite = all(v is not None and math.isinf(v) for v in others)
    return user.op in ("add", "sub") and infinite and value is not None and math.isnan(value)


def _shifted(exponent: Node) -> bool:
    """Whether the exponent was reduced by a maximum, as in a hand-written softmax or logsumexp.

    What is reduced by the maximum of the elements that a mask keeps has no bound at the others.
    """
    seen: set[int] = set()
    todo = [(exponent, 1, False)]  # with its sign, and whether something else is added to it
    reduced, added = [], set()
    while todo:
        node, sign, beside = todo.pop()
        node = plain(node)
        if node.id in seen:
            continue
        seen.add(node.id)
        if beside and node.op in _REDUCING[sign]:
            reduced.append(node)
            continue
        added.add(node.number)
        if node.op == "neg":
            todo.append((node.inputs[0], -sign, beside))
        elif node.op in ("add", "sub"):
            both = beside or all(constant(x) is None for x in node.inputs)
            todo += [(node.inputs[0], sign, both), (node.inputs[1], sign if node.op == "add" else -sign, both)]
        elif node.op in ("mul", "div"):
            flips = sum((constant(x) or 0.0) < 0 for x in node.inputs) % 2
            todo += [(x, -sign if flips else sign, beside) for x in node.inputs]
        elif node.op in ("select", "join"):
            todo += [(x, sign, beside) for x in node.inputs[node.op == "select" :]]
    return any(not _masks(plain(node.inputs[0]), added) for node in reduced)


def _masks(node: Node, numbers: set[int]) -> bool:
    """Whether ``node`` is a value of these numbers where a condition holds, and something else where it does not."""
    if node.op != "select" or node.number in numbers:
        return False
    return any(plain(branch).number in numbers for branch in node.inputs[1:])


_REDUCING = {1: frozenset({"min", "minimum"}), -1: frozenset({"max", "maximum", "logsumexp"})}
"""What takes an exponent down, by the sign it is added with."""
