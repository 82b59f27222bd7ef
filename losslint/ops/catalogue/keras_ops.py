"""``keras.ops``: the functions of NumPy, with NumPy's names for their arguments."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from losslint.domain.shape import Dim, Shape
from losslint.graph import Graph, Node, Unknown
from losslint.ops.axes import MISSING, UnknownAxis, along, axes_of, axis_of, batched, constant_of, reduced, unknown
from losslint.ops.catalogue import arrays, tf_array, tf_image, tf_linalg, tf_math, tf_misc, tf_reduce, tf_scatter
from losslint.ops.catalogue.arguments import (
    of_x,
    of_x1_and_x2,
    of_x_and_y,
    opaque_of_all,
    over_axis,
    smooth_of_x,
    table,
    undecided,
    under,
)
from losslint.ops.dtypes import dtype_of
from losslint.ops.registry import CATALOGUE, CONSTANTS, Expansion
from losslint.ops.shapevalue import ShapeValue, number_of_elements, shape_argument, shape_node

OPS = "keras.ops keras.ops.numpy keras.ops.math keras.ops.core"
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
    return g.op("round", x)


def clip(g: Graph, x: Any, x_min: Any, x_max: Any) -> Node:
    """Within bounds, either of which may be None."""
    if x_min is not None and x_max is not None:
        return g.op("clip", x, x_min, x_max)
    return g.op("maximum", x, x_min) if x_min is not None else g.op("minimum", x, x_max) if x_max is not None else g.lift(x)


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
    return tf_array.where(g, condition, x1, x2)


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
    return tf_array.typed(g, node, wanted) if node.op == "const" else g.op("cast", node, dtype=wanted)


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
    return reduced(g, "prod", x, axis, keepdims)


def quantile(g: Graph, x: Any, q: Any, axis: Any = None, method: Any = "linear", keepdims: Any = False) -> Node:
    """Between the smallest and the largest value; a new first axis where ``q`` has several."""
    several = not isinstance(constant_of(q), (int, float))
    return unknown(g, "quantiles", x, q) if several else reduced(g, "median", x, axis, keepdims)


def average(g: Graph, x: Any, axis: Any = None, weights: Any = None) -> Node:
    """The mean, with weights sum(x w) / sum(w)."""
    if weights is None:
        return reduced(g, "mean", x, axis)
    return g.op("div", reduced(g, "sum", g.op("mul", x, weights), axis), reduced(g, "sum", weights, axis))


def ptp(g: Graph, x: Any, axis: Any = None, keepdims: Any = False) -> Node:
    """The largest value minus the smallest."""
    return g.op("sub", reduced(g, "max", x, axis, keepdims), reduced(g, "min", x, axis, keepdims))


def arg(primitive: str, default: int | None) -> Callable[..., Node]:
    """Where the largest or smallest value is; ``default`` is the axis when none is given (None: everything)."""

    def expansion(g: Graph, x: Any, axis: Any = default, keepdims: Any = False) -> Node:
        return reduced(g, primitive, x, axis, keepdims)

    return expansion


def norm(g: Graph, x: Any, ord: Any = None, axis: Any = None, keepdims: Any = False) -> Node:
    """The norm of vectors or matrices; without ``axis`` of everything."""
    return tf_reduce.norm(g, x, "euclidean" if ord is None else ord, axis, keepdims)


def cumulative(primitive: str) -> Callable[..., Node]:
    """Running sums or products; without an axis of everything in one row."""

    def expansion(g: Graph, x: Any, axis: Any = None, dtype: Any = None) -> Node:
        node = g.lift(x) if axis is not None else tf_array.reshape(g, x, [-1])
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
        "quantile percentile nanquantile nanpercentile": quantile,
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
        "count_nonzero": lambda g, x, axis=None: reduced(g, "count_nonzero", x, axis),
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
    return tf_array.range_(g, start, stop, 1 if step is None else step, dtype)


table(
    OPS,
    {
        "zeros empty": made("zeros"),
        "ones": made("ones"),
        "zeros_like empty_like": like("zeros_like"),
        "ones_like": like("ones_like"),
        "full": lambda g, shape, fill_value, dtype=None: g.op("fill", fill_value, shape=shape_argument(g, shape)),
        "full_like": full_like,
        "eye": eye,
        "identity": lambda g, n, dtype=None: eye(g, n, dtype=dtype),
        "arange": arange,
        "linspace": lambda g, start, stop, num=50, endpoint=True, retstep=False, dtype=None, axis=0: tf_array.linspace(
            g, start, stop, num
        ),
        "meshgrid": lambda g, *x, indexing="xy": tf_array.meshgrid(g, *x, indexing=indexing),
        "tri": lambda g, N, M=None, k=0, dtype=None: g.op("band_part", g.op("ones", shape=(N, N if M is None else M))),
    },
)


# -- shapes ------------------------------------------------------------------------------------------------------------
def shape(g: Graph, x: Any) -> ShapeValue:
    """A tuple of the extents: numbers where they are known, else scalar tensors."""
    return ShapeValue(g.lift(x), primitive="dynamic_dim")


def size(g: Graph, x: Any) -> Any:
    """The number of elements."""
    return number_of_elements(g, shape(g, x))


def expand_dims(g: Graph, x: Any, axis: Any) -> Node:
    """New axes of length 1."""
    node = g.lift(x)
    try:
        axes = axes_of(axis)
    except UnknownAxis:
        axes = None
    if not isinstance(axes, tuple):
        return unknown(g, "expand_dims at an axis that is not known", x, axis)
    for at in axes:
        node = g.op("expand_dims", node, axis=at)
    return node


def moved(g: Graph, x: Any, source: Any, destination: Any) -> Node:
    """Some axes at other positions, the others in their order."""
    node = g.lift(x)
    rank = node.shape.rank
    try:
        starts, ends = axes_of(source), axes_of(destination)
    except UnknownAxis:
        starts = ends = None
    if rank is None or not isinstance(starts, tuple) or not isinstance(ends, tuple) or len(starts) != len(ends):
        return unknown(g, "axes that are moved", node, source, destination)
    order = [axis for axis in range(rank) if axis not in {s % rank for s in starts}]
    for end, start in sorted(zip((e % rank for e in ends), (s % rank for s in starts), strict=True)):
        order.insert(end, start)
    return g.op("transpose", node, perm=tuple(order))


def swapped(g: Graph, x: Any, axis1: Any, axis2: Any) -> Node:
    """Two axes exchanged."""
    node = g.lift(x)
    rank, first, second = node.shape.rank, constant_of(axis1), constant_of(axis2)
    if {first, second} == {-1, -2}:
        return tf_linalg.matrix_transpose(g, node)
    if rank is None or not isinstance(first, int) or not isinstance(second, int):
        return unknown(g, "axes that are exchanged", node)
    order = list(range(rank))
    order[first], order[second] = order[second], order[first]
    return g.op("transpose", node, perm=tuple(order))


def split(g: Graph, x: Any, indices_or_sections: Any, axis: Any = 0) -> Any:
    """Equal parts of an axis, or those between given positions."""
    places, at = constant_of(indices_or_sections), constant_of(axis)
    if isinstance(places, int) or not isinstance(places, tuple) or not isinstance(at, int):
        return tf_array.split(g, x, indices_or_sections, axis)
    ends = zip((0, *places), (*places, None), strict=True)
    return [g.op("index", x, key=tf_array.along_axis(at, slice(a, b))) for a, b in ends]


def joined_along(axis: int) -> Callable[..., Node]:
    """hstack, vstack, dstack of tensors that have this axis."""

    def expansion(g: Graph, xs: Any) -> Node:
        return tf_array.concat(g, xs, axis)

    return expansion


def flip(g: Graph, x: Any, axis: Any = None) -> Node:
    """The other way round, along all axes where none is named."""
    node = g.lift(x)
    everything = tuple(range(node.shape.rank)) if axis is None and node.shape.rank is not None else axis
    return tf_reduce.reverse(g, node, everything)


def roll(g: Graph, x: Any, shift: Any, axis: Any = None) -> Node:
    """Shifted along an axis, what falls off re-enters; without an axis as one row."""
    node = g.lift(x)
    if axis is not None:
        return tf_reduce.roll(g, node, shift, axis)
    return batched(g.op("roll", tf_array.reshape(g, node, [-1]), axis=(0,), shift=None), node.shape)


def pad(g: Graph, x: Any, pad_width: Any, mode: Any = "constant", constant_values: Any = None) -> Node:
    """More elements at the ends of axes."""
    return tf_array.pad(g, x, pad_width, mode, 0 if constant_values is None else constant_values)


table(
    f"{OPS} {BACKEND}",
    {
        "ndim": lambda g, x: ShapeValue(g.lift(x)).attribute(g, "ndims"),
        "dtype": lambda g, x: g.lift(x).dtype or Unknown((), "a dtype that is not known"),
        "stack": lambda g, x, axis=0: tf_array.stack(g, x, axis),
    },
)
table(
    OPS,
    {
        "shape": shape,
        "size": size,
        "is_tensor": tf_misc.is_tensor,
        "reshape": lambda g, x, newshape: tf_array.reshape(g, x, newshape),
        "ravel": lambda g, x: tf_array.reshape(g, x, [-1]),
        "expand_dims": expand_dims,
        "squeeze": lambda g, x, axis=None: tf_array.squeeze(g, x, axis),
        "transpose": lambda g, x, axes=None: tf_array.transpose(g, x, axes),
        "moveaxis": moved,
        "swapaxes": swapped,
        "broadcast_to": lambda g, x, shape: g.op("broadcast_to", x, shape_node(g, shape)),
        "tile": lambda g, x, repeats: tf_array.tile(g, x, repeats),
        "repeat": lambda g, x, repeats, axis=None: tf_array.repeat(g, x, repeats, axis),
        "concatenate concat": lambda g, xs, axis=0: tf_array.concat(g, xs, axis),
        "append": lambda g, x1, x2, axis=None: tf_array.concat(
            g, [x1, x2] if axis is not None else [tf_array.reshape(g, x, [-1]) for x in (x1, x2)], axis or 0
        ),
        "hstack": joined_along(1),
        "vstack": joined_along(0),
        "dstack": joined_along(2),
        "unstack": lambda g, x, num=None, axis=0: tf_array.unstack(g, x, num, axis),
        "split array_split": split,
        "hsplit": lambda g, x, indices_or_sections: split(g, x, indices_or_sections, 1),
        "vsplit": lambda g, x, indices_or_sections: split(g, x, indices_or_sections, 0),
        "flip": flip,
        "fliplr": lambda g, x: flip(g, x, 1),
        "flipud": lambda g, x: flip(g, x, 0),
        "roll": roll,
        "pad": pad,
    },
)


# -- selecting ---------------------------------------------------------------------------------------------------------
def take(g: Graph, x: Any, indices: Any, axis: Any = None) -> Node:
    """Elements of an axis by their index; without an axis of everything in one row."""
    if axis is None:
        return g.op("gather", tf_array.reshape(g, x, [-1]), indices, axis=0)
    return tf_array.gather(g, x, indices, axis=axis)


def take_along_axis(g: Graph, x: Any, indices: Any, axis: Any = None) -> Node:
    """Elements of an axis by an index of their own for every other axis: shaped as the indices."""
    node, places = g.lift(x), g.lift(indices)
    at, rank = constant_of(axis), node.shape.rank
    if at is None:
        return g.op("gather", tf_array.reshape(g, node, [-1]), places, axis=0)
    if not isinstance(at, int):
        return unknown(g, "elements along an axis that is not known", node, places)
    before: Any = at if at >= 0 else rank + at if rank is not None else Unknown()
    found = places.shape if places.shape.rank is not None else tf_array.sized(node.shape, at, places.shape.axis(at))
    return batched(g.op("gather", node, places, axis=at, batch_dims=before), found)


def element(g: Graph, x: Any, key: Any) -> Node:
    """``x[key]``."""
    return g.op("index", x, key=key if isinstance(key, tuple) else (key,))


def slice_update(g: Graph, inputs: Any, start_indices: Any, updates: Any) -> Node:
    """A tensor with a part replaced."""
    node = g.lift(inputs)
    return unknown(g, "a tensor with a part replaced", node, start_indices, updates, shape=node.shape)


def scatter_update(g: Graph, inputs: Any, indices: Any, updates: Any, reduction: Any = None) -> Node:
    """Values written to coordinates, or combined with what is there."""
    name = {None: "update", "add": "add", "max": "max", "min": "min"}.get(reduction)
    if name is None:
        node = g.lift(inputs)
        return unknown(g, "scattered values", node, indices, updates, shape=node.shape)
    result: Node = CATALOGUE[f"tensorflow.tensor_scatter_nd_{name}"](g, inputs, indices, updates)
    return result


def segment(how: str) -> Callable[..., Node]:
    """Rows with the same number combined."""

    def expansion(g: Graph, data: Any, segment_ids: Any, num_segments: Any = None, sorted: Any = False) -> Node:
        return g.op("segment", data, segment_ids, how=how, num_segments=num_segments)

    return expansion


def different(g: Graph, x: Any, **kwargs: Any) -> Any:
    """The different values, and what else was asked for."""
    node = g.lift(x)
    with g.library():
        values = g.op("unique", node)
        extra = [flag for flag in ("return_index", "return_inverse", "return_counts") if kwargs.get(flag)]
        more = [batched(g.op("argsort", node, axis=(-1,)), Shape((Dim.fresh(node.shape.numel.batch),))) for _ in extra]
    return (values, *more) if more else values


def member(g: Graph, x1: Any, x2: Any, assume_unique: Any = False, invert: Any = False) -> Node:
    """Whether each element is among others."""
    node = g.lift(x1)
    with g.library():
        equal = g.op("eq", g.op("expand_dims", node, axis=-1), tf_array.reshape(g, x2, [-1]))
        return batched(g.op("any", equal, axis=(-1,), keepdims=False), node.shape)


table(
    OPS,
    {
        "take": take,
        "take_along_axis": take_along_axis,
        "get_item": element,
        "slice": lambda g, inputs, start_indices, shape: tf_array.slice_(g, inputs, start_indices, shape),
        "slice_update": slice_update,
        "scatter": lambda g, indices, values, shape: tf_scatter.scatter_nd(g, indices, values, shape),
        "scatter_update": scatter_update,
        "unique": different,
        "isin": member,
        "nonzero": lambda g, x: tf_array.positions_where(g, g.lift(x)),
        "searchsorted": lambda g, sorted_sequence, values, side="left": tf_array.searchsorted(g, sorted_sequence, values),
        "digitize": lambda g, x, bins: tf_array.searchsorted(g, bins, x),
        "bincount": lambda g, x, weights=None, minlength=0, sparse=False: tf_reduce.bincount(
            g, x, weights, minlength if constant_of(minlength) not in (0, MISSING) else None
        ),
        "segment_sum": segment("sum"),
        "segment_max": segment("max"),
        "segment_min": segment("min"),
        "segment_prod": segment("prod"),
    },
)


# -- products and matrices ---------------------------------------------------------------------------------------------
def dot(g: Graph, x1: Any, x2: Any) -> Node:
    """The sum over the last axis of the one and the last but one of the other; with a scalar the product."""
    a, b = g.lift(x1), g.lift(x2)
    if 0 in (a.shape.rank, b.shape.rank):
        return g.op("mul", a, b)
    if b.shape.rank is None or (b.shape.rank > 2 or (a.shape.rank or 9) > 2):
        return g.op("tensordot", a, b, axes=((-1,), (-1 if b.shape.rank == 1 else -2,)))
    return g.op("matmul", a, b, transpose_a=False, transpose_b=False)


def outer(g: Graph, x1: Any, x2: Any) -> Node:
    """Every element of the one times every element of the other."""
    return g.op("mul", tf_array.reshape(g, x1, [-1, 1]), tf_array.reshape(g, x2, [1, -1]))


def vdot(g: Graph, x1: Any, x2: Any) -> Node:
    """The sum of the products of all elements."""
    return g.op("sum", g.op("mul", x1, x2), axis=None, keepdims=False)


def diagonal(g: Graph, x: Any, offset: Any = 0, axis1: Any = 0, axis2: Any = 1) -> Node:
    """A diagonal of a matrix."""
    node = g.lift(x)
    if constant_of(offset) != 0 or (node.shape.rank != 2 and (constant_of(axis1), constant_of(axis2)) != (-2, -1)):
        return unknown(g, "another diagonal", node)
    return g.op("diag_part", node)


def diag(g: Graph, x: Any, k: Any = 0) -> Node:
    """The diagonal of a matrix, or a matrix with this diagonal."""
    node = g.lift(x)
    return tf_linalg.diag(g, node, k=k) if node.shape.rank == 1 else diagonal(g, node, k)


def triangle(lower: int, upper: int) -> Callable[..., Node]:
    """The part of a matrix below or above its diagonal."""

    def expansion(g: Graph, x: Any, k: Any = 0) -> Node:
        return g.op("band_part", x, num_lower=lower, num_upper=upper)

    return expansion


def logdet(g: Graph, x: Any) -> Node:
    """The logarithm of the determinant."""
    return g.op("linalg", x, how="logdet")


def through(name: str) -> Expansion:
    """The function of ``tf.linalg`` of the same arguments."""
    return CATALOGUE[f"tensorflow.linalg.{name}"]


def cdist(g: Graph, x: Any, y: Any) -> Node:
    """The distance of every row of the one to every row of the other."""
    with g.library():
        gap = g.op("sub", g.op("expand_dims", x, axis=-2), g.op("expand_dims", y, axis=-3))
        return g.op("norm", gap, axis=(-1,), keepdims=False, ord=2)


table(
    f"{OPS} keras.ops.linalg",
    {
        "matmul": lambda g, x1, x2: g.op("matmul", x1, x2, transpose_a=False, transpose_b=False),
        "dot": dot,
        "inner": lambda g, x1, x2: g.op("sum", g.op("mul", x1, x2), axis=(-1,), keepdims=False),
        "vdot": vdot,
        "outer": outer,
        "cdist": cdist,
        "cross": lambda g, x1, x2, axisa=-1, axisb=-1, axisc=-1, axis=None: tf_linalg.cross(g, x1, x2),
        "einsum": lambda g, subscripts, *operands, **kwargs: tf_linalg.einsum(g, subscripts, *operands),
        "tensordot": lambda g, x1, x2, axes=2: tf_linalg.tensordot(g, x1, x2, axes),
        "trace": lambda g, x, offset=0, axis1=0, axis2=1: tf_linalg.trace(g, x),
        "diag": diag,
        "diagonal": diagonal,
        "tril": triangle(-1, 0),
        "triu": triangle(0, -1),
        "det": through("det"),
        "inv": through("inv"),
        "pinv": lambda g, x, rcond=None: g.op("linalg", x, how="pinv"),
        "cholesky": lambda g, x, upper=False: g.op("linalg", x, how="cholesky"),
        "logdet": logdet,
        "slogdet": through("slogdet"),
        "matrix_rank": lambda g, x, tol=None: g.op("linalg", x, how="matrix_rank"),
        "eigh eig": through("eigh"),
        "svd": lambda g, x, full_matrices=True, compute_uv=True: _svd(g, x, full_matrices, compute_uv),
        "qr": lambda g, x, mode="reduced": tf_linalg.qr(g, x),
        "solve": lambda g, a, b: through("solve")(g, a, b),
        "solve_triangular": lambda g, a, b, lower=False: through("triangular_solve")(g, a, b),
        "lstsq": lambda g, a, b, rcond=None: through("lstsq")(g, a, b),
    },
)


def _svd(g: Graph, x: Any, full_matrices: Any, compute_uv: Any) -> Any:
    """(u, s, v): NumPy's order, which is not that of ``tf.linalg.svd``."""
    found = tf_linalg.svd(g, x, full_matrices, compute_uv)
    return found if isinstance(found, Node) else (found.values[1], found.values[0], found.values[2])


under(
    OPS,
    "bitwise_and bitwise_or bitwise_xor bitwise_invert bitwise_not bitwise_left_shift bitwise_right_shift left_shift "
    "right_shift gcd lcm ldexp nextafter",
    opaque_of_all("integers are combined bit by bit"),
)
under(
    OPS,
    "kron corrcoef correlate histogram geomspace logspace vander trapezoid unravel_index rot90 diagflat view angle imag "
    "view_as_complex view_as_real rearrange array_equal logaddexp2 bartlett blackman hamming hanning kaiser fft fft2 ifft2 "
    "rfft irfft stft istft extract_sequences jvp lu_factor cholesky_inverse polar allclose",
    opaque_of_all("a function of keras.ops that is not followed"),
)
under(OPS, "result_type", undecided("a dtype"))
CONSTANTS["keras.ops.newaxis"] = None

