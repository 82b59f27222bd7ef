"""Python values that tensors hand out and that are no tensors: the static shape, a named tuple of results."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from losslint.domain.shape import SCALAR, Shape
from losslint.graph import Graph, Node, SomeOf, Unknown
from losslint.ops.axes import MISSING, constant_of
from losslint.ops.registry import Callback

NO_SUCH_AXIS = "an axis that the tensor does not have"


@dataclass(frozen=True, slots=True)
class ShapeValue:
    """``x.shape``, or a part of it: the axes from ``start`` to ``stop`` (None: to the end) as Python slices count."""

    node: Node
    start: int = 0
    stop: int | None = None
    primitive: str = "static_dim"  # what an extent that is no number becomes; "dynamic_dim" for ``keras.ops.shape``

    @property
    def deps(self) -> tuple[Node, ...]:
        """The tensor whose shape this is."""
        return (self.node,)

    @property
    def rank(self) -> int | None:
        """How many extents there are, None where that is unknown."""
        axes = self._axes()
        return None if axes is None else len(axes)

    def __len__(self) -> int:
        """The number of extents. Raises TypeError where it is unknown."""
        rank = self.rank
        if rank is None:
            raise TypeError("unknown rank")
        return rank

    def _axes(self) -> range | None:
        rank = self.node.shape.rank
        return None if rank is None else range(rank)[self.start : self.stop]

    def dim(self, g: Graph, index: int) -> Any:
        """The extent at ``index``: an int where it is a number, else a node; Unknown where there is no such axis."""
        axes = self._axes()
        if axes is not None:
            if not -len(axes) <= index < len(axes):
                g.opaque((), NO_SUCH_AXIS)
                return Unknown((self.node,), NO_SUCH_AXIS)
            axis = axes[index]
        else:
            end = self.stop or 0
            if index < 0 < end:  # there may be fewer axes than that
                return Unknown((self.node,), "an axis that cannot be told")
            axis = index + (self.start if index >= 0 else end)
        extent = self.node.shape.axis(axis)
        if extent is not None and extent.value is not None:
            return extent.value
        return g.op(self.primitive, self.node, axis=axis)

    def known_elements(self, g: Graph) -> list[Any] | None:
        """Every extent, None where their number is unknown."""
        rank = self.rank
        return None if rank is None else [self.dim(g, i) for i in range(rank)]

    def getitem(self, g: Graph, key: Any) -> Any:
        """``x.shape[key]``."""
        if isinstance(key, slice):
            return self._part(g, key)
        index = constant_of(key)
        if isinstance(index, int):
            return self.dim(g, index)
        return Unknown((self.node,), "an axis that is not known")

    def _part(self, g: Graph, key: slice) -> Any:
        start, stop, step = (constant_of(v) for v in (key.start, key.stop, key.step))
        if MISSING in (start, stop, step):
            return Unknown((self.node,), "a part of a shape that is not known")
        if self.rank is not None:  # the extents that are left out are not asked for
            return [self.dim(g, i) for i in range(self.rank)[start:stop:step]]
        start = start or 0
        if step not in (None, 1) or self.stop is not None or start < 0:
            return Unknown((self.node,), "a part of a shape of unknown rank")
        if stop is not None and stop >= 0 and self.node.shape.min_rank >= self.start + stop:
            return [self.dim(g, i) for i in range(start, stop)]
        end = stop if stop is None or stop < 0 else self.start + stop
        return ShapeValue(self.node, self.start + start, end, self.primitive)

    def attribute(self, g: Graph, name: str) -> Any:
        """``x.shape.name``."""
        if name in ("ndims", "rank"):
            return self.rank if self.rank is not None else g.op("rank_of", self.node)
        if name == "as_list":
            return Callback("as_list", lambda g: self._list(g), {})
        if name == "dims":
            return self._list(g)
        if name == "num_elements":
            return Callback("num_elements", lambda g: number_of_elements(g, self), {})
        if name in ("is_fully_defined", "is_compatible_with", "assert_is_compatible_with", "assert_has_rank"):
            return Callback(name, lambda g, *args: Unknown((), "a question about a shape"), {})
        if name in ("with_rank", "with_rank_at_least", "merge_with"):
            return Callback(name, lambda g, *args: self, {})
        if name == "concatenate":
            return Callback(name, lambda g, other: _joined(g, self, other), {})
        return Unknown((self.node,), f"attribute {name} of a shape")

    def _list(self, g: Graph) -> Any:
        known = self.known_elements(g)
        for extent in known or ():
            if isinstance(extent, Node):
                extent.attrs["listed"] = True
        return known if known is not None else self

    def as_node(self, g: Graph) -> Node:
        """The shape as a tensor, as a library function sees it when it is handed over."""
        known = self.known_elements(g)
        if known is not None:
            return g.lift(known) if known else g.op("shape_of", g.lift(0))
        whole = g.op("shape_of", self.node)
        return (
            whole if not self.start and self.stop is None else g.op("index", whole, key=(slice(self.start, self.stop),))
        )


@dataclass(frozen=True, slots=True)
class Record:
    """A named tuple: what ``tf.nn.top_k`` or ``tf.linalg.svd`` return."""

    names: tuple[str, ...]
    values: tuple[Any, ...]

    @property
    def deps(self) -> tuple[Node, ...]:
        """The tensors inside."""
        return tuple(v for v in self.values if isinstance(v, Node))

    def known_elements(self, g: Graph) -> list[Any]:
        """The values, to unpack."""
        return list(self.values)

    def getitem(self, g: Graph, key: Any) -> Any:
        """The value at a position."""
        index = constant_of(key) if not isinstance(key, slice) else MISSING
        if isinstance(index, int) and -len(self.values) <= index < len(self.values):
            return self.values[index]
        return Unknown(self.deps, "an element of a named tuple")

    def _replaced(self, g: Graph, **values: Any) -> Record:
        changed = [values.get(name, value) for name, value in zip(self.names, self.values, strict=True)]
        return Record(self.names, tuple(changed))

    def attribute(self, g: Graph, name: str) -> Any:
        """The value of a name, or a method."""
        if name == "_replace":
            return Callback(name, self._replaced, {})
        if name == "_asdict":
            return Callback(name, lambda g: dict(zip(self.names, self.values, strict=True)), {})
        return self.values[self.names.index(name)] if name in self.names else Unknown(self.deps, f"attribute {name}")


def number_of_elements(g: Graph, shape: ShapeValue) -> Any:
    """``np.prod(x.shape[a:b])``: how many elements these axes hold."""
    known = shape.known_elements(g)
    if known is not None:
        return product(g, known)
    if shape.stop is not None:
        return Unknown(shape.deps, "the extents of axes that are not known")
    total = g.op("size_of", shape.node)
    for axis in range(shape.start):
        total = g.op("floordiv", total, g.op("static_dim", shape.node, axis=axis))
    return total


def product(g: Graph, extents: Sequence[Any]) -> Any:
    """The product of extents, each a number or a node."""
    total: Any = 1
    for extent in extents:
        number = isinstance(total, int) and isinstance(extent, int)
        total = (
            total * extent
            if number
            else extent
            if isinstance(total, int) and total == 1
            else g.op("mul", total, extent)
        )
    return total


def _joined(g: Graph, *shapes: Any) -> Any:
    """One shape after the other, each a shape or a list of extents."""
    joined: list[Any] = []
    for shape in shapes:
        extents = shape.known_elements(g) if isinstance(shape, ShapeValue) else shape
        if not isinstance(extents, (list, tuple)) or isinstance(extents, SomeOf):
            return Unknown(tuple(s.node for s in shapes if isinstance(s, ShapeValue)), "a shape")
        joined += extents
    return joined


OF_EXTENTS: dict[str, Callable[..., Any]] = {
    "as_list": lambda g, extents: list(extents),
    "num_elements": product,
    "concatenate": lambda g, extents, other: _joined(g, extents, other),
}
"""What a part of a shape, which is a list here, can do and a Python list cannot."""


def shape_node(g: Graph, value: Any) -> Node:
    """A ``shape=`` argument as a node: a list of extents (None is -1), a tensor, or the shape of another tensor."""
    if isinstance(value, ShapeValue):
        return value.as_node(g)
    if isinstance(value, (list, tuple)):
        if not value:
            return g.op("shape_of", g.lift(0))
        return g.lift(type(value)(-1 if item is None else item for item in value))
    return g.lift([value] if isinstance(value, int) else value)


def shape_argument(g: Graph, value: Any) -> Any:
    """A ``shape=`` argument for the primitives that take it as an attribute: ``zeros``, ``fill``, ``random``."""
    if isinstance(value, ShapeValue):
        return value.as_node(g)
    if isinstance(value, SomeOf):
        return g.lift(value)
    if isinstance(value, (list, tuple)):
        return tuple(value) if value else SCALAR
    return (value,) if isinstance(value, int) else value


def declared(g: Graph, x: Node, value: Any) -> Shape:
    """The shape of ``x`` after ``set_shape(value)``: numbers win, None leaves what is known."""
    if not isinstance(value, (list, tuple)) or isinstance(value, SomeOf):
        return value.node.shape if isinstance(value, ShapeValue) and not value.start and value.stop is None else x.shape
    dims = []
    rank = x.shape.rank
    for i, item in enumerate(value):
        known = x.shape.axis(i) or (x.shape.axis(i - len(value)) if rank is None else None)
        number = constant_of(item)
        if isinstance(number, int) and number >= 0:
            known = Shape.of(number).head[0]
        elif isinstance(item, Node) and "dim" in item.attrs:
            known = item.attrs["dim"]
        dims.append(known or Shape.unknown().numel)
    return Shape(tuple(dims))
