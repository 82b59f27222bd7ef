"""Batch laws of the primitives (see losslint.domain.law): the table, and the pass that gives every node its own."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from losslint.domain import law as laws
from losslint.domain.law import ABSENT, LOST, NOTHING, STILL, UNKNOWN, Dual, Law, Power
from losslint.domain.shape import Dim, Shape
from losslint.graph import Node
from losslint.ops import axislaws, pointwiselaws
from losslint.ops.diagonals import Diagonals
from losslint.ops.extents import from_weights
from losslint.ops.gradients import edge_kind
from losslint.ops.identities import softmax_under, vanishes
from losslint.ops.pointwiselaws import Degree, Rule, any_function, batch_degree

if TYPE_CHECKING:
    from losslint.loss import Loss

RULES: dict[str, Rule] = pointwiselaws.RULES | axislaws.RULES
"""Primitive -> law rule. Nodes whose value is an extent or a shape need none."""

_EXTENTS = frozenset({"shape_of", "size_of", "dynamic_dim", "static_dim"})


class Laws:
    """The law of every node of one loss, of its value and of its gradient.

    ``degree`` tells which extents are taken as the batch; by default, the batch.
    """

    def __init__(self, loss: Loss, degree: Degree = batch_degree) -> None:
        self._loss = loss
        self._degree = degree
        self._weights = from_weights(loss.graph.nodes)
        self._duals: list[Dual] = []
        self._diagonals = Diagonals(RULES, any_function)
        for node in loss.graph.nodes:
            self._duals.append(self._of(node))

    def value(self, node: Node) -> Power | None:
        """The law of the value of ``node``; None where it is unknown."""
        return self._duals[node.id].value

    def gradient(self, node: Node) -> Law:
        """The law of the gradient of ``node`` with respect to whatever is trained."""
        return self._duals[node.id].gradient

    def _of(self, node: Node) -> Dual:
        held = node.attrs.get("dim")
        if isinstance(held, Dim):
            self._diagonals.hold(node)
            grows = self._degree(held)
            return LOST if grows is None else Dual(Power(Fraction(grows)))
        if node.op in _EXTENTS:
            self._diagonals.hold(node)
            held = node.attrs.get("shape")
            fixed = isinstance(held, Shape) and self._degree(held.numel) == 0
            return Dual(STILL) if fixed else LOST
        inputs = [self._edge(node, i, value) for i, value in enumerate(node.inputs)]
        if node.op == "smooth" and node.attrs.get("api") == "elu" and self._is_positive(node.inputs[0]):
            return inputs[0]
        if node.op == "select" and (taken := self._decided(node.inputs[0])) is not None:
            branch = inputs[1 if taken else 2]
            large = None if branch.value is None else branch.value._replace(asymptotic=True)
            return Dual(large, laws.shifted(branch.gradient, Power(asymptotic=True)))
        degree = _no_batch if node.id in self._weights else self._degree
        dual = self._diagonals.law(node, inputs, degree) or RULES.get(node.op, any_function)(node, inputs, degree)
        if node.id in self._loss.unmoved:
            return Dual(self._unmoved(node))
        if (only := self._only(node)) is not None:
            return Dual(STILL if only else NOTHING, dual.gradient)
        if node.op in _DETACHED and dual.gradient.terms:
            return Dual(dual.value)
        if not all(t.rows for t in dual.gradient.terms) and degree(node.shape.numel):
            # weights that met the samples: what comes of them is computed from the batch
            of_rows = tuple(t._replace(rows=True) for t in dual.gradient.terms)
            return Dual(dual.value, dual.gradient._replace(terms=of_rows))
        return dual

    def _unmoved(self, node: Node) -> Power | None:
        """The law of what no input moves; shares that are added up over more than their own axes are many ones."""
        if vanishes(node):
            return NOTHING
        shares = softmax_under(node)
        if shares is None:
            return STILL
        each = self._degree(shares.attrs.get("extent"))
        over = self._degree(node.attrs.get("extent")) if node.op != "mean" else 0
        return None if each is None or over is None else Power(Fraction(over - each))

    def _only(self, node: Node) -> float | None:
        """The one value that ``node`` can have: the smaller one of a size and of 0."""
        interval = self._loss.ranges.of(node)
        return interval.constant if node.inputs and not interval.given else None

    def _decided(self, condition: Node) -> bool | None:
        """How a comparison of a value that grows with one that does not comes out for large batches."""
        if condition.op not in _ABOVE:
            return None
        left, right = condition.inputs[:2]
        powers = [self._duals[x.id].value for x in (left, right)]
        if any(v is None or v.zero or not v.pure for v in powers):
            return None  # how a sum compares with 0 is the same for any batch
        p, q = (v.p for v in powers if v is not None)
        if p == q or max(p, q) <= 0 or not self._is_positive(left if p > q else right):
            return None
        return _ABOVE[condition.op] if p > q else _BELOW[condition.op]

    def _is_positive(self, node: Node) -> bool:
        """Whether no value lies below 0, with all that is taken for granted about the inputs."""
        return self._loss.ranges.exact(node).low.at >= 0

    def _edge(self, node: Node, i: int, value: Node) -> Dual:
        """The law of input ``i`` as ``node`` sees it."""
        dual = self._duals[value.id]
        if not dual.gradient.terms:
            return dual
        kind = edge_kind(node, i)
        if kind == "live":
            return dual
        return Dual(dual.value, UNKNOWN if kind == "unknown" else ABSENT)


def _no_batch(dim: Dim | None) -> int:
    """The degree of any extent of a weight."""
    return 0


_ABOVE = {"lt": False, "le": False, "eq": False, "gt": True, "ge": True, "ne": True}
"""What comparisons say where the left side is far greater, ..."""
_BELOW = {"lt": True, "le": True, "eq": False, "gt": False, "ge": False, "ne": True}
"""... and where the right one is."""

_DETACHED = frozenset({"zeros_like", "ones_like", "numpy_function", "random"})
