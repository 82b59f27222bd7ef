"""``tf.math``: elementwise functions, comparisons and logic."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from losslint.graph import Graph, Node
from losslint.ops.axes import combined, constant_of, opaque_row, row, unknown
from losslint.ops.dtypes import dtype_of
from losslint.ops.registry import api
from losslint.ops.shapevalue import NO_SUCH_AXIS

_UNARY = """
abs:            abs math.abs complex_abs
neg:            negative math.negative neg
square:         square math.square
sqrt:           sqrt math.sqrt
rsqrt:          math.rsqrt rsqrt
reciprocal:     math.reciprocal reciprocal inv
exp:            exp math.exp
expm1:          math.expm1 expm1
log:            math.log log
log1p:          math.log1p log1p
sigmoid:        sigmoid math.sigmoid nn.sigmoid
log_sigmoid:    math.log_sigmoid log_sigmoid nn.log_sigmoid
tanh:           tanh math.tanh nn.tanh
sin:            sin math.sin
cos:            cos math.cos
tan:            tan math.tan
asin:           asin math.asin
acos:           acos math.acos
atan:           atan math.atan
sinh:           sinh math.sinh
cosh:           cosh math.cosh
asinh:          asinh math.asinh
acosh:          acosh math.acosh
atanh:          atanh math.atanh
erf:            math.erf erf
erfc:           math.erfc erfc
lgamma:         math.lgamma lgamma
digamma:        math.digamma digamma
sign:           sign math.sign
round:          round math.round math.rint rint
floor:          floor math.floor
ceil:           math.ceil ceil
is_nan:         math.is_nan is_nan debugging.is_nan
is_inf:         math.is_inf is_inf debugging.is_inf
is_finite:      math.is_finite is_finite debugging.is_finite
not:            logical_not math.logical_not
"""
"""Primitive: names. The argument is called ``x``."""

_FEATURES = {"softplus": "softplus math.softplus nn.softplus", "relu": "nn.relu"}
"""The same, for functions whose argument is called ``features``."""

_BINARY = """
add:            add math.add
sub:            subtract math.subtract sub
mul:            multiply math.multiply mul
div:            divide math.divide truediv math.truediv realdiv div RealDiv
pow:            pow math.pow
maximum:        maximum math.maximum
minimum:        minimum math.minimum
floordiv:       math.floordiv floordiv floor_div truncatediv
mod:            math.floormod math.mod floormod mod
div_no_nan:     math.divide_no_nan div_no_nan
mul_no_nan:     math.multiply_no_nan
xlogy:          math.xlogy
xlog1py:        math.xlog1py
xdivy:          math.xdivy
lt:             less math.less
le:             less_equal math.less_equal
gt:             greater math.greater
ge:             greater_equal math.greater_equal
eq:             equal math.equal
ne:             not_equal math.not_equal
and:            logical_and math.logical_and
or:             logical_or math.logical_or
xor:            math.logical_xor logical_xor
"""
"""Primitive: names. The arguments are called ``x, y``."""

_SMOOTH = {
    # names: (lowest value, highest value); infinite where there is none
    "nn.softsign math.softsign": (-1.0, 1.0),
    "nn.elu": (-1.0, math.inf),
    "nn.selu": (-1.7580993408473766, math.inf),
    "math.erfinv erfinv": (-math.inf, math.inf),
    "math.erfcinv": (-math.inf, math.inf),
    "math.ndtri": (-math.inf, math.inf),
    "math.bessel_i0 math.special.bessel_i0": (1.0, math.inf),
    "math.bessel_i0e math.special.bessel_i0e": (0.0, 1.0),
    "math.bessel_i1 math.special.bessel_i1": (-math.inf, math.inf),
    "math.bessel_i1e math.special.bessel_i1e": (-1.0, 1.0),
    "math.special.bessel_j0 math.special.bessel_j1": (-1.0, 1.0),
    "math.special.bessel_k0 math.special.bessel_k0e math.special.bessel_k1 math.special.bessel_k1e": (0.0, math.inf),
    "math.special.bessel_y0 math.special.bessel_y1": (-math.inf, math.inf),
    "math.special.dawsn": (-1.0, 1.0),
    "math.special.expint math.special.spence": (-math.inf, math.inf),
    "math.special.fresnel_cos math.special.fresnel_sin": (-1.0, 1.0),
}


def rows(table: str) -> list[tuple[str, list[str]]]:
    """The lines ``primitive: name name`` of a table."""
    lines = (line.partition(":") for line in table.strip().splitlines())
    return [(primitive.strip(), names.split()) for primitive, _, names in lines]


def unary(primitive: str) -> Callable[..., Node]:
    """``f(x)``."""

    def expansion(g: Graph, x: Any, name: Any = None) -> Node:
        return g.op(primitive, x)

    return expansion


def unary_of_features(primitive: str) -> Callable[..., Node]:
    """``f(features)``."""

    def expansion(g: Graph, features: Any, name: Any = None) -> Node:
        return g.op(primitive, features)

    return expansion


def binary(primitive: str) -> Callable[..., Node]:
    """``f(x, y)``."""

    def expansion(g: Graph, x: Any, y: Any, name: Any = None) -> Node:
        return g.op(primitive, x, y)

    return expansion


def smooth(label: str, low: float, high: float) -> Callable[..., Node]:
    """A differentiable elementwise function that is no primitive, by its range."""

    def expansion(g: Graph, x: Any = None, name: Any = None, *, features: Any = None) -> Node:
        return g.op("smooth", x if x is not None else features, low=low, high=high, api=label)

    return expansion


for _primitive, _names in rows(_UNARY):
    row(" ".join(_names), unary(_primitive))
for _primitive, _features_names in _FEATURES.items():
    row(_features_names, unary_of_features(_primitive))
for _primitive, _names in rows(_BINARY):
    row(" ".join(_names), binary(_primitive))
for _smooth_names, (_low, _high) in _SMOOTH.items():
    for _name in _smooth_names.split():
        row(_name, smooth(_name.rsplit(".", 1)[-1], _low, _high))
opaque_row(
    "integers are combined bit by bit",
    "bitwise.bitwise_and bitwise.bitwise_or bitwise.bitwise_xor bitwise.invert bitwise.left_shift bitwise.right_shift",
)
opaque_row(
    "a special function of several arguments",
    "math.betainc betainc math.igamma igamma math.igammac igammac math.polygamma polygamma math.zeta zeta "
    "math.lbeta lbeta math.nextafter math.sobol_sample complex dtypes.complex bitcast",
)


@api("tensorflow.atan2", "tensorflow.math.atan2")
def atan2(g: Graph, y: Any, x: Any, name: Any = None) -> Node:
    """The angle of the point (x, y)."""
    return g.op("atan2", y, x)


@api("tensorflow.math.squared_difference", "tensorflow.squared_difference")
def squared_difference(g: Graph, x: Any, y: Any, name: Any = None) -> Node:
    """(x - y)^2."""
    with g.library():
        difference = g.op("sub", x, y)
    return g.op("square", difference)


@api("tensorflow.truncatemod")
def truncatemod(g: Graph, x: Any, y: Any, name: Any = None) -> Node:
    """The remainder as C has it, for which TensorFlow has no gradient."""
    with g.library():
        quotient = g.op("trunc", g.op("div", x, y))
        return g.op("stop_gradient", g.op("sub", x, g.op("mul", quotient, y)))


@api("tensorflow.nn.relu6")
def relu6(g: Graph, features: Any, name: Any = None) -> Node:
    """min(max(x, 0), 6)."""
    return g.op("clip", features, 0.0, 6.0)


@api("tensorflow.nn.leaky_relu")
def leaky_relu(g: Graph, features: Any, alpha: Any = 0.2, name: Any = None) -> Node:
    """x where it is positive, else alpha x."""
    x = g.lift(features)
    with g.library():
        return g.op("maximum", x, g.op("mul", x, alpha))


@api("tensorflow.nn.gelu")
def gelu(g: Graph, features: Any, approximate: Any = False, name: Any = None) -> Node:
    """x P(X <= x) of a standard normal X; its minimum is -0.17."""
    return g.op("smooth", features, low=-0.17004, high=math.inf, api="gelu")


@api("tensorflow.nn.silu", "tensorflow.nn.swish")
def silu(g: Graph, features: Any, beta: Any = 1.0) -> Node:
    """x sigmoid(beta x); its minimum is -0.2785 / beta."""
    low = -0.27847 if beta == 1.0 else -math.inf
    return g.op("smooth", features, low=low, high=math.inf, api="silu")


@api("tensorflow.nn.crelu")
def crelu(g: Graph, features: Any, axis: Any = -1, name: Any = None) -> Node:
    """relu of x and of -x, side by side."""
    x = g.lift(features)
    with g.library():
        return g.op("concat", g.op("relu", x), g.op("relu", g.op("neg", x)), axis=axis if isinstance(axis, int) else -1)


@api("tensorflow.math.reciprocal_no_nan")
def reciprocal_no_nan(g: Graph, x: Any, name: Any = None) -> Node:
    """1 / x, and 0 where x is 0."""
    return g.op("div_no_nan", 1.0, x)


@api("tensorflow.math.scalar_mul", "tensorflow.scalar_mul")
def scalar_mul(g: Graph, scalar: Any, x: Any, name: Any = None) -> Node:
    """scalar * x."""
    return g.op("mul", scalar, x)


@api("tensorflow.math.accumulate_n", "tensorflow.accumulate_n")
def accumulate_n(g: Graph, inputs: Any, shape: Any = None, tensor_dtype: Any = None, name: Any = None) -> Node:
    """The sum of a list of tensors of one shape."""
    return add_n(g, inputs)


@api("tensorflow.add_n", "tensorflow.math.add_n")
def add_n(g: Graph, inputs: Any, name: Any = None) -> Node:
    """The sum of a list of tensors."""
    if not isinstance(inputs, (list, tuple)) or not inputs:
        # an argument is a list that is passed on; any other tensor is taken apart along its first axis
        if isinstance(inputs, Node) and inputs.op != "source" and not inputs.attrs.get("list"):
            return g.op("sum", inputs, axis=(0,), keepdims=False)
        return unknown(g, NO_SUCH_AXIS if inputs == [] else "a list that is not known", inputs)
    return combined(g, "add", inputs)


@api("tensorflow.math.polyval")
def polyval(g: Graph, coeffs: Any, x: Any, name: Any = None) -> Node:
    """A polynomial, highest power first, by Horner's rule."""
    if not isinstance(coeffs, (list, tuple)) or not coeffs:
        return unknown(g, "coefficients that are not known", coeffs, x)
    with g.library():
        total = g.lift(coeffs[0])
        for coefficient in coeffs[1:]:
            total = g.op("add", coefficient, g.op("mul", total, x))
    return total


