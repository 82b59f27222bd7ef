"""Writing into tensors, and trading axes for one another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from losslint.domain.shape import Dim, Shape
from losslint.graph import Graph, Node, ancestors
from losslint.ops.axes import batched, constant_of, opaque_row, row, unknown
from losslint.ops.registry import api
from losslint.ops.shapevalue import shape_argument


@api("tensorflow.scatter_nd")
def scatter_nd(
    g: Graph, indices: Any, updates: Any, shape: Any, bad_indices_policy: Any = "", name: Any = None
) -> Node:
    """Values at coordinates, 0 elsewhere; those that meet are added."""
    return g.op("scatter", indices, updates, shape=shape_argument(g, shape))


def _tensor_scatter(combine: str) -> Callable[..., Node]:
    def expansion(
        g: Graph, tensor: Any, indices: Any, updates: Any, bad_indices_policy: Any = "", name: Any = None
    ) -> Node:
        x = g.lift(tensor)
        with g.library():
            kept = places_of(indices)
            back = {} if kept is None or not _picked(updates, kept) else {"mask": kept.number}
            written = batched(g.op("scatter", indices, updates, shape=x.shape, **back), x.shape, x.dtype)
            if combine in ("add", "sub"):
                return g.op(combine, x, written)
            # where nothing is written, the 0 of ``scatter`` must not take part
            hit = kept if back else g.op("gt", g.op("scatter", indices, g.op("ones_like", updates), shape=x.shape), 0)
            return g.op("select", hit, written if combine == "update" else g.op(combine, x, written), x)

    return expansion


def places_of(indices: Any) -> Node | None:
    """The condition of which ``indices`` are the places, ``tf.where(condition)``; else None."""
    indices = _inside(indices)
    known = isinstance(indices, Node) and indices.op == "argsort" and indices.attrs.get("places")
    return indices.inputs[0] if known else None


def _picked(updates: Any, mask: Node) -> bool:
    """Whether ``updates`` hold one row for each place that ``mask`` keeps: they were picked there."""
    rows = updates.shape.axis(0) if isinstance(updates, Node) else None
    return any(
        n.op == "boolean_mask" and n.inputs[1].number == mask.number and n.shape.axis(0) == rows
        for n in ancestors([updates] if rows is not None else [])
    )


for _combine, _words in {
    "update": "tensor_scatter_nd_update tensor_scatter_update",
    "add": "tensor_scatter_nd_add tensor_scatter_add",
    "sub": "tensor_scatter_nd_sub tensor_scatter_sub",
    "maximum": "tensor_scatter_nd_max",
    "minimum": "tensor_scatter_nd_min",
}.items():
    row(_words, _tensor_scatter(_combine))


def placed(g: Graph, indices: Any, values: Any, shape: Any) -> Node:
    """``values`` at coordinates, 0 elsewhere. A 1 in each row, at the column of its label, is ``one_hot``."""
    pairs, extents = _inside(indices), _inside(shape)
    rows = pairs.inputs if isinstance(pairs, Node) and pairs.op == "stack" and pairs.attrs["axis"] == 1 else ()
    columns = extents.inputs if isinstance(extents, Node) and extents.op == "stack" else extents
    ones = constant_of(values) == 1 or (isinstance(values, Node) and _inside(values).op in ("ones", "ones_like"))
    counted = len(rows) == 2 and _inside(rows[0]).op == "range"
    if counted and ones and isinstance(columns, (list, tuple)) and len(columns) == 2:
        return g.op("one_hot", rows[1], depth=columns[1], axis=-1, dtype=getattr(values, "dtype", None))
    return g.op("scatter", indices, values, shape=shape_argument(g, shape))


def _inside(value: Any) -> Any:
    """What is cast, or handed on."""
    while isinstance(value, Node) and value.op in ("cast", "identity"):
        value = value.inputs[0]
    return value


@api("tensorflow.sparse_to_dense")
def sparse_to_dense(
    g: Graph,
    sparse_indices: Any,
    output_shape: Any,
    sparse_values: Any,
    default_value: Any = 0,
    validate_indices: Any = True,
    name: Any = None,
) -> Node:
    """Values at coordinates, a default elsewhere."""
    return placed(g, sparse_indices, sparse_values, output_shape)


def space_block(g: Graph, x: Any, factor: Any, grow: bool) -> Node:
    """``depth_to_space`` and its inverse: channels traded for space."""
    node, block = g.lift(x), constant_of(factor)
    result = g.op("conv", node, how="depth_to_space" if grow else "space_to_depth")
    if not isinstance(block, int) or node.shape.rank != 4 or block < 1:
        return result
    batch, height, width, channels = node.shape.head
    by, square = Dim(block), Dim(block * block)
    if grow:
        last = channels.divided_by(square)
        return batched(result, Shape((batch, height * by, width * by, last or Dim.fresh())))
    sides = [d.divided_by(by) or Dim.fresh() for d in (height, width)]
    return batched(result, Shape((batch, *sides, channels * square)))


@api("tensorflow.nn.depth_to_space", "tensorflow.depth_to_space")
def depth_to_space(g: Graph, input: Any, block_size: Any, data_format: Any = "NHWC", name: Any = None) -> Node:
    """Channels become space."""
    return space_block(g, input, block_size, True)


@api("tensorflow.nn.space_to_depth", "tensorflow.space_to_depth")
def space_to_depth(g: Graph, input: Any, block_size: Any, data_format: Any = "NHWC", name: Any = None) -> Node:
    """Space becomes channels."""
    return space_block(g, input, block_size, False)


@api("tensorflow.broadcast_static_shape", "tensorflow.broadcast_dynamic_shape")
def broadcast_shape(g: Graph, shape_x: Any, shape_y: Any) -> Node:
    """The shape that both broadcast to."""
    return unknown(g, "a broadcast shape", shape_x, shape_y)


@api("tensorflow.math.invert_permutation", "tensorflow.invert_permutation")
def invert_permutation(g: Graph, x: Any, name: Any = None) -> Node:
    """The inverse order."""
    return g.op("argsort", x, axis=(-1,))


opaque_row(
    "elements move in a way that is not followed",
    "dynamic_stitch space_to_batch space_to_batch_nd nn.space_to_batch batch_to_space batch_to_space_nd unravel_index "
    "extract_volume_patches bitcast.bits required_space_to_batch_paddings",
)
