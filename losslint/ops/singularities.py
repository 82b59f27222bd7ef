"""Where a loss leaves the domain of its operations: a log of 0, a division by 0, the slope of a root at 0.

A singularity is told only with inputs at hand that lead there. It is *vanished* where exact arithmetic would have
stayed away from it (an epsilon is lost in rounding), and *masked* where at each such input a ``where`` takes its other
branch: the value is good then, and the gradient still is not.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from losslint.domain.interval import End, Interval, Trust
from losslint.graph import Node
from losslint.ops.gradients import edge_kind
from losslint.ops.linear import chain, constant
from losslint.ops.witness import Sample

if TYPE_CHECKING:
    from losslint.loss import Loss

LOGS = {"log": 0.0, "log1p": -1.0, "xlogy": 0.0, "xlog1py": -1.0}
"""Logarithms and the argument at which they are -inf."""
ROOTS = frozenset({"sqrt", "rsqrt", "norm", "std", "pow"})
_KEPT_BY_TENSORFLOW = frozenset({"sqrt", "rsqrt", "reciprocal", "norm", "std"})
"""TensorFlow multiplies a zero incoming slope to zero here, XLA to NaN (measured)."""
_FLAT = frozenset({"maximum", "minimum", "clip", "relu", "pow", "square", "abs"})
"""Operations whose slope can be exactly 0 at a point: see ``_is_flat``."""
_DETACHING = frozenset({"stop_gradient", "leaves_tensorflow", "variable_of", "numpy_function", "cast"}) | frozenset(
    {"round", "floor", "ceil", "trunc"}
)
"""Operations that keep the gradient to themselves, and not what is infinite or no number."""
_KEEPS_INFINITE = frozenset(
    {"add", "cast", "identity", "reshape", "expand_dims", "squeeze", "transpose", "stop_gradient"}
)
"""Operations after which what is infinite still is, whatever the other summand."""
INVERSES = frozenset({"acos", "asin", "acosh", "atanh"})
"""Functions with an infinite slope at the ends of their domain: -1 and 1, of acosh 1."""


@dataclass(frozen=True)
class Singularity:
    """``node`` is singular in ``operand`` at the samples ``hits``."""

    node: Node
    operand: Node
    trust: Trust  # UNKNOWN: the operand is free, and only its use tells that it comes there
    given: frozenset[str]
    hits: tuple[Sample, ...]
    vanished: bool
    masks: tuple[Node, ...]  # the nodes that take something else at every hit; empty where the value gets through
    zero_slope: bool  # at every hit the slope that comes in is exactly 0

    @property
    def xla_only(self) -> bool:
        """Whether only XLA makes NaN of a slope of 0."""
        return self.node.op in _KEPT_BY_TENSORFLOW


def operand_of(node: Node) -> Node | None:
    """The input in which ``node`` may be singular, None where it is regular everywhere."""
    op, inputs = node.op, node.inputs
    if op in LOGS:
        return inputs[-1]
    if op == "div":
        return inputs[1] if constant(inputs[1]) is None else None
    if op in ("sqrt", "rsqrt", "reciprocal", "exp", *INVERSES):
        return inputs[0]
    if op == "std" or (op == "norm" and node.attrs.get("ord") in (None, 2, 2.0, "euclidean", "fro")):
        return inputs[0]
    if op == "pow" and constant(inputs[0]) is None:
        exponent = constant(inputs[1])
        return inputs[0] if exponent is not None and exponent < 1 else None
    return None


def singularity(loss: Loss, node: Node) -> Singularity | None:
    """The singularity of ``node``, None where nothing takes it there."""
    memo = loss.ranges.memo
    key = ("singularity", node.id)
    if key not in memo:
        memo[key] = _singularity(loss, node)
    found = memo[key]
    assert found is None or isinstance(found, Singularity)
    return found


def _singularity(loss: Loss, node: Node) -> Singularity | None:
    operand = operand_of(node)
    if operand is None or _excluded(loss.ranges.of(subject(node, operand)), node):
        return None
    trust, given = _trust(loss, node, operand)
    guards = list(_guards(loss, node))
    if trust == Trust.UNKNOWN and node.op != "div" and not any(user.op in _SWITCH for user, _, _ in guards):
        return None  # nobody could say what an unknown value comes to
    hits = _hits(loss, node, operand, [switch for _, _, switch in guards], exact=False)
    if not hits:
        return None
    value = _end(loss.ranges.exact(subject(node, operand)), node)
    vanished = value is None and trust > Trust.UNKNOWN and not _hits(loss, node, operand, [], exact=True)
    masks, slope = _masks(loss, node, hits)
    if not masks and not felt(loss, node):
        return None  # it is only compared
    reach = loss.ranges.witness.leaves(subject(node, operand))
    if not any(reach & loss.ranges.witness.leaves(decider(mask)) for mask in masks):
        masks = ()  # what decides has nothing to do with the operand: that it fits every sample is chance
    return Singularity(node, operand, trust, given, tuple(hits), vanished, masks, slope)


def subject(node: Node, operand: Node) -> Node:
    """The node whose value tells: of a norm or a deviation it is the result that is 0, not an argument."""
    return node if node.op in ("norm", "std") else operand


def _is_hit(node: Node, value: float | None) -> bool:
    if value is None or math.isnan(value):
        return False
    if node.op in LOGS:
        return value <= LOGS[node.op]
    if node.op == "exp":
        return value > 88.8
    if node.op in INVERSES:
        return abs(value) >= 1 if node.op != "acosh" else value <= 1
    return value == 0 or (node.op in ("sqrt", "rsqrt") and value < 0)


def _excluded(interval: Interval, node: Node) -> bool:
    """Whether the bounds alone keep ``node`` regular."""
    if node.op in LOGS:
        return interval.low.at > LOGS[node.op] or (interval.low.at == LOGS[node.op] and interval.low.open)
    if node.op == "exp":
        return interval.high.at < 88.7
    if node.op in INVERSES:
        return all(interval.excludes(edge) for edge in _ends_of(node))
    return interval.excludes(0.0)


def _ends_of(node: Node) -> tuple[float, ...]:
    """The ends of the domain of an inverse function."""
    return (1.0,) if node.op == "acosh" else (-1.0, 1.0)


def _end(interval: Interval, node: Node) -> End | None:
    """What in the range itself says that the operand comes to the singular point."""
    if node.op in LOGS:
        return interval.reaches_down_to(LOGS[node.op])
    if node.op in INVERSES:
        return next(filter(None, map(interval.reaches, _ends_of(node))), None)
    return None if node.op == "exp" else interval.reaches(0.0)


def _trust(loss: Loss, node: Node, operand: Node) -> tuple[Trust, frozenset[str]]:
    ranges = loss.ranges
    told = subject(node, operand)
    end = _end(ranges.of(told), node)
    if end is None and (legal := ranges.witness.bounded(told)) is not None:
        end = legal.low
    if (end is None or end.trust == Trust.UNKNOWN) and _cancels(operand):
        return Trust.ASSUMED, frozenset({"the exponent can be smaller than 6e-8, where exp(x) - 1 rounds to 0"})
    if (end is None or end.trust == Trust.UNKNOWN) and node.op in LOGS and _is_guarded_quotient(loss, operand):
        return Trust.ASSUMED, frozenset({"the divisor is 0 at times, for which divide_no_nan makes the quotient 0"})
    return (Trust.UNKNOWN, frozenset()) if end is None else (end.trust, end.given)


def _is_guarded_quotient(loss: Loss, operand: Node) -> bool:
    """Whether ``operand`` is 0 wherever a guard against a division by 0 has something to do."""
    while operand.op in ("cast", "identity", "reshape", "expand_dims", "squeeze"):
        operand = operand.inputs[0]
    return operand.op == "div_no_nan" and not loss.ranges.of(operand.inputs[1]).excludes(0.0)


def _cancels(operand: Node) -> bool:
    """``exp(x) - 1`` or ``1 - exp(x)``: for a small x all digits cancel; ``expm1`` keeps them.

    float32 numbers just below 1 are 6e-8 apart.
    """
    links = chain(operand)
    return links.core.op == "exp" and links.constants > 0 and abs(links.constant) == 1 and links.sign == -links.constant


def _hits(loss: Loss, node: Node, operand: Node, guards: list[Node], exact: bool) -> list[Sample]:
    told = subject(node, operand)
    weight = [node.inputs[0]] if node.op in ("xlogy", "xlog1py") else []
    if node.op in _KEPT_BY_TENSORFLOW and not exact:
        guards = [*guards, *_flattened(loss, node)]
    samples = loss.ranges.witness.samples(told, *weight, *guards, exact=exact)
    found = [s for s in samples if _is_hit(node, s.value(told)) and all(s.value(w) for w in weight)]
    mixed = loss.ranges.witness.mixed(told) if found else frozenset()
    if mixed:  # the norm of a stack is 0 where all that is stacked is
        alike = Counter(_without(s, mixed) for s in samples)
        hits = Counter(_without(s, mixed) for s in found)
        found = [s for s in found if hits[_without(s, mixed)] == alike[_without(s, mixed)]]
    return [sample for sample in found if not sample.extreme] or found


def _without(sample: Sample, choices: frozenset[int]) -> frozenset[tuple[int, float]]:
    """The inputs of ``sample`` but for these choices."""
    return frozenset(item for item in sample.leaves.items() if item[0] not in choices)


def users(loss: Loss) -> dict[int, list[tuple[Node, int]]]:
    """Node id -> the nodes it is an input of, with the place; only what the results are computed from."""
    memo = loss.ranges.memo
    if "users" not in memo:
        found: dict[int, list[tuple[Node, int]]] = {}
        for node in loss.gradients.order:
            for i, value in enumerate(node.inputs):
                found.setdefault(value.id, []).append((node, i))
        memo["users"] = found
    result: dict[int, list[tuple[Node, int]]] = memo["users"]  # type: ignore[assignment]
    return result


def decider(user: Node) -> Node:
    """What decides whether a value counts in ``user``, a node that masks."""
    told = user.attrs.get("decider")
    return told if isinstance(told, Node) else user.inputs[_SWITCH[user.op]]


_SWITCH = {"select": 0, "boolean_mask": 1, "mul_no_nan": 1, "div_no_nan": 1}


def _switch(user: Node, i: int) -> Node | None:
    """The input of ``user`` that decides whether its input ``i`` counts."""
    if user.op in _SWITCH and (i != _SWITCH[user.op] or user.op == "div_no_nan"):
        return user.inputs[_SWITCH[user.op]]
    if user.op == "join":
        told = user.attrs.get("decider")
        return told if isinstance(told, Node) else None
    return user.inputs[1 - i] if user.op == "mul" else None


def _off(user: Node, i: int, switch: float) -> bool:
    """Whether ``user`` takes nothing from its input ``i`` when its switch holds this value."""
    if user.op == "join":
        return bool(switch) == (i == 1)
    return bool(switch) == (i == 2) if user.op == "select" else switch == 0


def _is_flat(user: Node, i: int, hit: Sample) -> bool:
    """Whether ``user`` sends exactly 0 back to its input ``i`` in this sample: a clip that clips, a square of 0."""
    values = [hit.value(x) if (c := constant(x)) is None else c for x in user.inputs]
    known = [v for v in values if v is not None]
    if len(known) < len(values) or not known:
        return False
    here = known[i]
    if user.op in ("maximum", "minimum"):
        other = known[1 - i]
        return here < other if user.op == "maximum" else here > other
    if user.op == "clip":
        return i == 0 and len(known) == 3 and not known[1] <= here <= known[2]
    if user.op == "pow":
        return i == 0 and here == 0 and known[1] > 1
    return here <= 0 if user.op == "relu" else user.op in ("square", "abs") and here == 0


def _replaced_by_number(user: Node, i: int) -> bool:
    """Whether the other branch is better: NaN or inf instead of the value hides nothing."""
    other = constant(user.inputs[3 - i]) if user.op == "select" else None
    return other is None or math.isfinite(other)


def goes_on(loss: Loss, found: Singularity) -> bool:
    """Whether the slope of a singular node comes to something trainable: not where a ``where`` further in drops it."""
    seen: set[int] = set()
    todo = [found.node]
    while todo:
        node = todo.pop()
        if node.id in seen or not loss.gradients.live_from_source(node):
            continue
        seen.add(node.id)
        ways = [x for i, x in enumerate(node.inputs) if edge_kind(node, i) == "live" and not _dropped(node, i, found)]
        if not node.inputs or (not ways and node.op in ("source", "model")):
            return True
        todo.extend(ways)
    return False


def _dropped(node: Node, i: int, found: Singularity) -> bool:
    """Whether ``node`` sends 0 to its input ``i`` at every hit, even where infinity comes back to it.

    The gradients of maximum, minimum and clip take 0 by a ``where`` too; that of relu multiplies. Just at the bound
    they do not: a single value comes there, or near, but hardly all of which a norm is taken.
    """
    if node.op in ("maximum", "minimum", "clip"):
        return found.node.op in ("norm", "std") and all(_is_flat(node, i, hit) for hit in found.hits)
    if node.op not in ("select", "mul_no_nan", "div_no_nan") or i == _SWITCH[node.op]:
        return False
    return all((v := hit.value(node.inputs[_SWITCH[node.op]])) is not None and _off(node, i, v) for hit in found.hits)


def says_nan(mask: Node) -> bool:
    """Whether a ``where`` says on purpose that there is no result: one of its branches is NaN or inf."""
    return mask.op == "select" and any(not math.isfinite(c) for c in map(constant, mask.inputs[1:]) if c is not None)


def _downstream(loss: Loss, node: Node) -> Iterator[tuple[Node, int]]:
    """Every use of ``node`` and of what is computed from its value, in no particular order."""
    seen = {node.id}
    todo = [node]
    while todo and len(seen) < 400:
        for user, i in users(loss).get(todo.pop().id, ()):
            if edge_kind(user, i) == "dead" and user.op not in _DETACHING:
                continue
            yield user, i
            if user.id not in seen:
                seen.add(user.id)
                todo.append(user)


def _flattened(loss: Loss, node: Node) -> list[Node]:
    """What is computed from ``node`` and goes into a clip with constant bounds or into a square; at most eight."""
    found: dict[int, Node] = {}
    for user, i in _downstream(loss, node):
        others = all(constant(x) is not None for k, x in enumerate(user.inputs) if k != i)
        if user.op in _FLAT and others and len(found) < 8:
            found[user.inputs[i].number] = user.inputs[i]
    return list(found.values())


def _guards(loss: Loss, node: Node) -> Iterator[tuple[Node, int, Node]]:
    """The uses downstream of ``node`` that a switch decides about, with it; at most eight switches."""
    found: set[int] = set()
    for user, i in _downstream(loss, node):
        switch = _switch(user, i)
        if switch is not None and switch.number not in found and len(found) < 8:
            found.add(switch.number)
            yield user, i, switch


def felt(loss: Loss, node: Node) -> bool:
    """Whether it comes to a result that ``node`` is infinite or no number, other than by a comparison."""
    return node.id in _felt(loss)


def is_taken_back(loss: Loss, division: Node) -> bool:
    """Whether a division by 0 comes to 0 in the end, as in ``1 / (1 / a + 1 / b)``, and no slope goes through it.

    Its numerator is not 0, so it is infinite and not NaN, and all that is done with it is to divide by it.
    """
    numerator = division.inputs[0] if division.op == "div" else None
    if numerator is not None and not loss.ranges.of(numerator).excludes(0.0):
        return False
    if not loss.is_metric and loss.gradients.live(division):
        return False
    results = {n.id for n in loss.results}
    seen: set[int] = set()
    todo = [division]
    while todo:
        node = todo.pop()
        uses = users(loss).get(node.id, ())
        if node.id in results or not uses:
            return False
        for user, i in uses:
            if (user.op == "div" and i == 1 and user.inputs[0].id not in seen) or user.op == "reciprocal":
                continue
            if user.op not in _KEEPS_INFINITE:
                return False
            if user.id not in seen:
                seen.add(user.id)
                todo.append(user)
    return True


def _drops_all(loss: Loss, node: Node) -> bool:
    """Whether ``node`` is 0 whatever it multiplies."""
    return node.op == "mul_no_nan" and loss.ranges.of(node.inputs[1]).constant == 0


def _felt(loss: Loss) -> set[int]:
    """The ids of the nodes whose being infinite or no number comes to a result, other than by a comparison."""
    memo = loss.ranges.memo
    if "felt" not in memo:
        found = {node.id for node in loss.results}
        for node in reversed(loss.gradients.order):
            if node.id in found and not _drops_all(loss, node):
                found.update(
                    value.id
                    for i, value in enumerate(node.inputs)
                    if node.op in _DETACHING or edge_kind(node, i) != "dead"
                )
        memo["felt"] = found
    result: set[int] = memo["felt"]  # type: ignore[assignment]
    return result


def _masks(loss: Loss, node: Node, hits: list[Sample]) -> tuple[tuple[Node, ...], bool]:
    """The nodes that drop the value at every hit, and whether at least the slope is 0 on every way out."""
    results = {n.id for n in loss.results}
    masks: dict[int, Node] = {}
    value_escapes = slope_escapes = False
    seen: set[tuple[int, bool, bool]] = set()
    todo = [(node, False, all(hit.value(node) == 0 for hit in hits))]
    while todo:
        at, flat, zero = todo.pop()
        if at.id in results:
            value_escapes = True
            slope_escapes = slope_escapes or not flat
        for user, i in users(loss).get(at.id, ()):
            dead = edge_kind(user, i) == "dead"
            if dead and user.op not in _DETACHING:
                continue
            switch = _switch(user, i)
            off = switch is not None and all((v := hit.value(switch)) is not None and _off(user, i, v) for hit in hits)
            # the slope of a norm at an element that is 0 is 0, unless all are: then the norm itself is singular
            flat_here = flat or off or dead or (user.op == "norm" and zero) or all(_is_flat(user, i, h) for h in hits)
            zero_here = zero if user.op in ("stack", "concat") else all(hit.value(user) == 0 for hit in hits)
            drops = off and user.op != "mul" and not (user.op == "div_no_nan" and i == 1)
            if drops and (_replaced_by_number(user, i) or node.op == "div"):
                masks[user.id] = user  # 0 / 0 that is declared to be NaN is meant
            elif (user.id, flat_here, zero_here) not in seen:
                seen.add((user.id, flat_here, zero_here))
                todo.append((user, flat_here, zero_here))
    return (() if value_escapes else tuple(masks.values())), not slope_escapes
