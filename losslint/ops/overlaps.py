"""Overlaps of two masks: ``sum(t * p)`` beside ``sum(t)`` and ``sum(p)``, as in Dice, Jaccard and Tversky scores.

Who divides such a sum by the two others takes t and p for masks. What follows for ranges stands in ``relations``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from losslint.graph import Node
from losslint.ops.linear import Terms, beneath, constant, terms

_CARRIED = frozenset({"identity", "cast", "stop_gradient"})
_RESHAPED = frozenset({"reshape", "expand_dims", "squeeze", "transpose"})
_REDUCTIONS = ("sum", "mean")
_MOST = 24  # summands of one score


class Summand(NamedTuple):
    """A multiple of the sum (``how``: of which kind, over which axes) of ``factors`` multiplied."""

    how: tuple[object, ...]
    factors: tuple[Node, ...]


def summands(node: Node) -> list[Summand]:
    """The summands of a score, the sums in it taken apart; constants are left out."""
    return list(_parts(terms(node)))[:_MOST]


def _parts(found: Terms, how: tuple[object, ...] = ()) -> Iterator[Summand]:
    for _, node in found.parts.values():
        bare = _bare(node, how)
        if bare.op in _REDUCTIONS and bare.inputs and not how:
            axis = bare.attrs.get("axis")
            kind = (bare.op, axis, bool(bare.attrs.get("keepdims")))
            yield from _parts(terms(bare.inputs[0]), kind)
        else:
            yield Summand(how, _factors(bare, how))


def _bare(node: Node, how: tuple[object, ...]) -> Node:
    """``node`` without casts, and without reshaping where the sum is over everything."""
    return beneath(node, _CARRIED | (_RESHAPED if not how or how[1] is None else frozenset()))


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
