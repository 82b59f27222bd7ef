"""Joining tensors, and taking them apart at given places."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from losslint.domain.shape import Dim
from losslint.graph import Graph, Node, Unknown
from losslint.ops.axes import (
    UnknownAxis,
    axis_of,
    batched,
    constant_of,
    sized,
    unknown,
)
from losslint.ops.registry import api


@api("tensorflow.concat", "tensorflow.concat_v2")
def concat(g: Graph, values: Any, axis: Any = 0, name: Any = None, *, concat_dim: Any = None) -> Node:
    """Joined along an axis. Before TensorFlow 1.0 the axis came first."""
    if isinstance(axis, (list, tuple)) and isinstance(values, int):
        values, axis = axis, values
    if not isinstance(values, (list, tuple)) or not values:
        return g.op("identity", values) if isinstance(values, Node) else unknown(g, "a list that is not known", values)
    try:
        return g.joined("concat", values, axis_of(axis if concat_dim is None else concat_dim, 0))
    except UnknownAxis:
        return unknown(g, "concat along an axis that is not known", values)


@api("tensorflow.stack", "tensorflow.pack", "tensorflow.parallel_stack")
def stack(g: Graph, values: Any, axis: Any = 0, name: Any = None) -> Node:
    """Joined along a new axis."""
    if not isinstance(values, (list, tuple)) or not values:
        return g.op("identity", values) if isinstance(values, Node) else unknown(g, "a list that is not known", values)
    try:
        return g.joined("stack", values, axis_of(axis, 0))
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
        if at == 0:  # a tensor is indexed and stacked along its first axis just as its parts are
            return g.op("identity", node, parts=True)
        return Parts((node,), "unstack of a length that is not known", at)
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
