"""``tf.RaggedTensor``: rows of different lengths, kept as their values one after the other.

Where a function takes a ragged tensor as any other, it is followed as the padded one it stands for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from losslint.domain.shape import Dim, Shape
from losslint.graph import Graph, Node
from losslint.ops.axes import batched, called, opaque_row, unknown
from losslint.ops.catalogue import tf_make
from losslint.ops.catalogue.arguments import samplewise
from losslint.ops.dtypes import dtype_of
from losslint.ops.registry import PROPERTIES, Callback, api


@dataclass(frozen=True, slots=True)
class Ragged:
    """Rows of different lengths: ``values`` joined, ``like`` a tensor with one element for each row, where known."""

    values: Node
    like: Node | None = None

    @property
    def deps(self) -> tuple[Node, ...]:
        """The tensors inside."""
        return (self.values,) if self.like is None else (self.values, self.like)

    @property
    def rows(self) -> Dim:
        """How many rows there are."""
        return (self.like.shape.axis(0) if self.like is not None else None) or Dim.unknown()

    def as_node(self, g: Graph) -> Node:
        """The padded tensor."""
        inner = self.values.shape
        shape = Shape((self.rows, Dim.fresh(), *inner.head[1:]), inner.rest, inner.tail)
        return batched(samplewise(g, "padded rows", shape, self.values), shape, self.values.dtype)

    def attribute(self, g: Graph, name: str) -> Any:
        """A method, or one of the parts."""
        if name in ("values", "flat_values"):
            return self.values
        if name in ("shape", "dtype"):
            return PROPERTIES[name](g, self.as_node(g))
        methods: dict[str, Callable[..., Any]] = {
            "to_tensor": lambda g, default_value=None, name=None, shape=None: self.as_node(g),
            "row_lengths": lambda g, axis=1, name=None: self._lengths(g),
            "nrows": lambda g, out_type="int64", name=None: g.op(
                "cast", g.op("index", g.op("shape_of", self._lengths(g)), key=(0,)), dtype=dtype_of(out_type)
            ),
            "with_values": lambda g, new_values: Ragged(g.lift(new_values), self.like),
            "with_flat_values": lambda g, new_values: Ragged(g.lift(new_values), self.like),
            "value_rowids": lambda g, name=None: self._places(g, self.values.shape.axis(0)),
            "row_splits": lambda g: self._places(g, None),
            "merge_dims": lambda g, outer_axis, inner_axis: self.values,
        }
        return Callback(f"RaggedTensor.{name}", methods[name], {}) if name in methods else self._places(g, None)

    def _lengths(self, g: Graph) -> Node:
        return self._places(g, self.rows)

    def _places(self, g: Graph, extent: Dim | None) -> Node:
        """Whole numbers that say where the rows lie: without a gradient."""
        with g.library():
            order = g.op("argsort", self.values if self.like is None else self.like, axis=(-1,))
            return batched(order, Shape((extent or Dim.unknown(),)), "int64")


def _made(g: Graph, values: Any, rows: Any = None, *args: Any, **kwargs: Any) -> Ragged:
    return Ragged(g.lift(values), g.lift(rows) if rows is not None else None)


@api("tensorflow.RaggedTensor.from_row_lengths")
def from_row_lengths(g: Graph, values: Any, row_lengths: Any, name: Any = None, validate: Any = True) -> Ragged:
    """Values, and how many of them belong to each row."""
    return _made(g, values, row_lengths)


@api("tensorflow.RaggedTensor.from_row_splits", "tensorflow.RaggedTensor.from_row_starts")
def from_row_splits(g: Graph, values: Any, *args: Any, **kwargs: Any) -> Ragged:
    """Values, and where rows begin."""
    return _made(g, values)


@api("tensorflow.RaggedTensor.from_value_rowids", "tensorflow.RaggedTensor.from_uniform_row_length")
def from_value_rowids(g: Graph, values: Any, *args: Any, **kwargs: Any) -> Ragged:
    """Values, and the row of each."""
    return _made(g, values)


@api("tensorflow.RaggedTensor.from_tensor")
def from_tensor(
    g: Graph, tensor: Any, lengths: Any = None, padding: Any = None, ragged_rank: Any = 1, name: Any = None, **kw: Any
) -> Ragged:
    """The rows of a tensor, perhaps without their padding."""
    x = g.lift(tensor)
    shape = x.shape
    flat = Dim.fresh(shape.numel.batch, "R")
    joined = batched(g.op("reshape", x, (-1,)), Shape((flat, *shape.head[2:]), shape.rest, shape.tail))
    return Ragged(joined, x)


@api("tensorflow.ragged.stack")
def stack(g: Graph, rts: Any, axis: Any = 0, name: Any = None) -> Any:
    """Tensors of different lengths as rows."""
    rows = [g.lift(item) for item in rts] if isinstance(rts, (list, tuple)) else []
    if not rows or axis != 0 or any(row.shape.rank is None for row in rows):
        return unknown(g, "a ragged tensor", rts)
    if rows[0].shape.rank == 0:
        return g.op("stack", *rows, axis=0)
    return Ragged(g.op("concat", *rows, axis=0), g.lift([0.0] * len(rows)))


@api("tensorflow.ragged.boolean_mask")
def boolean_mask(g: Graph, data: Any, mask: Any, name: Any = None) -> Any:
    """The elements where the mask is true, those of each row still in a row of their own."""
    kept = g.op("boolean_mask", data, mask, axis=0)
    wanted = g.lift(mask).shape
    if wanted.rank == 1:
        return kept
    return Ragged(kept, g.lift(data)) if wanted.rank == 2 else unknown(g, "a ragged tensor", data, mask)


@api("tensorflow.ragged.constant", "tensorflow.RaggedTensor")
def constant(g: Graph, pylist: Any = None, *args: Any, **kwargs: Any) -> Ragged | Node:
    """Nested lists; a list of numbers is a tensor as any other."""
    if isinstance(pylist, (list, tuple)) and pylist and all(isinstance(row, (list, tuple)) for row in pylist):
        return Ragged(g.lift([item for row in pylist for item in row] or 0.0), g.lift([0.0] * len(pylist)))
    return tf_make.constant(g, pylist)


@api("tensorflow.ragged.map_flat_values")
def map_flat_values(g: Graph, op: Any, *args: Any, **kwargs: Any) -> Any:
    """A function of the values of all rows."""
    rows = next((a for a in args if isinstance(a, Ragged)), None)
    value = called(g, op, *(a.values if isinstance(a, Ragged) else a for a in args), **kwargs)
    return Ragged(value, rows.like) if rows is not None and isinstance(value, Node) else value


opaque_row(
    "a ragged tensor",
    "ragged.range ragged.cross ragged.row_splits_to_segment_ids ragged.segment_ids_to_row_splits "
    "ragged.stack_dynamic_partitions",
)
