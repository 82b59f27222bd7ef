"""Making tensors, and moving, selecting and joining their elements."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from losslint.domain.shape import Dim, Shape
from losslint.graph import Graph, Node, Unknown
from losslint.ops.axes import (
    UnknownAxis,
    axes_of,
    axis_of,
    batched,
    constant_of,
    row,
    sized,
    unknown,
)
from losslint.ops.dtypes import dtype_of
from losslint.ops.registry import api
from losslint.ops.shapevalue import Record, ShapeValue, declared, shape_argument, shape_node


def typed(g: Graph, node: Node, dtype: Any) -> Node:
    """``node`` of a data type that was asked for; constants are of that type from the start."""
    wanted = dtype_of(dtype) if dtype is not None else None
    if wanted is None or node.dtype == wanted:
        return node
    if node.op == "const":
        return batched(node, node.shape, wanted) if node.dtype is None else g.op("cast", node, dtype=wanted)
    return g.op("cast", node, dtype=wanted) if node.dtype is None or node.op != "source" else node


# -- making ------------------------------------------------------------------------------------------------------------
@api("tensorflow.constant")
def constant(
    g: Graph, value: Any, dtype: Any = None, shape: Any = None, name: Any = None, verify_shape: Any = False
) -> Node:
    """A Python value as a tensor, filled up to ``shape``."""
    if isinstance(value, ShapeValue):
        return value.as_node(g)
    if shape is not None and isinstance(constant_of(value), (int, float)):
        return g.op("fill", value, shape=shape_argument(g, shape), dtype=dtype_of(dtype))
    return typed(g, g.lift(value), dtype)


@api("tensorflow.convert_to_tensor", "tensorflow.convert_to_tensor_or_indexed_slices", "tensorflow.convert_n_to_tensor")
def convert_to_tensor(
    g: Graph, value: Any, dtype: Any = None, dtype_hint: Any = None, name: Any = None, preferred_dtype: Any = None
) -> Node:
    """A tensor stays one, whatever type is named; anything else becomes one."""
    if isinstance(value, ShapeValue):
        return value.as_node(g)
    return value if isinstance(value, Node) and value.op != "const" else typed(g, g.lift(value), dtype)


def _filled(primitive: str) -> Callable[..., Node]:
    def expansion(g: Graph, shape: Any, dtype: Any = "float32", name: Any = None, layout: Any = None) -> Node:
        return g.op(primitive, shape=shape_argument(g, shape), dtype=dtype_of(dtype))

    return expansion


def _like(primitive: str) -> Callable[..., Node]:
    def expansion(
        g: Graph,
        input: Any = None,
        dtype: Any = None,
        name: Any = None,
        layout: Any = None,
        *,
        tensor: Any = None,
        optimize: Any = True,
    ) -> Node:
        return g.op(primitive, input if input is not None else tensor, dtype=dtype_of(dtype))

    return expansion


row("zeros", _filled("zeros"))
row("ones", _filled("ones"))
row("zeros_like", _like("zeros_like"))
row("ones_like", _like("ones_like"))


@api("tensorflow.fill")
def fill(g: Graph, dims: Any, value: Any, name: Any = None, layout: Any = None) -> Node:
    """A tensor of one value."""
    return g.op("fill", value, shape=shape_argument(g, dims))


@api("tensorflow.eye", "tensorflow.linalg.eye")
def eye(
    g: Graph, num_rows: Any, num_columns: Any = None, batch_shape: Any = None, dtype: Any = "float32", name: Any = None
) -> Node:
    """The identity matrix."""
    sizes = (num_rows,) if num_columns is None else (num_rows, num_columns)
    matrix = g.op("eye", *sizes, dtype=dtype_of(dtype))
    if batch_shape is None:
        return matrix
    if not isinstance(batch_shape, (list, tuple)):
        return unknown(g, "a stack of identity matrices", matrix, batch_shape)
    return g.op("broadcast_to", matrix, shape=(*batch_shape, sizes[0], sizes[-1]))


@api("tensorflow.range")
def range_(g: Graph, start: Any, limit: Any = None, delta: Any = 1, dtype: Any = None, name: Any = None) -> Node:
    """start, start + delta, ... below the limit."""
    ends = (start,) if limit is None else (start, limit)
    known = [constant_of(v) for v in (*ends, delta)]
    if constant_of(delta) == 1:
        node = g.op("range", *ends)
    else:
        node = g.op("range", *((0, start) if limit is None else ends), delta)
    fractional = any(isinstance(v, float) for v in known)
    wanted = dtype_of(dtype) if dtype is not None else "float32" if fractional else None
    if dtype is not None and wanted is None:
        node.dtype = None  # asked for, but not known
    return typed(g, node, wanted)


@api("tensorflow.linspace", "tensorflow.lin_space", "tensorflow.linspace_nd")
def linspace(g: Graph, start: Any, stop: Any, num: Any, name: Any = None, axis: Any = 0) -> Node:
    """``num`` values from start to stop, both included."""
    with g.library():
        step = g.op("div", g.op("sub", stop, start), g.op("maximum", g.op("sub", num, 1), 1))
        steps = g.op("cast", g.op("range", num), dtype="float32")
        return g.op(
            "clip",
            g.op("add", start, g.op("mul", steps, step)),
            g.op("minimum", start, stop),
            g.op("maximum", start, stop),
        )


@api("tensorflow.one_hot")
def one_hot(
    g: Graph,
    indices: Any,
    depth: Any,
    on_value: Any = None,
    off_value: Any = None,
    axis: Any = None,
    dtype: Any = None,
    name: Any = None,
) -> Node:
    """1 at the index, else 0; or two other values."""
    try:
        at = axis_of(axis, -1)
    except UnknownAxis:
        return unknown(g, "one_hot along an axis that is not known", indices, axis)
    on, off = (default if v is None else v for v, default in ((on_value, 1), (off_value, 0)))
    hot = g.op("one_hot", indices, depth=depth, axis=at, dtype=dtype_of(dtype) or "float32")
    if constant_of(on) == 1 and constant_of(off) == 0:
        return hot
    with g.library():
        return g.op("add", g.op("mul", hot, g.op("sub", on, off)), off)


@api("tensorflow.sequence_mask")
def sequence_mask(g: Graph, lengths: Any, maxlen: Any = None, dtype: Any = "bool", name: Any = None) -> Node:
    """True for the first ``length`` positions of each row."""
    rows = g.lift(lengths)
    with g.library():
        positions = g.op("range", maxlen if maxlen is not None else g.op("max", rows, axis=None, keepdims=False))
        if maxlen is None:
            positions = batched(positions, Shape((Dim.fresh(),)))
        mask = g.op("lt", positions, g.op("expand_dims", rows, axis=-1))
        wanted = dtype_of(dtype)
        return mask if wanted == "bool" else g.op("cast", mask, dtype=wanted)


@api("tensorflow.meshgrid")
def meshgrid(
    g: Graph, *args: Any, indexing: Any = "xy", name: Any = None, copy: Any = True, sparse: Any = False
) -> Any:
    """Coordinate matrices of coordinate vectors."""
    if len(args) == 1 and isinstance(args[0], (list, tuple)):
        args = tuple(args[0])
    vectors = [g.lift(a) for a in args]
    dims = [v.shape.numel for v in vectors]
    order = list(range(len(vectors)))
    if indexing == "xy" and len(order) > 1:
        order[0], order[1] = 1, 0
    grids = []
    with g.library():
        for i, vector in enumerate(vectors):
            shaped = g.op("reshape", vector, [-1 if axis == i else 1 for axis in order])
            grids.append(g.op("broadcast_to", shaped, shape=Shape(tuple(dims[axis] for axis in order))))
    return grids


# -- what a tensor is --------------------------------------------------------------------------------------------------
@api("tensorflow.shape")
def shape(g: Graph, input: Any, out_type: Any = None, name: Any = None) -> Node:
    """The shape as an integer tensor."""
    node = g.op("shape_of", input)
    wanted = dtype_of(out_type)
    return g.op("cast", node, dtype=wanted) if wanted not in (None, "int32") else node


@api("tensorflow.size")
def size(g: Graph, input: Any, out_type: Any = None, name: Any = None) -> Node:
    """The number of elements as an integer tensor."""
    node = g.op("size_of", input)
    wanted = dtype_of(out_type)
    return g.op("cast", node, dtype=wanted) if wanted not in (None, "int32") else node


@api("tensorflow.rank")
def rank(g: Graph, input: Any, name: Any = None) -> Node:
    """The number of axes as an integer tensor."""
    return g.op("rank_of", input)


@api("tensorflow.shape_n")
def shape_n(g: Graph, input: Any, out_type: Any = None, name: Any = None) -> list[Node]:
    """The shapes of several tensors."""
    return [g.op("shape_of", x) for x in input] if isinstance(input, (list, tuple)) else [unknown(g, "shapes", input)]


@api("tensorflow.identity", "tensorflow.convert_variables_to_tensors")
def identity(g: Graph, input: Any, name: Any = None) -> Node:
    """The tensor itself."""
    return g.op("identity", input)


@api("tensorflow.guarantee_const")
def guarantee_const(g: Graph, input: Any, name: Any = None) -> Node:
    """The tensor itself, without a gradient."""
    return g.op("stop_gradient", input)


@api("tensorflow.identity_n", "tensorflow.tuple")
def identity_n(
    g: Graph, input: Any = None, name: Any = None, control_inputs: Any = None, *, tensors: Any = None
) -> Any:
    """Several tensors, as they are."""
    return input if input is not None else tensors


@api("tensorflow.ensure_shape")
def ensure_shape(g: Graph, x: Any, shape: Any, name: Any = None) -> Node:
    """``x``, known to have this shape from here on."""
    node = g.lift(x)
    return batched(g.op("identity", node), declared(g, node, shape))


# -- shapes ------------------------------------------------------------------------------------------------------------
@api("tensorflow.reshape")
def reshape(g: Graph, tensor: Any, shape: Any, name: Any = None) -> Node:
    """The same elements in another shape."""
    return g.op("reshape", tensor, shape_node(g, shape))


@api("tensorflow.expand_dims")
def expand_dims(g: Graph, input: Any, axis: Any = None, name: Any = None, dim: Any = None) -> Node:
    """A new axis of length 1."""
    try:
        return g.op("expand_dims", input, axis=axis_of(axis if axis is not None else dim, -1))
    except UnknownAxis:
        return unknown(g, "expand_dims at an axis that is not known", input, axis)


@api("tensorflow.squeeze")
def squeeze(g: Graph, input: Any, axis: Any = None, name: Any = None, squeeze_dims: Any = None) -> Node:
    """Without the axes of length 1."""
    try:
        axes = axes_of(axis if axis is not None else squeeze_dims)
    except UnknownAxis:
        return unknown(g, "squeeze of axes that are not known", input, axis)
    return g.op("squeeze", input, axis=axes or None)


@api("tensorflow.transpose")
def transpose(g: Graph, a: Any, perm: Any = None, conjugate: Any = False, name: Any = None) -> Node:
    """The axes in another order."""
    try:
        axes = axes_of(perm)
    except UnknownAxis:
        return unknown(g, "transpose to an order that is not known", a, perm)
    return g.op("transpose", a, perm=axes)


@api("tensorflow.broadcast_to")
def broadcast_to(g: Graph, input: Any, shape: Any, name: Any = None) -> Node:
    """Repeated along axes of length 1."""
    return g.op("broadcast_to", input, shape_node(g, shape))


@api("tensorflow.tile")
def tile(g: Graph, input: Any, multiples: Any, name: Any = None) -> Node:
    """Repeated as a whole."""
    return g.op("tile", input, shape_node(g, multiples))


@api("tensorflow.repeat")
def repeat(g: Graph, input: Any, repeats: Any, axis: Any = None, name: Any = None) -> Node:
    """Every element repeated."""
    try:
        axes = axes_of(axis)
    except UnknownAxis:
        return unknown(g, "repeat along an axis that is not known", input, repeats)
    return g.op("repeat", input, repeats, axis=None if axes is None else axis_of(axis, 0))


@api("tensorflow.pad")
def pad(
    g: Graph, tensor: Any, paddings: Any, mode: Any = "CONSTANT", constant_values: Any = 0, name: Any = None
) -> Node:
    """More elements at the ends of axes."""
    return g.op("pad", tensor, paddings, mode=str(mode).lower(), constant_values=constant_values)


@api("tensorflow.concat", "tensorflow.concat_v2")
def concat(g: Graph, values: Any, axis: Any = 0, name: Any = None, *, concat_dim: Any = None) -> Node:
    """Joined along an axis. Before TensorFlow 1.0 the axis came first."""
    if isinstance(axis, (list, tuple)) and isinstance(values, int):
        values, axis = axis, values
    if not isinstance(values, (list, tuple)) or not values:
        return g.op("identity", values) if isinstance(values, Node) else unknown(g, "a list that is not known", values)
    try:
        return g.op("concat", *values, axis=axis_of(axis if concat_dim is None else concat_dim, 0))
    except UnknownAxis:
        return unknown(g, "concat along an axis that is not known", values)


@api("tensorflow.stack", "tensorflow.pack", "tensorflow.parallel_stack")
def stack(g: Graph, values: Any, axis: Any = 0, name: Any = None) -> Node:
    """Joined along a new axis."""
    if not isinstance(values, (list, tuple)) or not values:
        return g.op("identity", values) if isinstance(values, Node) else unknown(g, "a list that is not known", values)
    try:
        return g.op("stack", *values, axis=axis_of(axis, 0))
    except UnknownAxis:
        return unknown(g, "stack along an axis that is not known", values)


@dataclass(slots=True)
class Parts(Unknown):
    """The parts of a tensor along ``axis``, nobody knows how many: unpacked or indexed, each of them is known."""

    axis: int = 0

    def getitem(self, g: Graph, key: Any) -> Any:
        """The part at a position."""
        if not isinstance(key, int):
            return Unknown(self.deps, self.why)
        return g.op("unstack", self.deps[0], index=key, count=None, axis=self.axis)


@api("tensorflow.unstack", "tensorflow.unpack")
def unstack(g: Graph, value: Any, num: Any = None, axis: Any = 0, name: Any = None) -> Any:
    """The parts along an axis, which they lose."""
    node = g.lift(value)
    try:
        at = axis_of(axis, 0)
    except UnknownAxis:
        return Unknown((node,), "unstack along an axis that is not known")
    extent = node.shape.axis(at)
    count = constant_of(num) if num is not None else extent.value if extent is not None else None
    if not isinstance(count, int) or count > 64:
        # a tensor is iterated and unpacked along its first axis just the same
        return node if at == 0 else Parts((node,), "unstack of a length that is not known", at)
    return [g.op("unstack", node, index=i, count=count, axis=at) for i in range(count)]


def along_axis(axis: int, part: slice) -> tuple[Any, ...]:
    """The key that takes ``part`` of one axis."""
    return (slice(None),) * axis + (part,) if axis >= 0 else (Ellipsis, part, *(slice(None),) * (-axis - 1))


@api("tensorflow.split")
def split(
    g: Graph,
    value: Any,
    num_or_size_splits: Any,
    axis: Any = 0,
    num: Any = None,
    name: Any = None,
    *,
    split_dim: Any = None,
) -> Any:
    """The parts along an axis, which they keep. Before TensorFlow 1.0 the axis came first."""
    if isinstance(num_or_size_splits, int) and isinstance(value, int) and isinstance(axis, Node):
        value, num_or_size_splits, axis = axis, num_or_size_splits, value
    node = g.lift(value)
    sizes = constant_of(_with_one_open(num_or_size_splits))
    try:
        at = axis_of(axis if split_dim is None else split_dim, 0)
    except UnknownAxis:
        return Unknown((node,), "split along an axis that is not known")
    if isinstance(sizes, int) and 0 < sizes <= 64:
        extent = node.shape.axis(at)
        if extent is not None and extent.value is not None and extent.value % sizes == 0:
            sizes = (extent.value // sizes,) * sizes
        else:
            part = extent.divided_by(Dim(sizes)) if extent is not None else None
            return [_part_of_unknown(g, node, at, sizes, i, part) for i in range(sizes)]
    if not isinstance(sizes, tuple) or sizes.count(-1) > 1:
        return Unknown((node,), "split into parts that are not known")
    parts, start = [], 0
    for i, length in enumerate(sizes):
        if length == -1:
            left = -sum(sizes[i + 1 :]) or None
            parts.append(g.op("index", node, key=along_axis(at, slice(start, left))))
            start = left or 0
        else:
            parts.append(g.op("index", node, key=along_axis(at, slice(start, start + length or None))))
            start += length
    return parts


def _with_one_open(sizes: Any) -> Any:
    """Lengths of parts, the only one that is no number as -1: what is left."""
    if not isinstance(sizes, (list, tuple)):
        return sizes
    known = [constant_of(size) for size in sizes]
    open_ = [i for i, size in enumerate(known) if not isinstance(size, int)]
    return [-1 if i in open_ else size for i, size in enumerate(known)] if len(open_) == 1 else sizes


def _part_of_unknown(g: Graph, x: Node, axis: int, count: int, i: int, extent: Dim | None) -> Node:
    """Part ``i`` of ``count`` of an axis whose extent is no number."""
    key = along_axis(axis, slice(Unknown((), f"{i}/{count}"), Unknown((), f"{i + 1}/{count}")))
    whole = x.shape.axis(axis)
    extent = extent or Dim.fresh(None if whole is None else whole.batch)
    return batched(g.op("index", x, key=key), sized(x.shape, axis, extent))


@api("tensorflow.slice")
def slice_(g: Graph, input_: Any, begin: Any, size: Any, name: Any = None) -> Node:
    """``size`` elements of each axis from ``begin`` on; -1: all."""
    starts, lengths = constant_of(begin), constant_of(size)
    length = len(starts) if isinstance(starts, tuple) else len(lengths) if isinstance(lengths, tuple) else None
    begins = starts if isinstance(starts, tuple) else begin
    sizes = lengths if isinstance(lengths, tuple) else size
    if length is None or not all(isinstance(v, (list, tuple)) and len(v) == length for v in (begins, sizes)):
        return unknown(g, "a slice that is not known", input_, begin, size)
    key = []
    for start, count in zip(begins, sizes, strict=True):
        first, amount = constant_of(start), constant_of(count)
        if amount == -1:
            key.append(slice(start or None, None))
        elif first == 0:
            key.append(slice(None, count))
        elif isinstance(first, int) and isinstance(amount, int):
            key.append(slice(first, first + amount))
        else:
            key.append(slice(start, g.op("add", start, count)))
    return g.op("index", input_, key=tuple(key))


@api("tensorflow.strided_slice")
def strided_slice(
    g: Graph,
    input_: Any,
    begin: Any,
    end: Any,
    strides: Any = None,
    begin_mask: Any = 0,
    end_mask: Any = 0,
    ellipsis_mask: Any = 0,
    new_axis_mask: Any = 0,
    shrink_axis_mask: Any = 0,
    var: Any = None,
    name: Any = None,
) -> Node:
    """``x[begin:end:strides]`` spelled out."""
    ends = [constant_of(v) for v in (begin, end, strides if strides is not None else ())]
    masks = [constant_of(v) for v in (begin_mask, end_mask, ellipsis_mask, new_axis_mask, shrink_axis_mask)]
    if (
        not all(isinstance(v, tuple) for v in ends)
        or not all(isinstance(m, int) for m in masks)
        or masks[2]
        or masks[3]
    ):
        return unknown(g, "a slice that is not known", input_, begin, end)
    key: list[Any] = []
    for i, (start, stop) in enumerate(zip(ends[0], ends[1], strict=False)):
        step = ends[2][i] if i < len(ends[2]) else None
        if masks[4] >> i & 1:
            key.append(start)
        else:
            no_start, no_stop = masks[0] >> i & 1, masks[1] >> i & 1
            key.append(slice(None if no_start else start, None if no_stop else stop, None if step == 1 else step))
    return g.op("index", input_, key=tuple(key))


# -- selecting ---------------------------------------------------------------------------------------------------------
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


@api("tensorflow.boolean_mask", "tensorflow.ragged.boolean_mask")
def boolean_mask(
    g: Graph, tensor: Any = None, mask: Any = None, axis: Any = None, name: Any = None, *, data: Any = None
) -> Node:
    """The elements where the mask is true, in one row."""
    axis = None if isinstance(axis, str) else axis  # the third argument of TensorFlow 1 is the name
    try:
        return g.op("boolean_mask", tensor if tensor is not None else data, mask, axis=axis_of(axis, 0))
    except UnknownAxis:
        return unknown(g, "boolean_mask along an axis that is not known", tensor, mask)


@api("tensorflow.where", "tensorflow.where_v2", "tensorflow.compat.v2.where")
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
