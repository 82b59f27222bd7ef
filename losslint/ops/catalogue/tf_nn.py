"""``tf.nn``: the losses on logits, normalisations, convolutions and layers of TensorFlow 1."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from losslint.domain.shape import Dim, Shape
from losslint.graph import Graph, Node, Unknown
from losslint.ops.axes import (
    MISSING,
    UnknownAxis,
    axis_of,
    batched,
    constant_of,
    flag,
    nodes_in,
    opaque_row,
    row,
    sized,
    unknown,
)
from losslint.ops.catalogue.arguments import samplewise
from losslint.ops.extents import extent_of, requested
from losslint.ops.linear import beneath
from losslint.ops.logits import as_logits
from losslint.ops.registry import Callback, api
from losslint.ops.shapevalue import shape_node


# -- losses on logits --------------------------------------------------------------------------------------------------
@api("tensorflow.nn.sigmoid_cross_entropy_with_logits")
def sigmoid_cross_entropy_with_logits(
    g: Graph, labels: Any = None, logits: Any = None, name: Any = None, *, targets: Any = None
) -> Node:
    """max(x, 0) - x z + log(1 + exp(-|x|)), elementwise."""
    z = g.lift(labels if labels is not None else targets)
    with g.library():
        x = as_logits(g, logits, "sigmoid")
        tail = g.op("softplus", g.op("neg", g.op("abs", x)))
        return g.op("add", g.op("sub", g.op("relu", x), g.op("mul", x, z)), tail)


@api("tensorflow.nn.weighted_cross_entropy_with_logits")
def weighted_cross_entropy_with_logits(
    g: Graph, labels: Any = None, logits: Any = None, pos_weight: Any = None, name: Any = None, targets: Any = None
) -> Node:
    """(1 - z) x + (1 + (q - 1) z) (log(1 + exp(-|x|)) + max(-x, 0)), elementwise."""
    z = g.lift(labels if labels is not None else targets)
    with g.library():
        x = as_logits(g, logits, "sigmoid")
        weight = g.op("add", 1.0, g.op("mul", g.op("sub", pos_weight, 1.0), z))
        tail = g.op("add", g.op("softplus", g.op("neg", g.op("abs", x))), g.op("relu", g.op("neg", x)))
        return g.op("add", g.op("mul", g.op("sub", 1.0, z), x), g.op("mul", weight, tail))


@api("tensorflow.nn.softmax_cross_entropy_with_logits", "tensorflow.nn.softmax_cross_entropy_with_logits_v2")
def softmax_cross_entropy_with_logits(
    g: Graph, labels: Any = None, logits: Any = None, axis: Any = None, name: Any = None, dim: Any = None
) -> Node:
    """-sum(labels * log_softmax(logits)) over the classes."""
    try:
        at = axis_of(axis if axis is not None else dim, -1)
    except UnknownAxis:
        return unknown(g, "cross entropy along an axis that is not known", labels, logits)
    with g.library():
        return crossed(g, g.lift(labels), as_logits(g, logits, "softmax"), at)


def crossed(g: Graph, labels: Node, logits: Node, axis: int) -> Node:
    """-sum(labels * log_softmax(logits)), as a kernel that takes the labels of a sample to add up to 1.

    What it sends back is ``softmax - labels``; the gradient of the value is ``softmax * sum(labels) - labels``. For a
    single class the one is ``1 - labels``, the other 0: they agree where the labels are made so that they add up.
    """
    exact = beneath(labels, _MADE_SO).op in ("one_hot", "softmax")
    attrs = {} if exact else {"fused": True}
    product = g.op("mul", labels, g.op("log_softmax", logits, axis=(axis,), **attrs))
    return g.op("neg", g.op("sum", product, axis=(axis,), keepdims=False))


_MADE_SO = frozenset({"cast", "identity", "stop_gradient"})


@api("tensorflow.nn.sparse_softmax_cross_entropy_with_logits")
def sparse_softmax_cross_entropy_with_logits(
    g: Graph, labels: Any = None, logits: Any = None, name: Any = None
) -> Node:
    """-log_softmax(logits) at the label."""
    x = g.lift(logits)
    depth = x.shape.axis(-1) or Dim.fresh()
    with g.library():
        hot = g.op("one_hot", labels, depth=depth, axis=-1)
        product = g.op("mul", hot, g.op("log_softmax", as_logits(g, x, "softmax"), axis=(-1,)))
        return g.op("neg", g.op("sum", product, axis=(-1,), keepdims=False))


@api("tensorflow.nn.l2_loss")
def l2_loss(g: Graph, t: Any, name: Any = None) -> Node:
    """sum(t^2) / 2 over everything."""
    with g.library():
        total = g.op("sum", g.op("square", t), axis=None, keepdims=False)
        return g.op("mul", total, 0.5)


@api("tensorflow.nn.log_poisson_loss")
def log_poisson_loss(g: Graph, targets: Any, log_input: Any, compute_full_loss: Any = False, name: Any = None) -> Node:
    """exp(c) - z c, and, where the full loss is wanted, Stirling's approximation of log(z!)."""
    z, c = g.lift(targets), g.lift(log_input)
    with g.library():
        value = g.op("sub", g.op("exp", c), g.op("mul", z, c))
        if constant_of(compute_full_loss) is False:
            return value
        large = g.op("sub", g.op("xlogy", z, z), z)
        stirling = g.op("add", large, g.op("mul", 0.5, g.op("log", g.op("mul", 2 * math.pi, g.op("maximum", z, 1.0)))))
        return g.op("add", value, g.op("select", g.op("gt", z, 1.0), stirling, g.op("zeros_like", z)))


