"""``numpy`` and ``math``: plain Python where every argument is a number, a cut in the graph where one is a tensor."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable
from typing import Any

from losslint.domain.shape import SCALAR
from losslint.graph import Graph, Node, Unknown
from losslint.ops.axes import constant_of, reduced, unknown
from losslint.ops.catalogue import (
    keras_ops,
    tf_linalg,
    tf_make,
    tf_math,
    tf_parts,
    tf_random,
    tf_reduce,
    tf_select,
    tf_shape,
)
from losslint.ops.catalogue.arrays import (
    LOGARITHMS,
    Fold,
    binary,
    elementwise,
    flat,
    hypot,
    over,
    reduction,
    registered,
    scaled,
    unary,
)
from losslint.ops.dtypes import FLOATS, INTEGERS, dtype_of, finfo, integer_limits
from losslint.ops.registry import CATALOGUE, CONSTANTS, Expansion, api
from losslint.ops.shapevalue import Record, ShapeValue, number_of_elements, shape_argument

CONSTANTS.update({f"numpy.{name}": name for name in (*FLOATS, *INTEGERS) if name != "bfloat16"})
CONSTANTS.update(
    {"numpy.float": "float64", "numpy.double": "float64", "numpy.half": "float16", "numpy.single": "float32"}
)
CONSTANTS.update({"numpy.int": "int64", "numpy.bool": "bool", "numpy.bool_": "bool", "numpy.newaxis": None})
CONSTANTS.update(
    {"numpy.euler_gamma": 0.5772156649015329, "numpy.NaN": math.nan, "numpy.Inf": math.inf, "numpy.PINF": math.inf}
)
for _library in ("numpy", "math", "tensorflow.experimental.numpy"):
    CONSTANTS.update(
        {f"{_library}.pi": math.pi, f"{_library}.e": math.e, f"{_library}.inf": math.inf, f"{_library}.nan": math.nan}
    )
CONSTANTS["math.tau"] = math.tau


# -- elementwise -------------------------------------------------------------------------------------------------------
def _sign(x: float) -> float:
    return float((x > 0) - (x < 0))


_ONE: dict[str, tuple[str, Fold]] = {
    "abs": ("abs", abs),
    "absolute": ("abs", abs),
    "fabs": ("abs", math.fabs),
    "negative": ("neg", lambda x: -x),
    "square": ("square", lambda x: x * x),
    "sqrt": ("sqrt", math.sqrt),
    "exp": ("exp", math.exp),
    "log": ("log", math.log),
    "expm1": ("expm1", math.expm1),
    "log1p": ("log1p", math.log1p),
    "sin": ("sin", math.sin),
    "cos": ("cos", math.cos),
    "tan": ("tan", math.tan),
    "arcsin": ("asin", math.asin),
    "arccos": ("acos", math.acos),
    "arctan": ("atan", math.atan),
    "sinh": ("sinh", math.sinh),
    "cosh": ("cosh", math.cosh),
    "tanh": ("tanh", math.tanh),
    "arctanh": ("atanh", math.atanh),
    "floor": ("floor", math.floor),
    "ceil": ("ceil", math.ceil),
    "trunc": ("trunc", math.trunc),
    "fix": ("trunc", math.trunc),
    "rint": ("round", round),
    "sign": ("sign", _sign),
    "isnan": ("is_nan", math.isnan),
    "isinf": ("is_inf", math.isinf),
    "isfinite": ("is_finite", math.isfinite),
    "logical_not": ("not", lambda x: not x),
    "reciprocal": ("reciprocal", lambda x: 1 / x),
}
_TWO: dict[str, tuple[str, Fold]] = {
    "add": ("add", lambda x, y: x + y),
    "subtract": ("sub", lambda x, y: x - y),
    "multiply": ("mul", lambda x, y: x * y),
    "divide": ("div", lambda x, y: x / y),
    "true_divide": ("div", lambda x, y: x / y),
    "power": ("pow", lambda x, y: x**y),
    "maximum": ("maximum", max),
    "minimum": ("minimum", min),
    "fmax": ("maximum", max),
    "fmin": ("minimum", min),
    "floor_divide": ("floordiv", lambda x, y: x // y),
    "mod": ("mod", lambda x, y: x % y),
    "remainder": ("mod", lambda x, y: x % y),
    "arctan2": ("atan2", math.atan2),
    "greater": ("gt", lambda x, y: x > y),
    "greater_equal": ("ge", lambda x, y: x >= y),
    "less": ("lt", lambda x, y: x < y),
    "less_equal": ("le", lambda x, y: x <= y),
    "equal": ("eq", lambda x, y: x == y),
    "not_equal": ("ne", lambda x, y: x != y),
    "logical_and": ("and", lambda x, y: bool(x and y)),
    "logical_or": ("or", lambda x, y: bool(x or y)),
    "logical_xor": ("xor", lambda x, y: bool(x) != bool(y)),
    "hypot": ("", math.hypot),
}


for _name, (_primitive, _function) in _ONE.items():
    registered(_name, unary(_primitive), over(_function))
for _name, (_primitive, _function) in _TWO.items():
    registered(_name, binary(_primitive) if _primitive else hypot, over(_function))
for _name, _factor in LOGARITHMS.items():
    registered(_name, scaled("log", _factor), over(getattr(math, _name)))


# -- reductions --------------------------------------------------------------------------------------------------------
_REDUCE: dict[str, tuple[str, Fold]] = {
    "sum": ("sum", sum),
    "mean": ("mean", statistics.fmean),
    "prod": ("prod", math.prod),
    "product": ("prod", math.prod),
    "max": ("max", max),
    "amax": ("max", max),
    "min": ("min", min),
    "amin": ("min", min),
    "std": ("std", statistics.pstdev),
    "var": ("var", statistics.pvariance),
    "any": ("any", any),
    "all": ("all", all),
    "median": ("median", statistics.median),
    "nanmean": ("mean", statistics.fmean),
    "nansum": ("sum", sum),
    "nanstd": ("std", statistics.pstdev),
    "nanmax": ("max", max),
    "nanmin": ("min", min),
    "count_nonzero": ("count_nonzero", lambda values: sum(v != 0 for v in values)),
    "argmax": ("argmax", lambda values: values.index(max(values))),
    "argmin": ("argmin", lambda values: values.index(min(values))),
}


for _name, (_primitive, _function) in _REDUCE.items():
    registered(_name, reduction(_primitive), flat(_function))


# -- making arrays -----------------------------------------------------------------------------------------------------
def array(g: Graph, object: Any = None, dtype: Any = None, *args: Any, a: Any = None, **kwargs: Any) -> Any:
    """A number stays one; a list becomes a constant, or is stacked."""
    value = object if object is not None else a
    if isinstance(value, ShapeValue):
        known = value.known_elements(g)
        return value if known is None else g.lift(known)
    if isinstance(value, range):
        value = list(value)
    if isinstance(value, (int, float)):
        return value
    node = g.lift(value)
    return node if dtype is None else tf_make.typed(g, node, dtype)


for _name in ("array", "asarray", "asanyarray", "ascontiguousarray", "copy", "matrix"):
    registered(_name, array)


def _filled(primitive: str) -> Expansion:
    def expansion(g: Graph, shape: Any, dtype: Any = "float64", *args: Any, **kwargs: Any) -> Node:
        return g.op(primitive, shape=shape_argument(g, shape), dtype=None)

    return expansion


def _like(primitive: str) -> Expansion:
    def expansion(g: Graph, a: Any, *args: Any, **kwargs: Any) -> Node:
        return g.op(primitive, a)

    return expansion


for _name, _primitive in {"zeros": "zeros", "ones": "ones"}.items():
    registered(_name, _filled(_primitive))
    # only the shape of the argument is looked at, so nothing leaves the graph
    api(f"numpy.{_name}_like")(_like(f"{_primitive}_like"))


def _empty(g: Graph, shape: Any, dtype: Any = None, **kwargs: Any) -> Node:
    """Whatever the memory held."""
    held = shape_argument(g, shape)
    return (
        weak(g.op("random", low=None, high=None, shape=held))
        if dtype is None
        else g.op("random", low=None, high=None, shape=held, dtype=dtype_of(dtype))
    )


registered("empty", _empty)
api("numpy.empty_like")(lambda g, prototype, *args, **kwargs: _empty(g, g.op("shape_of", prototype)))


def full(g: Graph, shape: Any, fill_value: Any, dtype: Any = None, **kwargs: Any) -> Node:
    """An array of one value."""
    return g.op("fill", fill_value, shape=shape_argument(g, shape))


def full_like(g: Graph, a: Any, fill_value: Any, dtype: Any = None, **kwargs: Any) -> Node:
    """An array of one value, shaped as another."""
    return g.op("add", g.op("zeros_like", a), fill_value)


def eye(g: Graph, N: Any, M: Any = None, *args: Any, **kwargs: Any) -> Node:
    """The identity matrix."""
    return weak(g.op("eye", *((N,) if M is None else (N, M))))


def weak(node: Node) -> Node:
    """An array of float64 that yields to the dtype of a tensor."""
    node.dtype = None
    return node


def arange(g: Graph, *args: Any, dtype: Any = None, **kwargs: Any) -> Any:
    """start, start + step, ... below the end: a constant where it is short."""
    known = constant_of(args)
    if isinstance(known, tuple) and 0 < len(known) <= 3 and all(isinstance(v, int) for v in known):
        values = range(*known)
        return g.lift(list(values)) if 0 < len(values) <= 256 else tf_make.range_(g, *args)
    return tf_make.range_(g, *args) if args else unknown(g, "arange", kwargs)


registered("full", full)
registered("full_like", full_like)
registered("eye", eye)
registered("identity", eye)
registered("arange", arange)
registered("linspace", lambda g, start, stop, num=50, *args, **kwargs: weak(tf_make.linspace(g, start, stop, num)))


# -- shapes and selections ---------------------------------------------------------------------------------------------
def reshape(g: Graph, a: Any, shape: Any = None, *args: Any, newshape: Any = None, **kwargs: Any) -> Node:
    """The same elements in another shape."""
    return tf_shape.reshape(g, a, shape if shape is not None else newshape)


def where(g: Graph, condition: Any, x: Any = None, y: Any = None) -> Node:
    """One of two values, or where the condition is true."""
    return tf_select.where(g, condition, x, y)


def clip(
    g: Graph, a: Any, a_min: Any = None, a_max: Any = None, *args: Any, min: Any = None, max: Any = None, **kwargs: Any
) -> Node:
    """Within bounds, either of which may be None."""
    low, high = a_min if a_min is not None else min, a_max if a_max is not None else max
    if low is not None and high is not None:
        return g.op("clip", a, low, high)
    return g.op("maximum", a, low) if low is not None else g.op("minimum", a, high) if high is not None else g.lift(a)


def average(g: Graph, a: Any, axis: Any = None, weights: Any = None, *args: Any, **kwargs: Any) -> Node:
    """The mean, with weights sum(a w) / sum(w)."""
    if weights is None:
        return reduced(g, "mean", a, axis, kwargs.get("keepdims", False))
    return g.op("div", reduced(g, "sum", g.op("mul", a, weights), axis), reduced(g, "sum", weights, axis))


def dot(g: Graph, a: Any, b: Any, *args: Any, **kwargs: Any) -> Node:
    """The matrix product; with a scalar the product."""
    first, second = g.lift(a), g.lift(b)
    if SCALAR in (first.shape, second.shape):
        product = g.op("mul", first, second)
    else:
        product = g.op("matmul", first, second, transpose_a=False, transpose_b=False)
    product.dtype = first.dtype if first.dtype == second.dtype else None  # the wider one
    return product


def outer(g: Graph, a: Any, b: Any, *args: Any, **kwargs: Any) -> Node:
    """Every element of the one times every element of the other."""
    column, line = tf_shape.reshape(g, a, [-1, 1]), tf_shape.reshape(g, b, [1, -1])
    return g.op("mul", column, line)


def _vectors(arrays: Any) -> bool | None:
    """Whether arrays have one axis; None where that is unknown."""
    ranks = {g.shape.rank for g in arrays if isinstance(g, Node)} if isinstance(arrays, (list, tuple)) else {None}
    return None if None in ranks else ranks == {1}


def hstack(g: Graph, tup: Any, *args: Any, **kwargs: Any) -> Node:
    """Joined along the second axis, vectors along their only one."""
    flat_ = _vectors(tup)
    return unknown(g, "hstack", tup) if flat_ is None else tf_parts.concat(g, tup, 0 if flat_ else 1)


def vstack(g: Graph, tup: Any, *args: Any, **kwargs: Any) -> Node:
    """Joined along the first axis, vectors along a new one."""
    flat_ = _vectors(tup)
    return unknown(g, "vstack", tup) if flat_ is None else (tf_parts.stack if flat_ else tf_parts.concat)(g, tup, 0)


def _axis0(function: Callable[..., Node], default: Any = 0) -> Expansion:
    def expansion(g: Graph, arrays: Any, axis: Any = default, *args: Any, **kwargs: Any) -> Node:
        return function(g, arrays, axis)

    return expansion


def norm(g: Graph, x: Any, ord: Any = None, axis: Any = None, keepdims: Any = False) -> Node:
    """The norm of vectors or matrices."""
    return tf_reduce.norm(g, x, "euclidean" if ord is None else ord, axis, keepdims)


def cumsum(g: Graph, a: Any, axis: Any = None, *args: Any, **kwargs: Any) -> Node:
    """Running sums, without an axis of everything in one row."""
    x = g.lift(a) if axis is not None else tf_shape.reshape(g, a, [-1])
    result: Node = tf_reduce.cumulative("cumsum")(g, x, 0 if axis is None else axis)
    return result


def _shape(g: Graph, a: Any) -> Any:
    return ShapeValue(g.lift(a))


def nan_to_num(g: Graph, x: Any, copy: Any = True, nan: Any = 0.0, **kwargs: Any) -> Node:
    """NaN replaced by a number."""
    return g.op("select", g.op("is_nan", x), nan, x)


registered("reshape", reshape)
registered("where", where)
registered("clip", clip, lambda value, low, high: elementwise(lambda v: min(max(v, low), high), value))
registered("average", average)
registered("dot", dot, lambda a, b: sum(x * y for x, y in zip(a, b, strict=True)))
registered("matmul", dot)
registered("vdot", lambda g, a, b: g.op("sum", g.op("mul", a, b), axis=None, keepdims=False))
registered("inner", lambda g, a, b: g.op("tensordot", a, b, axes=((-1,), (-1,))))
registered("outer", outer)
registered("logaddexp", lambda g, x1, x2, *args, **kwargs: keras_ops.logaddexp(g, x1, x2))
registered("expand_dims", lambda g, a, axis=-1: tf_shape.expand_dims(g, a, axis))
registered("squeeze", lambda g, a, axis=None: tf_shape.squeeze(g, a, axis))
registered("transpose", lambda g, a, axes=None: tf_shape.transpose(g, a, axes))
registered("ravel", lambda g, a, *args, **kwargs: tf_shape.reshape(g, a, [-1]))
registered("concatenate", _axis0(tf_parts.concat))
registered("stack", _axis0(tf_parts.stack))
registered("vstack", vstack)
registered("hstack", hstack)
registered("tile", lambda g, A, reps: tf_shape.tile(g, A, reps))
registered("repeat", lambda g, a, repeats, axis=None: tf_shape.repeat(g, a, repeats, axis))
registered("broadcast_to", lambda g, array, shape, **kwargs: tf_shape.broadcast_to(g, array, shape))
registered(
    "take",
    lambda g, a, indices, axis=None, **kwargs: tf_select.gather(
        g, a if axis is not None else tf_shape.reshape(g, a, [-1]), indices, axis=axis or 0
    ),
)
registered("sort", _axis0(tf_reduce.sort, -1))
registered("argsort", lambda g, a, axis=-1, **kwargs: g.op("cast", tf_reduce.argsort(g, a, axis), dtype="int64"))


@api("numpy.flip", "tensorflow.experimental.numpy.flip")
def flip(g: Graph, m: Any, axis: Any = None) -> Node:
    """Done by indexing, so that a tensor stays one."""
    x = g.lift(m)
    axes = axis if axis is not None else None if x.shape.rank is None else list(range(x.shape.rank))
    return tf_reduce.reverse(g, x, axes) if axes is not None else unknown(g, "all axes reversed", x, shape=x.shape)


registered("roll", lambda g, a, shift, axis=0: tf_reduce.roll(g, a, shift, axis))
registered("cumsum", cumsum)
registered("diag", lambda g, v, k=0: tf_linalg.diag(g, v) if g.lift(v).shape.rank == 1 else tf_linalg.diag_part(g, v))
registered("einsum", lambda g, subscripts, *operands, **kwargs: tf_linalg.einsum(g, subscripts, *operands))
registered("tensordot", lambda g, a, b, axes=2: tf_linalg.tensordot(g, a, b, axes))
registered("pad", lambda g, array, pad_width, mode="constant", **kwargs: tf_shape.pad(g, array, pad_width, mode))
registered("meshgrid", tf_make.meshgrid)
registered("linalg.norm", norm)
registered(
    "round",
    lambda g, a, decimals=0, out=None: tf_math.rounded(g, a, decimals),
    lambda x, digits=0: elementwise(lambda v: round(v, digits), x),
)
registered("around", CATALOGUE["numpy.round"])
registered("nan_to_num", nan_to_num)
registered("float_", lambda g, x: g.op("cast", x, dtype="float64"))
for _name in ("inv", "pinv", "det", "cholesky"):
    registered(f"linalg.{_name}", CATALOGUE[f"tensorflow.linalg.{_name}"])
api("numpy.shape")(_shape)
api("numpy.ndim")(lambda g, a: _shape(g, a).attribute(g, "ndims"))
api("numpy.size")(
    lambda g, a, axis=None: number_of_elements(g, _shape(g, a)) if axis is None else _shape(g, a).getitem(g, axis)
)


def opaque(short: str) -> None:
    """Register a function of arrays that is not followed."""
    registered(short, lambda g, *args, **kwargs: unknown(g, f"np.{short}", args, kwargs))


for _name in [
    "percentile",
    "quantile",
    "interp",
    "histogram",
    "unique",
    "bincount",
    "digitize",
    "searchsorted",
    "append",
    "delete",
    "insert",
    "split",
    "array_split",
    "nonzero",
    "argwhere",
    "flatnonzero",
    "swapaxes",
    "moveaxis",
    "rollaxis",
    "atleast_1d",
    "atleast_2d",
    "atleast_3d",
    "convolve",
    "correlate",
    "gradient",
    "diff",
    "kron",
    "isclose",
    "allclose",
    "array_equal",
    "isin",
    "in1d",
    "fromfunction",
    "vectorize",
    "apply_along_axis",
    "triu",
    "tril",
    "triu_indices",
    "tril_indices",
    "linalg.svd",
    "linalg.eig",
    "linalg.eigh",
    "linalg.solve",
    "linalg.lstsq",
    "fft.fft",
    "fft.ifft",
    "fft.fft2",
    "load",
    "loadtxt",
    "genfromtxt",
    "fromfile",
    "frombuffer",
    "fliplr",
    "flipud",
    "trace",
    "rot90",
    "cov",
    "corrcoef",
    "setdiff1d",
    "intersect1d",
    "union1d",
    "ptp",
    "mgrid",
    "select",
    "piecewise",
    "invert",
    "float_power",
]:
    opaque(_name)


# -- data types --------------------------------------------------------------------------------------------------------
def _constructor(dtype: str) -> Expansion:
    def expansion(g: Graph, x: Any = 0) -> Any:
        if isinstance(x, (int, float)):
            return float(x) if dtype in FLOATS else bool(x) if dtype == "bool" else int(x)
        return g.op("cast", x, dtype=dtype)

    return expansion


for _name in (*FLOATS, *INTEGERS, "bool"):
    if _name != "bfloat16":
        registered(_name, _constructor(_name))


@api("numpy.finfo", "tensorflow.experimental.numpy.finfo")
def finfo_(g: Graph, dtype: Any) -> Any:
    """The limits of a floating type."""
    info = finfo(dtype)
    if info is None:
        return Unknown((), "the limits of a type that is not known")
    names = ("eps", "max", "min", "tiny", "smallest_normal", "resolution")
    return Record(names, (info.eps, info.max, info.min, info.tiny, info.tiny, info.eps))


@api("numpy.iinfo")
def iinfo(g: Graph, dtype: Any) -> Any:
    """The limits of an integer type."""
    limits = integer_limits(dtype)
    if limits is None:
        return Unknown((), "the limits of a type that is not known")
    return Record(limits._fields, limits)


# -- random numbers ----------------------------------------------------------------------------------------------------
def _drawn(low: float | None, high: float | None, first: int) -> Expansion:
    """A random array whose size is the argument ``size``, or stands at position ``first``."""

    def expansion(g: Graph, *args: Any, size: Any = None, **kwargs: Any) -> Node:
        shape = size if size is not None else args[first] if len(args) > first else ()
        return tf_random.drawn(g, shape, low, high, "float64")

    return expansion


def _drawn_by_extents(low: float | None, high: float | None) -> Expansion:
    def expansion(g: Graph, *args: Any, **kwargs: Any) -> Node:
        return tf_random.drawn(g, args, low, high, "float64")

    return expansion


for _name, (_low, _high, _first) in {
    "uniform": (None, None, 2),
    "normal": (None, None, 2),
    "random": (0.0, 1.0, 0),
    "random_sample": (0.0, 1.0, 0),
    "standard_normal": (None, None, 0),
    "randint": (None, None, 2),
    "exponential": (0.0, None, 1),
    "binomial": (0.0, None, 2),
    "poisson": (0.0, None, 1),
    "beta": (0.0, 1.0, 2),
    "gamma": (0.0, None, 2),
    "laplace": (None, None, 2),
}.items():
    api(f"numpy.random.{_name}")(_drawn(_low, _high, _first))
api("numpy.random.rand")(_drawn_by_extents(0.0, 1.0))
api("numpy.random.randn")(_drawn_by_extents(None, None))
for _name in ("choice", "permutation", "RandomState", "default_rng", "multivariate_normal"):
    api(f"numpy.random.{_name}")(lambda g, *args, **kwargs: unknown(g, "a random choice", args, kwargs))
for _name in ("seed", "shuffle", "set_state"):
    api(f"numpy.random.{_name}")(lambda g, *args, **kwargs: None)
