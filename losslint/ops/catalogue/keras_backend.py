"""``keras.backend``: what Keras 3 left of it, and what Keras 1 and 2 had.

What ``keras.ops`` has under the same name is registered there; here stands what only the backend has, or spells
another way.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from losslint.domain.shape import Dim, Shape
from losslint.graph import Graph, Node, Unknown
from losslint.ops.axes import UnknownAxis, axis_of, batched, called, constant_of, nodes_in, reduced, unknown
from losslint.ops.catalogue import (
    keras_arrays,
    keras_nn,
    keras_ops,
    tf_control,
    tf_image,
    tf_make,
    tf_misc,
    tf_nn,
    tf_parts,
    tf_random,
    tf_reduce,
    tf_shape,
)
from losslint.ops.catalogue.arguments import nothing, opaque_of_all, samplewise, table, undecided, under
from losslint.ops.dtypes import dtype_of
from losslint.ops.extents import integer
from losslint.ops.registry import CONSTANTS, Callback
from losslint.ops.shapevalue import ShapeValue, shape_argument

K = "keras.backend"
CONFIG = "keras.backend keras.config keras.backend.common"


# -- what is set for the whole program ---------------------------------------------------------------------------------
def fixed(value: Any) -> Callable[..., Any]:
    """A setting, as it is unless the program changes it."""
    return lambda g: value


table(
    CONFIG,
    {
        "epsilon": fixed(keras_nn.EPSILON),
        "floatx": fixed("float32"),
        "backend": fixed("tensorflow"),
        "image_data_format": fixed("channels_last"),
        "image_dim_ordering": fixed("tf"),
        "set_epsilon set_floatx set_image_data_format set_image_dim_ordering set_learning_phase set_session "
        "clear_session manual_variable_initialization reset_uids set_value batch_set_value print_summary": nothing,
        "learning_phase in_train_phase_flag get_session get_uid": undecided("depends on how the program is run"),
        "result_type standardize_dtype": lambda g, *dtypes: dtype_of(dtypes[0]) or Unknown((), "a dtype"),
        "is_float_dtype is_int_dtype": undecided("a dtype"),
    },
)
under("keras keras.version", "version", fixed("3"))
CONSTANTS["keras.backend._EPSILON"] = keras_nn.EPSILON


# -- variables and values ----------------------------------------------------------------------------------------------
def variable(
    g: Graph, value: Any = None, dtype: Any = None, name: Any = None, constraint: Any = None, **kwargs: Any
) -> Node:
    """A variable that starts from a value."""
    start = value if value is not None else kwargs.get("initializer")
    return tf_misc.variable(g, start, name=name, dtype=dtype, constraint=constraint)


def constant(g: Graph, value: Any, dtype: Any = None, shape: Any = None, name: Any = None) -> Node:
    """A Python value as a tensor."""
    return tf_make.constant(g, value, dtype or "float32", shape)


def placeholder(
    g: Graph,
    shape: Any = None,
    ndim: Any = None,
    dtype: Any = None,
    sparse: Any = False,
    name: Any = None,
    **kwargs: Any,
) -> Node:
    """Data fed at every step."""
    return tf_misc.placeholder(g, dtype or "float32", shape, name)


def evaluated(how: str) -> Callable[..., Any]:
    """A NumPy array: the graph is left."""

    def expansion(g: Graph, x: Any) -> Any:
        return g.op("leaves_tensorflow", x, how=how) if isinstance(x, Node) else x

    return expansion


def gradients(g: Graph, loss: Any, variables: Any) -> Any:
    """The derivative of a loss."""
    return tf_control.gradients(g, loss, variables)


table(
    K,
    {
        "variable Variable": variable,
        "constant": constant,
        "placeholder": placeholder,
        "eval": evaluated("K.eval()"),
        "get_value": evaluated("K.get_value()"),
        "batch_get_value": lambda g, tensors: [evaluated("K.batch_get_value()")(g, t) for t in tensors],
        "cast_to_floatx": lambda g, x: keras_ops.cast(g, x, "float32") if isinstance(x, Node) else x,
        "convert_to_tensor": keras_ops.converted,
        "gradients": gradients,
        "stop_gradient": lambda g, variables: tf_control.structured(lambda x: g.op("stop_gradient", x), variables),
        "update moving_average_update": lambda g, x, new_x, momentum=None: g.lift(new_x),
        "update_add": lambda g, x, increment: g.op("add", x, increment),
        "update_sub": lambda g, x, decrement: g.op("sub", x, decrement),
        "print_tensor": lambda g, x, message="", summarize=3: g.op("identity", x),
        "is_keras_tensor is_sparse is_placeholder is_tensor": undecided("what kind of tensor it is"),
        "to_dense": lambda g, tensor: g.op("identity", tensor),
        "name_scope learning_phase_scope StatelessScope SymbolicScope": lambda g, *args, **kwargs: Callback(
            "name_scope", lambda g, f: f, {}
        ),
        "get_keras_mask standardize_shape compute_output_spec": undecided("what Keras knows of a tensor"),
        "set_keras_mask": nothing,
        "function": lambda g, inputs, outputs, updates=None, name=None, **kwargs: Callback(
            "K.function", lambda g, *args: Unknown(tuple(nodes_in(outputs)), "a compiled function"), {}
        ),
        "get_variable_shape": lambda g, x: ShapeValue(g.lift(x)),
    },
)


# -- shapes ------------------------------------------------------------------------------------------------------------
def squeeze(g: Graph, x: Any, axis: Any) -> Node:
    """Without one axis of length 1."""
    return tf_shape.squeeze(g, x, axis)


def batch_flatten(g: Graph, x: Any) -> Node:
    """(B, everything else)."""
    node = g.lift(x)
    if node.shape.rank == 2:
        return g.op("identity", node)
    with g.library():
        first = node.shape.axis(0)
        flat = g.op("reshape", node, g.op("stack", g.op("dynamic_dim", node, axis=0), -1, axis=0))
    return flat if first is None or flat.shape.axis(0) == first else batched(flat, Shape((first, Dim.fresh())))


def repeat_elements(g: Graph, x: Any, rep: Any, axis: Any) -> Node:
    """Every element along an axis, repeated."""
    return tf_shape.repeat(g, x, rep, axis)


def repeat(g: Graph, x: Any, n: Any) -> Node:
    """Each row of (B, C), n times: (B, n, C)."""
    with g.library():
        return g.op("tile", g.op("expand_dims", x, axis=1), g.op("stack", 1, n, 1, axis=0))


def arange(g: Graph, start: Any, stop: Any = None, step: Any = 1, dtype: Any = "int32") -> Node:
    """start, start + step, ... below the end."""
    return tf_make.range_(g, start, stop, step, dtype)


def padding(axes: tuple[int, ...], rank: int) -> Callable[..., Node]:
    """Zeros around the axes of space."""

    def expansion(g: Graph, x: Any, padding: Any = None, data_format: Any = None) -> Node:
        node = g.lift(x)
        pairs = (1, 1) if padding is None else padding
        if len(axes) == 1:
            pairs = (pairs,)
        elif padding is None:
            pairs = (pairs,) * len(axes)
        widths = [(0, 0)] * rank
        for axis, pair in zip(axes, pairs, strict=True):
            widths[axis] = tuple(pair)
        return g.op("pad", node, widths, mode="constant", constant_values=0)

    return expansion


def resized(
    g: Graph, x: Any, height_factor: Any, width_factor: Any, data_format: Any, interpolation: Any = "nearest"
) -> Node:
    """Images enlarged by whole factors."""
    node = g.lift(x)
    sides = [node.shape.axis(i) for i in (1, 2)]
    factors = [integer(f) for f in (height_factor, width_factor)]
    grown = [d * Dim(f) if d is not None and f is not None else None for d, f in zip(sides, factors, strict=True)]
    return tf_image.resized(g, node, *grown)


table(
    K,
    {
        "shape": lambda g, x: g.op("shape_of", x),
        "int_shape": lambda g, x: ShapeValue(g.lift(x)),
        "count_params": lambda g, x: g.op("size_of", x),
        "size": lambda g, x, name=None: g.op("size_of", x),
        "reshape": lambda g, x, shape: tf_shape.reshape(g, x, shape),
        "flatten": lambda g, x: tf_shape.reshape(g, x, [-1]),
        "batch_flatten": batch_flatten,
        "expand_dims": lambda g, x, axis=-1: tf_shape.expand_dims(g, x, axis),
        "squeeze": squeeze,
        "permute_dimensions": lambda g, x, pattern: tf_shape.transpose(g, x, pattern),
        "transpose": lambda g, x: g.op("transpose", x, perm=None),
        "concatenate concat": lambda g, tensors, axis=-1: tf_parts.concat(g, tensors, axis),
        "tile": lambda g, x, n: tf_shape.tile(g, x, n),
        "repeat_elements": repeat_elements,
        "repeat": repeat,
        "reverse": lambda g, x, axes: tf_reduce.reverse(g, x, axes),
        "slice": lambda g, x, start, size: tf_parts.slice_(g, x, start, size),
        "gather": lambda g, reference, indices: g.op("gather", reference, indices, axis=0),
        "one_hot": lambda g, indices, num_classes: tf_make.one_hot(g, indices, num_classes),
        "arange": arange,
        "zeros": keras_ops.made("zeros"),
        "ones": keras_ops.made("ones"),
        "zeros_like": keras_ops.like("zeros_like"),
        "ones_like": keras_ops.like("ones_like"),
        "eye": lambda g, size, dtype=None, name=None: g.op("eye", size, dtype=dtype_of(dtype) or "float32"),
        "fill": lambda g, shape, value: g.op("fill", value, shape=shape_argument(g, shape)),
        "temporal_padding": padding((1,), 3),
        "spatial_2d_padding": padding((1, 2), 4),
        "spatial_3d_padding": padding((1, 2, 3), 5),
        "resize_images": resized,
        "resize_volumes": opaque_of_all("a volume that is resized"),
    },
)


# -- arithmetic --------------------------------------------------------------------------------------------------------
def clip(g: Graph, x: Any, min_value: Any = None, max_value: Any = None) -> Node:
    """Within bounds."""
    return keras_ops.clip(g, x, min_value, max_value)


def l2_normalize(g: Graph, x: Any, axis: Any = None) -> Node:
    """x / sqrt(max(sum(x^2), 1e-12)); without ``axis`` over everything, batch included."""
    return tf_reduce.l2_normalize(g, x, axis)


def batch_dot(g: Graph, x: Any, y: Any, axes: Any = None) -> Node:
    """The products of the rows of two batches; of vectors (B, 1)."""
    a, b = g.lift(x), g.lift(y)
    ranks, wanted = (a.shape.rank, b.shape.rank), constant_of(axes)
    last = wanted in (1, -1, (1, 1), (-1, -1), None) and ranks == (2, 2)
    if last:
        with g.library():
            return g.op("sum", g.op("mul", a, b), axis=(1,), keepdims=True)
    pair = (wanted, wanted) if isinstance(wanted, int) else wanted
    if ranks == (3, 3) and (pair is None or isinstance(pair, tuple)):
        first, second = (2, 1) if pair is None else (axis % 3 for axis in pair)
        if first and second:
            return g.op("matmul", a, b, transpose_a=first == 1, transpose_b=second == 2)
    head = a.shape.axis(0)
    result = g.op("conv", a, b, how="batch_dot")
    return (
        batched(result, Shape((head, *(Dim.fresh() for _ in range(max((ranks[0] or 3) + (ranks[1] or 3) - 4, 1))))))
        if head
        else result
    )


def switch(g: Graph, condition: Any, then_expression: Any, else_expression: Any) -> Any:
    """One of two values: by a branch where the condition is a scalar, else element by element."""
    test = g.lift(condition)

    def value(expression: Any) -> Any:
        plain = isinstance(expression, (Node, Unknown, int, float, list, tuple))
        return expression if plain else called(g, expression)

    first, second = value(then_expression), value(else_expression)
    if test.shape.rank == 0:
        decided = constant_of(test)
        if isinstance(decided, (bool, int, float)):
            return first if decided else second
        return tf_control.joined(g, first, second, condition=test)
    return g.op("select", test, first, second)


def in_phase(test: bool) -> Callable[..., Any]:
    """Another value in training than in use; a loss is looked at as it trains."""

    def expansion(g: Graph, x: Any, alt: Any, training: Any = None) -> Any:
        chosen = alt if test else x
        return chosen if isinstance(chosen, (Node, Unknown, int, float)) else called(g, chosen)

    return expansion


def hard_sigmoid(g: Graph, x: Any) -> Node:
    """0.2 x + 0.5 between 0 and 1."""
    with g.library():
        return g.op("clip", g.op("add", g.op("mul", 0.2, x), 0.5), 0.0, 1.0)


def relu(g: Graph, x: Any, alpha: Any = 0.0, max_value: Any = None, threshold: Any = 0.0) -> Node:
    """x above the threshold (at most ``max_value``), below it alpha times what is missing."""
    return keras_nn.relu(g, x, alpha, max_value, threshold)


def cumulative(primitive: str) -> Callable[..., Node]:
    """Running sums or products."""

    def expansion(g: Graph, x: Any, axis: Any = 0) -> Node:
        try:
            return g.op(primitive, x, axis=(axis_of(axis, 0),))
        except UnknownAxis:
            return unknown(g, f"{primitive} along an axis that is not known", x, axis)

    return expansion


table(
    K,
    {
        "max": lambda g, x, axis=None, keepdims=False: reduced(g, "max", x, axis, keepdims),
        "min": lambda g, x, axis=None, keepdims=False: reduced(g, "min", x, axis, keepdims),
        "prod": lambda g, x, axis=None, keepdims=False: keras_ops.prod(g, x, axis, keepdims),
        "argmax": keras_ops.arg("argmax", -1),
        "argmin": keras_ops.arg("argmin", -1),
        "cumsum": cumulative("cumsum"),
        "cumprod": cumulative("cumprod"),
        "pow": lambda g, x, a: g.op("pow", x, a),
        "clip": clip,
        "where": keras_ops.where,
        "l2_normalize": l2_normalize,
        "normalize": l2_normalize,
        "dot": keras_arrays.dot,
        "batch_dot": batch_dot,
        "switch": switch,
        "in_train_phase": in_phase(False),
        "in_test_phase": in_phase(True),
        "in_top_k": lambda g, predictions, targets, k: tf_reduce.in_top_k(g, targets, predictions, k),
        "map_fn": lambda g, fn, elems, name=None, dtype=None: tf_control.mapped(g, fn, elems),
        "foldl foldr": lambda g, fn, elems, initializer=None, name=None: tf_control.foldl(g, fn, elems, initializer),
        "rnn local_conv local_conv1d local_conv2d": opaque_of_all("a recurrent or local layer"),
    },
)


# -- neural ------------------------------------------------------------------------------------------------------------
def binary_crossentropy(g: Graph, target: Any, output: Any, from_logits: Any = False) -> Node:
    """The backend's own: it clips the probabilities, and adds an epsilon on top of that."""
    return keras_nn.binary_crossentropy(g, target, output, from_logits, epsilon=keras_nn.EPSILON)


