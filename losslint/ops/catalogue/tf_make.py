"""Making tensors: of numbers, of one value, of a row of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from losslint.domain.shape import Dim, Shape
from losslint.graph import Graph, Node
from losslint.ops.axes import (
    UnknownAxis,
    axis_of,
    batched,
    constant_of,
    row,
    unknown,
)
from losslint.ops.dtypes import dtype_of
from losslint.ops.registry import api
from losslint.ops.shapevalue import ShapeValue, shape_argument, shape_node


def typed(g: Graph, node: Node, dtype: Any) -> Node:
    """``node`` of a data type that was asked for; constants are of that type from the start."""
    wanted = dtype_of(dtype) if dtype is not None else None
    if wanted is None or node.dtype == wanted:
        return node
    if node.op == "const":
        return batched(node, node.shape, wanted) if node.dtype is None else g.op("cast", node, dtype=wanted)
    return g.op("cast", node, dtype=wanted) if node.dtype is None or node.op != "source" else node


@api("tensorflow.constant")
def constant(
    g: Graph, value: Any, dtype: Any = None, shape: Any = None, name: Any = None, verify_shape: Any = False
) -> Node:
    """A Python value as a tensor, filled up to ``shape``."""
    if isinstance(value, ShapeValue):
        return value.as_node(g)
    if shape is not None and isinstance(constant_of(value), (int, float)):
        return g.op("fill", value, shape=shape_argument(g, shape), dtype=dtype_of(dtype))
    node = typed(g, g.lift(value), dtype)
    return node if shape is None else g.op("reshape", node, shape_node(g, shape))


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
    vectors = [g.lift(a) for a in args]
    dims = [v.shape.numel for v in vectors]
    order = list(range(len(vectors)))
    if indexing == "xy" and len(order) > 1:
        order[0], order[1] = 1, 0
    grids = []
    with g.library():
        for i, vector in enumerate(vectors):
            shaped = g.op("reshape", vector, [-1 if axis == i else 1 for axis in order])
            grids.append(g.op("broadcast_to", shaped, shape=tuple(dims[axis] for axis in order)))
    return grids
