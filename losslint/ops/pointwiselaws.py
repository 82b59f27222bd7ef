"""Batch laws of elementwise primitives, of what joins values, and of leaves.

Each rule gets the node, the laws of its inputs and the extents that count as the batch. The laws of the gradients of
inputs that are not differentiable have been taken away before. Measured on TensorFlow 2.21, gradient for k = 2 copies:
log(sum) 1.0, log(sum)/B 0.5, Frobenius norm 1.41, sum*sum 4, sum/stop_gradient(sum) 1.0.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from losslint.domain import law as laws
from losslint.domain.law import LOST, NOTHING, STILL, UNKNOWN, Dual, Law, Power, Term
from losslint.domain.shape import Dim
from losslint.graph import Node
from losslint.ops.extents import constant, names_batch_size, names_count
from losslint.ops.gradients import TRAINABLE_ROLES

Degree = Callable[["Dim | None"], "int | None"]
"""The power with which an extent grows with what is taken as the batch; None where that is unknown."""
Rule = Callable[[Node, "list[Dual]", Degree], Dual]

HALF = Fraction(1, 2)
EPSILON = 1e-6
"""Up to this a number only guards."""


def batch_degree(dim: Dim | None) -> int | None:
    """How an extent grows with the batch size."""
    return None if dim is None else dim.batch


def still(*duals: Dual) -> Power | None:
    """The law of a function of any kind of values that do not change: none where one may."""
    values = [d.value for d in duals]
    if any(v is None or not (v.zero or v.still) for v in values):
        return None
    return Power(asymptotic=any(v.asymptotic for v in values if v is not None))


def any_function(node: Node, xs: list[Dual], degree: Degree) -> Dual:
    """A differentiable function of values that do not change with the batch size; else unknown."""
    value = still(*xs)
    return laws.unknown(*xs) if value is None else laws.nearly(Dual(value, laws.merged(xs, node)))


def same(node: Node, xs: list[Dual], degree: Degree) -> Dual:
    """The first input, moved or copied."""
    return xs[0]


def constant_rule(node: Node, xs: list[Dual], degree: Degree) -> Dual:
    """A number does not change with the batch; 0 is 0 under every law."""
    value = node.attrs.get("value")
    return Dual(NOTHING if value == 0 and not isinstance(value, bool) else STILL)


def unknown_rule(node: Node, xs: list[Dual], degree: Degree) -> Dual:
    """Nothing is known; what is not computed from anything that changes with the batch cannot change either."""
    return Dual(None, UNKNOWN if node.op == "opaque" else laws.unknown(*xs).gradient)


def declared_rule(node: Node, xs: list[Dual], degree: Degree) -> Dual:
    """A value with a gradient of its own, of which only the user knows how it scales."""
    return Dual(xs[0].value if node.attrs.get("valued") else None, laws.unknown(*xs).gradient)


def source_rule(node: Node, xs: list[Dual], degree: Degree) -> Dual:
    """A tensor that is trained, or data. ``batch_size`` or ``num_boxes`` may well grow with the batch."""
    name = str(node.attrs.get("name"))
    if node.attrs.get("role") == "config" and "." not in name and (names_batch_size(name) or names_count(name)):
        return LOST
    if node.attrs.get("role") not in TRAINABLE_ROLES:
        return Dual(STILL)
    rows = node.attrs.get("role") != "variable" and degree(node.shape.numel) != 0
    return Dual(STILL, Law((Term(rows=rows),)))


def model_rule(node: Node, xs: list[Dual], degree: Degree) -> Dual:
    """A model trains on every row it is given, whatever its inputs are."""
    trained = Dual(STILL, Law((Term(rows=degree(node.shape.numel) != 0),)))
    return Dual(still(*xs), laws.merged([trained, *xs], node))


def add_rule(node: Node, xs: list[Dual], degree: Degree) -> Dual:
    """Terms of one law keep it."""
    return laws.add(node, _without_epsilon(node, xs))


def sub_rule(node: Node, xs: list[Dual], degree: Degree) -> Dual:
    """A sum whose second term has the other sign."""
    return laws.add(node, _without_epsilon(node, xs), (1, -1))


def _without_epsilon(node: Node, xs: list[Dual]) -> list[Dual]:
    """The epsilon beside a value that shrinks with the batch is out of reach for any batch that fits in memory."""
    if any(d.value is not None and d.value.p < 0 for d in xs):
        tiny = [(v := _number(x)) is not None and abs(v) <= EPSILON for x in node.inputs]
        return [Dual(NOTHING) if small else x for x, small in zip(xs, tiny, strict=True)]
    return xs


def _number(node: Node) -> float | None:
    value = constant(node)
    return float(value) if isinstance(value, (int, float)) and abs(value) < float("inf") else None


def mul_rule(node: Node, xs: list[Dual], degree: Degree) -> Dual:
    """Powers add up."""
    numbers = [v for v in map(_number, node.inputs[:2]) if v is not None]
    return laws.multiply(node, xs[0], xs[1], numbers[0] if numbers else None)


def div_rule(node: Node, xs: list[Dual], degree: Degree) -> Dual:
    """A product with the power -1 of the divisor."""
    divisor = _number(node.inputs[1])
    return laws.multiply(node, xs[0], laws.power(node, xs[1], Fraction(-1)), 1 / divisor if divisor else None)


def xlogy_rule(node: Node, xs: list[Dual], degree: Degree) -> Dual:
    """x log(y), x log(1 + y)."""
    inner = laws.log(node, xs[1]) if node.op == "xlogy" else log1p_rule(node, xs[1:], degree)
    return laws.multiply(node, xs[0], inner)


def pow_rule(node: Node, xs: list[Dual], degree: Degree) -> Dual:
    """A constant exponent multiplies the power; a constant base is an exponential."""
    exponent, base = _number(node.inputs[1]), _number(node.inputs[0])
    if exponent is not None:
        return laws.power(node, xs[0], Fraction(exponent).limit_denominator(1000))
    if base is not None and base > 0 and xs[1].value is not None and (xs[1].value.pure or base == 1):
        return laws.exp(node, xs[1])
    return any_function(node, xs, degree)


def neg_rule(node: Node, xs: list[Dual], degree: Degree) -> Dual:
    """The same law, the other sign."""
    return laws.negate(xs[0])


def power_rule(exponent: Fraction) -> Rule:
    """A function with f(k x) = k**exponent f(x) for k > 0."""

    def rule(node: Node, xs: list[Dual], degree: Degree) -> Dual:
        return laws.power(node, xs[0], exponent)

    return rule


def kink_rule(node: Node, xs: list[Dual], degree: Degree) -> Dual:
    """abs, relu, cast: keep the power of their argument; ``v + c log k`` they do not follow."""
    v = xs[0].value
    if v is None or not v.pure:
        return laws.unknown(xs[0])
    grows = v.p > 0  # and keeps its sign: the slope on that side is the same from the first
    return xs[0] if node.op == "cast" or grows else laws.nearly(xs[0])


def rounding_rule(node: Node, xs: list[Dual], degree: Degree) -> Dual:
    """round, floor ...: what grows is large in the end, and what they take off is little; what shrinks is lost."""
    return _rounded(kink_rule(node, xs, degree))


def _rounded(x: Dual) -> Dual:
    v = x.value
    if v is None or v.p == 0:
        return x
    return Dual(v._replace(asymptotic=True) if v.p > 0 else None, x.gradient)


def floordiv_rule(node: Node, xs: list[Dual], degree: Degree) -> Dual:
    """A quotient that is rounded."""
    return _rounded(div_rule(node, xs, degree))


def log_rule(node: Node, xs: list[Dual], degree: Degree) -> Dual:
    """A factor k**p becomes a summand p log k."""
    return laws.log(node, xs[0])


def log1p_rule(node: Node, xs: list[Dual], degree: Degree) -> Dual:
    """log(1 + x) is log(x) for large x, and x for small ones."""
    if xs[0].value is not None and xs[0].value.p < 0:
        return laws.curve(node, xs[0], at_zero=0.0)
    return laws.log(node, laws.add(node, [xs[0], Dual(STILL)]))


def exp_rule(node: Node, xs: list[Dual], degree: Degree) -> Dual:
    """A summand c log k becomes a factor k**c."""
    return laws.exp(node, xs[0])


def curve_rule(at_zero: float, smooth: bool = True) -> Rule:
    """A nonlinear function of one value."""

    def rule(node: Node, xs: list[Dual], degree: Degree) -> Dual:
        return laws.curve(node, xs[0], at_zero, smooth)

    return rule


def extreme_rule(node: Node, xs: list[Dual], degree: Degree) -> Dual:
    """maximum and minimum: equal laws stay; a growing value beats what does not grow in a maximum."""
    values = [d.value for d in xs]
    known = [v for v in values if v is not None]
    if len(known) < len(values):
        return laws.unknown(*xs)
    if len({(v.p, v.c) for v in known if not v.zero}) <= 1:
        return laws.either(node, xs)
    if node.op == "maximum" and min(v.p for v in known) >= 0 and all(v.pure for v in known):
        winner = max(xs, key=lambda d: d.value.p if d.value else 0)
        assert winner.value is not None
        return Dual(Power(winner.value.p, asymptotic=True), laws.merged(xs, node))
    return laws.unknown(*xs)


def clip_rule(node: Node, xs: list[Dual], degree: Degree) -> Dual:
    """A clip of something that grows is a maximum if its upper bound is out of reach."""
    upper = _number(node.inputs[2]) if len(node.inputs) > 2 else None
    x = xs[0].value
    if x is not None and x.p > 0 and x.pure and (len(node.inputs) < 3 or (upper is not None and upper >= 1e6)):
        return Dual(Power(x.p, asymptotic=True), xs[0].gradient)
    return any_function(node, xs, degree)


def compare_rule(node: Node, xs: list[Dual], degree: Degree) -> Dual:
    """A comparison does not change where both sides grow alike, or one outgrows the other."""
    values = [d.value for d in xs]
    if any(v is None for v in values):
        return LOST
    known = [v for v in values if v is not None and not v.zero]
    return Dual(Power(asymptotic=len({(v.p, v.c) for v in known}) > 1)) if all(v.pure for v in known) else LOST


def select_rule(node: Node, xs: list[Dual], degree: Degree) -> Dual:
    """where(condition, x, y). Where the condition asks for what grows, the branch that grows less is a guard."""
    condition = xs[0].value
    if condition is None:
        return laws.unknown(*xs[1:])
    branches = xs[1:]
    powers = [d.value for d in branches]
    known = [v for v in powers if v is not None and not v.zero]
    differ = len({(v.p, v.c) for v in known}) > 1 and None not in powers
    if differ and all(v.pure and v.p >= 0 for v in known):
        most = max(v.p for v in known)
        growing = (x for x, v in zip(node.inputs[1:], powers, strict=True) if v is not None and v.p == most)
        if condition.asymptotic or any(guarded(node.inputs[0], branch) for branch in growing):
            return Dual(Power(most, asymptotic=True), laws.merged(branches, node))
    result = laws.either(node, branches)
    if condition.asymptotic and result.value is not None:  # which branch it is settles in large batches
        return Dual(result.value._replace(asymptotic=True), laws.shifted(result.gradient, condition))
    return result


def guarded(condition: Node, branch: Node) -> bool:
    """Whether a condition asks about the very value of a branch: ``where(n == 0, 1, n)``."""
    if condition.op in ("lt", "le", "gt", "ge", "eq", "ne"):
        return any(_plain(n).number == _plain(branch).number for n in condition.inputs)
    return condition.op in ("not", "and", "or") and any(guarded(n, branch) for n in condition.inputs)


def _plain(node: Node) -> Node:
    while node.op in ("cast", "identity", "stop_gradient"):
        node = node.inputs[0]
    return node


def either_rule(node: Node, xs: list[Dual], degree: Degree) -> Dual:
    """One of the inputs: what all of them share."""
    return laws.either(node, xs)


def loop_rule(node: Node, xs: list[Dual], degree: Degree) -> Dual:
    """Turns may be as many as there are samples: only that a law is positive survives an unknown number of them.

    A ``fixed`` number of turns leaves what each of them leaves.
    """
    result = laws.either(node, xs)
    if node.attrs.get("fixed"):
        return result
    p = result.gradient.p
    if p is not None and p > 0:
        return result
    return Dual(None, result.gradient if not result.gradient.terms else UNKNOWN)


def named(*rows: tuple[str, Rule]) -> dict[str, Rule]:
    """Primitive -> law rule; a row names primitives that have one rule."""
    return {name: rule for names, rule in rows for name in names.split()}


RULES = named(
    ("const", constant_rule),
    ("source", source_rule),
    ("model", model_rule),
    ("opaque numpy_function py_function contrast", unknown_rule), ("straight_through", declared_rule),
    ("identity stop_gradient leaves_tensorflow variable_of fill", same),
    ("cast abs relu", kink_rule), ("round floor ceil trunc", rounding_rule),
    ("neg", neg_rule), ("add", add_rule), ("sub", sub_rule),
    ("mul mul_no_nan", mul_rule), ("div div_no_nan xdivy", div_rule), ("floordiv", floordiv_rule),
    ("pow", pow_rule), ("xlogy xlog1py", xlogy_rule),
    ("square", power_rule(Fraction(2))), ("sqrt", power_rule(HALF)), ("rsqrt", power_rule(-HALF)),
    ("reciprocal", power_rule(Fraction(-1))), ("sign", power_rule(Fraction(0))),
    ("log", log_rule), ("log1p", log1p_rule), ("exp", exp_rule),
    ("expm1 tanh sin tan asin atan sinh asinh atanh erf", curve_rule(0.0)),
    ("sigmoid log_sigmoid softplus cos acos cosh erfc", curve_rule(1.0)),
    ("acosh lgamma digamma smooth", curve_rule(1.0, smooth=False)),
    ("maximum minimum", extreme_rule), ("clip", clip_rule),
    ("mod atan2", any_function),
    ("lt le gt ge eq ne and or xor not", compare_rule),
    ("select", select_rule), ("join stack concat", either_rule), ("loop", loop_rule),
)  # fmt: skip
