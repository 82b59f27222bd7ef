"""Extents as values: what the Python or integer values that reach ``reshape``, ``zeros`` or a slice say about a shape.

``tf.shape(x)[0]`` is a scalar node whose value is the extent of an axis. Such nodes carry that extent as attribute
``dim``; nodes whose value is a whole shape (``tf.shape(x)``) carry it as attribute ``shape``.
"""

from __future__ import annotations

import math
import re
from typing import Any

from losslint.domain.shape import SCALAR, Dim, Shape, product
from losslint.graph import Node, SomeOf
from losslint.ops import linear

MAKERS = frozenset(
    {"zeros", "ones", "fill", "random", "model", "opaque", "batch_statistics", "scatter", "broadcast_to"}
)
"""Primitives whose attribute ``shape`` is the shape of their result, not a shape that they hold as their value."""


HOLE = Dim.of("?-1")
"""What -1 stands for in a shape that is asked for: the extent that the number of elements leaves."""
_AXES = 16
"""Extents that anybody writes as a vector of one number."""

_BATCH_SIZE = re.compile(r"(?:^|_)(?:batch_?si?ze?|bs|batch|n_?batch|batch_?(?:len|length|count|num))$", re.IGNORECASE)
_COUNT = re.compile(
    r"(?:num|n|nb|total|sum)_(?:samples|examples|episodes|instances|pos\w*|neg\w*|valid\w*|box\w*|obj\w*|pixels|tokens"
    r"|elements|rows|items|pairs|points|targets|match\w*|edges|graphs|sequences|images|weights?)$|normali[sz]ers?$|avg_factor$"
)
"""Arguments that say how much of the batch counts: they may well grow with it."""
_ARITHMETIC = frozenset(
    ["add", "sub", "mul", "div", "floordiv", "mod", "neg", "cast", "identity", "maximum", "minimum", "rank_of"]
)


def names_batch_size(name: str) -> bool:
    """Whether a name says that it holds a batch size: ``BATCH_SIZE``, ``self.batch_size``, ``bs``."""
    return _BATCH_SIZE.search(name.rpartition(".")[2]) is not None


def names_count(name: str) -> bool:
    """Whether a name says how much of a batch counts: ``num_boxes``, ``normalizer``."""
    return _COUNT.match(name) is not None


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
        if value.op == "stack" and value.shape.rank == 1 and not value.attrs.get("open"):
            return _all(tuple(constant(n) for n in value.inputs))
        return None
    if isinstance(value, (list, tuple)):
        return None if isinstance(value, SomeOf) else _all(tuple(constant(v) for v in value))
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


def batch_free(value: Any) -> bool:
    """Whether a number does not change with the batch: computed from constants, hyper-parameters, other extents."""
    if not isinstance(value, Node):
        return isinstance(value, (int, float)) or (isinstance(value, Dim) and value.batch == 0)
    todo = [value]
    for _ in range(32):  # expressions for lengths are short
        if not todo:
            return True
        node = todo.pop()
        held = node.attrs.get("dim")
        if isinstance(held, Dim) and held.batch == 0:
            continue
        if (
            node.op == "source"
            and node.attrs.get("role") == "config"
            and not names_batch_size(str(node.attrs.get("name")))
        ):
            continue
        if node.op in _ARITHMETIC and held is None:
            todo.extend(node.inputs if node.op != "rank_of" else ())
        elif node.op != "const":
            return False
    return False


def length(value: Any) -> Dim:
    """The extent that ``value`` stands for, a fresh one where it is unknown."""
    if integer(value) == -1:
        return HOLE
    return extent_of(value) or Dim.fresh(0 if batch_free(value) else None)


def held_shape(node: Any) -> Shape | None:
    """The shape that is the *value* of a node (``tf.shape(x)``), None where there is none or it is unknown."""
    if isinstance(node, Shape):
        return node
    if not isinstance(node, Node):
        return None
    shape = node.attrs.get("shape")
    return shape if isinstance(shape, Shape) and node.op not in MAKERS else None


def axis_length(shape: Shape, axis: int) -> Dim | None:
    """The extent of an axis; a fresh one for an unlisted axis of (B, ...), which is not the batch."""
    dim = shape.axis(axis)
    free = shape.rest is not None and not shape.rest.startswith("?")
    return Dim.fresh() if dim is None and free and axis and shape.head else dim


def from_weights(nodes: list[Node]) -> set[int]:
    """The ids of nodes computed from trainable variables and constants alone: no extent of theirs is the batch."""
    found: set[int] = set()
    for node in nodes:
        if node.op == "source":
            inside = node.attrs.get("role") == "variable"
        else:
            inside = bool(node.inputs) and all(n.id in found or n.op == "const" for n in node.inputs)
        if inside and not node.shape.numel.batch:  # constants scattered into a tensor of the batch's shape are none
            found.add(node.id)
    return found


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
    return None if dims is None else Shape(tuple(map(length, dims)))


def _entries(value: Any) -> list[Any] | None:
    """The entries of a list of extents, however it was written."""
    if isinstance(value, (list, tuple)):
        return None if isinstance(value, SomeOf) else list(value)
    if isinstance(value, Node) and value.op == "stack" and value.shape.rank == 1 and not value.attrs.get("open"):
        return list(value.inputs)
    known = constant(value)
    if isinstance(known, tuple):
        return list(known)
    if isinstance(value, Node) and value.shape.rank == 1:
        count, number = value.shape.head[0].value, linear.constant(value)  # -tf.ones([1], tf.int32)
        if count is None or count > _AXES or number is None or not math.isfinite(number) or number % 1:
            return None
        return [int(number)] * count
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
        return _filled(target, shape.numel)
    dims = [None if integer(e) == -1 else extent_of(e) for e in entries]
    holes = [i for i, d in enumerate(dims) if d is None]
    if len(holes) > 1:  # the one that is written as -1 is the one that is left open
        dims = [d or (None if integer(e) == -1 else length(e)) for d, e in zip(dims, entries, strict=True)]
        holes = [i for i, d in enumerate(dims) if d is None]
    if len(holes) == 1:
        dims[holes[0]] = _hole(shape.numel, product([d for d in dims if d is not None]))
    result = Shape(tuple(d or length(e) for d, e in zip(dims, entries, strict=True)))
    if not holes and shape.numel.batch and result.numel.batch == 0:
        # all extents are numbers although the batch is among them: a batch size is written out
        return Shape((Dim.unknown(), *result.head[1:]))
    return result


def _filled(target: Shape, total: Dim) -> Shape:
    """``target`` with the extent that makes up ``total`` elements in the place of its -1."""
    if HOLE not in target.head + target.tail:
        return target
    head, tail = (tuple(d for d in part if d != HOLE) for part in (target.head, target.tail))
    missing = _hole(total, Shape(head, target.rest, tail).numel)
    head, tail = (tuple(missing if d == HOLE else d for d in part) for part in (target.head, target.tail))
    return Shape(head, target.rest, tail)


def _hole(total: Dim, others: Dim) -> Dim:
    """The extent that makes ``others`` up to ``total`` elements."""
    quotient = total.divided_by(others)
    if quotient is not None:
        return quotient
    if total.batch is None or others.batch is None:
        return Dim.unknown()
    grows = total.batch - others.batch
    if grows > 0 and all(name == "B" for dim in (total, others) for name, _ in dim.symbols if name.startswith("B")):
        return Dim(1, (("B", grows),)) * Dim.fresh()  # so many for each sample, whatever the samples hold
    return Dim.fresh(grows)
