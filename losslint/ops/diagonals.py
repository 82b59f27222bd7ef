"""Batch laws of masks over the pairs of one batch: what differs from its surroundings on the diagonal alone.

``tf.eye(B)`` leaves a sample out of its own pairs. With every sample twice, the copies of a sample meet each other off
the diagonal, so no law holds element by element. But of the k**2 B**2 pairs only k B lie on the diagonal, and for large
batches what is summed over them goes with the others. A value that is 0 elsewhere ("only") sums to one element a row;
one that is constant and not 0 elsewhere ("but") counts as that constant. Where a mask of either kind meets values of
samples, their law stays, for large batches. Measured on TensorFlow 2.21 by tests/ops/test_laws_measured.py.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from fractions import Fraction

from losslint.domain import law as laws
from losslint.domain.law import LOST, NOTHING, UNKNOWN, Dual, Power
from losslint.domain.shape import Dim
from losslint.graph import Node
from losslint.ops.extents import constant

Degree = Callable[["Dim | None"], "int | None"]
Rule = Callable[[Node, "list[Dual]", Degree], Dual]

ONLY, BUT = "only", "but"
MAKERS = frozenset({"eye", "diag", "set_diag"})
"""Primitives that treat the diagonal of a matrix apart."""

_LARGE = Power(asymptotic=True)
_KEPT = frozenset({"cast", "identity", "neg", "abs", "expand_dims", "transpose", "stop_gradient"})
_REDUCED = frozenset({"sum", "mean", "count_nonzero"})
_ELEMENTWISE = frozenset({"add", "sub", "mul", "div", "maximum", "minimum", "exp", "relu", "square"})
_COMPARED = {
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
}
_FIXED = frozenset({"const", "zeros", "ones", "zeros_like", "ones_like", "eye", "rank_of"})


def mark(dual: Dual) -> str:
    """What is special on the diagonal of a value: "only", "but" or ""."""
    return dual.value.diagonal if dual.value is not None else ""


class Diagonals:
    """Which nodes treat the diagonal of a matrix of pairs apart, and the laws of these."""

    def __init__(self, rules: dict[str, Rule], fallback: Rule) -> None:
        self._rules = rules
        self._fallback = fallback
        self._fixed: set[int] = set()  # computed from constants and extents alone
        self._touched: set[int] = set()  # computed from what is special on the diagonal

    def hold(self, node: Node) -> None:
        """Note that ``node`` is computed from constants and extents alone."""
        self._fixed.add(node.id)

    def law(self, node: Node, xs: list[Dual], degree: Degree) -> Dual | None:
        """The law of ``node``; None where the ordinary rule has it. Nodes are to come in their order."""
        within = bool(node.inputs) and all(n.id in self._fixed for n in node.inputs)
        if within or node.op in _FIXED or node.attrs.get("role") == "config":
            self.hold(node)
        pairs = degree(node.shape.numel) == 2
        if any(map(mark, xs)):
            result: Dual | None = self._marked(node, xs, degree)
        elif node.op in MAKERS and pairs:
            result = self._made(node, xs)
        elif node.op == "diag_part" and node.inputs[0].id not in self._touched:
            # an element and its copies, on the diagonal as anywhere
            result = xs[0] if degree(node.inputs[0].shape.numel) is not None else None
        else:
            result = None
        if any(n.id in self._touched for n in node.inputs) or (node.op in MAKERS and pairs):
            self._touched.add(node.id)
        return result

    def _made(self, node: Node, xs: list[Dual]) -> Dual:
        if node.op == "eye":
            return Dual(Power(diagonal=ONLY))
        if any(x.value is None for x in xs):
            return laws.unknown(*xs)
        if node.op == "diag":
            return self._only(xs, xs[0].value)
        return self._mostly(node, xs[0], xs[1:])

    def _marked(self, node: Node, xs: list[Dual], degree: Degree) -> Dual:
        """The law of a function of at least one value with a special diagonal."""
        op, marks = node.op, list(map(mark, xs))
        if any(x.value is None for x in xs):
            return laws.unknown(*xs)
        if op in _KEPT:
            return xs[0]
        if op == "not":
            other = {ONLY: BUT, BUT: ONLY}[marks[0]]
            return Dual(Power(asymptotic=other == BUT, diagonal=other))
        if op in ("and", "or"):
            return self._logical(op, node, marks)
        if op in _COMPARED:
            return self._compared(node, marks)
        if op == "select" and marks[0]:
            bulk, rest = (xs[2], xs[1]) if marks[0] == ONLY else (xs[1], xs[2])
            return self._mostly(node, bulk, [rest])
        if len(xs) == 1 and marks[0] == ONLY and op in _REDUCED:
            return self._reduced(node, xs[0], degree)
        if len(xs) == 1 and marks[0] == BUT and op in _REDUCED | {"max", "min"}:
            assert xs[0].value is not None
            return self._rules[op](node, [Dual(xs[0].value._replace(diagonal=""))], degree)
        if op in _ELEMENTWISE or op == "select":
            return self._elementwise(node, xs, marks, degree)
        return laws.unknown(*xs)

    def _logical(self, op: str, node: Node, marks: list[str]) -> Dual:
        absorbing, neutral = (ONLY, BUT) if op == "and" else (BUT, ONLY)
        if absorbing in marks:
            return Dual(Power(asymptotic=absorbing == BUT, diagonal=absorbing))
        if all(m == neutral for m in marks):
            return Dual(Power(asymptotic=neutral == BUT, diagonal=neutral))
        return LOST if self._is_fixed(node) else Dual(_LARGE)

    def _compared(self, node: Node, marks: list[str]) -> Dual:
        """A comparison of a mask with a number."""
        values = [0.0 if m == ONLY else constant(n) for m, n in zip(marks, node.inputs, strict=True)]
        if BUT in marks or not all(isinstance(v, (int, float)) for v in values):
            return LOST
        bulk = BUT if _COMPARED[node.op](*values) else ONLY
        return Dual(Power(asymptotic=bulk == BUT, diagonal=bulk))

    def _reduced(self, node: Node, x: Dual, degree: Degree) -> Dual:
        """A sum or mean over one or both axes of a matrix that is 0 off its diagonal."""
        grows = degree(node.attrs.get("extent"))
        if grows == 0:
            return x
        if grows is None or degree(node.inputs[0].shape.numel) != 2 or x.value is None:
            return laws.unknown(x)
        p = x.value.p + (-1 if node.op == "mean" else grows - 1)
        return Dual(Power(p, asymptotic=x.value.asymptotic), laws.unknown(x).gradient)

    def _elementwise(self, node: Node, xs: list[Dual], marks: list[str], degree: Degree) -> Dual:
        """A function of what the values are off the diagonal."""
        if node.op == "div" and marks[1] == ONLY:
            return laws.unknown(*xs)
        if BUT in marks and self._is_fixed(node) and node.op != "mul":
            return laws.unknown(*xs)  # 1 - (1 - eye): a constant that may be 0
        off = [
            Dual(NOTHING) if m == ONLY else x if not m else Dual(x.value._replace(diagonal=""))
            for x, m in zip(xs, marks, strict=True)
            if x.value is not None
        ]
        rule = self._rules.get(node.op, self._fallback)
        result = rule(node, off, degree)
        if result.value is not None and result.value.zero:
            on = [Dual(x.value._replace(diagonal="")) for x in xs if x.value is not None]
            return self._only(xs, rule(node, on, degree).value)
        return self._mostly(node, result, [x for x, m in zip(xs, marks, strict=True) if m == ONLY])

    def _mostly(self, node: Node, bulk: Dual, rest: list[Dual]) -> Dual:
        """``bulk`` off the diagonal, something of ``rest`` on it."""
        if bulk.value is None:
            return laws.unknown(bulk, *rest)
        if bulk.value.zero or bulk.value.diagonal == ONLY:
            return self._only([bulk, *rest], rest[0].value if len(rest) == 1 else None)
        gradient = laws.shifted(bulk.gradient, _LARGE)
        if not gradient.terms and any(x.gradient.terms for x in rest):
            gradient = UNKNOWN
        return Dual(bulk.value._replace(asymptotic=True, diagonal=BUT if self._is_fixed(node) else ""), gradient)

    def _only(self, xs: list[Dual], value: Power | None) -> Dual:
        """0 off the diagonal. Of a gradient that arrives there alone nothing is claimed."""
        if value is None or value.c != Fraction(0):
            return laws.unknown(*xs)
        return Dual(value._replace(zero=False, diagonal=ONLY), laws.unknown(*xs).gradient)

    def _is_fixed(self, node: Node) -> bool:
        return node.id in self._fixed
