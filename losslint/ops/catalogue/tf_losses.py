"""``tf.losses`` of TensorFlow 1: weighted, and reduced to a scalar by default."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from losslint.graph import Graph, Node, Unknown
from losslint.ops.axes import constant_of, reduced, unknown
from losslint.ops.catalogue import tf_nn
from losslint.ops.registry import CONSTANTS, api

BY_NONZERO_WEIGHTS = "weighted_sum_by_nonzero_weights"
_REDUCTIONS = {
    "NONE": "none",
    "SUM": "weighted_sum",
    "SUM_OVER_BATCH_SIZE": "weighted_sum_over_batch_size",
    "MEAN": "weighted_mean",
    "SUM_OVER_NONZERO_WEIGHTS": BY_NONZERO_WEIGHTS,
    "SUM_BY_NONZERO_WEIGHTS": BY_NONZERO_WEIGHTS,
}
CONSTANTS.update({f"tensorflow.losses.Reduction.{name}": value for name, value in _REDUCTIONS.items()})


def weighted(g: Graph, losses: Node, weights: Any, reduction: Any) -> Node:
    """``losses * weights``, reduced: "by nonzero weights" divides by the number of losses whose weight is not 0."""
    how, constant = constant_of(reduction), constant_of(weights)
    with g.library():
        loss = losses if constant == 1 else g.op("mul", losses, weights)
        if how == "none":
            return loss
        if how not in _REDUCTIONS.values():
            return unknown(g, "a reduction that is not known", loss, reduction)
        if constant == 1 and how != "weighted_sum":
            return g.op("mean", loss, axis=None, keepdims=False)
        total = g.op("sum", loss, axis=None, keepdims=False)
        if how == "weighted_sum":
            return total
        if how == "weighted_sum_over_batch_size":
            return g.op("div", total, g.op("cast", g.op("size_of", loss), dtype="float32"))
        spread = g.op("mul", g.op("ones_like", losses), weights)
        if how == "weighted_mean":
            return g.op("div_no_nan", total, g.op("sum", spread, axis=None, keepdims=False))
        present = g.op("cast", g.op("count_nonzero", spread, axis=None, keepdims=False), dtype="float32")
        return g.op("div_no_nan", total, present)


@api("tensorflow.losses.compute_weighted_loss")
def compute_weighted_loss(
    g: Graph,
    losses: Any,
    weights: Any = 1.0,
    scope: Any = None,
    loss_collection: Any = None,
    reduction: Any = BY_NONZERO_WEIGHTS,
) -> Node:
    """Losses reduced by their weights."""
    return weighted(g, g.lift(losses), weights, reduction)


Elementwise = Callable[[Graph, Node, Node], Node]


def _loss(name: str, value: Elementwise) -> None:
    """Register a loss of (labels, predictions) that is computed element by element."""

    def expansion(
        g: Graph,
        labels: Any,
        predictions: Any,
        weights: Any = 1.0,
        scope: Any = None,
        loss_collection: Any = None,
        reduction: Any = BY_NONZERO_WEIGHTS,
    ) -> Node:
        y, p = g.lift(labels), g.lift(predictions)
        with g.library():
            losses = value(g, y, p)
        return weighted(g, losses, weights, reduction)

    api(f"tensorflow.losses.{name}")(expansion)


def squared(g: Graph, y: Node, p: Node) -> Node:
    """(p - y)^2."""
    return g.op("square", g.op("sub", p, y))


def absolute(g: Graph, y: Node, p: Node) -> Node:
    """|p - y|."""
    return g.op("abs", g.op("sub", p, y))


_loss("mean_squared_error", squared)
_loss("absolute_difference", absolute)


@api("tensorflow.losses.huber_loss")
def huber_loss(
    g: Graph,
    labels: Any,
    predictions: Any,
    weights: Any = 1.0,
    delta: Any = 1.0,
    scope: Any = None,
    loss_collection: Any = None,
    reduction: Any = BY_NONZERO_WEIGHTS,
) -> Node:
    """0.5 q^2 + delta (|e| - q) with q = min(|e|, delta)."""
    with g.library():
        error = absolute(g, g.lift(labels), g.lift(predictions))
        quadratic = g.op("minimum", error, delta)
        linear = g.op("mul", delta, g.op("sub", error, quadratic))
        losses = g.op("add", g.op("mul", 0.5, g.op("square", quadratic)), linear)
    return weighted(g, losses, weights, reduction)


@api("tensorflow.losses.log_loss")
def log_loss(
    g: Graph,
    labels: Any,
    predictions: Any,
    weights: Any = 1.0,
    epsilon: Any = 1e-7,
    scope: Any = None,
    loss_collection: Any = None,
    reduction: Any = BY_NONZERO_WEIGHTS,
) -> Node:
    """-y log(p + eps) - (1 - y) log(1 - p + eps)."""
    y, p = g.lift(labels), g.lift(predictions)
    with g.library():
        hit = g.op("mul", y, g.op("log", g.op("add", p, epsilon)))
        other = g.op("log", g.op("add", g.op("sub", 1.0, p), epsilon))
        losses = g.op("sub", g.op("neg", hit), g.op("mul", g.op("sub", 1.0, y), other))
    return weighted(g, losses, weights, reduction)


@api("tensorflow.losses.hinge_loss")
def hinge_loss(
    g: Graph,
    labels: Any,
    logits: Any,
    weights: Any = 1.0,
    scope: Any = None,
    loss_collection: Any = None,
    reduction: Any = BY_NONZERO_WEIGHTS,
) -> Node:
    """max(0, 1 - (2 y - 1) x)."""
    y, x = g.lift(labels), g.lift(logits)
    with g.library():
        sign = g.op("sub", g.op("mul", 2.0, y), 1.0)
        losses = g.op("relu", g.op("sub", 1.0, g.op("mul", sign, x)))
    return weighted(g, losses, weights, reduction)


@api("tensorflow.losses.cosine_distance")
def cosine_distance(
    g: Graph,
    labels: Any,
    predictions: Any,
    axis: Any = None,
    weights: Any = 1.0,
    scope: Any = None,
    loss_collection: Any = None,
    reduction: Any = BY_NONZERO_WEIGHTS,
    dim: Any = None,
) -> Node:
    """1 - sum(y p) along an axis."""
    with g.library():
        product = g.op("mul", labels, predictions)
        losses = g.op("sub", 1.0, reduced(g, "sum", product, axis if axis is not None else dim, True))
    return weighted(g, losses, weights, reduction)


def _smoothed(g: Graph, labels: Node, smoothing: Any, classes: Any, binary: bool) -> Node:
    """Labels drawn towards 1/2, or towards the uniform distribution."""
    if constant_of(smoothing) == 0:
        return labels
    extent = labels.shape.axis(-1)
    size = 2 if binary else extent.value if extent is not None and extent.value else classes
    return g.op("add", g.op("mul", labels, g.op("sub", 1.0, smoothing)), g.op("div", smoothing, size))


@api("tensorflow.losses.sigmoid_cross_entropy")
def sigmoid_cross_entropy(
    g: Graph,
    multi_class_labels: Any,
    logits: Any,
    weights: Any = 1.0,
    label_smoothing: Any = 0,
    scope: Any = None,
    loss_collection: Any = None,
    reduction: Any = BY_NONZERO_WEIGHTS,
) -> Node:
    """Cross entropy of independent classes, from logits."""
    with g.library():
        labels = _smoothed(g, g.lift(multi_class_labels), label_smoothing, 2, True)
        losses = tf_nn.sigmoid_cross_entropy_with_logits(g, labels, logits)
    return weighted(g, losses, weights, reduction)


@api("tensorflow.losses.softmax_cross_entropy")
def softmax_cross_entropy(
    g: Graph,
    onehot_labels: Any,
    logits: Any,
    weights: Any = 1.0,
    label_smoothing: Any = 0,
    scope: Any = None,
    loss_collection: Any = None,
    reduction: Any = BY_NONZERO_WEIGHTS,
) -> Node:
    """Cross entropy of exclusive classes, from logits and one-hot labels."""
    with g.library():
        labels = g.lift(onehot_labels)
        classes = g.op("static_dim", labels, axis=-1) if constant_of(label_smoothing) != 0 else None
        losses = tf_nn.softmax_cross_entropy_with_logits(
            g, _smoothed(g, labels, label_smoothing, classes, False), logits
        )
    return weighted(g, losses, weights, reduction)


@api("tensorflow.losses.sparse_softmax_cross_entropy")
def sparse_softmax_cross_entropy(
    g: Graph,
    labels: Any,
    logits: Any,
    weights: Any = 1.0,
    scope: Any = None,
    loss_collection: Any = None,
    reduction: Any = BY_NONZERO_WEIGHTS,
) -> Node:
    """Cross entropy of exclusive classes, from logits and class numbers; labels lose an axis of length 1."""
    y, x = g.lift(labels), g.lift(logits)
    with g.library():
        if y.shape.rank is not None and y.shape.rank == x.shape.rank:
            y = g.op("squeeze", y, axis=(-1,))
        losses = tf_nn.sparse_softmax_cross_entropy_with_logits(g, y, x)
    return weighted(g, losses, weights, reduction)


@api("tensorflow.losses.mean_pairwise_squared_error")
def mean_pairwise_squared_error(
    g: Graph, labels: Any, predictions: Any, weights: Any = 1.0, scope: Any = None, loss_collection: Any = None
) -> Node:
    """Of squared differences d of pairs, over the samples: 2 sum(d^2) / (n - 1) - 2 sum(d)^2 / (n (n - 1)).

    n is the number of elements of the whole batch (measured, against what the documentation says).
    """
    with g.library():
        difference = g.op("sub", predictions, labels)
        rows = g.op("reshape", difference, (g.op("dynamic_dim", difference, axis=0), -1))
        count = g.op("cast", g.op("size_of", rows), dtype="float32")
        others = g.op("sub", count, 1.0)
        squares = g.op("sum", g.op("square", rows), axis=(1,), keepdims=False)
        sums = g.op("square", g.op("sum", rows, axis=(1,), keepdims=False))
        pairs = g.op("sub", g.op("div", squares, others), g.op("div", sums, g.op("mul", count, others)))
        return weighted(g, g.op("mul", 2.0, pairs), weights, "weighted_sum")


@api("tensorflow.losses.add_loss")
def add_loss(g: Graph, loss: Any, loss_collection: Any = None) -> None:
    """Keeps a loss for ``get_total_loss``."""


@api("tensorflow.losses.get_total_loss", "tensorflow.losses.get_regularization_loss")
def get_total_loss(g: Graph, *args: Any, **kwargs: Any) -> Unknown:
    """The sum of what was kept elsewhere."""
    return Unknown((), "losses kept in a collection")


@api("tensorflow.losses.get_losses", "tensorflow.losses.get_regularization_losses")
def get_losses(g: Graph, *args: Any, **kwargs: Any) -> Unknown:
    """The list of what was kept elsewhere."""
    return Unknown((), "losses kept in a collection")


@api("tensorflow.remove_squeezable_dimensions", "tensorflow.confusion_matrix.remove_squeezable_dimensions")
def remove_squeezable_dimensions(
    g: Graph, labels: Any, predictions: Any, expected_rank_diff: Any = 0, name: Any = None
) -> tuple[Node, Node]:
    """Labels and predictions, the one with a last axis of length 1 too many without it."""
    y, p = g.lift(labels), g.lift(predictions)
    wanted = constant_of(expected_rank_diff)
    if y.shape.rank is None or p.shape.rank is None or not isinstance(wanted, int):
        return y, p
    difference = p.shape.rank - y.shape.rank
    if difference == wanted + 1:
        p = g.op("squeeze", p, axis=(-1,))
    elif difference == wanted - 1:
        y = g.op("squeeze", y, axis=(-1,))
    return y, p
