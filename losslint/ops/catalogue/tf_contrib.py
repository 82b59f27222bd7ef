"""What losses use of ``tf.contrib`` (TensorFlow 1 only): layers, regularizers, sequence losses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from losslint.domain.shape import SCALAR
from losslint.graph import Graph, Node, Unknown
from losslint.ops.axes import batched, constant_of, nodes_in, unknown
from losslint.ops.catalogue import tf_losses, tf_nn, tf_reduce
from losslint.ops.registry import CATALOGUE, Callback, Expansion

_LAYERS = ("contrib.layers", "contrib.slim")


def _register(names: str, expansion: Expansion, *packages: str) -> None:
    """Register under ``package.name``; what is catalogued already stays."""
    for package in packages or _LAYERS:
        for name in names.split():
            CATALOGUE.setdefault(f"tensorflow.{package}.{name}", expansion)


# -- layers ------------------------------------------------------------------------------------------------------------
_RELU = "relu"


def fully_connected(
    g: Graph, inputs: Any, num_outputs: Any, activation_fn: Any = _RELU, *args: Any, **kwargs: Any
) -> Node:
    """A dense layer, with a rectifier unless another activation is named."""
    return tf_nn.activated(g, tf_nn.layer(g, "fully_connected", inputs, units=num_outputs), activation_fn)


def _convolution(name: str) -> Expansion:
    def expansion(g: Graph, inputs: Any, num_outputs: Any = None, *args: Any, **kwargs: Any) -> Node:
        return tf_nn.activated(g, tf_nn.layer(g, name, inputs), kwargs.get("activation_fn", _RELU))

    return expansion


def batch_norm(g: Graph, inputs: Any, *args: Any, is_training: Any = True, **kwargs: Any) -> Node:
    """Normalised with the statistics of the batch while training."""
    x = g.lift(inputs)
    if constant_of(is_training) is False:
        result = batched(g.op("model", x, name="batch_norm"), x.shape)
    else:
        result = batched(g.op("batch_statistics", x), x.shape, x.dtype)
    return tf_nn.activated(g, result, kwargs.get("activation_fn"))


def per_sample_norm(g: Graph, inputs: Any, *args: Any, **kwargs: Any) -> Node:
    """Normalised within each sample."""
    x = g.lift(inputs)
    return tf_nn.activated(g, batched(g.op("model", x, name="norm"), x.shape), kwargs.get("activation_fn"))


def dropout(g: Graph, inputs: Any, keep_prob: Any = 0.5, *args: Any, is_training: Any = True, **kwargs: Any) -> Node:
    """Elements set to 0 at random while training."""
    return g.lift(inputs) if constant_of(is_training) is False else tf_nn.dropout(g, inputs, keep_prob)


def _pooling(how: str) -> Expansion:
    def expansion(g: Graph, inputs: Any, *args: Any, **kwargs: Any) -> Node:
        return g.op("conv", inputs, how=how)

    return expansion


_register("fully_connected linear relu", fully_connected)
for _name in [
    "conv2d",
    "convolution",
    "convolution2d",
    "conv2d_transpose",
    "convolution2d_transpose",
    "separable_conv2d",
    "conv3d",
]:
    _register(_name, _convolution(_name))
_register("batch_norm", batch_norm)
_register("layer_norm instance_norm group_norm", per_sample_norm)
_register("dropout", dropout)
_register("max_pool2d", _pooling("max_pool"))
_register("avg_pool2d", _pooling("avg_pool"))
_register("flatten", tf_nn.flatten)
_register("softmax", lambda g, logits, scope=None: g.op("softmax", logits, axis=(-1,)))
_register("unit_norm", lambda g, inputs, dim, epsilon=1e-7, scope=None: tf_reduce.l2_normalize(g, inputs, dim, epsilon))
_register(
    "one_hot_encoding",
    lambda g, labels, num_classes, *args, **kwargs: CATALOGUE["tensorflow.one_hot"](g, labels, num_classes),
)


# -- penalties ---------------------------------------------------------------------------------------------------------
def _regularizer(penalty: Callable[[Graph, Node], Node]) -> Expansion:
    def make(g: Graph, scale: Any = 1.0, scope: Any = None) -> Callback:
        def call(g: Graph, weights: Any, name: Any = None) -> Node:
            return g.op("mul", scale, penalty(g, g.lift(weights)))

        return Callback("regularizer", call, {})

    return make


def _l1(g: Graph, x: Node) -> Node:
    with g.library():
        return g.op("sum", g.op("abs", x), axis=None, keepdims=False)


_register("l2_regularizer", _regularizer(lambda g, x: tf_nn.l2_loss(g, x)))
_register("l1_regularizer", _regularizer(_l1))
_register(
    "l1_l2_regularizer sum_regularizer apply_regularization optimize_loss xavier_initializer xavier_initializer_conv2d "
    "variance_scaling_initializer",
    lambda g, *args, **kwargs: Unknown(tuple(nodes_in(args, kwargs)), "tf.contrib"),
)
_register(
    "summarize_tensor summarize_activation summarize_tensors summarize_collection", lambda g, *args, **kwargs: None
)


# -- losses ------------------------------------------------------------------------------------------------------------
def sequence_loss(
    g: Graph,
    logits: Any,
    targets: Any,
    weights: Any,
    average_across_timesteps: Any = True,
    average_across_batch: Any = True,
    softmax_loss_function: Any = None,
    *args: Any,
    **kwargs: Any,
) -> Node:
    """Cross entropy of (B, T, C) logits, weighted by time step: sum(w l) / sum(w) unless told otherwise."""
    averages = constant_of(average_across_timesteps), constant_of(average_across_batch)
    if (
        softmax_loss_function is not None
        or averages not in ((True, True), (False, False))
        or isinstance(logits, (list, tuple))
        or args
        or kwargs.keys() - {"name"}  # sums instead of means
    ):
        return unknown(g, "a sequence loss", logits, targets, weights)
    with g.library():
        loss = g.op("mul", tf_nn.sparse_softmax_cross_entropy_with_logits(g, targets, logits), weights)
        if averages == (False, False):
            return loss
        spread = g.op("mul", g.op("ones_like", loss), weights)
        total, count = (g.op("sum", x, axis=None, keepdims=False) for x in (loss, spread))
        return g.op("div_no_nan", total, count)


_register("sequence_loss sequence_loss_by_example", sequence_loss, "contrib.seq2seq")
_register(
    "sequence_loss sequence_loss_by_example",
    lambda g, *args, **kwargs: unknown(g, "a sequence loss", args, kwargs),
    "contrib.legacy_seq2seq",
    "nn.seq2seq",
)


def _older(name: str) -> Expansion:
    """``tf.contrib.losses``: predictions before labels."""
    newer = CATALOGUE[f"tensorflow.losses.{name}"]

    def expansion(g: Graph, predictions: Any, labels: Any = None, weights: Any = 1.0, *args: Any, **kwargs: Any) -> Any:
        return newer(g, labels, predictions, weights)

    return expansion


for _name in (
    "mean_squared_error",
    "absolute_difference",
    "log_loss",
    "hinge_loss",
    "softmax_cross_entropy",
    "sigmoid_cross_entropy",
    "sparse_softmax_cross_entropy",
):
    _register(_name, _older(_name), "contrib.losses", "contrib.slim.losses")
_register("compute_weighted_loss", tf_losses.compute_weighted_loss, "contrib.losses", "contrib.slim.losses")
_register("add_loss", tf_losses.add_loss, "contrib.losses", "contrib.slim.losses")
_register("get_total_loss", tf_losses.get_total_loss, "contrib.losses", "contrib.slim.losses")
_register("get_losses get_regularization_losses", tf_losses.get_losses, "contrib.losses", "contrib.slim.losses")
_register(
    "get_global_step get_or_create_global_step",
    lambda g, *args, **kwargs: g.source("global_step", "config", SCALAR),
    "contrib.framework",
    "train",
    "contrib.slim",
)