def ctc_batch_cost(g: Graph, y_true: Any, y_pred: Any, input_length: Any, label_length: Any) -> Node:
    """One number for each sequence, as a column."""
    cost = keras_nn.rowwise(g, "ctc_batch_cost", y_pred, y_true, input_length, label_length)
    return g.op("expand_dims", cost, axis=1)


def bias_add(g: Graph, x: Any, bias: Any, data_format: Any = None) -> Node:
    """x + bias."""
    return tf_nn.bias_add(g, x, bias)


def normalize_batch_in_training(
    g: Graph, x: Any, gamma: Any, beta: Any, reduction_axes: Any, epsilon: Any = 1e-3
) -> Any:
    """Normalised by the statistics of the batch, with these."""
    node = g.lift(x)
    mean, variance = tf_reduce.moments(g, node, reduction_axes)
    return batched(tf_nn.batch_normalization(g, node, mean, variance, beta, gamma, epsilon), node.shape), mean, variance


def focal(name: str) -> Callable[..., Node]:
    """The focal cross entropies without their mean over the last axis."""

    def expansion(g: Graph, target: Any, output: Any, *args: Any, **kwargs: Any) -> Node:
        p = g.lift(output)
        shape = p.shape if name == "binary" else reduced(g, "sum", p, -1).shape
        return samplewise(g, f"{name}_focal_crossentropy", shape, p, target, args, kwargs)

    return expansion


