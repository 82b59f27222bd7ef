"""Extents as values: what the Python or integer values that reach ``reshape``, ``zeros`` or a slice say about a shape.

``tf.shape(x)[0]`` is a scalar node whose value is the extent of an axis. Such nodes carry that extent as attribute
``dim``; nodes whose value is a whole shape (``tf.shape(x)``) carry it as attribute ``shape``.
"""

from __future__ import annotations

import math
from typing import Any

from losslint.domain.shape import SCALAR, Dim, Shape, product
from losslint.graph import Node

MAKERS = frozenset({"zeros", "ones", "fill", "random", "model", "opaque", "batch_statistics", "scatter", "broadcast_to"})
"""Primitives whose attribute ``shape`` is the shape of their result, not a shape that they hold as their value."""


def constant(value: Any) -> Any:
    """``value`` as a Python number or nested tuple where it is known, else None."""
    if isinstance(value, Node):
        if value.op == "const":
            return value.attrs.get("value")
        if value.op in ("identity", "cast", "stop_gradient") and value.inputs:
            return constant(value.inputs[0])
        if value.op == "range":
            bounds = [constant(n) for n in value.inputs]
            if bounds and all(isinstance(b, int) for b in bounds):
                return tuple(range(*bounds)) if len(range(*bounds)) <= 64 else None
        if value.op == "stack" and value.shape.rank == 1:
            return _all(tuple(constant(n) for n in value.inputs))
        return None
    if isinstance(value, (list, tuple)):
        return _all(tuple(constant(v) for v in value))
    return value if isinstance(value, (bool, int, float)) else None


def _all(values: tuple[Any, ...]) -> tuple[Any, ...] | None:
    return None if any(v is None for v in values) else values


def integer(value: Any) -> int | None:
    """``value`` as a Python integer where it is known to be one."""
    known = constant(value)
    return known if isinstance(known, int) and not isinstance(known, bool) else None


def extent_of(value: Any) -> Dim | None:
    """The extent that a number, a ``Dim`` or a scalar node stands for; None where it is unknown or negative."""
    if isinstance(value, Dim):
        return value
    if isinstance(value, Node) and isinstance(value.attrs.get("dim"), Dim):
        held: Dim = value.attrs["dim"]
        return held
    number = integer(value)
    if number is None:
        known = constant(value)
        number = int(known) if isinstance(known, float) and math.isfinite(known) and known == int(known) else None
    return Dim(number) if number is not None and number >= 0 else None


def held_shape(node: Any) -> Shape | None:
    """The shape that is the *value* of a node (``tf.shape(x)``), None where there is none or it is unknown."""
    if isinstance(node, Shape):
        return node
    if not isinstance(node, Node):
        return None
    shape = node.attrs.get("shape")
    return shape if isinstance(shape, Shape) and node.op not in MAKERS else None


def axes_of(value: Any) -> tuple[int, ...] | None:
    """An axis argument as a tuple. Raises ValueError where it is not known; None stays None (all axes)."""
    if value is None:
        return None
    known = constant(value)
    if isinstance(known, int) and not isinstance(known, bool):
        return (known,)
    if isinstance(known, tuple) and all(isinstance(a, int) for a in known):
        return known
    raise ValueError("unknown axis")


def requested(value: Any) -> Shape | None:
    """The shape asked for by ``zeros``, ``broadcast_to`` ...: a list of extents, a shape, or a node that holds one."""
    shape = held_shape(value)
    if shape is not None:
        return shape
    dims = _entries(value)
    return None if dims is None else Shape(tuple(extent_of(d) or Dim.unknown() for d in dims))


def _entries(value: Any) -> list[Any] | None:
    """The entries of a list of extents, however it was written."""
    if isinstance(value, (list, tuple)):
        return list(value)
    if isinstance(value, Node) and value.op == "stack" and value.shape.rank == 1:
        return list(value.inputs)
    known = constant(value)
    if isinstance(known, tuple):
        return list(known)
    if isinstance(value, (int, Dim)) or (isinstance(value, Node) and value.shape == SCALAR):
        return [value]
    return None


def reshaped(shape: Shape, value: Any) -> Shape:
    """The shape of ``reshape(x, value)`` for an x of ``shape``; at most one extent may be -1 or unknown."""
    target = held_shape(value)
    entries = None if target is not None else _entries(value)
    if target is None and entries is None:
        return Shape.unknown()
    if entries is None:
        assert target is not None
        return target
    dims = [None if integer(e) == -1 else extent_of(e) for e in entries]
    holes = [i for i, d in enumerate(dims) if d is None]
    if len(holes) == 1:
        dims[holes[0]] = _hole(shape.numel, product([d for d in dims if d is not None]))
    result = Shape(tuple(d or Dim.unknown() for d in dims))
    if not holes and shape.numel.batch and result.numel.batch == 0:
        # all extents are numbers although the batch is among them: a batch size is written out
        return Shape((Dim.unknown(), *result.head[1:]))
    return result


def _hole(total: Dim, others: Dim) -> Dim:
    """The extent that makes ``others`` up to ``total`` elements."""
    quotient = total.divided_by(others)
    if quotient is not None:
        return quotient
    if total.batch is None or others.batch is None:
        return Dim.unknown()
    return Dim.fresh(total.batch - others.batch)
