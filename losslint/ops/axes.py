"""Arguments as the catalogue needs them: axes as tuples of integers, constants as Python values, tensors inside."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol, cast

from losslint.domain.shape import Dim, Shape
from losslint.graph import Graph, Node, SomeOf, Unknown
from losslint.ops.registry import Callback, Expansion, api


@dataclass(frozen=True, slots=True)
class AllButFirst:
    """``range(1, ndims)`` of a tensor whose number of axes is unknown: every axis but the first."""

    deps: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True)
class AllButLast:
    """``range(ndims - 1)`` of a tensor whose number of axes is unknown: every axis but the last."""

    deps: tuple[Node, ...] = ()


class UnknownAxis(Exception):
    """The axis cannot be told; what is computed along it stays unknown."""


class _Missing:
    """No constant: see ``constant_of``."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Any = _Missing()


def constant_of(value: Any) -> Any:
    """``value`` as a Python number, bool, string, None or nested tuple; MISSING where it is none that is known."""
    if value is None or isinstance(value, (int, float, str, bytes)):
        return value
    if isinstance(value, Node):
        if value.op == "const":
            return value.attrs["value"]
        if value.op in ("identity", "stop_gradient"):
            return constant_of(value.inputs[0])
        if value.op == "cast" and not str(value.attrs.get("dtype")).startswith(("int", "uint", "bool")):
            return constant_of(value.inputs[0])
        if value.op == "neg":
            inner = constant_of(value.inputs[0])
            return -inner if isinstance(inner, (int, float)) else MISSING
        return MISSING
    if isinstance(value, (list, tuple, range)) and not isinstance(value, SomeOf):
        items = tuple(constant_of(item) for item in value)
        return MISSING if any(item is MISSING for item in items) else items
    return MISSING


def flag(value: Any, default: bool = False) -> bool:
    """A boolean option; ``default`` where it is None or unknown."""
    constant = constant_of(value)
    return default if constant is MISSING or constant is None else bool(constant)


def axes_of(value: Any) -> tuple[int, ...] | AllButFirst | AllButLast | None:
    """An ``axis=`` argument as a tuple of integers, None for all axes. Raises UnknownAxis."""
    if value is None or isinstance(value, (AllButFirst, AllButLast)):
        return value
    if isinstance(value, Node) and value.op == "range" and len(value.inputs) > 1 and constant_of(value.inputs[0]) == 1:
        return AllButFirst()  # tf.range(1, tf.rank(x))
    constant = constant_of(value)
    if constant is None:
        return None
    if isinstance(constant, (int, float)) and not isinstance(constant, bool) and constant == int(constant):
        return (int(constant),)
    if isinstance(constant, tuple) and all(isinstance(item, int) for item in constant):
        return constant
    if isinstance(value, (list, tuple)) and len(value) == 1:
        return axes_of(value[0])
    raise UnknownAxis


def axis_of(value: Any, default: int) -> int:
    """An ``axis=`` argument that names one axis. Raises UnknownAxis."""
    axes = axes_of(value)
    if axes is None:
        return default
    if isinstance(axes, (AllButFirst, AllButLast)) or len(axes) != 1:
        raise UnknownAxis
    return axes[0]


def nodes_in(*values: Any) -> Iterator[Node]:
    """Every node that ``values`` may depend on."""
    for value in values:
        if isinstance(value, Node):
            yield value
        elif isinstance(value, (list, tuple, set)):
            yield from nodes_in(*value)
        elif isinstance(value, dict):
            yield from nodes_in(*value.values())
        elif isinstance(value, slice):
            yield from nodes_in(value.start, value.stop, value.step)
        else:
            deps = getattr(value, "deps", ())
            yield from deps() if callable(deps) else deps


def unknown(g: Graph, why: str, *values: Any, shape: Shape | None = None) -> Node:
    """Something unknown computed from ``values``."""
    return g.opaque(nodes_in(*values), why, shape)


def reduced(g: Graph, op: str, x: Any, axis: Any = None, keepdims: Any = False, **attrs: Any) -> Node:
    """The reduction ``op`` of ``x``, with the arguments as the user gave them."""
    node = g.lift(x)
    keep = constant_of(keepdims)
    try:
        axes = axes_of(axis)
    except UnknownAxis:
        return unknown(g, f"{op} over an axis that is not known", node, axis)
    if keep is MISSING and axes is not None:
        return unknown(g, f"{op} with keepdims that is not known", node, keepdims)
    if isinstance(axes, AllButFirst):
        node, axes = _rows(g, node, bool(keep))
    elif isinstance(axes, AllButLast):
        node, axes = _columns(g, node, bool(keep))
    return g.op(op, node, axis=axes, keepdims=bool(keep) if keep is not MISSING else False, **attrs)