def random(low: float | None, high: float | None, dtype_default: str = "float32") -> Callable[..., Node]:
    """Random numbers within fixed bounds."""

    def expansion(g: Graph, shape: Any, *args: Any, dtype: Any = None, seed: Any = None, **kwargs: Any) -> Node:
        return tf_random.drawn(g, shape, low, high, dtype_of(dtype) or dtype_default)

    return expansion


def pool(
    g: Graph,
    x: Any,
    pool_size: Any,
    strides: Any = 1,
    padding: Any = "valid",
    data_format: Any = None,
    pool_mode: Any = "max",
) -> Node:
    """Pooling."""
    return keras_nn.pooling("avg_pool" if pool_mode == "avg" else "max_pool")(g, x, pool_size, strides, padding)


table(
    K,
    {
        "binary_crossentropy": binary_crossentropy,
        "categorical_crossentropy": keras_nn.categorical_crossentropy,
        "sparse_categorical_crossentropy": keras_nn.sparse_categorical_crossentropy,
        "binary_focal_crossentropy": focal("binary"),
        "categorical_focal_crossentropy": focal("categorical"),
        "ctc_batch_cost": ctc_batch_cost,
        "ctc_decode ctc_label_dense_to_sparse": undecided("a decoded sequence"),
        "softmax": keras_nn.softmax("softmax"),
        "log_softmax": keras_nn.softmax("log_softmax"),
        "relu": relu,
        "elu": keras_nn.elu,
        "hard_sigmoid": hard_sigmoid,
        "dropout": lambda g, x, level, noise_shape=None, seed=None: tf_nn.dropout(g, x, level),
        "bias_add": bias_add,
        "batch_normalization": lambda g, x, mean, var, beta, gamma, axis=-1, epsilon=1e-3: batched(
            tf_nn.batch_normalization(g, x, mean, var, beta, gamma, epsilon), g.lift(x).shape
        ),
        "normalize_batch_in_training": normalize_batch_in_training,
        "random_uniform": lambda g, shape, minval=0.0, maxval=1.0, dtype=None, seed=None: tf_random.uniform(
            g, shape, minval, maxval, dtype or "float32"
        ),
        "random_normal": random(None, None),
        "truncated_normal": random(None, None),
        "random_bernoulli random_binomial": random(0.0, 1.0),
        "random_normal_variable random_uniform_variable": lambda g, shape, *args, **kwargs: tf_misc.get_variable(
            g, "random_variable", shape
        ),
        "conv1d": keras_nn.convolution("conv1d"),
        "conv2d": keras_nn.convolution("conv2d"),
        "conv3d": keras_nn.convolution("conv3d"),
        "depthwise_conv2d": keras_nn.convolution("depthwise_conv2d"),
        "conv2d_transpose deconv2d conv3d_transpose": lambda g, x, kernel, output_shape, *args, **kwargs: g.op(
            "conv", x, kernel, how="conv2d_transpose", shape=shape_argument(g, output_shape)
        ),
        "separable_conv2d separable_conv1d": lambda g, x, depthwise_kernel, pointwise_kernel, *args, **kwargs: g.op(
            "conv", x, depthwise_kernel, pointwise_kernel, how="separable_conv2d"
        ),
        "pool2d pool3d": pool,
    },
)
