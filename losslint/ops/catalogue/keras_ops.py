"""``keras.ops``: the functions of NumPy, with NumPy's names for their arguments."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from losslint.graph import Graph, Node
from losslint.ops.axes import (
    UnknownAxis,
    along,
    axis_of,
    batched,
    constant_of,
    reduced,
    unknown,
)
from losslint.ops.catalogue import arrays, tf_image, tf_make, tf_math, tf_reduce, tf_select, tf_shape
from losslint.ops.catalogue.arguments import (
    of_x,
    of_x1_and_x2,
    of_x_and_y,
    over_axis,
    smooth_of_x,
    table,
    under,
)
from losslint.ops.dtypes import dtype_of
from losslint.ops.shapevalue import ShapeValue, number_of_elements, product, shape_argument

OPS = "keras.ops keras.ops.numpy keras.ops.math keras.ops.core"
"""Where functions are found; inside Keras they are spread over modules."""
BACKEND = "keras.backend"

# -- elementwise -------------------------------------------------------------------------------------------------------
_UNARY = """
abs: abs absolute fabs
neg: negative
square: square
sqrt: sqrt
rsqrt: rsqrt
reciprocal: reciprocal
exp: exp
expm1: expm1
log: log
log1p: log1p
sin: sin
cos: cos
tan: tan
asin: arcsin
acos: arccos
atan: arctan
sinh: sinh
cosh: cosh
asinh: arcsinh
acosh: arccosh
atanh: arctanh
erf: erf
erfc: erfc
sign: sign
floor: floor
ceil: ceil
trunc: trunc
is_nan: isnan
is_inf: isinf
is_finite: isfinite
not: logical_not
sigmoid: sigmoid
log_sigmoid: log_sigmoid
tanh: tanh
softplus: softplus
identity: conj conjugate real copy
"""
"""Primitive: names. The argument is called ``x``; ``keras.backend`` has the same functions, or had them once."""

_BINARY = """
add: add
sub: subtract
mul: multiply
div: divide true_divide
pow: power
maximum: maximum fmax
minimum: minimum fmin
floordiv: floor_divide
mod: mod fmod
div_no_nan: divide_no_nan
atan2: arctan2
lt: less
le: less_equal
gt: greater
ge: greater_equal
eq: equal
ne: not_equal
and: logical_and
or: logical_or
xor: logical_xor
"""
"""Primitive: names. The arguments are called ``x1, x2``, in ``keras.backend`` ``x, y``."""

_REDUCTIONS = """
sum: sum
mean: mean
max: amax
min: amin
all: all
any: any
std: std
var: var
logsumexp: logsumexp
median: median
"""
_SMOOTH = {
    "cbrt": (-math.inf, math.inf),
    "erfinv": (-math.inf, math.inf),
    "i0": (1.0, math.inf),
    "sinc": (-0.2173, 1.0),
    "softsign": (-1.0, 1.0),
}
for _primitive, _names in tf_math.rows(_UNARY):
    under(f"{OPS} {BACKEND}", " ".join(_names), of_x(_primitive))
for _primitive, _names in tf_math.rows(_BINARY):
    under(OPS, " ".join(_names), of_x1_and_x2(_primitive))
    under(BACKEND, " ".join(_names), of_x_and_y(_primitive))
for _primitive, _names in tf_math.rows(_REDUCTIONS):
    under(f"{OPS} {BACKEND}", " ".join(_names), over_axis(_primitive))
for _name, (_low, _high) in _SMOOTH.items():
    under(f"{OPS} {BACKEND}", _name, smooth_of_x(_name, _low, _high))


def scaled(primitive: str, factor: float) -> Callable[..., Node]:
    """A primitive times a constant: logarithms to other bases, degrees."""

    def expansion(g: Graph, x: Any) -> Node:
        return g.op("mul", g.op(primitive, x), factor)

    return expansion


def round_(g: Graph, x: Any, decimals: Any = 0) -> Node:
    """Rounded to a number of decimals."""
    return tf_math.rounded(g, x, decimals)


def clip(g: Graph, x: Any, x_min: Any, x_max: Any) -> Node:
    """Within bounds, either of which may be None."""
    if x_min is not None and x_max is not None:
        return g.op("clip", x, x_min, x_max)
    return (
        g.op("maximum", x, x_min)
        if x_min is not None
        else g.op("minimum", x, x_max)
        if x_max is not None
        else g.lift(x)
    )


def logaddexp(g: Graph, x1: Any, x2: Any) -> Node:
    """max(x, y) + log(1 + exp(-|x - y|))."""
    a, b = g.lift(x1), g.lift(x2)
    with g.library():
        gap = g.op("neg", g.op("abs", g.op("sub", a, b)))
        return g.op("add", g.op("maximum", a, b), g.op("softplus", gap))


def exp2(g: Graph, x: Any) -> Node:
    """2 ** x."""
    return g.op("exp", g.op("mul", x, math.log(2)))


def heaviside(g: Graph, x1: Any, x2: Any) -> Node:
    """0 below zero, 1 above, ``x2`` at zero."""
    x = g.lift(x1)
    with g.library():
        above = g.op("cast", g.op("gt", x, 0.0), dtype="float32")
        return g.op("select", g.op("eq", x, 0.0), x2, above)


def nan_to_num(g: Graph, x: Any, nan: Any = 0.0, posinf: Any = None, neginf: Any = None) -> Node:
    """NaN replaced by a number, infinities by large ones."""
    return g.op("select", g.op("is_nan", x), nan, x)


def where(g: Graph, condition: Any, x1: Any = None, x2: Any = None) -> Node:
    """One of two values, or where the condition is true."""
    return tf_select.where(g, condition, x1, x2)


def select(g: Graph, condlist: Any, choicelist: Any, default: Any = 0) -> Node:
    """The first choice whose condition holds."""
    if not isinstance(condlist, (list, tuple)) or not isinstance(choicelist, (list, tuple)):
        return unknown(g, "choices that are not known", condlist, choicelist, default)
    result = g.lift(default)
    for condition, choice in reversed(list(zip(condlist, choicelist, strict=True))):
        result = g.op("select", condition, choice, result)
    return result


def cast(g: Graph, x: Any, dtype: Any) -> Node:
    """``x`` with another data type."""
    return g.op("cast", x, dtype=dtype_of(dtype))


def converted(g: Graph, x: Any, dtype: Any = None, sparse: Any = None, ragged: Any = None) -> Node:
    """``x`` as a tensor, cast where a data type is named."""
    node = g.lift(x)
    wanted = dtype_of(dtype) if dtype is not None else None
    if wanted is None or node.dtype == wanted:
        return node
    return tf_make.typed(g, node, wanted) if node.op == "const" else g.op("cast", node, dtype=wanted)


table(
    f"{OPS} {BACKEND}",
    {
        "log2": scaled("log", arrays.LOGARITHMS["log2"]),
        "log10": scaled("log", arrays.LOGARITHMS["log10"]),
        "exp2": exp2,
        "deg2rad": scaled("identity", math.pi / 180),
        "rad2deg": scaled("identity", 180 / math.pi),
        "round": round_,
        "cast": cast,
        "saturate_cast": cast,
    },
)
table(
    OPS,
    {
        "clip": clip,
        "logaddexp": logaddexp,
        "heaviside": heaviside,
        "nan_to_num": nan_to_num,
        "where": where,
        "select": select,
        "hypot": lambda g, x1, x2: arrays.hypot(g, x1, x2),
        "convert_to_tensor array": converted,
        "isposinf isneginf signbit isreal": of_x("is_inf"),
        "isclose": lambda g, x1, x2, rtol=1e-5, atol=1e-8, equal_nan=False: g.op("eq", x1, x2),
    },
)


# -- reductions --------------------------------------------------------------------------------------------------------
def extreme(primitive: str) -> Callable[..., Node]:
    """max and min, over what there is and ``initial``."""

    def expansion(g: Graph, x: Any, axis: Any = None, keepdims: Any = False, initial: Any = None) -> Node:
        node = reduced(g, primitive, x, axis, keepdims)
        return node if initial is None else g.op(f"{primitive}imum", node, initial)

    return expansion


def without_nan(primitive: str, instead: float) -> Callable[..., Node]:
    """A reduction of what is a number."""

    def expansion(g: Graph, x: Any, axis: Any = None, keepdims: Any = False) -> Node:
        with g.library():
            return reduced(g, primitive, g.op("select", g.op("is_nan", x), instead, x), axis, keepdims)

    return expansion


def nanmean(g: Graph, x: Any, axis: Any = None, keepdims: Any = False) -> Node:
    """The mean of what is a number."""
    node = g.lift(x)
    with g.library():
        missing = g.op("is_nan", node)
        count = g.op("cast", g.op("not", missing), dtype="float32")
        total = reduced(g, "sum", g.op("select", missing, 0.0, node), axis, keepdims)
        return g.op("div", total, reduced(g, "sum", count, axis, keepdims))


def prod(g: Graph, x: Any, axis: Any = None, keepdims: Any = False, dtype: Any = None) -> Any:
    """The product; of a shape, the number of elements."""
    if isinstance(x, ShapeValue) and axis is None:
        return number_of_elements(g, x)
    if axis is None and arrays.are_scalars(x):
        return product(g, x)
    return reduced(g, "prod", x, axis, keepdims)


def quantile(g: Graph, x: Any, q: Any, axis: Any = None, method: Any = "linear", keepdims: Any = False) -> Node:
    """Between the smallest and the largest value; a new first axis where ``q`` has several."""
    middle = reduced(g, "median", x, axis, keepdims)
    if constant_of(q) == 0.5:
        return middle
    if not isinstance(constant_of(q), (int, float)):
        return unknown(g, "quantiles", x, q)
    # between two elements it interpolates, and where depends on their number
    return batched(g.op("straight_through", x), middle.shape, middle.dtype)


def percentile(g: Graph, x: Any, q: Any, *args: Any, **kwargs: Any) -> Node:
    """The quantile of q / 100."""
    share = constant_of(q)
    return quantile(g, x, share / 100 if isinstance(share, (int, float)) else q, *args, **kwargs)


def average(g: Graph, x: Any, axis: Any = None, weights: Any = None) -> Node:
    """The mean, with weights sum(x w) / sum(w)."""
    if weights is None:
        return reduced(g, "mean", x, axis)
    return g.op("div", reduced(g, "sum", g.op("mul", x, weights), axis), reduced(g, "sum", weights, axis))


def ptp(g: Graph, x: Any, axis: Any = None, keepdims: Any = False) -> Node:
    """The largest value minus the smallest."""
    return g.op("sub", reduced(g, "max", x, axis, keepdims), reduced(g, "min", x, axis, keepdims))


def integers(node: Node, dtype: str = "int32") -> Node:
    """``node`` with the integers that ``keras.ops`` counts in."""
    return batched(node, node.shape, dtype)


def arg(primitive: str, default: int | None) -> Callable[..., Node]:
    """Where the largest or smallest value is; ``default`` is the axis when none is given (None: everything)."""

    def expansion(g: Graph, x: Any, axis: Any = default, keepdims: Any = False) -> Node:
        return integers(reduced(g, primitive, x, axis, keepdims), "int32" if default is None else "int64")

    return expansion


def norm(g: Graph, x: Any, ord: Any = None, axis: Any = None, keepdims: Any = False) -> Node:
    """The norm of vectors or matrices; without ``axis`` of everything."""
    return tf_reduce.norm(g, x, "euclidean" if ord is None else ord, axis, keepdims)


def cumulative(primitive: str) -> Callable[..., Node]:
    """Running sums or products; without an axis of everything in one row."""

    def expansion(g: Graph, x: Any, axis: Any = None, dtype: Any = None) -> Node:
        node = g.lift(x) if axis is not None else tf_shape.reshape(g, x, [-1])
        return along(g, primitive, node, 0 if axis is None else axis)

    return expansion


def diff(g: Graph, a: Any, n: Any = 1, axis: Any = -1) -> Node:
    """x[1:] - x[:-1], ``n`` times."""
    node, times = g.lift(a), constant_of(n)
    try:
        at = axis_of(axis, -1)
    except UnknownAxis:
        return unknown(g, "differences along an axis that is not known", node)
    for _ in range(times if isinstance(times, int) else 1):
        node = tf_image.neighbours(g, node, at)
    return node


table(
    OPS,
    {
        "max": extreme("max"),
        "min": extreme("min"),
        "prod": prod,
        "average": average,
        "ptp": ptp,
        "quantile nanquantile": quantile,
        "percentile nanpercentile": percentile,
        "nansum": without_nan("sum", 0.0),
        "nanprod": without_nan("prod", 1.0),
        "nanmax": without_nan("max", -math.inf),
        "nanmin": without_nan("min", math.inf),
        "nanmean": nanmean,
        "nanstd": over_axis("std"),
        "nanvar": over_axis("var"),
        "nanmedian": over_axis("median"),
        "argmax nanargmax": arg("argmax", None),
        "argmin nanargmin": arg("argmin", None),
        "count_nonzero": lambda g, x, axis=None: integers(reduced(g, "count_nonzero", x, axis)),
        "cumsum nancumsum": cumulative("cumsum"),
        "cumprod nancumprod": cumulative("cumprod"),
        "diff": diff,
        "sort": lambda g, x, axis=-1: along(g, "sort", x, axis),
        "argsort": lambda g, x, axis=-1: along(g, "argsort", x, axis),
        "argpartition": lambda g, x, kth, axis=-1: along(g, "argsort", x, axis),
        "top_k": lambda g, x, k, sorted=True: tf_reduce.largest(g, g.lift(x), k),
        "in_top_k": lambda g, targets, predictions, k: tf_reduce.in_top_k(g, targets, predictions, k),
    },
)
under(f"{OPS} keras.ops.linalg", "norm", norm)


# -- making ------------------------------------------------------------------------------------------------------------
def made(primitive: str) -> Callable[..., Node]:
    """zeros, ones: of a shape."""

    def expansion(g: Graph, shape: Any, dtype: Any = None, name: Any = None) -> Node:
        return g.op(primitive, shape=shape_argument(g, shape), dtype=dtype_of(dtype) or "float32")

    return expansion


def like(primitive: str) -> Callable[..., Node]:
    """zeros, ones: shaped as a tensor."""

    def expansion(g: Graph, x: Any, dtype: Any = None, name: Any = None) -> Node:
        return g.op(primitive, x, dtype=dtype_of(dtype))

    return expansion


def full_like(g: Graph, x: Any, fill_value: Any, dtype: Any = None) -> Node:
    """One value, shaped as a tensor."""
    with g.library():
        return g.op("add", g.op("zeros_like", x, dtype=dtype_of(dtype)), fill_value)


def eye(g: Graph, N: Any, M: Any = None, k: Any = 0, dtype: Any = None) -> Node:
    """The identity matrix."""
    return g.op("eye", *((N,) if M is None else (N, M)), dtype=dtype_of(dtype) or "float32")


def arange(g: Graph, start: Any, stop: Any = None, step: Any = None, dtype: Any = None) -> Node:
    """start, start + step, ... below the end."""
    return tf_make.range_(g, start, stop, 1 if step is None else step, dtype)


table(
    OPS,
    {
        "zeros empty": made("zeros"),
        "ones": made("ones"),
        "zeros_like empty_like": like("zeros_like"),
        "ones_like": like("ones_like"),
        "full": lambda g, shape, fill_value, dtype=None: g.op(
            "fill", fill_value, shape=shape_argument(g, shape), dtype=dtype_of(dtype) or "float32"
        ),
        "full_like": full_like,
        "eye": eye,
        "identity": lambda g, n, dtype=None: eye(g, n, dtype=dtype),
        "arange": arange,
        "linspace": lambda g, start, stop, num=50, endpoint=True, retstep=False, dtype=None, axis=0: tf_make.linspace(
            g, start, stop, num
        ),
        "meshgrid": lambda g, *x, indexing="xy": tf_make.meshgrid(g, *x, indexing=indexing),
        "tri": lambda g, N, M=None, k=0, dtype=None: g.op("band_part", g.op("ones", shape=(N, N if M is None else M))),
    },
)
