"""Batch laws: how a value, and its gradient, answer to a batch that is repeated k times, element by element.

A value has the law (p, c) where ``v`` becomes ``k**p * (v + c * log k)``: a sum over the batch has (1, 0), a mean
(0, 0), the log of a sum (0, 1). A law is *asymptotic* where it holds for large batches only (``sum + eps``, ``B - 1``).
The gradient with respect to whatever is trained has a law of its own: constants added to the value drop out, so ``c``
plays no part, and detached terms do not either.

The algebra does not know what the batch is: ``losslint.ops.laws`` applies it to other extents of a tensor, too.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import NamedTuple

from losslint.graph import Node

_ZERO = Fraction(0)


class Power(NamedTuple):
    """The law of a value: ``v`` becomes ``k**p * (v + c * log k)``. ``c`` is None where it is some number."""

    p: Fraction = _ZERO
    c: Fraction | None = _ZERO
    asymptotic: bool = False
    zero: bool = False  # the value is 0, which has every law
    diagonal: str = ""  # of a matrix of pairs: see losslint.ops.diagonals

    @property
    def still(self) -> bool:
        """Whether the value does not change with the batch size."""
        return self.p == 0 and self.c == 0

    @property
    def pure(self) -> bool:
        """Whether the value is multiplied by a power of k and nothing else."""
        return self.c == 0

    def __str__(self) -> str:
        log = "" if self.c == 0 else ", + c log k" if self.c is None else f", + {self.c} log k"
        return f"law {self.p}{log}{' for large batches' * self.asymptotic}"


STILL = Power()
NOTHING = Power(zero=True)
"""The law of the constant 0."""


class Term(NamedTuple):
    """One additive part of a gradient: multiplied by ``k**p``, None where that is unknown."""

    p: Fraction | None = _ZERO
    asymptotic: bool = False
    rows: bool = True  # comes from the samples of the batch; False for a penalty on weights
    grown: Node | None = None  # the last operation that raised p (a sum over the batch) ...
    lowered: Node | None = None  # ... and the last one that lowered it (a division by the batch size)
    bent: Node | None = None  # a nonlinear function that was applied while the law of its argument was positive
    after: bool = False  # ``lowered`` came after ``bent``
    broken: Node | None = None  # a nonlinear function of a growing value: no power of k describes the gradient

    @property
    def key(self) -> tuple[object, ...]:
        """Terms with equal keys are merged."""
        return self.p, self.rows, self.after, self.broken and self.broken.id


class Law(NamedTuple):
    """The law of a gradient, as the parts that it is the sum of. No parts: nothing trainable is reached.

    ``met`` is the addition at which parts of different laws met, ``sides`` what it added, by law.
    """

    terms: tuple[Term, ...] = ()
    met: Node | None = None
    sides: tuple[tuple[Fraction, Node], ...] = ()

    @property
    def kind(self) -> str:
        """ "known", "mixed", "broken", "unknown", or "absent" where there is no gradient."""
        if not self.terms:
            return "absent"
        if any(t.broken for t in self.terms):
            return "broken"
        if any(t.p is None for t in self.terms):
            return "unknown"
        return "known" if len(self.powers) == 1 else "mixed"

    @property
    def powers(self) -> set[Fraction]:
        """The powers of the parts that are known."""
        return {t.p for t in self.terms if t.p is not None and not t.broken}

    @property
    def p(self) -> Fraction | None:
        """The power, where there is one for all parts."""
        return next(iter(self.powers)) if self.kind == "known" else None

    @property
    def asymptotic(self) -> bool:
        """Whether some part follows its law for large batches only."""
        return any(t.asymptotic for t in self.terms)

    def __str__(self) -> str:
        if self.kind in ("known", "mixed"):
            told = " and ".join(str(p) for p in sorted(self.powers))
            return f"law {told}{' for large batches' * self.asymptotic}"
        return self.kind


ABSENT = Law()
UNKNOWN = Law((Term(None),))


class Dual(NamedTuple):
    """The law of a value (None: unknown) and that of its gradient."""

    value: Power | None
    gradient: Law = ABSENT


LOST = Dual(None)


def unknown(*duals: Dual) -> Dual:
    """The result of something unknown done to these: what is broken stays broken, all else is lost."""
    return Dual(None, shifted(merged(duals), None))


def merged(duals: Iterable[Dual], node: Node | None = None, additive: bool = False) -> Law:
    """The gradient that is the sum of those of ``duals``.

    Where different laws meet, an addition (``additive``) is noted in ``met``; any other ``node`` loses track.
    """
    duals = [d for d in duals if d.gradient.terms]
    if len(duals) == 1:
        return duals[0].gradient
    terms: dict[tuple[object, ...], Term] = {}
    for term in (t for d in duals for t in d.gradient.terms):
        before = terms.setdefault(term.key, term)
        if term.asymptotic and not before.asymptotic:
            terms[term.key] = before._replace(asymptotic=True)
    law = next((d.gradient for d in duals if d.gradient.met), ABSENT)
    result = Law(tuple(terms.values()), law.met, law.sides)
    if len(result.powers) > 1 and result.met is None and node is not None:
        if not additive:
            return shifted(result, None)
        sides = {p: value for d, value in zip(duals, _values(node, duals), strict=False) for p in d.gradient.powers}
        return result._replace(met=node, sides=tuple(sorted(sides.items())))
    return result


def _values(node: Node, duals: list[Dual]) -> list[Node]:
    """The inputs of ``node``, where they are as many as ``duals``."""
    return list(node.inputs) if len(node.inputs) == len(duals) else [node] * len(duals)


def shifted(law: Law, by: Power | None, node: Node | None = None) -> Law:
    """The gradient ``law`` multiplied by a value of law ``by``. ``node`` is the operation that does so."""
    if not law.terms or (by is not None and by.zero):
        return ABSENT if by is not None and by.zero else law
    if by is None or not by.pure:
        return Law(tuple({t.key: t for t in (t if t.broken else Term(None) for t in law.terms)}.values()))
    if by.p == 0 and not by.asymptotic:
        return law
    return law._replace(terms=tuple(_moved(t, by, node) for t in law.terms))


def _moved(term: Term, by: Power, node: Node | None) -> Term:
    if term.p is None or term.broken:
        return term
    return term._replace(
        p=term.p + by.p,
        asymptotic=term.asymptotic or by.asymptotic,
        grown=node if by.p > 0 else term.grown,
        lowered=node if by.p < 0 else term.lowered,
        after=term.after or (by.p < 0 and term.bent is not None),
    )


def _bent(law: Law, argument: Power, node: Node) -> Law:
    """Note that a nonlinear function was applied to an argument that grows with the batch."""
    if argument.p <= 0:
        return law
    return law._replace(terms=tuple(t._replace(bent=t.bent or node) for t in law.terms))


def settled(law: Law) -> Law:
    """Forget earlier nonlinear functions: what follows a reduction over the batch normalizes that reduction."""
    if not any(t.bent or t.after for t in law.terms):
        return law
    return law._replace(terms=tuple(t._replace(bent=None, after=False) for t in law.terms))


def broken(x: Dual, node: Node) -> Dual:
    """A nonlinear function of a growing value: no power of k describes the result."""
    terms = tuple(t._replace(broken=t.broken or node) if t.p is not None else t for t in x.gradient.terms)
    return Dual(None, Law(tuple({t.key: t for t in terms}.values())))


def add(node: Node, duals: list[Dual], signs: tuple[int, ...] = ()) -> Dual:
    """The sum. Between values of different laws the larger power wins for large batches."""
    gradient = merged(duals, node, additive=True)
    values = [(d.value, s) for d, s in zip(duals, signs or (1,) * len(duals), strict=True)]
    values = [(v, s) for v, s in values if v is None or not v.zero]
    if not values:
        return Dual(NOTHING, gradient)
    known = [(v, s) for v, s in values if v is not None]
    if len(known) < len(values):
        return Dual(None, gradient)
    p = max(v.p for v, _ in known)
    top = [(v.c, s) for v, s in known if v.p == p]
    c = None if any(x is None for x, _ in top) else sum((x * s for x, s in top if x is not None), _ZERO)
    asymptotic = any(v.asymptotic for v, _ in known if v.p == p) or any(v.p != p for v, _ in known)
    return Dual(Power(p, c, asymptotic), gradient)


def either(node: Node, duals: list[Dual]) -> Dual:
    """One of several: known where all have one law; 0 has any."""
    values = [d.value for d in duals if d.value is None or not d.value.zero]
    live = [d for d in duals if d.gradient.terms]
    gradient = merged(live)
    if len(gradient.powers) > 1 and gradient.met is None:
        gradient = shifted(gradient, None)
    known = [v for v in values if v is not None]
    if not values or len(known) < len(values) or len({(v.p, v.c) for v in known}) > 1:
        return Dual(None if values else NOTHING, gradient)
    return Dual(known[0]._replace(asymptotic=any(v.asymptotic for v in known)), gradient)


def multiply(node: Node, a: Dual, b: Dual, scale: float | None = None) -> Dual:
    """The product; ``scale`` is the value of one factor where it is a number."""
    value = _product(a.value, b.value, scale)
    parts = [Dual(None, shifted(a.gradient, b.value, node)), Dual(None, shifted(b.gradient, a.value, node))]
    return Dual(value, merged(parts, node))


def _product(a: Power | None, b: Power | None, scale: float | None) -> Power | None:
    if (a is not None and a.zero) or (b is not None and b.zero):
        return NOTHING
    if a is None or b is None or not (a.pure or b.pure):
        return None
    c: Fraction | None = _ZERO
    if not (a.pure and b.pure):
        logarithmic = b.c if a.pure else a.c
        c = None if scale is None or logarithmic is None else logarithmic * Fraction(scale)
    return Power(a.p + b.p, c, a.asymptotic or b.asymptotic)


def nearly(x: Dual) -> Dual:
    """A nonlinear function of what settles for large batches only: so does its slope."""
    still = x.value is None or not x.value.asymptotic
    return x if still else Dual(x.value, shifted(x.gradient, Power(asymptotic=True)))


def power(node: Node, x: Dual, exponent: Fraction) -> Dual:
    """``x ** exponent``: d(x**r) = r x**(r-1) dx."""
    v = x.value
    if v is None:
        return unknown(x)
    if v.zero or (exponent == 1 and v.pure):
        return x
    if v.still:
        return nearly(x)
    if not v.pure:
        return unknown(x)
    slope = Power(v.p * (exponent - 1), asymptotic=v.asymptotic)
    gradient = shifted(x.gradient, slope, node)
    if exponent > 0 and exponent != 1:
        gradient = _bent(shifted(x.gradient, slope), v, node)
    return Dual(Power(v.p * exponent, asymptotic=v.asymptotic), gradient)


def negate(x: Dual) -> Dual:
    """``-x``."""
    v = x.value
    return x if v is None or not v.c else Dual(v._replace(c=-v.c), x.gradient)


def log(node: Node, x: Dual) -> Dual:
    """log(k**p v) = log v + p log k, and its gradient is divided by k**p."""
    v = x.value
    if v is None or not v.pure:
        return unknown(x)
    if v.p == 0:
        return Dual(v._replace(zero=False), nearly(x).gradient)
    gradient = shifted(x.gradient, Power(-v.p, asymptotic=v.asymptotic))
    return Dual(Power(_ZERO, v.p, v.asymptotic), _bent(gradient, v, node))


def exp(node: Node, x: Dual) -> Dual:
    """exp(v + c log k) = k**c exp(v)."""
    v = x.value
    if v is None or v.c is None:
        return unknown(x)
    if v.p != 0:
        return curve(node, x)
    by = Power(v.c, asymptotic=v.asymptotic)
    return Dual(by, shifted(x.gradient, by, node))


def curve(node: Node, x: Dual, at_zero: float = 1.0, smooth: bool = True) -> Dual:
    """Any other nonlinear function; ``at_zero`` is its value at 0, near which it is nearly linear if ``smooth``."""
    v = x.value
    if v is None:
        return unknown(x)
    if v.still:
        return Dual(v._replace(zero=v.zero and at_zero == 0), nearly(x).gradient)
    if not v.pure:
        return unknown(x)
    if v.p > 0:
        return broken(x, node)
    if not smooth:
        return unknown(x)
    small = v._replace(asymptotic=True) if at_zero == 0 else Power(asymptotic=True)
    return Dual(small, shifted(x.gradient, Power(asymptotic=True)))


def total(node: Node, x: Dual, degree: int | None, count: int | None = None) -> Dual:
    """The sum of elements whose number grows like k**degree; ``count`` is that number where it is fixed."""
    v = x.value
    if v is not None and v.zero and not x.gradient.terms:
        return x
    if degree is None:
        return Dual(v if v is not None and v.zero else None, unknown(x).gradient)
    if v is not None and v.c != 0:
        v = v._replace(c=None if v.c is None or degree or count is None else v.c * count)
    by = Power(Fraction(degree))
    value = None if v is None else v if v.zero else v._replace(p=v.p + degree)
    gradient = shifted(x.gradient, by, node)
    return Dual(value, settled(gradient) if degree else gradient)