@api("tensorflow.nn.compute_average_loss")
def compute_average_loss(
    g: Graph, per_example_loss: Any, sample_weight: Any = None, global_batch_size: Any = None
) -> Node:
    """The sum over the samples divided by the batch size of all replicas."""
    loss = g.lift(per_example_loss)
    if sample_weight is not None:
        loss = g.op("mul", loss, sample_weight)
    size = global_batch_size if global_batch_size is not None else g.op("dynamic_dim", loss, axis=0)
    if isinstance(size, Node):
        size = g.op("cast", size, dtype=loss.dtype or "float32")
    return g.op("div", g.op("sum", loss, axis=None, keepdims=False), size)


@api("tensorflow.nn.scale_regularization_loss")
def scale_regularization_loss(g: Graph, regularization_loss: Any) -> Node:
    """The sum divided by the number of replicas."""
    return g.op("sum", regularization_loss, axis=None, keepdims=False)


@api("tensorflow.nn.ctc_loss", "tensorflow.nn.ctc_loss_v2")
def ctc_loss(g: Graph, labels: Any, logits: Any = None, *args: Any, inputs: Any = None, **kwargs: Any) -> Node:
    """One number for each sequence."""
    scores = logits if logits is not None else inputs
    major = kwargs.get("logits_time_major", args[2] if len(args) > 2 else True)
    axis = 1 if flag(kwargs.get("time_major", major), True) else 0
    extent = g.lift(scores).shape.axis(axis) or (g.lift(labels).shape.axis(0) if axis else None)
    shape = Shape((extent or Dim.unknown(),))
    return samplewise(g, "ctc_loss", shape, scores, labels, args, kwargs, low=0.0, high=math.inf)


@api("tensorflow.nn.nce_loss", "tensorflow.nn.sampled_softmax_loss")
def sampled_loss(g: Graph, weights: Any, biases: Any, labels: Any, inputs: Any, *args: Any, **kwargs: Any) -> Node:
    """One number for each sample, from a few sampled classes."""
    return _per_sample(g, "a sampled softmax", inputs, weights, biases, labels, inputs)


def _per_sample(g: Graph, why: str, like: Any, *values: Any) -> Node:
    """An unknown value for each row of ``like``."""
    first = like.shape.axis(0) if isinstance(like, Node) else None
    return unknown(g, why, *values, shape=Shape((first or Dim.unknown(),)))


# -- normalisation -----------------------------------------------------------------------------------------------------
@api("tensorflow.nn.batch_normalization")
def batch_normalization(
    g: Graph, x: Any, mean: Any, variance: Any, offset: Any, scale: Any, variance_epsilon: Any, name: Any = None
) -> Node:
    """(x - mean) / sqrt(variance + epsilon) * scale + offset."""
    with g.library():
        result = g.op("mul", g.op("sub", x, mean), g.op("rsqrt", g.op("add", variance, variance_epsilon)))
        result = result if scale is None else g.op("mul", result, scale)
        return result if offset is None else g.op("add", result, offset)


