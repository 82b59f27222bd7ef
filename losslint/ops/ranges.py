"""The range of every node: one small rule a primitive, run forward over the graph.

It is computed twice: *exactly*, in real arithmetic, and *in force*, with constants and ends rounded to the dtype and
the constants of one chain of ``+`` and ``-`` added up first, as compilers do (measured: ``log(1 - x + 1e-8)`` at x = 1
is -18.4 eagerly, -inf under ``tf.function`` and XLA). A guard that the one has and the other has not is lost in
rounding. Saturation is no matter of rounding here: sigmoid and softmax reach 0 and 1 in both.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from losslint.domain import interval as iv
from losslint.domain.interval import INF, NONNEGATIVE, POSITIVE, UNIT, UNKNOWN, End, Interval, Trust
from losslint.domain.shape import Dim
from losslint.graph import Node, ancestors
from losslint.ops.assumptions import Assumptions
from losslint.ops.conditions import branch
from losslint.ops.linear import chain, constant
from losslint.ops.relations import related

if TYPE_CHECKING:
    from losslint.loss import Loss
    from losslint.ops.witness import Witness

Values = list[Interval]
Rule = Callable[[Node, list[Interval]], Interval]
"""The node and the intervals of its inputs."""

RULES: dict[str, Rule] = {}

UNBOUNDED = {sign: Interval(End(sign, True), End(sign, True)) for sign in (INF, -INF)}
NONE = Interval(End(0.0, False, Trust.UNKNOWN), End(0.0, False, Trust.UNKNOWN))
"""The sum of so many numbers that there may be none; nothing says that there is none."""
NOT_A_NUMBER = replace(UNKNOWN, nan=True)


class Ranges:
    """The intervals of one loss."""

    def __init__(self, loss: Loss) -> None:
        self._loss = loss
        self.nodes = loss.graph.nodes
        self.assumptions = Assumptions(loss)
        self.memo: dict[object, object] = {}  # for questions that several checks ask
        self._in_force = self._run(rounded=True)

    def of(self, node: Node) -> Interval:
        """The range of ``node`` in the dtype in force."""
        return self._in_force[node.id]

    def exact(self, node: Node) -> Interval:
        """The range of ``node`` in real arithmetic."""
        return self._exact[node.id]

    @functools.cached_property
    def witness(self) -> Witness:
        """Finds inputs that take a node to a value."""
        from losslint.ops.witness import Witness

        return Witness(self, self._loss.budget)

    @functools.cached_property
    def _exact(self) -> Values:
        return self._run(rounded=False)

    def _run(self, rounded: bool) -> Values:
        values: Values = []
        for node in self.nodes:
            weak = node.op == "const" and node.dtype is None  # a Python number takes the dtype of what it meets
            to = iv.rounding(node.dtype) if rounded and not weak else iv.exactly
            values.append(iv.rounded(self._value(node, values, to), to))
        return values

    def _value(self, node: Node, values: Values, to: Callable[[float], float]) -> Interval:
        assumed = self.assumptions.intervals.get(node.number)
        if assumed is not None:
            return assumed
        known = constant(node)
        if known is not None:
            return Interval.point(known) if math.isfinite(known) else UNBOUNDED.get(known, NOT_A_NUMBER)
        if isinstance(node.attrs.get("dim"), Dim):
            return _extent(node, [])
        if node.op in ("add", "sub", "neg"):
            found = related(node, values)
            if found is not None:
                return found
            links = chain(node)
            if links.constants and to is not iv.exactly:
                core = values[links.core.id]
                return iv.add(Interval.point(to(links.constant)), core if links.sign > 0 else iv.neg(core))
        inputs = [values[x.id] for x in node.inputs]
        if node.op == "select":

            def again(inner: Node, revised: Values) -> Interval:
                return iv.rounded(self._value(inner, revised, to), to)

            condition, *branches = node.inputs
            inputs[1:] = [branch(condition, x, values, i == 0, again) for i, x in enumerate(branches)]
        rule = RULES.get(node.op)
        if rule is None:
            return UNKNOWN
        result = rule(node, inputs)
        bound = related(node, values)
        return result if bound is None else iv.meet(bound, result) if node.op == "div" else bound


# --- rules --------------------------------------------------------------------------------------------------------


def rule(*names: str) -> Callable[[Rule], Rule]:
    """Register the decorated rule for the primitives ``names``."""

    def register(function: Rule) -> Rule:
        for name in names:
            RULES[name] = function
        return function

    return register


def _fixed(names: str, interval: Interval) -> None:
    for name in names.split():
        RULES[name] = lambda node, inputs: interval


def _unary(name: str, function: Callable[[Interval], Interval]) -> None:
    RULES[name] = lambda node, inputs: function(inputs[0]) if inputs else UNKNOWN


def _binary(name: str, function: Callable[[Interval, Interval], Interval]) -> None:
    RULES[name] = lambda node, inputs: function(inputs[0], inputs[1]) if len(inputs) > 1 else UNKNOWN


def exp(a: Interval) -> Interval:
    """exp, which underflows to 0 where its argument is known to go below -104; subnormals count as tiny, not as 0."""

    def end(e: End) -> End:
        if e.vague and e.at == -INF:
            return POSITIVE.low
        if e.at < iv.UNDERFLOW:
            return e.moved(0.0, False)
        return e.moved(max(math.exp(e.at), iv.TINY)) if e.at < 709 else e.moved(INF, True)

    return Interval(end(a.low), end(a.high), a.nan)


def log(a: Interval) -> Interval:
    """log; where the argument can be negative the result can be NaN."""

    def end(e: End) -> End:
        if e.at <= 0:
            return End(-INF, True) if e.vague and e.trust else e.moved(-INF, True)
        return e.moved(math.log(e.at)) if e.at < INF else e

    return Interval(end(a.low), end(a.high), a.nan or a.low.at < 0)


def _softplus(a: Interval) -> Interval:
    def end(e: End, far: End) -> End:
        if e.at < -30:  # log(1 + exp x) is exp x far to the left
            return far
        return e if e.at > 700 else e.moved(math.log1p(math.exp(e.at)))

    left = exp(a)
    return Interval(end(a.low, left.low), end(a.high, left.high), a.nan)


def _sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x > -700 else 0.0


def _sinh(x: float) -> float:
    return math.sinh(x) if abs(x) < 700 else math.copysign(INF, x)


def _rectified(a: Interval) -> Interval:
    """max(a, 0): with an unknown argument it surely reaches 0 and is free upwards."""
    positive = iv.maximum(a, Interval.point(0.0))
    return Interval(positive.low, End(INF, True) if positive.high.vague else positive.high, a.nan)


def _log_ratio(a: Interval) -> Interval:
    """min(a, 0), roughly: log_softmax and log_sigmoid are nowhere positive."""
    return Interval(End(-INF, True), End(0.0), a.nan)


for _name, _function in {
    "neg": iv.neg,
    "abs": iv.magnitude,
    "square": lambda a: iv.power(a, 2),
    "sqrt": lambda a: iv.power(a, 0.5),
    "rsqrt": lambda a: iv.power(a, -0.5),
    "reciprocal": lambda a: iv.div(Interval.point(1.0), a),
    "exp": exp,
    "expm1": lambda a: iv.add(exp(a), Interval.point(-1.0)),
    "log": log,
    "log1p": lambda a: log(iv.add(a, Interval.point(1.0))),
    "sigmoid": lambda a: iv.monotone(_sigmoid, a, 0.0, 1.0),
    "tanh": lambda a: iv.monotone(math.tanh, a, -1.0, 1.0),
    "erf": lambda a: iv.monotone(math.erf, a, -1.0, 1.0),
    "erfc": lambda a: iv.neg(iv.monotone(lambda x: -math.erfc(x), a, -2.0, 0.0)),
    "atan": lambda a: iv.monotone(math.atan, a, -math.pi / 2, math.pi / 2),
    "asinh": lambda a: iv.monotone(math.asinh, a),
    "sinh": lambda a: iv.monotone(_sinh, a),
    "softplus": _softplus,
    "relu": _rectified,
    "log_softmax": _log_ratio,
    "log_sigmoid": _log_ratio,
    "sign": lambda a: UNIT if a.low.at >= 0 else Interval.of(-1.0, 1.0),
    "round": lambda a: iv.monotone(_whole(round), a),
    "floor": lambda a: iv.monotone(_whole(math.floor), a),
    "ceil": lambda a: iv.monotone(_whole(math.ceil), a),
    "trunc": lambda a: iv.monotone(_whole(math.trunc), a),
}.items():
    _unary(_name, _function)


def _whole(function: Callable[[float], int]) -> Callable[[float], float]:
    return lambda x: float(function(x))


for _name, _two in {"add": iv.add, "sub": iv.sub, "div": iv.div, "maximum": iv.maximum, "minimum": iv.minimum}.items():
    _binary(_name, _two)

_fixed("eq ne and or xor not is_nan is_inf is_finite any all one_hot eye", UNIT)
_fixed("sin cos", Interval.of(-1.0, 1.0))
_fixed("acos", Interval.of(0.0, math.pi))
_fixed("cosh", Interval.of(1.0, INF))
_fixed("softmax", UNIT)
_fixed("count_nonzero", NONNEGATIVE)
_fixed("argmax argmin argsort rank_of range", Interval(End(0.0), iv.SOME_HIGH))


@rule("lt", "le", "gt", "ge")
def _compared(node: Node, inputs: list[Interval]) -> Interval:
    """Decided where the two sides lie apart, whatever is taken for granted."""
    small, large = inputs if node.op in ("lt", "le") else inputs[::-1]
    if small.nan or large.nan or small.given or large.given:
        return UNIT
    if small.high.at < large.low.at or (node.op in ("le", "ge") and small.high.at == large.low.at):
        return Interval.point(1.0)
    if small.low.at > large.high.at or (node.op in ("lt", "gt") and small.low.at == large.high.at):
        return Interval.point(0.0)
    return UNIT


@rule("mul")
def _mul(node: Node, inputs: list[Interval]) -> Interval:
    if node.inputs[0].number == node.inputs[1].number:
        return iv.power(inputs[0], 2)
    return iv.mul(inputs[0], inputs[1])


@rule("pow")
def _pow(node: Node, inputs: list[Interval]) -> Interval:
    base, exponent = inputs
    if exponent.constant is not None:
        return iv.power(base, exponent.constant)
    if base.low.at < 0:
        return UNKNOWN
    if base.high.at <= 1 and exponent.low.at >= 0:
        return Interval(base.low, End(1.0, False, Trust.UNKNOWN))
    low = End(0.0, base.low.at > 0 or base.low.open, Trust.UNKNOWN)
    return Interval(low, iv.SOME_HIGH)


@rule("clip")
def _clip(node: Node, inputs: list[Interval]) -> Interval:
    return iv.minimum(iv.maximum(inputs[0], inputs[1]), inputs[2]) if len(inputs) > 2 else UNKNOWN


@rule("div_no_nan")
def _div_no_nan(node: Node, inputs: list[Interval]) -> Interval:
    quotient = iv.div(*inputs)
    return Interval(quotient.low, quotient.high) if inputs[1].excludes(0.0) else iv.hull(quotient, Interval.point(0.0))


@rule("mul_no_nan")
def _mul_no_nan(node: Node, inputs: list[Interval]) -> Interval:
    return iv.mul(*inputs)


@rule("xlogy")
def _xlogy(node: Node, inputs: list[Interval]) -> Interval:
    return iv.mul(inputs[0], log(inputs[1]))


@rule("xlog1py")
def _xlog1py(node: Node, inputs: list[Interval]) -> Interval:
    return iv.mul(inputs[0], log(iv.add(inputs[1], Interval.point(1.0))))


@rule("mod")
def _mod(node: Node, inputs: list[Interval]) -> Interval:
    """The remainder has the sign of the divisor, and is less."""
    divisor = inputs[1]
    if divisor.constant:
        return Interval(End(0.0), End(divisor.constant, True)) if divisor.constant > 0 else UNKNOWN
    return Interval(End(0.0), divisor.high.moved(divisor.high.at, True)) if divisor.low.at >= 0 else UNKNOWN


@rule(
    *[
        "identity",
        "stop_gradient",
        "leaves_tensorflow",
        "variable_of",
        "reshape",
        "expand_dims",
        "squeeze",
        "transpose",
        "broadcast_to",
        "tile",
        "repeat",
        "unstack",
        "index",
        "gather",
        "gather_nd",
        "boolean_mask",
        "diag_part",
        "unique",
        "max",
        "min",
        "sort",
        "reverse",
        "roll",
        "top_k",
        "mean",
        "median",
    ]
)
def _first(node: Node, inputs: list[Interval]) -> Interval:
    """All values, or averages of values, of the first input."""
    if node.op == "top_k" and node.attrs.get("part") == "indices":
        return Interval(End(0.0), iv.SOME_HIGH)
    return inputs[0] if inputs else UNKNOWN


@rule("cast")
def _cast(node: Node, inputs: list[Interval]) -> Interval:
    dtype = str(node.attrs.get("dtype"))
    if dtype == "bool":
        return UNIT
    return iv.monotone(_whole(math.trunc), inputs[0]) if "int" in dtype else inputs[0]


@rule("join", "concat", "stack", "set_diag")
def _any_of(node: Node, inputs: list[Interval]) -> Interval:
    return iv.hull(*inputs) if inputs and not node.attrs.get("abstract") else UNKNOWN


@rule("select")
def _select(node: Node, inputs: list[Interval]) -> Interval:
    return iv.hull(*inputs[1:])


@rule("diag", "band_part", "pad")
def _with_zero(node: Node, inputs: list[Interval]) -> Interval:
    return iv.hull(inputs[0], Interval.point(0.0))


@rule("scatter")
def _scatter(node: Node, inputs: list[Interval]) -> Interval:
    return iv.hull(inputs[-1], Interval.point(0.0))


@rule("loop")
def _loop(node: Node, inputs: list[Interval]) -> Interval:
    """What one and two turns agree on; an end that still moves goes to infinity."""
    start, one, two = inputs
    whole = iv.hull(start, one)
    low = whole.low if two.low.at >= whole.low.at else iv.SOME_LOW
    high = whole.high if two.high.at <= whole.high.at else iv.SOME_HIGH
    if low is iv.SOME_LOW and whole.low.at >= 0 and two.low.at >= 0:
        low = End(0.0, False, Trust.UNKNOWN)
    return Interval(low, high, two.nan)


@rule("sum", "segment", "cumsum")
def _sum(node: Node, inputs: list[Interval]) -> Interval:
    how = node.attrs.get("how", "sum")
    if node.op == "segment" and how != "sum":
        return inputs[0]
    extent = node.attrs.get("extent")
    count = extent.value if extent is not None and node.op == "sum" else None
    total = iv.total(inputs[0], count or None)
    names = [name for name, _ in extent.symbols] if isinstance(extent, Dim) else []
    if any("#mask" in name for name in names):  # nothing may be left to add up
        return iv.hull(total, Interval.point(0.0))
    return iv.hull(total, NONE) if any("?" in name for name in names) else total


@rule("matmul", "einsum", "tensordot")
def _contraction(node: Node, inputs: list[Interval]) -> Interval:
    if len(inputs) != 2:
        return UNKNOWN
    product = iv.mul(*inputs)
    if node.inputs[0].number == node.inputs[1].number and inputs[0].low.at < 0:
        return UNKNOWN
    extent = node.attrs.get("extent")
    return iv.total(product, (extent.value if extent is not None else None) or None)


def _may_be_empty(extent: object) -> bool:
    """Whether there may be no element at all: of what is cut out of a tensor, or counted while the loss runs."""
    return isinstance(extent, Dim) and any("#" in name or "?" in name for name, _ in extent.symbols)


@rule("prod", "cumprod")
def _prod(node: Node, inputs: list[Interval]) -> Interval:
    a = inputs[0]
    if a.within(0.0, 1.0):
        high = iv.hull(a, Interval.point(1.0)).high if _may_be_empty(node.attrs.get("extent")) else a.high
        return Interval(a.low if a.low.at == 0 else End(0.0, False, Trust.UNKNOWN), high)
    return Interval(End(0.0, a.low.at > 0, Trust.UNKNOWN), iv.SOME_HIGH) if a.low.at >= 0 else UNKNOWN


@rule("logsumexp")
def _logsumexp(node: Node, inputs: list[Interval]) -> Interval:
    return Interval(inputs[0].low.moved(inputs[0].low.at), iv.SOME_HIGH, inputs[0].nan)


@rule("var", "std")
def _spread(node: Node, inputs: list[Interval]) -> Interval:
    """Inputs that are equal do not deviate, unless something makes a difference by their place."""
    known = Trust.UNKNOWN if any(n.op in _BY_PLACE for n in ancestors([node])) else Trust.KNOWN
    return Interval(End(0.0, False, known), NONNEGATIVE.high)


_BY_PLACE = frozenset({"cumsum", "cumprod", "range", "eye", "argsort"})


@rule("norm")
def _norm(node: Node, inputs: list[Interval]) -> Interval:
    size = iv.magnitude(inputs[0])
    return Interval(size.low, End(INF, True, size.high.trust))


@rule("l2_normalize")
def _l2_normalize(node: Node, inputs: list[Interval]) -> Interval:
    return UNIT if inputs[0].low.at >= 0 else Interval.of(-1.0, 1.0)


@rule("smooth", "random", "ssim", "samplewise", "contrast")
def _declared(node: Node, inputs: list[Interval]) -> Interval:
    """A range that the node brings along."""
    low, high = node.attrs.get("low"), node.attrs.get("high")
    ends = [x if isinstance(x, (int, float)) else None for x in (low, high)]
    lower = iv.SOME_LOW if ends[0] is None else End(float(ends[0]), math.isinf(ends[0]))
    upper = iv.SOME_HIGH if ends[1] is None else End(float(ends[1]), math.isinf(ends[1]))
    return Interval(lower, upper)


@rule("straight_through")
def _straight_through(node: Node, inputs: list[Interval]) -> Interval:
    return inputs[0] if node.attrs.get("valued") else UNKNOWN


@rule("dynamic_dim", "static_dim", "size_of", "shape_of")
def _extent(node: Node, inputs: list[Interval]) -> Interval:
    dim = node.attrs.get("dim")
    if not isinstance(dim, Dim):
        return Interval(End(0.0, False, Trust.UNKNOWN), iv.SOME_HIGH)
    if dim.value is not None:
        return Interval.point(float(dim.value))
    if any("#" in name or "?" in name for name, _ in dim.symbols):  # the rows that a mask kept may be none
        return Interval(End(0.0, False, Trust.UNKNOWN), iv.SOME_HIGH)
    least = float(dim.coefficient)
    if dim.batch:
        return Interval(End(least, False, Trust.ASSUMED, frozenset({"a batch can hold one sample"})), iv.SOME_HIGH)
    return Interval(End(least, False, Trust.UNKNOWN), iv.SOME_HIGH)


@rule("conv")
def _conv(node: Node, inputs: list[Interval]) -> Interval:
    how = str(node.attrs.get("how"))
    return inputs[0] if "pool" in how and inputs else UNKNOWN


@rule("const")
def _const(node: Node, inputs: list[Interval]) -> Interval:
    """A nested tuple; single numbers are read before."""
    numbers = list(_numbers(node.attrs.get("value")))
    return Interval.of(min(numbers), max(numbers)) if numbers else UNKNOWN


def _numbers(value: object) -> Iterable[float]:
    if isinstance(value, (tuple, list)):
        for item in value:
            yield from _numbers(item)
    elif isinstance(value, (int, float)):
        yield float(value)
