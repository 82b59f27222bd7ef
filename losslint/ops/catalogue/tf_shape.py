"""What a tensor is, and the same elements in another shape."""

from __future__ import annotations

from typing import Any

from losslint.graph import Graph, Node
from losslint.ops.axes import (
    UnknownAxis,
    axes_of,
    axis_of,
    batched,
    unknown,
)
from losslint.ops.dtypes import dtype_of
from losslint.ops.registry import api
from losslint.ops.shapevalue import declared, shape_node


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