@api("tensorflow.nn.fused_batch_norm", "tensorflow.nn.batch_norm_with_global_normalization")
def fused_batch_norm(g: Graph, x: Any = None, *args: Any, **kwargs: Any) -> Any:
    """Normalised with the statistics of the batch."""
    node = g.lift(x)
    result = batched(g.op("batch_statistics", node, *nodes_in(args, kwargs)), node.shape, node.dtype)
    return result if "global" in g.api else (result, Unknown((node,), "batch mean"), Unknown((node,), "batch variance"))


@api("tensorflow.nn.local_response_normalization", "tensorflow.nn.lrn")
def local_response_normalization(g: Graph, input: Any, *args: Any, **kwargs: Any) -> Node:
    """Each channel divided by its neighbours."""
    node = g.lift(input)
    return batched(g.op("conv", node, how="local_response_normalization"), node.shape)


@api("tensorflow.nn.dropout")
def dropout(
    g: Graph,
    x: Any,
    rate: Any = None,
    noise_shape: Any = None,
    seed: Any = None,
    name: Any = None,
    *,
    keep_prob: Any = None,
) -> Node:
    """Elements set to 0 at random, the others scaled up."""
    node = g.lift(x)
    with g.library():
        kept = g.op("random", low=0.0, high=None, shape=node.shape, dtype=node.dtype)
        return batched(g.op("mul", node, kept), node.shape)


# -- convolution -------------------------------------------------------------------------------------------------------
def _keeps_size(strides: Any, padding: Any) -> bool:
    """Whether a window moves by one and the border is filled up, so that height and width stay."""
    steps = constant_of(strides)
    ones = steps == 1 or (isinstance(steps, tuple) and all(s == 1 for s in steps))
    return ones and isinstance(padding, str) and padding.upper() == "SAME"


def _convolution(how: str) -> Callable[..., Node]:
    def expansion(
        g: Graph,
        input: Any = None,
        filters: Any = None,
        strides: Any = None,
        padding: Any = None,
        *args: Any,
        filter: Any = None,
        value: Any = None,
        kernel: Any = None,
        stride: Any = None,
        **kwargs: Any,
    ) -> Node:
        x = g.lift(input if input is not None else value)
        weights = [w for w in (filters, filter, kernel) if w is not None]
        node = g.op("conv", x, *weights, how=how)
        if _keeps_size(strides if strides is not None else stride, padding):
            channels = g.lift(weights[0]).shape.axis(-1) if weights and "depthwise" not in how else None
            return batched(node, sized(x.shape, -1, channels or Dim.fresh()))
        return node

    return expansion


def _transposed(how: str) -> Callable[..., Node]:
    def expansion(
        g: Graph,
        input: Any = None,
        filters: Any = None,
        output_shape: Any = None,
        strides: Any = None,
        padding: Any = "SAME",
        *args: Any,
        filter: Any = None,
        value: Any = None,
        **kwargs: Any,
    ) -> Node:
        x = g.lift(input if input is not None else value)
        node = g.op("conv", x, *(w for w in (filters, filter) if w is not None), how=how)
        wanted = None if output_shape is None else requested(shape_node(g, output_shape))
        return node if wanted is None else batched(node, wanted)

    return expansion


_FORWARD = ("conv1d", "conv2d", "conv3d", "convolution", "atrous_conv2d", "dilation2d", "erosion2d")
for _how in (*_FORWARD, "depthwise_conv2d", "depthwise_conv2d_native"):
    row(f"nn.{_how}", _convolution(_how))
for _how in ("conv1d", "conv2d", "conv3d", "conv", "atrous_conv2d"):
    row(f"nn.{_how}_transpose", _transposed(f"{_how}_transpose"))
row("nn.deconv2d", _transposed("conv2d_transpose"))


@api("tensorflow.nn.separable_conv2d")
def separable_conv2d(
    g: Graph,
    input: Any,
    depthwise_filter: Any,
    pointwise_filter: Any,
    strides: Any,
    padding: Any,
    *args: Any,
    **kwargs: Any,
) -> Node:
    """A depthwise convolution, then one over the channels."""
    return g.op("conv", input, depthwise_filter, pointwise_filter, how="separable_conv2d")


def _pooling(how: str) -> Callable[..., Node]:
    def expansion(
        g: Graph,
        input: Any = None,
        ksize: Any = None,
        strides: Any = None,
        padding: Any = None,
        *args: Any,
        value: Any = None,
        **kwargs: Any,
    ) -> Node:
        x = g.lift(input if input is not None else value)
        node = g.op("conv", x, how=how)
        return batched(node, x.shape) if _keeps_size(strides, padding) else node

    return expansion


