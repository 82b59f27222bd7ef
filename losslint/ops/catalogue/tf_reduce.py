"""Reductions, sorting, cumulative sums and segments."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from losslint.domain.shape import Dim, Shape
from losslint.graph import Graph, Node
from losslint.ops.axes import (
    MISSING,
    UnknownAxis,
    along,
    axes_of,
    axis_of,
    batched,
    constant_of,
    flag,
    reduced,
    row,
    unknown,
)
from losslint.ops.catalogue.tf_math import rows
from losslint.ops.dtypes import dtype_of
from losslint.ops.extents import extent_of
from losslint.ops.registry import api
from losslint.ops.shapevalue import Record

_REDUCTIONS = """
sum:            reduce_sum math.reduce_sum
mean:           reduce_mean math.reduce_mean
prod:           reduce_prod math.reduce_prod
max:            reduce_max math.reduce_max
min:            reduce_min math.reduce_min
all:            reduce_all math.reduce_all
any:            reduce_any math.reduce_any
logsumexp:      reduce_logsumexp math.reduce_logsumexp
std:            math.reduce_std
var:            math.reduce_variance
"""
_SEGMENTS = """
sum:            math.segment_sum segment_sum
mean:           math.segment_mean segment_mean
max:            math.segment_max segment_max
min:            math.segment_min segment_min
prod:           math.segment_prod segment_prod
"""
_UNSORTED = """
sum:            math.unsorted_segment_sum unsorted_segment_sum
mean:           math.unsorted_segment_mean unsorted_segment_mean
max:            math.unsorted_segment_max unsorted_segment_max
min:            math.unsorted_segment_min unsorted_segment_min
prod:           math.unsorted_segment_prod unsorted_segment_prod
sqrt_n:         math.unsorted_segment_sqrt_n unsorted_segment_sqrt_n
"""


def reduction(primitive: str) -> Callable[..., Node]:
    """A reduction as TensorFlow 2 spells it, with the keywords of TensorFlow 1."""

    def expansion(
        g: Graph,
        input_tensor: Any,
        axis: Any = None,
        keepdims: Any = False,
        name: Any = None,
        reduction_indices: Any = None,
        keep_dims: Any = None,
    ) -> Node:
        axis = axis if axis is not None else reduction_indices
        return reduced(g, primitive, input_tensor, axis, keepdims if keep_dims is None else keep_dims)

    return expansion


def _segment(how: str) -> Callable[..., Node]:
    def expansion(g: Graph, data: Any, segment_ids: Any, name: Any = None) -> Node:
        return g.op("segment", data, segment_ids, how=how)

    return expansion


def _unsorted_segment(how: str) -> Callable[..., Node]:
    def expansion(g: Graph, data: Any, segment_ids: Any, num_segments: Any, name: Any = None) -> Node:
        return g.op("segment", data, segment_ids, how=how, num_segments=num_segments)

    return expansion


for _primitive, _names in rows(_REDUCTIONS):
    row(" ".join(_names), reduction(_primitive))
for _primitive, _names in rows(_SEGMENTS):
    row(" ".join(_names), _segment(_primitive))
for _primitive, _names in rows(_UNSORTED):
    row(" ".join(_names), _unsorted_segment(_primitive))


def _arg(primitive: str) -> Callable[..., Node]:
    def expansion(
        g: Graph, input: Any, axis: Any = None, output_type: Any = None, name: Any = None, dimension: Any = None
    ) -> Node:
        axis = axis if axis is not None else dimension
        node = reduced(g, primitive, input, 0 if axis is None else axis)
        node.dtype = dtype_of(output_type) or "int64"
        return node

    return expansion


row("argmax math.argmax arg_max", _arg("argmax"))
row("argmin math.argmin arg_min", _arg("argmin"))


@api("tensorflow.math.count_nonzero", "tensorflow.count_nonzero")
def count_nonzero(
    g: Graph,
    input: Any = None,
    axis: Any = None,
    keepdims: Any = None,
    dtype: Any = "int64",
    name: Any = None,
    reduction_indices: Any = None,
    keep_dims: Any = None,
    input_tensor: Any = None,
) -> Node:
    """How many elements are not 0."""
    x = input if input is not None else input_tensor
    axis = axis if axis is not None else reduction_indices
    node = reduced(g, "count_nonzero", x, axis, keepdims if keep_dims is None else keep_dims)
    wanted = dtype_of(dtype) or "int64"
    return node if wanted == "int64" else g.op("cast", node, dtype=wanted)


def _order(ord: Any) -> Any:
    """The order of a norm: a number, or one of the names that are no numbers."""
    constant = constant_of(ord)
    return 2 if constant == "euclidean" else constant


@api("tensorflow.norm", "tensorflow.linalg.norm")
def norm(
    g: Graph,
    tensor: Any,
    ord: Any = "euclidean",
    axis: Any = None,
    keepdims: Any = None,
    name: Any = None,
    keep_dims: Any = None,
) -> Node:
    """The norm of vectors or matrices; without ``axis`` of everything, batch included."""
    order = _order(ord)
    if order is MISSING:
        return unknown(g, "a norm of unknown order", tensor, ord)
    return reduced(g, "norm", tensor, axis, keepdims if keep_dims is None else keep_dims, ord=order)


@api("tensorflow.math.reduce_euclidean_norm")
def reduce_euclidean_norm(
    g: Graph, input_tensor: Any, axis: Any = None, keepdims: Any = False, name: Any = None
) -> Node:
    """sqrt(sum(x^2))."""
    return reduced(g, "norm", input_tensor, axis, keepdims, ord=2)


@api("tensorflow.linalg.normalize")
def normalize(g: Graph, tensor: Any, ord: Any = "euclidean", axis: Any = None, name: Any = None) -> tuple[Node, Node]:
    """x / norm(x), and the norm. Unlike ``l2_normalize`` it guards nothing."""
    x = g.lift(tensor)
    length = norm(g, x, ord, axis, True)
    return g.op("div", x, length), length


@api("tensorflow.math.l2_normalize", "tensorflow.nn.l2_normalize", "tensorflow.linalg.l2_normalize")
def l2_normalize(g: Graph, x: Any, axis: Any = None, epsilon: Any = 1e-12, name: Any = None, dim: Any = None) -> Node:
    """x / sqrt(max(sum(x^2), epsilon)); without ``axis`` over everything, batch included."""
    node = g.lift(x)
    try:
        axes = axes_of(axis if axis is not None else dim)
    except UnknownAxis:
        axes = ()
    if axes == () or not isinstance(axes, (tuple, type(None))):
        return unknown(g, "l2_normalize along an axis that is not known", node, axis, shape=node.shape)
    return g.op("l2_normalize", node, axis=axes, epsilon=constant_of(epsilon))


def _softmax(primitive: str) -> Callable[..., Node]:
    def expansion(g: Graph, logits: Any, axis: Any = None, name: Any = None, dim: Any = None) -> Node:
        return along(g, primitive, logits, axis if axis is not None else dim)

    return expansion


row("nn.softmax math.softmax", _softmax("softmax"))
row("nn.log_softmax math.log_softmax", _softmax("log_softmax"))


def cumulative(primitive: str) -> Callable[..., Node]:
    """``cumsum`` or ``cumprod``."""

    def expansion(
        g: Graph, x: Any, axis: Any = 0, exclusive: Any = False, reverse: Any = False, name: Any = None
    ) -> Node:
        return along(g, primitive, x, axis, 0, exclusive=flag(exclusive), reverse=flag(reverse))

    return expansion


row("cumsum math.cumsum", cumulative("cumsum"))
row("math.cumprod cumprod", cumulative("cumprod"))


@api("tensorflow.math.cumulative_logsumexp")
def cumulative_logsumexp(
    g: Graph, x: Any, axis: Any = 0, exclusive: Any = False, reverse: Any = False, name: Any = None
) -> Node:
    """log(cumsum(exp(x))), computed stably."""
    with g.library():
        total = along(g, "cumsum", g.op("exp", x), axis, 0, exclusive=flag(exclusive), reverse=flag(reverse))
        return g.op("log", total)


@api("tensorflow.sort")
def sort(g: Graph, values: Any, axis: Any = -1, direction: Any = "ASCENDING", name: Any = None) -> Node:
    """Sorted along an axis; the gradient goes back to where each value came from."""
    return along(g, "sort", values, axis)


@api("tensorflow.argsort")
def argsort(
    g: Graph, values: Any, axis: Any = -1, direction: Any = "ASCENDING", stable: Any = False, name: Any = None
) -> Node:
    """The order that sorts."""
    return along(g, "argsort", values, axis)


@api("tensorflow.nn.top_k", "tensorflow.math.top_k")
def top_k(g: Graph, input: Any, k: Any = 1, sorted: Any = True, index_type: Any = None, name: Any = None) -> Record:
    """The ``k`` largest values of the last axis and where they are."""
    return largest(g, g.lift(input), k)


def largest(g: Graph, x: Node, k: Any) -> Record:
    """``top_k`` as a named tuple."""
    values, indices = (g.op("top_k", x, k=k, part=part) for part in ("values", "indices"))
    return Record(("values", "indices"), (values, indices))


@api("tensorflow.math.in_top_k", "tensorflow.nn.in_top_k")
def in_top_k(g: Graph, targets: Any, predictions: Any, k: Any, name: Any = None) -> Node:
    """Whether the target is among the ``k`` most probable classes."""
    with g.library():
        best = g.op("top_k", predictions, k=k, part="indices")
        hit = g.op("eq", best, g.op("expand_dims", targets, axis=-1))
        return g.op("any", hit, axis=(-1,), keepdims=False)


@api("tensorflow.nn.zero_fraction", "tensorflow.math.zero_fraction")
def zero_fraction(g: Graph, value: Any, name: Any = None) -> Node:
    """The share of zeros."""
    with g.library():
        return g.op("mean", g.op("cast", g.op("eq", value, 0.0), dtype="float32"), axis=None, keepdims=False)


@api("tensorflow.nn.moments")
def moments(
    g: Graph, x: Any, axes: Any, shift: Any = None, keepdims: Any = False, name: Any = None, keep_dims: Any = None
) -> tuple[Node, Node]:
    """Mean and variance."""
    keep = keepdims if keep_dims is None else keep_dims
    node = g.lift(x)
    return reduced(g, "mean", node, axes, keep), reduced(g, "var", node, axes, keep)


@api("tensorflow.nn.weighted_moments")
def weighted_moments(
    g: Graph,
    x: Any,
    axes: Any,
    frequency_weights: Any,
    keepdims: Any = False,
    name: Any = None,
    keep_dims: Any = None,
) -> tuple[Node, Node]:
    """Mean and variance with a weight for each element."""
    keep = keepdims if keep_dims is None else keep_dims
    node, weights = g.lift(x), g.lift(frequency_weights)
    with g.library():
        total = reduced(g, "sum", g.op("mul", g.op("ones_like", node), weights), axes, True)
        mean = g.op("div", reduced(g, "sum", g.op("mul", node, weights), axes, True), total)
        spread = g.op("mul", weights, g.op("square", g.op("sub", node, mean)))
        variance = g.op("div", reduced(g, "sum", spread, axes, True), total)
        if flag(keep):
            return mean, variance
        return reduced(g, "sum", mean, axes, False), reduced(g, "sum", variance, axes, False)


@api("tensorflow.math.confusion_matrix", "tensorflow.confusion_matrix")
def confusion_matrix(
    g: Graph,
    labels: Any,
    predictions: Any,
    num_classes: Any = None,
    weights: Any = None,
    dtype: Any = "int32",
    name: Any = None,
) -> Node:
    """How often class j was predicted for class i."""
    depth = num_classes if num_classes is not None else Dim.fresh()
    with g.library():
        rows_, columns = (g.op("one_hot", v, depth=depth, axis=-1) for v in (labels, predictions))
        if weights is not None:
            rows_ = g.op("mul", rows_, g.op("expand_dims", weights, axis=-1))
        counts = g.op("matmul", rows_, columns, transpose_a=True, transpose_b=False)
        return g.op("cast", counts, dtype=dtype_of(dtype) or "int32")


@api("tensorflow.math.bincount", "tensorflow.bincount")
def bincount(
    g: Graph,
    arr: Any,
    weights: Any = None,
    minlength: Any = None,
    maxlength: Any = None,
    dtype: Any = "int32",
    name: Any = None,
    axis: Any = None,
    binary_output: Any = False,
) -> Node:
    """How often each integer occurs."""
    size = extent_of(minlength)
    with g.library():
        if weights is not None:
            fixed = g.op("stop_gradient", weights)  # there is no gradient, not even for these
            return batched(g.op("segment", fixed, arr, how="sum"), Shape((size or Dim.fresh(),)))
        counts = g.op("one_hot", arr, depth=size or Dim.fresh(), axis=-1)
        last = counts.shape.rank
        total = g.op("sum", counts, axis=None if last is None else tuple(range(last - 1)), keepdims=False)
        return g.op("cast", batched(total, Shape((size or Dim.fresh(),))), dtype=dtype_of(dtype) or "int32")


@api("tensorflow.histogram_fixed_width_bins")
def histogram_bins(
    g: Graph, values: Any, value_range: Any, nbins: Any = 100, dtype: Any = "int32", name: Any = None
) -> Node:
    """The bin of every value."""
    highest = float(nbins) - 1 if isinstance(nbins, int) else math.inf
    with g.library():
        return g.op("cast", g.op("clip", g.op("floor", values), 0.0, highest), dtype=dtype_of(dtype) or "int32")


@api("tensorflow.histogram_fixed_width")
def histogram(
    g: Graph, values: Any, value_range: Any, nbins: Any = 100, dtype: Any = "int32", name: Any = None
) -> Node:
    """Counts of values in bins: integers, without a gradient."""
    with g.library():
        bins = g.op("floor", values)
    return bincount(g, bins, None, nbins, dtype=dtype)


@api(
    "tensorflow.nn.approx_max_k",
    "tensorflow.math.approx_max_k",
    "tensorflow.nn.approx_min_k",
    "tensorflow.math.approx_min_k",
)
def approx_k(
    g: Graph,
    operand: Any,
    k: Any,
    reduction_dimension: Any = -1,
    recall_target: Any = 0.95,
    reduction_input_size_override: Any = -1,
    aggregate_to_topk: Any = True,
    name: Any = None,
) -> Record:
    """About the k largest (or smallest) values."""
    return largest(g, g.lift(operand), k)


@api("tensorflow.reverse", "tensorflow.reverse_v2")
def reverse(g: Graph, tensor: Any, axis: Any = None, name: Any = None, dims: Any = None) -> Node:
    """The other way round along some axes."""
    x = g.lift(tensor)
    try:
        axes = axes_of(axis)
    except UnknownAxis:
        axes = None
    if not isinstance(axes, tuple):
        return unknown(g, "reverse along axes that are not known", x, axis, shape=x.shape)
    return g.op("reverse", x, axis=axes)


@api("tensorflow.roll")
def roll(g: Graph, input: Any, shift: Any, axis: Any, name: Any = None) -> Node:
    """Shifted along some axes, what falls off re-enters."""
    x = g.lift(input)
    try:
        axes = axes_of(axis)
    except UnknownAxis:
        axes = None
    if not isinstance(axes, tuple):
        return unknown(g, "roll along axes that are not known", x, axis, shape=x.shape)
    return g.op("roll", x, axis=axes, shift=constant_of(shift) if constant_of(shift) is not MISSING else None)


@api("tensorflow.reverse_sequence")
def reverse_sequence(
    g: Graph,
    input: Any,
    seq_lengths: Any = None,
    seq_axis: Any = None,
    batch_axis: Any = None,
    name: Any = None,
    seq_dim: Any = None,
    batch_dim: Any = None,
) -> Node:
    """Each sequence the other way round."""
    try:
        axis = axis_of(seq_axis if seq_axis is not None else seq_dim, 1)
    except UnknownAxis:
        return unknown(g, "reverse_sequence", input, seq_lengths)
    return g.op("reverse", input, axis=(axis,))
