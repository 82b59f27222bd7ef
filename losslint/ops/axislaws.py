"""Batch laws of primitives that work along axes: reductions, contractions, what picks and moves elements.

The rules are as in ``losslint.ops.pointwiselaws``.
"""

from __future__ import annotations

from fractions import Fraction

from losslint.domain import law as laws
from losslint.domain.law import LOST, NOTHING, STILL, Dual, Law, Power, Term
from losslint.domain.shape import Dim, Shape
from losslint.graph import Node, ancestors
from losslint.ops.pointwiselaws import HALF, Degree, any_function, batch_degree, named, same
from losslint.ops.reshaping import any_row, pairs_rows, sliced


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


RULES = named(
    ("random ones ones_like rank_of is_nan is_inf is_finite", ones_rule),
    ("zeros zeros_like", zeros_rule),
    ("reshape expand_dims squeeze transpose broadcast_to tile repeat unstack", same),
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
)  # fmt: skip