for _kind in ("avg_pool", "max_pool"):
    for _suffix in ("", "1d", "2d", "3d", "_v2"):
        row(f"nn.{_kind}{_suffix}", _pooling(_kind))


@api("tensorflow.nn.pool")
def pool(
    g: Graph,
    input: Any,
    window_shape: Any,
    pooling_type: Any,
    strides: Any = None,
    padding: Any = "VALID",
    *args: Any,
    **kwargs: Any,
) -> Node:
    """Pooling of a kind given by name."""
    return _pooling(f"{str(pooling_type).lower()}_pool")(
        g, input, window_shape, 1 if strides is None else strides, padding
    )


@api("tensorflow.nn.bias_add")
def bias_add(g: Graph, value: Any, bias: Any, data_format: Any = None, name: Any = None) -> Node:
    """value + bias."""
    x = g.lift(value)
    return batched(g.op("add", x, bias), x.shape)


@api("tensorflow.nn.xw_plus_b", "tensorflow.nn.relu_layer")
def xw_plus_b(g: Graph, x: Any, weights: Any, biases: Any, name: Any = None) -> Node:
    """x w + b, and its positive part for ``relu_layer``."""
    value = g.op("add", g.op("matmul", x, weights, transpose_a=False, transpose_b=False), biases)
    return g.op("relu", value) if g.api.endswith("relu_layer") else value


@api("tensorflow.nn.embedding_lookup")
def embedding_lookup(
    g: Graph,
    params: Any,
    ids: Any,
    max_norm: Any = None,
    name: Any = None,
    *,
    partition_strategy: Any = None,
    validate_indices: Any = None,
) -> Node:
    """Rows of a table by their number."""
    table = params[0] if isinstance(params, (list, tuple)) and len(params) == 1 else params
    return g.op("gather", table, ids, axis=0)


@api(
    "tensorflow.nn.embedding_lookup_sparse",
    "tensorflow.nn.safe_embedding_lookup_sparse",
    "tensorflow.embedding_lookup_sparse",
)
def embedding_lookup_sparse(g: Graph, params: Any, sp_ids: Any, *args: Any, **kwargs: Any) -> Node:
    """Rows of a table, combined for each sample."""
    return unknown(g, "an embedding of sparse ids", params, sp_ids, args, kwargs)


# -- layers of TensorFlow 1, and recurrent networks --------------------------------------------------------------------
def layer(g: Graph, name: str, x: Any, *others: Any, units: Any = None) -> Node:
    """A layer with weights of its own, called on ``x``; ``units`` is the last extent of the result."""
    node = g.lift(x)
    result = g.op("model", node, *nodes_in(others), name=name)
    if units is None or constant_of(units) is MISSING:
        return result
    return batched(result, sized(node.shape, -1, extent_of(units)), node.dtype or "float32")


@api("tensorflow.layers.dense")
def dense(g: Graph, inputs: Any, units: Any, activation: Any = None, *args: Any, **kwargs: Any) -> Node:
    """A fully connected layer."""
    return activated(g, layer(g, "dense", inputs, units=units), activation)


def activated(g: Graph, x: Node, activation: Any) -> Node:
    """``x`` through an activation function given as an argument."""
    if activation is None:
        return x
    short = str(getattr(activation, "name", activation)).rsplit(".", 1)[-1]
    if short in ("sigmoid", "tanh", "relu", "softplus"):
        return g.op(short, x)
    if short in ("softmax", "log_softmax"):
        return g.op(short, x, axis=(-1,))
    return x


def _layer(name: str) -> Callable[..., Node]:
    def expansion(g: Graph, inputs: Any, *args: Any, **kwargs: Any) -> Node:
        return activated(g, layer(g, name, inputs), kwargs.get("activation"))

    return expansion


for _name in [
    "conv1d",
    "conv2d",
    "conv3d",
    "conv2d_transpose",
    "conv3d_transpose",
    "separable_conv2d",
    "separable_conv1d",
]:
    row(f"layers.{_name}", _layer(_name))


def _weightless(how: str) -> Callable[..., Node]:
    def expansion(g: Graph, inputs: Any, *args: Any, **kwargs: Any) -> Node:
        return g.op("conv", inputs, how=how)

    return expansion


for _kind in ("average", "max"):
    for _suffix in ("1d", "2d", "3d"):
        row(f"layers.{_kind}_pooling{_suffix}", _weightless(f"{_kind}_pool"))


