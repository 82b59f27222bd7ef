"""Methods and attributes of tensors, and of the NumPy arrays that look like them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from losslint.graph import Graph, Node, Unknown
from losslint.ops.axes import constant_of, reduced
from losslint.ops.catalogue import tf_reduce, tf_shape
from losslint.ops.catalogue.tf_math import rounded
from losslint.ops.dtypes import dtype_of
from losslint.ops.registry import METHODS, PROPERTIES, Callback, Expansion
from losslint.ops.shapevalue import ShapeValue, declared

_E = TypeVar("_E", bound=Expansion)


def method(*names: str) -> Callable[[_E], _E]:
    """Register a method of a tensor under ``names``."""

    def register(expansion: _E) -> _E:
        METHODS.update(dict.fromkeys(names, expansion))
        return expansion

    return register


def _property(name: str) -> Callable[[Expansion], Expansion]:
    def register(expansion: Expansion) -> Expansion:
        PROPERTIES[name] = expansion
        return expansion

    return register


# -- what a tensor says about itself -----------------------------------------------------------------------------------
@_property("shape")
def shape(g: Graph, x: Node) -> ShapeValue:
    """The static shape."""
    return ShapeValue(x)


@method("get_shape")
def get_shape(g: Graph, x: Node) -> ShapeValue:
    """The static shape."""
    return ShapeValue(x)


@method("set_shape")
def set_shape(g: Graph, x: Node, shape: Any) -> None:
    """From here on the tensor is known to have this shape."""
    x.shape = declared(g, x, shape)


@_property("dtype")
def dtype(g: Graph, x: Node) -> Any:
    """The data type by its name."""
    return x.dtype if x.dtype is not None else Unknown((), "a dtype that is not known")


@_property("ndim")
def ndim(g: Graph, x: Node) -> Any:
    """The number of axes."""
    rank = x.shape.rank
    return rank if rank is not None else g.op("rank_of", x)


@_property("size")
def size(g: Graph, x: Node) -> Any:
    """The number of elements of an array."""
    number = x.shape.numel.value
    return number if number is not None else g.op("size_of", x)


@_property("T")
def transposed(g: Graph, x: Node) -> Node:
    """The axes in reverse order."""
    return g.op("transpose", x, perm=None)


@_property("value")
def value(g: Graph, x: Node) -> Any:
    """The number in an extent of TensorFlow 1; a method of a variable."""
    return x if x.op == "static_dim" else Callback("value", lambda g: x, {})


@method("ndims", "rank")
def rank(g: Graph, x: Node) -> Any:
    """The number of axes."""
    return ndim(g, x)


# -- out of TensorFlow -------------------------------------------------------------------------------------------------
def _leaves(how: str) -> Expansion:
    def expansion(g: Graph, x: Node, *args: Any, **kwargs: Any) -> Node:
        return g.op("leaves_tensorflow", x, how=how)

    return expansion


for _name in ("numpy", "eval", "tolist", "item"):
    METHODS[_name] = _leaves(f".{_name}()")


# -- variables ---------------------------------------------------------------------------------------------------------
@method("read_value", "initialized_value", "to_tensor", "copy", "contiguous")
def read_value(g: Graph, x: Node, *args: Any, **kwargs: Any) -> Node:
    """The value."""
    return g.op("identity", x)


@method("assign")
def assign(g: Graph, x: Node, value: Any, *args: Any, **kwargs: Any) -> Node:
    """The new value of a variable: its gradient stops there."""
    return g.op("stop_gradient", value)


@method("assign_add")
def assign_add(g: Graph, x: Node, delta: Any, *args: Any, **kwargs: Any) -> Node:
    """The variable plus something."""
    return g.op("add", x, g.op("stop_gradient", delta))


@method("assign_sub")
def assign_sub(g: Graph, x: Node, delta: Any, *args: Any, **kwargs: Any) -> Node:
    """The variable minus something."""
    return g.op("sub", x, g.op("stop_gradient", delta))


# -- as NumPy arrays spell it ------------------------------------------------------------------------------------------
def _reduction(primitive: str) -> Expansion:
    def expansion(
        g: Graph, x: Node, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False, **kwargs: Any
    ) -> Node:
        return reduced(g, primitive, x, axis, keepdims)

    return expansion


for _name in ["sum", "mean", "prod", "max", "min", "std", "var", "any", "all", "argmax", "argmin"]:
    METHODS[_name] = _reduction(_name)


@method("astype")
def astype(g: Graph, x: Node, dtype: Any, *args: Any, **kwargs: Any) -> Node:
    """Another data type."""
    return g.op("cast", x, dtype=dtype_of(dtype))


@method("reshape")
def reshape(g: Graph, x: Node, *shape: Any, **kwargs: Any) -> Node:
    """Another shape, given as one argument or as several."""
    return tf_shape.reshape(g, x, shape[0] if len(shape) == 1 else list(shape))


@method("flatten", "ravel")
def flatten(g: Graph, x: Node, *args: Any, **kwargs: Any) -> Node:
    """One row."""
    return tf_shape.reshape(g, x, [-1])


@method("transpose")
def transpose(g: Graph, x: Node, *axes: Any) -> Node:
    """The axes in another order."""
    order = None if not axes else axes[0] if len(axes) == 1 else axes
    return tf_shape.transpose(g, x, order)


@method("squeeze")
def squeeze(g: Graph, x: Node, axis: Any = None) -> Node:
    """Without the axes of length 1."""
    return tf_shape.squeeze(g, x, axis)


@method("repeat")
def repeat(g: Graph, x: Node, repeats: Any, axis: Any = None) -> Node:
    """Every element repeated."""
    return tf_shape.repeat(g, x, repeats, axis)


@method("clip")
def clip(g: Graph, x: Node, min: Any = None, max: Any = None, **kwargs: Any) -> Node:
    """Within bounds."""
    result = x if min is None else g.op("maximum", x, min)
    return result if max is None else g.op("minimum", result, max)


@method("round")
def round_(g: Graph, x: Node, decimals: Any = 0, out: Any = None) -> Node:
    """Rounded to a number of decimals."""
    return rounded(g, x, decimals)


@method("dot")
def dot(g: Graph, x: Node, other: Any) -> Node:
    """The matrix product."""
    return g.op("matmul", x, other, transpose_a=False, transpose_b=False)


@method("cumsum")
def cumsum(g: Graph, x: Node, axis: Any = None) -> Node:
    """Running sums."""
    if constant_of(axis) is None:
        x, axis = tf_shape.reshape(g, x, [-1]), 0
    result: Node = tf_reduce.cumulative("cumsum")(g, x, axis)
    return result