def rounded(g: Graph, x: Any, decimals: Any = 0) -> Node:
    """Rounded to a number of decimals, as NumPy and Keras do."""
    digits = constant_of(decimals)
    if digits == 0:
        return g.op("round", x)
    if not isinstance(digits, int):
        return unknown(g, "a number of decimals that is not known", g.op("round", x))
    whole = g.op("round", g.op("mul", x, 10.0**digits))
    with g.library():
        return g.op("div", whole, 10.0**digits)


@api("tensorflow.clip_by_value")
def clip_by_value(g: Graph, t: Any, clip_value_min: Any, clip_value_max: Any, name: Any = None) -> Node:
    """min(max(t, low), high)."""
    return g.op("clip", t, clip_value_min, clip_value_max)


@api("tensorflow.saturate_cast", "tensorflow.dtypes.saturate_cast")
def saturate_cast(g: Graph, value: Any, dtype: Any, name: Any = None) -> Node:
    """``value`` with another data type, within its bounds."""
    return g.op("cast", value, dtype=dtype_of(dtype))


@api("tensorflow.cast", "tensorflow.dtypes.cast")
def cast(g: Graph, x: Any, dtype: Any, name: Any = None) -> Node:
    """``x`` with another data type."""
    return g.op("cast", x, dtype=dtype_of(dtype))


def _cast_to(dtype: str) -> Callable[..., Node]:
    def expansion(g: Graph, x: Any, name: Any = None) -> Node:
        return g.op("cast", x, dtype=dtype)

    return expansion


_TO = {
    "to_float": "float32",
    "to_double": "float64",
    "to_int32": "int32",
    "to_int64": "int64",
    "to_bfloat16": "bfloat16",
}
for _name, _dtype in _TO.items():
    row(_name, _cast_to(_dtype))


@api("tensorflow.math.conj", "tensorflow.conj", "tensorflow.math.real", "tensorflow.real")
def real(g: Graph, input: Any = None, name: Any = None, *, x: Any = None) -> Node:
    """The real part, which is all there is of a real tensor."""
    value = g.lift(input if input is not None else x)
    return (
        g.op("identity", value)
        if not str(value.dtype).startswith("complex")
        else unknown(g, "a complex number", value, shape=value.shape)
    )


@api("tensorflow.math.imag", "tensorflow.imag", "tensorflow.math.angle", "tensorflow.angle")
def imaginary(g: Graph, input: Any, name: Any = None) -> Node:
    """The imaginary part, or the angle, of a complex tensor."""
    value = g.lift(input)
    return unknown(g, "a complex number", value, shape=value.shape)