def _rows(g: Graph, x: Node, keepdims: bool) -> tuple[Node, tuple[int, ...]]:
    """``x`` such that reducing the axes given with it leaves only the first axis of ``x``."""
    rank = x.shape.rank
    if rank is not None:
        return x, tuple(range(1, rank))
    if keepdims or x.shape.axis(0) is None:
        return x, (1, 2, 3)
    with g.library():
        first = g.op("static_dim", x, axis=0)
        return g.op("reshape", x, g.op("stack", first, -1, axis=0)), (1,)


def _columns(g: Graph, x: Node, keepdims: bool) -> tuple[Node, tuple[int, ...]]:
    """``x`` such that reducing the axes given with it leaves only the last axis of ``x``."""
    rank = x.shape.rank
    if rank is not None:
        return x, tuple(range(rank - 1))
    if keepdims or x.shape.axis(-1) is None:
        return x, (0, 1, 2)
    with g.library():
        last = g.op("static_dim", x, axis=-1)
        return g.op("reshape", x, g.op("stack", -1, last, axis=0)), (0,)


def along(g: Graph, op: str, x: Any, axis: Any, default: int = -1, **attrs: Any) -> Node:
    """``op`` along one axis of ``x``, which keeps its shape."""
    node = g.lift(x)
    try:
        return g.op(op, node, axis=(axis_of(axis, default),), **attrs)
    except UnknownAxis:
        return unknown(g, f"{op} along an axis that is not known", node, axis, shape=node.shape)


class _Caller(Protocol):
    def call(self, function: Any, *args: Any, **kwargs: Any) -> Any:
        """Run a callable of the user's."""


def called(g: Graph, function: Any, *args: Any, **kwargs: Any) -> Any:
    """What ``function``, a Python callable given to a library function, returns for ``args``."""
    if isinstance(function, Callback):
        return function.call(g, *args, **kwargs)
    if hasattr(g, "call"):
        return cast(_Caller, g).call(function, *args, **kwargs)
    return Unknown(tuple(nodes_in(args, kwargs)), "a function that is not known")


def batched(node: Node, shape: Shape, dtype: str | None = None) -> Node:
    """``node`` with the shape that the library documents for it, where the primitive's rule cannot know it."""
    node.shape = shape
    node.dtype = dtype or node.dtype
    return node


def sized(shape: Shape, axis: int, size: Dim | None) -> Shape:
    """``shape`` with the extent of ``axis`` replaced (None: by one that is unknown)."""
    size = size if size is not None else Dim.unknown()
    if shape.rank is not None:
        if not -shape.rank <= axis < shape.rank:
            return Shape.unknown()
        axis %= shape.rank
        return Shape(tuple(size if i == axis else d for i, d in enumerate(shape.head)))
    if axis < 0 and -axis <= len(shape.tail):
        at = len(shape.tail) + axis
        return Shape(shape.head, shape.rest, tuple(size if i == at else d for i, d in enumerate(shape.tail)))
    if 0 <= axis < len(shape.head):
        return Shape(tuple(size if i == axis else d for i, d in enumerate(shape.head)), shape.rest, shape.tail)
    return Shape(shape.head, Shape.unknown().rest, ())


REDUCTION_OF = {"add": "sum", "mul": "prod", "maximum": "max", "minimum": "min"}
"""Primitive -> the reduction that puts all elements together with it."""


def combined(g: Graph, primitive: str, items: Any) -> Node:
    """A list of tensors put together with ``primitive``; raises KeyError where any number of them cannot be."""
    if isinstance(items, SomeOf):
        return g.op(REDUCTION_OF[primitive], items, axis=(0,), keepdims=False)
    total = g.lift(items[0])
    for item in items[1:]:
        total = g.op(primitive, total, item)
    return total


def row(names: str, build: Callable[..., Any]) -> None:
    """Register ``build`` under every name in ``names``, which are written without their package."""
    api(*(f"tensorflow.{name}" for name in names.split()))(build)


def opaque_row(why: str, names: str) -> None:
    """Register functions whose result is unknown but depends on all of their arguments."""

    def expansion(g: Graph, *args: Any, **kwargs: Any) -> Node:
        return unknown(g, why, args, kwargs)

    row(names, expansion)


__all__ = [
    "MISSING",
    "REDUCTION_OF",
    "AllButFirst",
    "AllButLast",
    "Expansion",
    "UnknownAxis",
    "along",
    "axes_of",
    "axis_of",
    "batched",
    "called",
    "combined",
    "constant_of",
    "flag",
    "nodes_in",
    "opaque_row",
    "reduced",
    "row",
    "sized",
    "unknown",
]
