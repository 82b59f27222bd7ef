"""Batch laws of the primitives (see losslint.domain.law), and the pass that gives every node of a loss its own.

Each rule gets the node, the laws of its inputs and the extents that count as the batch. The laws of the gradients of
inputs that are not differentiable have been taken away before. Measured on TensorFlow 2.21, gradient for k = 2 copies:
log(sum) 1.0, log(sum)/B 0.5, Frobenius norm 1.41, sum*sum 4, sum/stop_gradient(sum) 1.0.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING

from losslint.domain import law as laws
from losslint.domain.law import ABSENT, LOST, NOTHING, STILL, UNKNOWN, Dual, Law, Power, Term
from losslint.domain.shape import Dim, Shape
from losslint.graph import Node, ancestors
from losslint.ops.diagonals import Diagonals
from losslint.ops.extents import constant, from_weights, names_batch_size
from losslint.ops.gradients import TRAINABLE_ROLES, edge_kind
from losslint.ops.identities import softmax_under, vanishes
from losslint.ops.reshaping import any_row, pairs_rows, sliced

if TYPE_CHECKING:
    from losslint.loss import Loss

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
    """A tensor that is trained, or data. An argument called ``batch_size`` may well be the size of this batch."""
    name = str(node.attrs.get("name"))
    if node.attrs.get("role") == "config" and names_batch_size(name) and "." not in name:
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
    """abs, relu, round, floor ...: keep the power of their argument; ``v + c log k`` they do not follow."""
    v = xs[0].value
    return xs[0] if v is not None and v.pure else laws.unknown(xs[0])


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
    return laws.either(node, branches)


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


def sum_rule(node: Node, xs: list[Dual], degree: Degree) -> Dual:
    """A sum over the batch adds 1 to the power."""
    extent = node.attrs.get("extent")
    return laws.total(node, xs[0], degree(extent), extent.value if extent is not None else None)


def mean_rule(node: Node, xs: list[Dual], degree: Degree) -> Dual:
    """A mean changes no law."""
    return Dual(xs[0].value, laws.settled(xs[0].gradient)) if degree(node.attrs.get("extent")) != 0 else xs[0]


def pick_rule(node: Node, xs: list[Dual], degree: Degree) -> Dual:
    """max, min, median: they take the same elements as long as all grow alike."""
    return laws.unknown(xs[0]) if xs[0].value is None else laws.nearly(mean_rule(node, xs, degree))


def _spread(node: Node, x: Dual, degree: Degree, exponent: Fraction) -> Dual:
    """Variance, standard deviation: a mean of squares."""
    squared = laws.power(node, x, Fraction(2))
    return laws.power(node, Dual(squared.value, laws.settled(squared.gradient)), exponent)


def var_rule(node: Node, xs: list[Dual], degree: Degree) -> Dual:
    """The law of a square."""
    return _spread(node, xs[0], degree, Fraction(1))


def std_rule(node: Node, xs: list[Dual], degree: Degree) -> Dual:
    """The root of a variance."""
    return _spread(node, xs[0], degree, HALF)


def norm_rule(node: Node, xs: list[Dual], degree: Degree) -> Dual:
    """The root of a sum of squares; order 1 is a sum of absolute values."""
    order = node.attrs.get("ord", 2)
    grows = degree(node.attrs.get("extent"))
    if order in (2, "euclidean", "fro", None):
        squared = laws.power(node, xs[0], Fraction(2))
        return laws.power(node, laws.total(node, squared, grows), HALF)
    if order == 1:
        return laws.total(node, xs[0], grows)
    return xs[0] if grows == 0 or order == float("inf") else laws.unknown(xs[0])


def logsumexp_rule(node: Node, xs: list[Dual], degree: Degree) -> Dual:
    """The log of a sum of exponentials: over the batch, (0, 0) becomes (0, 1)."""
    grows = degree(node.attrs.get("extent"))
    v = xs[0].value
    if grows == 0 or v is None or v.p != 0:
        return xs[0] if grows == 0 and v is not None and v.p == 0 else laws.unknown(xs[0])
    return laws.log(node, laws.total(node, laws.exp(node, xs[0]), grows))


def softmax_rule(node: Node, xs: list[Dual], degree: Degree) -> Dual:
    """Shares of a whole: each is the smaller the more there are. Adding log k to all logits changes nothing."""
    grows, v = degree(node.attrs.get("extent")), xs[0].value
    if grows is None or v is None or v.p != 0:
        return laws.unknown(xs[0])
    by = Power(Fraction(-grows), asymptotic=v.asymptotic)
    if node.op == "log_softmax":
        return Dual(Power(c=by.p, asymptotic=v.asymptotic), xs[0].gradient)
    return Dual(by, laws.shifted(xs[0].gradient, by, node))


def l2_normalize_rule(node: Node, xs: list[Dual], degree: Degree) -> Dual:
    """x / sqrt(sum(x**2))."""
    grows, v = degree(node.attrs.get("extent")), xs[0].value
    if grows is None or v is None or not v.pure:
        return laws.unknown(xs[0])
    value = Power(-grows * HALF, asymptotic=v.asymptotic)
    if v.asymptotic:  # what outgrows the rest may be what all elements share: that moves no direction
        return Dual(value, laws.unknown(xs[0]).gradient)
    return Dual(value, laws.shifted(xs[0].gradient, Power(-v.p - grows * HALF), node))


def count_rule(node: Node, xs: list[Dual], degree: Degree) -> Dual:
    """How many there are grows as their extent does."""
    grows = degree(node.attrs.get("extent"))
    return LOST if grows is None or xs[0].value is None else Dual(Power(Fraction(grows)))


def flag_rule(node: Node, xs: list[Dual], degree: Degree) -> Dual:
    """all, any, argmax over axes that do not grow."""
    fixed = node.op in ("all", "any") or degree(node.attrs.get("extent")) == 0
    return Dual(STILL) if fixed and xs[0].value is not None else LOST


def prod_rule(node: Node, xs: list[Dual], degree: Degree) -> Dual:
    """Over the batch, a power of the values themselves: unknown."""
    return any_function(node, xs, degree) if degree(node.attrs.get("extent")) == 0 else laws.unknown(*xs)


def ordered_rule(node: Node, xs: list[Dual], degree: Degree) -> Dual:
    """cumsum, sort, roll ... mean something else for each element of their axis."""
    steady = node.op != "sort" or xs[0].value is not None
    return xs[0] if steady and degree(node.attrs.get("extent")) == 0 else laws.unknown(*xs)


def last_axis_rule(node: Node, xs: list[Dual], degree: Degree) -> Dual:
    """top_k, diag_part, band_part, diag: along the last axes of their input."""
    shape = node.inputs[0].shape
    count = 2 if node.op in ("diag_part", "band_part", "set_diag") else 1
    free = all(degree(shape.axis(-i)) == 0 for i in range(1, count + 1))
    return laws.either(node, xs) if free and node.op == "set_diag" else xs[0] if free else laws.unknown(*xs)


def contraction_rule(node: Node, xs: list[Dual], degree: Degree) -> Dual:
    """matmul, einsum, tensordot: products that are summed over the contracted axes."""
    product = xs[0]
    for other in xs[1:]:
        product = laws.multiply(node, product, other)
    return laws.total(node, product, degree(node.attrs.get("extent")))


def conv_rule(node: Node, xs: list[Dual], degree: Degree) -> Dual:
    """Row by row: no axis but the first may be the batch."""
    shape = node.inputs[0].shape
    rows = shape.head[1:] + shape.tail if shape.head else ()
    mixed = any(degree(d) != 0 for d in rows) or (shape.rest is not None and degree(Dim.of(shape.rest)) != 0)
    return laws.unknown(*xs) if mixed or not shape.head else any_function(node, xs, degree)


def matrix_rule(node: Node, xs: list[Dual], degree: Degree) -> Dual:
    """Inverse, determinant ... of matrices whose sides do not grow."""
    shape = node.inputs[0].shape
    fixed = degree(shape.axis(-1)) == 0 and degree(shape.axis(-2)) == 0
    return any_function(node, xs, degree) if fixed else laws.unknown(*xs)


def index_rule(node: Node, xs: list[Dual], degree: Degree) -> Dual:
    """Whole rows, or a mask of them; single elements of a growing axis are unknown."""
    key, shape = node.attrs.get("key"), node.inputs[0].shape
    if any_row(node):
        return xs[0]
    items = list(key) if isinstance(key, tuple) else [key]
    split = next((i for i, k in enumerate(items) if k is Ellipsis), len(items))
    front = [k for k in items[:split] if k is not None]
    back = [k for k in items[split + 1 :] if k is not None]
    if shape.min_rank == 0 and shape.rest is not None and front[:1] == [slice(None)]:
        return xs[0]  # if a tensor of unknown shape has a batch axis, it is the first, and that one is left whole
    for i, item in [*enumerate(front), *((i - len(back), k) for i, k in enumerate(back))]:
        masked = isinstance(item, Node) and item.dtype == "bool"
        if not (masked or _fixed(shape, i, degree) or _most(shape.axis(i), item, degree)):
            return laws.unknown(xs[0])
    return xs[0]


def _most(dim: Dim | None, item: object, degree: Degree) -> bool:
    """Whether a slice leaves a part of the axis that grows as the whole does."""
    if dim is None or not isinstance(item, slice):
        return isinstance(item, slice) and item == slice(None)
    kept = degree(sliced(dim, item))
    return kept is not None and kept == degree(dim)


def _fixed(shape: Shape, axis: int, degree: Degree) -> bool:
    """Whether axis ``axis`` does not grow; an unlisted axis of (B, ...) is taken not to be the batch."""
    dim = shape.axis(axis)
    if dim is None and shape.rest is not None:
        return degree(Dim.of(shape.rest)) == 0
    return degree(dim) == 0


def gather_rule(node: Node, xs: list[Dual], degree: Degree) -> Dual:
    """Every copy gives the same elements, unless they are picked along an axis that grows."""
    axis = node.attrs.get("axis")
    batch_dims = node.attrs.get("batch_dims") or 0
    first = axis if isinstance(axis, int) else 0
    at = max(first, batch_dims) if isinstance(batch_dims, int) and first >= 0 else first
    return xs[0] if _fixed(node.inputs[0].shape, at, degree) else laws.unknown(xs[0])


def gather_nd_rule(node: Node, xs: list[Dual], degree: Degree) -> Dual:
    """The same, along as many axes as an index has parts."""
    shape, skip = node.inputs[0].shape, node.attrs.get("batch_dims") or 0
    count = node.inputs[1].shape.axis(-1)
    depth = count.value if count is not None else None
    if pairs_rows(*node.inputs[:2]):
        skip = 1
        depth = depth and depth - 1
    if depth is None or not isinstance(skip, int):
        return laws.unknown(xs[0])
    return xs[0] if all(_fixed(shape, skip + i, degree) for i in range(depth)) else laws.unknown(xs[0])


def mask_rule(node: Node, xs: list[Dual], degree: Degree) -> Dual:
    """Every copy keeps the same elements, where the mask repeats as well."""
    return xs[0] if xs[1].value is not None else laws.unknown(xs[0])


def pad_rule(node: Node, xs: list[Dual], degree: Degree) -> Dual:
    """What is added to an axis does not grow with the batch."""
    return xs[0] if degree(node.shape.numel) is not None else laws.unknown(xs[0])


def free_rule(node: Node, xs: list[Dual], degree: Degree) -> Dual:
    """eye, range, one_hot, scatter, unique, segment: constant where no extent grows, else unknown."""
    if "mask" in node.attrs:  # every copy is written back to where it was picked
        return xs[1] if xs[0].value is not None else laws.unknown(xs[1])
    shapes = [node.shape, *(n.shape for n in node.inputs if node.op in ("scatter", "unique", "segment"))]
    if node.op == "one_hot":  # one row for each index: only the depth matters
        shapes = [Shape(node.shape.head[-1:] if node.shape.rest is None else node.shape.tail[-1:])]
    if any(degree(s.numel) != 0 for s in shapes) or any(d.value is None for d in xs):
        return laws.unknown(*xs)
    return any_function(node, xs, degree)


def zeros_rule(node: Node, xs: list[Dual], degree: Degree) -> Dual:
    """Zero under every law."""
    return Dual(NOTHING)


def ones_rule(node: Node, xs: list[Dual], degree: Degree) -> Dual:
    """A constant."""
    return Dual(STILL)


def gradient_rule(node: Node, xs: list[Dual], degree: Degree) -> Dual:
    """dy/dx, summed over y: a mean over the batch leaves each sample one part in B."""
    y, x = node.inputs[0], node.inputs[-1]
    law, over, kept = xs[0].gradient, degree(y.shape.numel), degree(x.shape.numel)
    if law.p is None or over is None or kept is None:
        return laws.unknown(*xs)
    if kept and degree is not batch_degree and any(n.op == "model" for n in ancestors([y])):
        return laws.unknown(*xs)  # a model maps a batch row by row; how it spreads over pixels nobody knows
    p = law.p + over - kept
    return Dual(Power(p, asymptotic=law.asymptotic), Law((Term(p, law.asymptotic),)))


def _table() -> dict[str, Rule]:
    rows: list[tuple[str, Rule]] = [
        ("const", constant_rule),
        ("source", source_rule),
        ("model", model_rule),
        ("opaque numpy_function py_function contrast", unknown_rule), ("straight_through", declared_rule),
        ("random ones ones_like rank_of is_nan is_inf is_finite", ones_rule),
        ("zeros zeros_like", zeros_rule),
        ("identity stop_gradient leaves_tensorflow variable_of fill", same),
        ("reshape expand_dims squeeze transpose broadcast_to tile repeat unstack", same),
        ("cast abs relu round floor ceil trunc", kink_rule),
        ("neg", neg_rule), ("add", add_rule), ("sub", sub_rule),
        ("mul mul_no_nan", mul_rule), ("div div_no_nan xdivy floordiv", div_rule),
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
        ("sum", sum_rule), ("mean", mean_rule), ("max min median", pick_rule), ("var", var_rule), ("std", std_rule),
        ("norm", norm_rule), ("logsumexp", logsumexp_rule), ("prod", prod_rule), ("count_nonzero", count_rule),
        ("all any argmax argmin", flag_rule),
        ("softmax log_softmax", softmax_rule), ("l2_normalize", l2_normalize_rule),
        ("cumsum sort reverse roll", ordered_rule), ("cumprod", prod_rule), ("argsort", flag_rule),
        ("top_k diag_part diag band_part set_diag", last_axis_rule),
        ("matmul einsum tensordot", contraction_rule), ("linalg", matrix_rule),
        ("conv", conv_rule), ("ssim batch_statistics samplewise", any_function),
        ("index", index_rule), ("gather", gather_rule), ("gather_nd", gather_nd_rule), ("boolean_mask", mask_rule),
        ("pad", pad_rule), ("eye range one_hot scatter unique segment", free_rule),
        ("gradient_of", gradient_rule),
    ]  # fmt: skip
    return {name: rule for names, rule in rows for name in names.split()}


RULES: dict[str, Rule] = _table()
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
