"""How functions of arrays register: plain Python on numbers, a cut in the graph where a tensor comes in."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

from losslint.domain.shape import SCALAR
from losslint.graph import Graph, Node, SomeOf, Unknown
from losslint.ops.axes import MISSING, REDUCTION_OF, combined, constant_of, reduced
from losslint.ops.catalogue.tf_control import structured
from losslint.ops.origins import from_tensors
from losslint.ops.registry import CATALOGUE, Expansion, api
from losslint.ops.shapevalue import Record, ShapeValue, number_of_elements

Fold = Callable[..., Any]
TENSOR_NUMPY = "tensorflow.experimental.numpy."
LOGARITHMS = {"log2": 1 / math.log(2), "log10": 1 / math.log(10)}
"""What the natural logarithm is multiplied with."""


def leaves(value: Any) -> Iterator[Any]:
    """The numbers in nested tuples."""
    for item in value if isinstance(value, tuple) else (value,):
        if isinstance(item, tuple):
            yield from leaves(item)
        else:
            yield item


def elementwise(function: Fold, *values: Any) -> Any:
    """``function`` on nested tuples of numbers, scalars repeated. Raises ValueError where lengths differ."""
    lengths = {len(v) for v in values if isinstance(v, tuple)}
    if not lengths:
        return function(*values)
    if len(lengths) > 1:
        raise ValueError("lengths differ")
    count = lengths.pop()
    spread = [v if isinstance(v, tuple) else (v,) * count for v in values]
    return tuple(elementwise(function, *items) for items in zip(*spread, strict=True))


def folded(g: Graph, function: Fold, *values: Any) -> Any:
    """``function`` of constants, as a number or a constant node; MISSING where some value is no constant."""
    constants = [constant_of(list(v) if isinstance(v, range) else v) for v in values]
    if any(c is MISSING or c is None or isinstance(c, str) for c in constants):
        return MISSING
    try:
        result = function(*constants)
    except (ArithmeticError, ValueError, TypeError, IndexError):
        return MISSING
    if isinstance(result, complex):
        return MISSING
    return g.lift(result) if isinstance(result, tuple) else result


def registered(short: str, expansion: Expansion, fold: Fold | None = None, library: str = "numpy") -> None:
    """Register ``expansion`` for arrays: ``fold`` answers for numbers; what came from a tensor has left the graph."""
    spelled = f"{'np' if library == 'numpy' else library}.{short}"

    def call(g: Graph, *args: Any, **kwargs: Any) -> Any:
        if fold is not None and not kwargs:
            result = folded(g, fold, *args)
            if result is not MISSING:
                return result
        if not from_tensors(args, kwargs):
            return expansion(g, *args, **kwargs)
        with g.library():
            result = expansion(g, *args, **kwargs)

        def leave(leaf: Any) -> Any:
            return g.op("leaves_tensorflow", leaf, how=spelled) if isinstance(leaf, Node) else leaf

        return structured(leave, result) if not isinstance(result, (Record, Unknown)) else result

    api(f"{library}.{short}")(call)
    if library == "numpy" and TENSOR_NUMPY + short not in CATALOGUE:
        api(TENSOR_NUMPY + short)(expansion)


_CHAINS = {reduction: primitive for primitive, reduction in REDUCTION_OF.items()}


def unary(primitive: str) -> Expansion:
    """``f(x)``."""

    def expansion(g: Graph, x: Any, *args: Any, **kwargs: Any) -> Node:
        return g.op(primitive, x)

    return expansion


def binary(primitive: str) -> Expansion:
    """``f(x1, x2)``."""

    def expansion(g: Graph, x1: Any, x2: Any, *args: Any, **kwargs: Any) -> Node:
        return g.op(primitive, x1, x2)

    return expansion


def scaled(primitive: str, factor: float) -> Expansion:
    """A primitive times a constant: logarithms to other bases."""

    def expansion(g: Graph, x: Any, *args: Any, **kwargs: Any) -> Node:
        return g.op("mul", g.op(primitive, x), factor)

    return expansion


def hypot(g: Graph, x1: Any, x2: Any, *args: Any, **kwargs: Any) -> Node:
    """sqrt(x^2 + y^2)."""
    return g.op("sqrt", g.op("add", g.op("square", x1), g.op("square", x2)))


def over(function: Fold) -> Fold:
    """``function`` on nested tuples."""
    return lambda *values: elementwise(function, *values)


def are_scalars(items: Any) -> bool:
    """Whether ``items`` is a list of numbers and scalars, such as extents."""
    return (
        isinstance(items, (list, tuple))
        and not isinstance(items, SomeOf)
        and len(items) > 0
        and all(isinstance(i, (int, float)) or (isinstance(i, Node) and i.shape == SCALAR) for i in items)
    )


def reduction(primitive: str) -> Expansion:
    """A reduction as NumPy spells it; of a list of extents it is a chain of products, sums ..."""

    def expansion(
        g: Graph, a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False, **kwargs: Any
    ) -> Any:
        if isinstance(a, ShapeValue) and primitive == "prod":
            return number_of_elements(g, a)
        items: Any = a.known_elements(g) if isinstance(a, ShapeValue) else a
        if axis is None and primitive in _CHAINS and are_scalars(items):
            return items[0] if len(items) == 1 else combined(g, _CHAINS[primitive], items)
        return reduced(g, primitive, items, axis, keepdims)

    return expansion


def flat(function: Fold) -> Fold:
    """``function`` on the elements of nested tuples."""
    return lambda values: function(list(leaves(values)))
