"""Overlaps of two masks: ``sum(t * p)`` beside ``sum(t)`` and ``sum(p)``, as in Dice, Jaccard and Tversky scores.

With t and p in [0, 1] no overlap exceeds either mask: ``t * p <= t``, ``t * p <= p``, so also
``2 * t * p <= t**2 + p**2``. An interval alone cannot see it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from losslint.domain.interval import Interval
from losslint.graph import Node
from losslint.ops.linear import Terms, constant, terms

_CARRIED = frozenset({"identity", "cast", "stop_gradient"})
_RESHAPED = frozenset({"reshape", "expand_dims", "squeeze", "transpose"})
_REDUCTIONS = ("sum", "mean")
_MOST = 24  # summands of one score


class Summand(NamedTuple):
    """``coefficient`` times the sum (``how``: of which kind, over which axes) of ``factors`` multiplied."""

    coefficient: float
    how: tuple[object, ...]
    factors: tuple[Node, ...]


def summands(node: Node) -> list[Summand]:
    """The summands of a score, the sums in it taken apart; constants are left out."""
    return list(_parts(terms(node)))[:_MOST]


def _parts(found: Terms, scale: float = 1.0, how: tuple[object, ...] = ()) -> Iterator[Summand]:
    for coefficient, node in found.parts.values():
        bare = _bare(node, how)
        if bare.op in _REDUCTIONS and bare.inputs and not how:
            axis = bare.attrs.get("axis")
            kind = (bare.op, axis, bool(bare.attrs.get("keepdims")))
            yield from _parts(terms(bare.inputs[0]), scale * coefficient, kind)
        else:
            yield Summand(scale * coefficient, how, _factors(bare, how))


def _bare(node: Node, how: tuple[object, ...]) -> Node:
    """``node`` without casts, and without reshaping where the sum is over everything."""
    stripped = _CARRIED | (_RESHAPED if not how or how[1] is None else frozenset())
    while node.op in stripped and node.inputs and node.attrs.get("dtype") != "bool":
        node = node.inputs[0]
    return node


def _factors(node: Node, how: tuple[object, ...]) -> tuple[Node, ...]:
    if node.op == "square" or (node.op == "pow" and constant(node.inputs[1]) == 2):
        return (_bare(node.inputs[0], how),) * 2
    if node.op == "mul":
        return tuple(_bare(x, how) for x in node.inputs[:2])
    return (node,)


def overlaps(over: list[Summand], under: list[Summand]) -> Iterator[tuple[Node, Node]]:
    """The pairs that are multiplied in the numerator ``over``, and each summed by itself in ``under``."""
    alone = {(s.how, s.factors[0].number) for s in under if s.how and len({f.number for f in s.factors}) == 1}
    for summand in over:
        if summand.how and len(summand.factors) == 2 and summand.factors[0].number != summand.factors[1].number:
            a, b = summand.factors
            if {(summand.how, a.number), (summand.how, b.number)} <= alone:
                yield a, b


def masks_in(found: Terms) -> bool:
    """Whether an overlap is taken from masks in ``found``."""
    parts = list(_parts(found)) if len(found.parts) < _MOST else []
    return any(s.how and s.coefficient < 0 and len(s.factors) == 2 for s in parts)


def covers_overlaps(rest: Terms, values: list[Interval]) -> bool:
    """Whether ``rest`` is not negative because its masks, summed, are at least its overlaps."""
    parts = list(_parts(rest))
    masks: dict[tuple[object, ...], float] = {}
    for coefficient, how, factors in parts:
        alone = len({f.number for f in factors}) == 1
        if coefficient > 0 and not (alone and len(factors) == 2) and any(values[f.id].low.at < 0 for f in factors):
            return False
        if coefficient > 0 and alone and how:
            masks[how, factors[0].number, len(factors)] = coefficient
    return rest.constant >= 0 and all(_covered(s, masks, values) for s in parts if s.coefficient < 0)


def _covered(overlap: Summand, masks: dict[tuple[object, ...], float], values: list[Interval]) -> bool:
    """Whether ``masks`` hold enough to take ``overlap`` from them; it is taken."""
    owed, how, factors = -overlap.coefficient, overlap.how, overlap.factors
    if len(factors) != 2 or not how or not all(values[f.id].within(0.0, 1.0) for f in factors):
        return False
    for factor in factors:  # t * p <= t
        taken = min(owed, masks.get((how, factor.number, 1), 0.0))
        masks[how, factor.number, 1] = masks.get((how, factor.number, 1), 0.0) - taken
        owed -= taken
    squares = [(how, factor.number, 2) for factor in factors]
    half = min(owed / 2, *(masks.get(key, 0.0) for key in squares))  # 2 * t * p <= t**2 + p**2
    for key in squares:
        masks[key] = masks.get(key, 0.0) - half
    return owed - 2 * half < 1e-9
