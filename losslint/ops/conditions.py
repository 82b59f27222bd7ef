"""What a condition says about the values in the branches of a ``where``."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from losslint.domain import interval as iv
from losslint.domain.interval import End, Interval, Trust
from losslint.graph import Node
from losslint.ops.assumptions import SAME_VALUES
from losslint.ops.linear import constant
from losslint.ops.primitives import BINARY, UNARY


class Place(NamedTuple):
    """Where elements lie at the places that a condition picks: ``inside`` an interval and at none of the ``holes``."""

    inside: Interval
    holes: frozenset[float] = frozenset()

    def and_(self, other: Place) -> Place:
        """Where both hold."""
        return Place(iv.meet(self.inside, other.inside), self.holes | other.holes)

    def of(self, values: Interval) -> Interval:
        """What is left of ``values``."""
        found = iv.meet(self.inside, values)
        low, high = (replace(e, open=True) if e.at in self.holes else e for e in (found.low, found.high))
        return Interval(low, high, values.nan)


Told = dict[int, Place]
"""By value number."""

_ALIGNED = frozenset({"identity", "cast"})
_ELEMENTWISE = frozenset([*UNARY, *BINARY, "clip", "cast"]) - {"leaves_tensorflow", "numpy_function", "py_function"}
_LIMIT = 40  # nodes of a branch that are looked at again


def branch(
    condition: Node, node: Node, values: list[Interval], taken: bool, value: Callable[[Node, list[Interval]], Interval]
) -> Interval:
    """The range of ``node``, a branch of where(condition, ...), at the places where the condition holds (or not).

    ``values`` are the ranges everywhere, ``value`` computes that of a node from those of others. What is computed
    element by element from the node that is asked about keeps its place; anything else is left as it is.
    """
    told: Told = {}
    aligned = _collect(condition, taken, told)
    if not told:
        return values[node.id]
    if node.number in told:
        return told[node.number].of(values[node.id])
    found = _between(node, told) if aligned else []
    if not found:
        return values[node.id]
    revised = list(values)
    for step in found:
        known = told.get(step.number)
        revised[step.id] = known.of(values[step.id]) if known is not None else value(step, revised)
    return revised[node.id]


def _between(node: Node, told: Told) -> list[Node]:
    """The nodes from those in ``told`` to ``node``, in order; none where ``node`` is not computed from them."""
    seen: dict[int, Node] = {}
    todo = [node]
    while todo:
        at = todo.pop()
        if at.id in seen:
            continue
        if len(seen) >= _LIMIT:
            return []
        seen[at.id] = at
        if at.number not in told and at.op in _ELEMENTWISE:
            todo.extend(at.inputs)
    touched: dict[int, Node] = {}
    for at in sorted(seen.values(), key=lambda n: n.id):
        if at.number in told or (at.op in _ELEMENTWISE and any(x.id in touched for x in at.inputs)):
            touched[at.id] = at
    return list(touched.values()) if node.id in touched else []


def _collect(condition: Node, taken: bool, told: Told) -> bool:
    """Note what follows from ``condition`` being true (or not); False where its elements may have moved."""
    op, inputs = condition.op, condition.inputs
    if op == "not":
        return _collect(inputs[0], not taken, told)
    if op == ("and" if taken else "or"):
        both = [_collect(x, taken, told) for x in inputs[:2]]
        return all(both)
    if op in SAME_VALUES and inputs:
        if op == "cast" and inputs[0].dtype != "bool":
            return True
        return _collect(inputs[0], taken, told) and op in _ALIGNED
    if op in _NEGATED and len(inputs) >= 2:
        for node, other, relation in ((inputs[0], inputs[1], op), (inputs[1], inputs[0], _MIRRORED[op])):
            known = constant(other)
            if known is not None:
                _note(node, _place(relation if taken else _NEGATED[relation], known), told)
    return True


def _note(node: Node, place: Place, told: Told) -> None:
    """Note ``place`` for ``node`` and for what it is made of: |x| < 1 says that x lies in (-1, 1)."""
    before = told.get(node.number)
    told[node.number] = place if before is None else place.and_(before)
    inside, high = place.inside, place.inside.high
    if node.op == "identity" or (node.op == "cast" and _floating(node) and _floating(node.inputs[0])):
        _note(node.inputs[0], place, told)
    elif node.op == "neg":
        _note(node.inputs[0], Place(iv.neg(inside), frozenset(-x for x in place.holes)), told)
    elif node.op in ("abs", "square") and 0 <= high.at < math.inf:
        high = high.moved(high.at if node.op == "abs" else math.sqrt(high.at))
        _note(node.inputs[0], Place(Interval(high.moved(-high.at), high)), told)


def _floating(node: Node) -> bool:
    return "float" in str(node.dtype)


def _place(op: str, known: float) -> Place:
    """The numbers that are in the relation ``op`` to ``known``; that one is not known to be come near to."""
    if op in ("gt", "ge"):
        return Place(Interval(End(known, op == "gt", Trust.UNKNOWN), iv.SOME_HIGH))
    if op in ("lt", "le"):
        return Place(Interval(iv.SOME_LOW, End(known, op == "lt", Trust.UNKNOWN)))
    return Place(Interval.point(known)) if op == "eq" else Place(iv.UNKNOWN, frozenset({known}))


_NEGATED = {"lt": "ge", "ge": "lt", "gt": "le", "le": "gt", "eq": "ne", "ne": "eq"}
_MIRRORED = {"lt": "gt", "gt": "lt", "le": "ge", "ge": "le", "eq": "eq", "ne": "ne"}
