"""``keras.ops.nn`` and ``keras.activations``: activations, cross entropies, normalisations, convolutions."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from losslint.domain.shape import Dim, Shape
from losslint.graph import Graph, Node, Unknown
from losslint.ops.axes import UnknownAxis, axis_of, batched, constant_of, flag, reduced, unknown
from losslint.ops.catalogue import tf_image, tf_make, tf_nn, tf_parts, tf_random, tf_reduce
from losslint.ops.catalogue.arguments import (
    of_x,
    opaque_of_all,
    opaque_with_last,
    samplewise,
    smooth_of_x,
    table,
    undecided,
    under,
)
from losslint.ops.catalogue.tf_scatter import space_block
from losslint.ops.dtypes import dtype_of
from losslint.ops.logits import as_logits
from losslint.ops.registry import CATALOGUE, Callback

NN = "keras.ops keras.ops.nn"
ACTIVATIONS = "keras.activations"
EPSILON = 1e-7
"""``keras.backend.epsilon()``."""


# -- activations -------------------------------------------------------------------------------------------------------
def relu(
    g: Graph, x: Any, negative_slope: Any = 0.0, max_value: Any = None, threshold: Any = 0.0, alpha: Any = None
) -> Node:
    """x above the threshold (at most ``max_value``), below it the slope times what is missing."""
    node, slope = g.lift(x), negative_slope if alpha is None else alpha
    if max_value is None and constant_of(slope) == 0 and constant_of(threshold) == 0:
        return g.op("relu", node)
    with g.library():
        start = node if constant_of(threshold) == 0 else g.op("sub", node, threshold)
        below = g.op("mul", slope, g.op("neg", g.op("relu", g.op("neg", start))))
        if constant_of(threshold) == 0:
            above = g.op("relu", node)
        else:
            above = g.op("select", g.op("gt", node, threshold), node, 0.0)
        above = above if max_value is None else g.op("minimum", above, max_value)
        return above if constant_of(slope) == 0 else g.op("add", above, below)


def leaky_relu(g: Graph, x: Any, negative_slope: Any = 0.2) -> Node:
    """x where it is positive, else the slope times x."""
    node = g.lift(x)
    with g.library():
        return g.op("maximum", node, g.op("mul", node, negative_slope))


def softmax(primitive: str) -> Callable[..., Node]:
    """softmax and log_softmax along an axis, or several; None: over everything."""

    def expansion(g: Graph, x: Any, axis: Any = -1) -> Node:
        node = g.lift(x)
        try:
            return g.op(primitive, node, axis=None if axis is None else (axis_of(axis, -1),))
        except UnknownAxis:
            return unknown(g, f"{primitive} along an axis that is not known", node, axis, shape=node.shape)

    return expansion


def hard_sigmoid(g: Graph, x: Any) -> Node:
    """relu6(x + 3) / 6."""
    with g.library():
        return g.op("div", g.op("clip", g.op("add", x, 3.0), 0.0, 6.0), 6.0)


def hard_silu(g: Graph, x: Any) -> Node:
    """x times its hard sigmoid."""
    node = g.lift(x)
    with g.library():
        return g.op("mul", node, hard_sigmoid(g, node))


def elu(g: Graph, x: Any, alpha: Any = 1.0) -> Node:
    """x where it is positive, else alpha (exp(x) - 1)."""
    scale = constant_of(alpha)
    low = -float(scale) if isinstance(scale, (int, float)) else -math.inf
    return g.op("smooth", x, low=low, high=math.inf, api="elu")


def gelu(g: Graph, x: Any, approximate: Any = False) -> Node:
    """x P(X <= x) of a standard normal X; its minimum is -0.17."""
    return g.op("smooth", x, low=-0.17004, high=math.inf, api="gelu")


def shrunk(soft: bool) -> Callable[..., Node]:
    """0 near zero; further out x, or what is left of it."""

    def expansion(g: Graph, x: Any, threshold: Any = 0.5) -> Node:
        node = g.lift(x)
        with g.library():
            far = g.op("gt", g.op("abs", node), threshold)
            left = g.op("sub", node, g.op("clip", node, g.op("neg", threshold), threshold)) if soft else node
            return g.op("select", far, left, 0.0)

    return expansion


def threshold_(g: Graph, x: Any, threshold: Any, default_value: Any) -> Node:
    """x above a threshold, else another value."""
    node = g.lift(x)
    with g.library():
        return g.op("select", g.op("gt", node, threshold), node, default_value)


def glu(g: Graph, x: Any, axis: Any = -1) -> Node:
    """One half of the channels times the sigmoid of the other."""
    parts = tf_parts.split(g, x, 2, axis)
    if not isinstance(parts, list):
        return unknown(g, "halves along an axis that is not known", x)
    with g.library():
        return g.op("mul", parts[0], g.op("sigmoid", parts[1]))


def sparsemax(g: Graph, x: Any, axis: Any = -1) -> Node:
    """Probabilities, some of which are exactly 0."""
    node = g.lift(x)
    if constant_of(axis) != -1:
        return opaque_with_last(g, node, "sparsemax along another axis than the last")
    return batched(g.op("conv", node, how="sparsemax"), node.shape)


_SHARED: dict[str, Callable[..., Any]] = {
    "relu6": lambda g, x: g.op("clip", x, 0.0, 6.0),
    "leaky_relu": leaky_relu,
    "softmax": softmax("softmax"),
    "log_softmax": softmax("log_softmax"),
    "hard_sigmoid": hard_sigmoid,
    "hard_silu hard_swish": hard_silu,
    "hard_tanh": lambda g, x: g.op("clip", x, -1.0, 1.0),
    "elu": elu,
    "celu": elu,
    "selu": smooth_of_x("selu", -1.7580993408473766, math.inf),
    "gelu": gelu,
    "silu swish": smooth_of_x("silu", -0.27847, math.inf),
    "mish": smooth_of_x("mish", -0.30885, math.inf),
    "tanh_shrink": smooth_of_x("tanh_shrink", -math.inf, math.inf),
    "hard_shrink": shrunk(False),
    "soft_shrink": shrunk(True),
    "squareplus": lambda g, x, b=4: g.op("smooth", x, low=0.0, high=math.inf, api="squareplus"),
    "sparse_plus": smooth_of_x("sparse_plus", 0.0, math.inf),
    "sparse_sigmoid": lambda g, x: g.op("clip", g.op("mul", 0.5, g.op("add", x, 1.0)), 0.0, 1.0),
    "threshold": threshold_,
    "glu": glu,
    "sparsemax": sparsemax,
}
table(f"{NN} {ACTIVATIONS}", _SHARED)
under(f"keras.ops.nn {ACTIVATIONS}", "softsign", smooth_of_x("softsign", -1.0, 1.0))
for _name in ("sigmoid", "log_sigmoid", "tanh", "softplus"):
    under(f"keras.ops.nn {ACTIVATIONS}", _name, of_x(_name))
table(NN, {"relu": of_x("relu")})
table(
    ACTIVATIONS,
    {
        "relu": relu,
        "linear": lambda g, x: g.op("identity", x),
        "exponential": of_x("exp"),
        "serialize": undecided("the name of an activation"),
    },
)


def activation(g: Graph, identifier: Any) -> Any:
    """An activation by its name; functions stay what they are."""
    if identifier is None:
        return Callback("keras.activations.linear", lambda g, x: x, {})
    if isinstance(identifier, str):
        name = f"keras.activations.{identifier}"
        return Callback(name, CATALOGUE[name], {}) if name in CATALOGUE else Unknown((), f"the activation {identifier}")
    return identifier


under(ACTIVATIONS, "get deserialize", activation)


# -- cross entropies ---------------------------------------------------------------------------------------------------
def _applied_to(p: Node, activation: str, axis: int = -1) -> Node | None:
    """What ``p`` is the sigmoid or softmax of: Keras remembers it, or finds it in the graph, and takes it as logits.

    Source: ``_get_logits`` of its TensorFlow backend. Whatever comes in between, a clip or a reshape, hides it.
    """
    same_axis = activation != "softmax" or p.attrs.get("axis") in (None, (axis,))
    return p.inputs[0] if p.op == activation and same_axis else None


def binary_crossentropy(g: Graph, target: Any, output: Any, from_logits: Any = False, *, epsilon: float = 0.0) -> Node:
    """Elementwise, from probabilities clipped to [eps, 1 - eps], or from logits; ``epsilon`` is added to the former."""
    y, p = g.lift(target), g.lift(output)
    with g.library():
        if flag(from_logits):
            return tf_nn.sigmoid_cross_entropy_with_logits(g, y, as_logits(g, p, "sigmoid", recovers=True))
        logits = _applied_to(p, "sigmoid")
        if logits is not None:
            return tf_nn.sigmoid_cross_entropy_with_logits(g, y, logits)
        p = g.op("clip", p, EPSILON, 1 - EPSILON)
        hit, miss = ((g.op("add", x, epsilon) if epsilon else x) for x in (p, g.op("sub", 1.0, p)))
        right = g.op("mul", y, g.op("log", hit))
        return g.op("neg", g.op("add", right, g.op("mul", g.op("sub", 1.0, y), g.op("log", miss))))


def probabilities(g: Graph, output: Node, axis: int) -> Node:
    """What Keras makes of class scores: they are divided by their sum, and clipped to [eps, 1 - eps]."""
    total = g.op("sum", output, axis=(axis,), keepdims=True)
    return g.op("clip", g.op("div", output, total), EPSILON, 1 - EPSILON)


def categorical_crossentropy(g: Graph, target: Any, output: Any, from_logits: Any = False, axis: Any = -1) -> Node:
    """-sum(y log p) over the classes."""
    y, p = g.lift(target), g.lift(output)
    try:
        at = axis_of(axis, -1)
    except UnknownAxis:
        return unknown(g, "cross entropy along an axis that is not known", y, p)
    with g.library():
        if flag(from_logits):
            return tf_nn.crossed(g, y, as_logits(g, p, "softmax", recovers=True), at)
        logits = _applied_to(p, "softmax", at)
        if logits is not None:
            return tf_nn.crossed(g, y, logits, at)
        logs = g.op("log", probabilities(g, p, at))
        return g.op("neg", g.op("sum", g.op("mul", y, logs), axis=(at,), keepdims=False))


def sparse_categorical_crossentropy(
    g: Graph, target: Any, output: Any, from_logits: Any = False, axis: Any = -1, ignore_class: Any = None
) -> Node:
    """-log p at the class number; numbers lose an axis of length 1. Probabilities are clipped to [eps, 1 - eps]."""
    y, p = g.lift(target), g.lift(output)
    try:
        at = axis_of(axis, -1)
    except UnknownAxis:
        return unknown(g, "cross entropy along an axis that is not known", y, p)
    with g.library():
        numbers = class_numbers(g, y, p)
        hot = g.op("one_hot", numbers, depth=p.shape.axis(at) or Dim.fresh(), axis=at, dtype="float32")
        # without logits Keras takes the softmax of the logarithms all the same
        given = flag(from_logits)
        scores = as_logits(g, p, "softmax", True) if given else g.op("log", g.op("clip", p, EPSILON, 1 - EPSILON))
        loss = g.op(
            "neg", g.op("sum", g.op("mul", hot, g.op("log_softmax", scores, axis=(at,))), axis=(at,), keepdims=False)
        )
        return loss if ignore_class is None else g.op("select", g.op("ne", numbers, ignore_class), loss, 0.0)


def class_numbers(g: Graph, y: Node, p: Node) -> Node:
    """Labels with one axis less than the scores: an axis of length 1 is dropped.

    Labels and scores that are made up alike, whose rank is open, are taken to differ by the classes.
    """
    if y.shape.rank is None:
        return y if y.shape != p.shape else batched(g.op("squeeze", y, axis=(-1,)), reduced(g, "sum", p, -1).shape)
    return g.op("squeeze", y, axis=(-1,)) if y.shape.rank == p.shape.rank else y


def ctc_loss(g: Graph, target: Any, output: Any, target_length: Any, output_length: Any, mask_index: Any = 0) -> Node:
    """One number for each sequence."""
    return rowwise(g, "ctc_loss", output, target, target_length, output_length)


def rowwise(g: Graph, label: str, like: Any, *values: Any) -> Node:
    """One number that is not negative for each row of ``like``."""
    shape = Shape((g.lift(like).shape.axis(0) or Dim.unknown(),))
    return samplewise(g, label, shape, like, *values, low=0.0, high=math.inf)


table(
    NN,
    {
        "binary_crossentropy": binary_crossentropy,
        "categorical_crossentropy": categorical_crossentropy,
        "sparse_categorical_crossentropy": sparse_categorical_crossentropy,
        "ctc_loss": ctc_loss,
        "ctc_decode": undecided("a decoded sequence"),
    },
)


# -- encodings and normalisations --------------------------------------------------------------------------------------
def one_hot(g: Graph, x: Any, num_classes: Any, axis: Any = -1, dtype: Any = None, sparse: Any = False) -> Node:
    """1 at the index, else 0; numbers of any type are taken."""
    return tf_make.one_hot(g, x, num_classes, axis=axis, dtype=dtype)


def multi_hot(
    g: Graph, inputs: Any, num_classes: Any = None, axis: Any = -1, dtype: Any = None, sparse: Any = False
) -> Node:
    """1 at every index in a row."""
    with g.library():
        hot = tf_make.one_hot(g, inputs, num_classes, axis=axis, dtype=dtype)
        return g.op("max", hot, axis=(1 if (hot.shape.rank or 9) > 2 else 0,), keepdims=False)


def normalize(g: Graph, x: Any, axis: Any = -1, order: Any = 2, epsilon: Any = None) -> Node:
    """x / norm(x), safe at 0."""
    node, small = g.lift(x), EPSILON if epsilon is None else epsilon
    if constant_of(order) == 2:
        return tf_reduce.l2_normalize(g, node, axis, small)
    with g.library():
        length = tf_reduce.norm(g, node, order, axis, True)
        return batched(g.op("div", node, g.op("maximum", length, small)), node.shape)


def batch_normalization(
    g: Graph, x: Any, mean: Any, variance: Any, axis: Any, offset: Any = None, scale: Any = None, epsilon: Any = 1e-3
) -> Node:
    """(x - mean) / sqrt(variance + epsilon) * scale + offset."""
    node = g.lift(x)
    return batched(tf_nn.batch_normalization(g, node, mean, variance, offset, scale, epsilon), node.shape)


def layer_normalization(
    g: Graph, x: Any, gamma: Any = None, beta: Any = None, axis: Any = -1, epsilon: Any = None, **kwargs: Any
) -> Node:
    """(x - mean) / sqrt(variance + epsilon) of each row."""
    node = g.lift(x)
    mean, variance = tf_reduce.moments(g, node, axis, keepdims=True)
    with g.library():
        small = EPSILON if epsilon is None else epsilon
        return batched(tf_nn.batch_normalization(g, node, mean, variance, beta, gamma, small), node.shape)


def rms_normalization(g: Graph, x: Any, scale: Any = None, axis: Any = -1, epsilon: Any = None) -> Node:
    """x / sqrt(mean(x^2) + epsilon)."""
    node = g.lift(x)
    with g.library():
        square = reduced(g, "mean", g.op("square", node), axis, True)
        result = g.op("mul", node, g.op("rsqrt", g.op("add", square, EPSILON if epsilon is None else epsilon)))
        return batched(result if scale is None else g.op("mul", result, scale), node.shape)


def attention(g: Graph, query: Any, key: Any, value: Any, *args: Any, **kwargs: Any) -> Node:
    """softmax(q k^T) v: rows of ``value`` mixed for each row of ``query``."""
    node = g.lift(query)
    return batched(g.op("conv", node, key, value, how="attention"), node.shape)


table(
    NN,
    {
        "one_hot": one_hot,
        "multi_hot": multi_hot,
        "normalize": normalize,
        "moments": lambda g, x, axes, keepdims=False, synchronized=False: tf_reduce.moments(
            g, x, axes, keepdims=keepdims
        ),
        "batch_normalization": batch_normalization,
        "layer_normalization": layer_normalization,
        "rms_normalization": rms_normalization,
        "dot_product_attention": attention,
        "psnr": lambda g, x1, x2, max_val: _psnr(g, x1, x2, max_val),
    },
)


def _psnr(g: Graph, x1: Any, x2: Any, max_val: Any) -> Node:
    """Of everything at once, unlike ``tf.image.psnr``. Infinite for equal images."""
    with g.library():
        mean = g.op("mean", g.op("square", g.op("sub", x1, x2)), axis=None, keepdims=False)
        peak = g.op("mul", 20 / math.log(10), g.op("log", max_val))
        return g.op("sub", peak, g.op("mul", 10 / math.log(10), g.op("log", mean)))


# -- convolutions ------------------------------------------------------------------------------------------------------
def convolution(how: str) -> Callable[..., Node]:
    """A convolution of this kind, as ``tf.nn`` knows it."""

    def expansion(
        g: Graph, inputs: Any, kernel: Any, strides: Any = 1, padding: Any = "valid", *args: Any, **kwargs: Any
    ) -> Node:
        if "transpose" in how:
            return g.op("conv", inputs, kernel, how=how)
        result: Node = CATALOGUE[f"tensorflow.nn.{how}"](g, inputs, kernel, strides, padding)
        return result

    return expansion


def pooling(how: str) -> Callable[..., Node]:
    """Pooling of this kind, as ``tf.nn`` knows it."""

    def expansion(
        g: Graph, inputs: Any, pool_size: Any, strides: Any = None, padding: Any = "valid", data_format: Any = None
    ) -> Node:
        steps = pool_size if strides is None else strides
        result: Node = CATALOGUE[f"tensorflow.nn.{how}"](g, inputs, pool_size, steps, padding)
        return result

    return expansion


def resize(g: Graph, images: Any, size: Any, *args: Any, **kwargs: Any) -> Node:
    """Images of another size."""
    sides = size if isinstance(size, (list, tuple)) and len(size) == 2 else (Unknown(), Unknown())
    return tf_image.resized(g, g.lift(images), *sides)


table(
    NN,
    {
        "conv": convolution("convolution"),
        "conv_transpose": convolution("conv_transpose"),
        "depthwise_conv": convolution("depthwise_conv2d"),
        "separable_conv": lambda g, inputs, depthwise_kernel, pointwise_kernel, *args, **kwargs: g.op(
            "conv", inputs, depthwise_kernel, pointwise_kernel, how="separable_conv2d"
        ),
        "max_pool": pooling("max_pool"),
        "average_pool": pooling("avg_pool"),
        "adaptive_max_pool": lambda g, inputs, output_size, data_format=None: g.op("conv", inputs, how="max_pool"),
        "adaptive_average_pool": lambda g, inputs, output_size, data_format=None: g.op("conv", inputs, how="avg_pool"),
        "depth_to_space": lambda g, x, block_size, data_format="channels_last": space_block(g, x, block_size, True),
        "space_to_depth": lambda g, x, block_size, data_format="channels_last": space_block(g, x, block_size, False),
    },
)
under(NN, "fold unfold", opaque_of_all("patches of an image"))
table(
    "keras.ops.image",
    {
        "resize": resize,
        "ssim": lambda g, x1, x2, *args, **kwargs: g.op("ssim", x1, x2, low=-1.0, high=1.0),
        "sobel_edges": lambda g, images, data_format=None: tf_image.sobel_edges(g, images),
        "rgb_to_grayscale": lambda g, images, data_format=None: tf_image.rgb_to_grayscale(g, images),
    },
)
under(
    "keras.ops.image",
    "affine_transform crop_images elastic_transform extract_patches extract_patches_3d gaussian_blur "
    "hsv_to_rgb map_coordinates pad_images perspective_transform rgb_to_hsv scale_and_translate",
    opaque_of_all("an image that is moved"),
)


# -- random numbers ----------------------------------------------------------------------------------------------------
def drawn(low: float | None, high: float | None) -> Callable[..., Node]:
    """Random numbers within fixed bounds."""

    def expansion(g: Graph, shape: Any, *args: Any, dtype: Any = None, **kwargs: Any) -> Node:
        return tf_random.drawn(g, shape, low, high, dtype_of(dtype) or "float32")

    return expansion


table(
    "keras.random",
    {
        "normal": lambda g, shape, mean=0.0, stddev=1.0, dtype=None, seed=None: tf_random.normal(
            g, shape, mean, stddev, dtype or "float32"
        ),
        "truncated_normal": lambda g, shape, mean=0.0, stddev=1.0, dtype=None, seed=None: tf_random.truncated_normal(
            g, shape, mean, stddev, dtype or "float32"
        ),
        "uniform": lambda g, shape, minval=0.0, maxval=1.0, dtype=None, seed=None: tf_random.uniform(
            g, shape, minval, maxval, dtype or "float32"
        ),
        "randint": lambda g, shape, minval, maxval, dtype="int32", seed=None: tf_random.uniform(
            g, shape, minval, maxval, dtype or "int32"
        ),
        "gamma": drawn(0.0, None),
        "binomial": drawn(0.0, None),
        "beta": drawn(0.0, 1.0),
        "categorical": lambda g, logits, num_samples, dtype="int32", seed=None: g.op(
            "cast", tf_random.categorical(g, logits, num_samples), dtype=dtype_of(dtype)
        ),
        "dropout": lambda g, inputs, rate, noise_shape=None, seed=None: tf_nn.dropout(g, inputs, rate),
        "shuffle": lambda g, x, axis=0, seed=None: opaque_with_last(g, g.lift(x), "rows in a random order"),
        "SeedGenerator": undecided("a seed"),
    },
)
