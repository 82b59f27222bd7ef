"""Selecting elements of a tensor by where they stand or by a mask."""

from __future__ import annotations

from typing import Any

from losslint.domain.shape import Dim, Shape
from losslint.graph import Graph, Node, Unknown
from losslint.ops.axes import (
    UnknownAxis,
    axis_of,
    batched,
    constant_of,
    unknown,
)
from losslint.ops.registry import api
from losslint.ops.shapevalue import Record


@api("tensorflow.gather")
def gather(
    g: Graph,
    params: Any,
    indices: Any,
    validate_indices: Any = None,
    axis: Any = None,
    batch_dims: Any = 0,
    name: Any = None,
) -> Node:
    """Elements of an axis by their index."""
    count = constant_of(batch_dims)
    try:
        at = axis_of(axis, count if isinstance(count, int) else 0)
    except UnknownAxis:
        return unknown(g, "gather along an axis that is not known", params, indices)
    mask = masked_by(indices)
    if mask is not None and at == 0 and mask.shape.rank == 1:
        return g.op("boolean_mask", params, mask)
    return g.op("gather", params, indices, axis=at, batch_dims=batch_dims)


@api("tensorflow.batch_gather")
def batch_gather(g: Graph, params: Any, indices: Any, name: Any = None) -> Node:
    """``gather`` whose indices have all axes of ``params``."""
    rank_ = g.lift(indices).shape.rank
    return g.op("gather", params, indices, axis=-1, batch_dims=Unknown() if rank_ is None else rank_ - 1)


@api("tensorflow.gather_nd")
def gather_nd(
    g: Graph, params: Any, indices: Any, batch_dims: Any = 0, name: Any = None, bad_indices_policy: Any = ""
) -> Node:
    """Elements by their full coordinates; those that ``tf.where(mask)`` lists are what the mask lets through."""
    mask = masked_by(indices)
    if mask is not None and mask is indices.inputs[0]:
        return g.op("boolean_mask", params, mask)
    return g.op("gather_nd", params, indices, batch_dims=batch_dims)


def masked_by(indices: Any) -> Node | None:
    """The mask whose true places ``indices`` lists, as ``tf.where(mask)`` does, perhaps squeezed; None for others."""
    while isinstance(indices, Node) and indices.op in ("squeeze", "reshape", "index", "cast", "identity"):
        indices = indices.inputs[0]
    return indices.inputs[0] if isinstance(indices, Node) and indices.attrs.get("places") else None


@api("tensorflow.boolean_mask")
def boolean_mask(
    g: Graph, tensor: Any = None, mask: Any = None, axis: Any = None, name: Any = None, *, data: Any = None
) -> Node:
    """The elements where the mask is true, in one row."""
    axis = None if isinstance(axis, str) else axis  # the third argument of TensorFlow 1 is the name
    try:
        return g.op("boolean_mask", tensor if tensor is not None else data, mask, axis=axis_of(axis, 0))
    except UnknownAxis:
        return unknown(g, "boolean_mask along an axis that is not known", tensor, mask)


@api("tensorflow.where", "tensorflow.where_v2", "tensorflow.compat.v2.where", "tensorflow.select")
def where(g: Graph, condition: Any, x: Any = None, y: Any = None, name: Any = None) -> Node:
    """One of two values, element by element; with the condition alone, where it is true."""
    if x is not None or y is not None:
        return g.op("select", _of_rows(g, condition, x), x, y)
    return positions_where(g, g.lift(condition))


def _of_rows(g: Graph, condition: Any, x: Any) -> Any:
    """The condition of TensorFlow 1's ``where``, which picks rows where it is a vector and the values are not."""
    if not isinstance(condition, Node) or not isinstance(x, Node) or condition.shape.rank != 1 or x.shape.min_rank < 2:
        return condition
    rows, first, last = condition.shape.axis(0), x.shape.axis(0), x.shape.axis(-1)
    if rows is None or first is None or rows == last or not (rows.batch and first.batch):
        return condition
    with g.library():
        return batched(g.op("identity", condition), x.shape, "bool")


def positions_where(g: Graph, condition: Node) -> Node:
    """The coordinates of what is true, one row each: integers, without a gradient."""
    axes = condition.shape.rank
    with g.library():
        order = g.op("argsort", condition, axis=(-1,), places=True)
    coordinates = Dim.fresh() if axes is None else Dim(axes)
    return batched(order, Shape((Dim.fresh(condition.shape.numel.batch), coordinates)), "int64")


@api("tensorflow.unique", "tensorflow.unique_with_counts")
def unique(g: Graph, x: Any, out_idx: Any = None, name: Any = None) -> Record:
    """The different values, where each element stands among them, and how often each occurs."""
    node = g.lift(x)
    with g.library():
        places = batched(g.op("argsort", node, axis=(-1,)), node.shape)
        values = g.op("unique", node)
        counts = batched(g.op("argsort", values, axis=(-1,)), values.shape)
    return Record(("y", "idx", "count"), (values, places, counts)[: 3 if g.api.endswith("counts") else 2])


@api("tensorflow.searchsorted")
def searchsorted(
    g: Graph, sorted_sequence: Any, values: Any, side: Any = "left", out_type: Any = None, name: Any = None
) -> Node:
    """Where each value belongs in a sorted sequence."""
    node = g.lift(values)
    with g.library():
        below = g.op("lt", g.op("expand_dims", sorted_sequence, axis=-2), g.op("expand_dims", node, axis=-1))
        return batched(g.op("count_nonzero", below, axis=(-1,), keepdims=False), node.shape, "int32")


@api("tensorflow.dynamic_partition")
def dynamic_partition(g: Graph, data: Any, partitions: Any, num_partitions: Any, name: Any = None) -> Any:
    """Rows sorted into several tensors."""
    count = constant_of(num_partitions)
    if not isinstance(count, int) or count > 64:
        return Unknown(tuple(n for n in (data, partitions) if isinstance(n, Node)), "partitions")
    return [g.op("boolean_mask", data, g.op("eq", partitions, i), axis=0) for i in range(count)]


@api("tensorflow.setdiff1d")
def setdiff1d(g: Graph, x: Any, y: Any, index_dtype: Any = None, name: Any = None) -> Record:
    """What is in x and not in y."""
    with g.library():
        left = g.op("unique", x)
        return Record(("out", "idx"), (left, batched(g.op("argsort", left, axis=(-1,)), left.shape)))