@api("tensorflow.layers.batch_normalization")
def layers_batch_normalization(g: Graph, inputs: Any, *args: Any, **kwargs: Any) -> Node:
    """Normalised with the statistics of the batch, or of the training so far."""
    x = g.lift(inputs)
    training = constant_of(kwargs.get("training", False))
    if training is False:
        return batched(g.op("model", x, name="batch_normalization"), x.shape)
    return batched(g.op("batch_statistics", x), x.shape, x.dtype)


@api("tensorflow.layers.dropout")
def layers_dropout(
    g: Graph,
    inputs: Any,
    rate: Any = 0.5,
    noise_shape: Any = None,
    seed: Any = None,
    training: Any = False,
    name: Any = None,
) -> Node:
    """Elements set to 0 at random while training."""
    return g.lift(inputs) if constant_of(training) is False else dropout(g, inputs, rate)


@api("tensorflow.layers.flatten")
def flatten(g: Graph, inputs: Any, *args: Any, **kwargs: Any) -> Node:
    """One row for each sample."""
    x = g.lift(inputs)
    with g.library():
        first = g.op("dynamic_dim", x, axis=0)
        return g.op("reshape", x, shape_node(g, [first, -1]))


def _recurrent(g: Graph, *args: Any, **kwargs: Any) -> Any:
    """The outputs and the last state of a recurrent network."""
    inputs = tuple(dict.fromkeys(nodes_in(args, kwargs)))
    if not inputs:
        return Unknown((), "a recurrent network")
    outputs = g.op("model", *inputs, name="rnn")
    return outputs, outputs


def _dynamic_rnn(g: Graph, cell: Any = None, inputs: Any = None, *args: Any, **kwargs: Any) -> Any:
    """The outputs of every step, in the order of the axes of the inputs, and the last state."""
    found = _recurrent(g, inputs, *args, **kwargs)
    if isinstance(found, tuple) and isinstance(inputs, Node) and inputs.shape.rank == 3:
        steps = Shape((*inputs.shape.head[:2], Dim.fresh(0)))
        with g.library():
            return batched(g.op("identity", found[0]), steps), found[1]
    return found


def _static_rnn(g: Graph, *args: Any, **kwargs: Any) -> Any:
    """A list of outputs, of which one stands for all, and the last state."""
    found = _recurrent(g, *args, **kwargs)
    return ([found[0]], *found[1:]) if isinstance(found, tuple) else found


row("nn.bidirectional_dynamic_rnn nn.raw_rnn", _recurrent)
row("nn.dynamic_rnn", _dynamic_rnn)
row(
    "nn.static_rnn nn.rnn nn.static_state_saving_rnn contrib.rnn.static_rnn",
    _static_rnn,
)
row(
    "nn.static_bidirectional_rnn contrib.rnn.static_bidirectional_rnn",
    lambda g, *args, **kwargs: (
        (*found, found[1]) if isinstance(found := _static_rnn(g, *args, **kwargs), tuple) else found
    ),
)


def _cell(name: str) -> Callable[..., Callback]:
    def make(g: Graph, *args: Any, **kwargs: Any) -> Callback:
        def call(g: Graph, inputs: Any, state: Any = None, *more: Any, **named: Any) -> Any:
            output = g.op("model", inputs, *nodes_in(state), name=name)
            return output, state

        return Callback(name, call, {})

    return make


for _cells in ("nn.rnn_cell", "contrib.rnn"):
    for _name in (
        "BasicLSTMCell",
        "LSTMCell",
        "GRUCell",
        "BasicRNNCell",
        "MultiRNNCell",
        "DropoutWrapper",
        "LSTMBlockCell",
    ):
        row(f"{_cells}.{_name}", _cell(_name))

opaque_row(
    "a search or sampling that is not followed",
    "nn.ctc_beam_search_decoder nn.ctc_beam_search_decoder_v2 nn.ctc_greedy_decoder nn.ctc_unique_labels "
    "nn.collapse_repeated nn.all_candidate_sampler nn.fixed_unigram_candidate_sampler "
    "nn.learned_unigram_candidate_sampler nn.log_uniform_candidate_sampler nn.uniform_candidate_sampler "
    "nn.compute_accidental_hits nn.isotonic_regression nn.max_pool_with_argmax nn.fractional_avg_pool "
    "nn.fractional_max_pool nn.sufficient_statistics nn.normalize_moments nn.with_space_to_batch "
    "nn.conv2d_backprop_filter nn.conv2d_backprop_input nn.quantized_conv2d nn.quantized_relu_x",
)
