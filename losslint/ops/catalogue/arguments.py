"""How functions register that several modules of a library share, and the simplest by the names of their arguments."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from losslint.domain.shape import Dim, Shape
from losslint.graph import Graph, Node, Unknown
from losslint.ops.axes import batched, called, nodes_in, reduced, sized, unknown
from losslint.ops.extents import extent_of
from losslint.ops.registry import CATALOGUE, Callback, Expansion, api


def under(prefixes: str, names: str, expansion: Expansion) -> None:
    """Register ``expansion`` under every name in every module, both written with spaces between."""
    api(*(f"{prefix}.{name}" for prefix in prefixes.split() for name in names.split()))(expansion)


def table(prefixes: str, expansions: Mapping[str, Expansion]) -> None:
    """Register each of ``expansions``, whose keys are names with spaces between, in every module."""
    for names, expansion in expansions.items():
        under(prefixes, names, expansion)


def of_x(primitive: str) -> Callable[..., Node]:
    """``f(x)``."""

    def expansion(g: Graph, x: Any) -> Node:
        return g.op(primitive, x)

    return expansion


def of_x_and_y(primitive: str) -> Callable[..., Node]:
    """``f(x, y)``."""

    def expansion(g: Graph, x: Any, y: Any) -> Node:
        return g.op(primitive, x, y)

    return expansion


def of_x1_and_x2(primitive: str) -> Callable[..., Node]:
    """``f(x1, x2)``."""

    def expansion(g: Graph, x1: Any, x2: Any) -> Node:
        return g.op(primitive, x1, x2)

    return expansion


def over_axis(primitive: str) -> Callable[..., Node]:
    """``f(x, axis=None, keepdims=False)``."""

    def expansion(g: Graph, x: Any, axis: Any = None, keepdims: Any = False) -> Node:
        return reduced(g, primitive, x, axis, keepdims)

    return expansion


def smooth_of_x(label: str, low: float, high: float) -> Callable[..., Node]:
    """A differentiable elementwise ``f(x)`` that is no primitive, by its range."""

    def expansion(g: Graph, x: Any) -> Node:
        return g.op("smooth", x, low=low, high=high, api=label)

    return expansion


def opaque_of_all(why: str) -> Callable[..., Node]:
    """A function whose result is unknown but depends on all of its arguments."""

    def expansion(g: Graph, *args: Any, **kwargs: Any) -> Node:
        return unknown(g, why, args, kwargs)

    return expansion


def opaque_with_last(g: Graph, x: Node, why: str, *values: Any) -> Node:
    """Something unknown shaped as ``x``."""
    return unknown(g, why, x, *values, shape=x.shape)


def samplewise(g: Graph, label: str, shape: Shape, *values: Any, low: Any = None, high: Any = None) -> Node:
    """``label``, a differentiable function of ``values`` that treats every sample of a batch by itself."""
    return _computed(g, "samplewise", label, shape, values, low, high)


def contrast(g: Graph, label: str, shape: Shape, *values: Any, low: Any = None, high: Any = None) -> Node:
    """``label``, a differentiable function of ``values`` that compares the samples of a batch with one another."""
    return _computed(g, "contrast", label, shape, values, low, high)


def _computed(g: Graph, primitive: str, label: str, shape: Shape, values: Any, low: Any, high: Any) -> Node:
    inputs = tuple(dict.fromkeys(nodes_in(*values))) or (g.lift(0.0),)
    return batched(g.op(primitive, *inputs, low=low, high=high, api=label), shape, "float32")


def nothing(g: Graph, *args: Any, **kwargs: Any) -> None:
    """Runs for what it does; there is no value."""


def undecided(why: str) -> Callable[..., Unknown]:
    """A value that the source does not tell, and that is no tensor."""

    def expansion(g: Graph, *args: Any, **kwargs: Any) -> Unknown:
        return Unknown(tuple(nodes_in(args, kwargs)), why)

    return expansion


def decorator(name: str) -> Callable[..., Callback]:
    """``@name(...)``, which leaves the function as it is."""

    def expansion(g: Graph, *args: Any, **kwargs: Any) -> Any:
        if len(args) == 1 and not kwargs and not isinstance(args[0], (str, type(None))):
            return args[0]  # used without parentheses
        return Callback(name, lambda g, function: function, {})

    return expansion


def last_extent(x: Node, size: Any) -> Shape:
    """The shape of ``x`` with a last axis of ``size``."""
    return sized(x.shape, -1, extent_of(size) or Dim.fresh())


def activated(g: Graph, x: Node, activation: Any) -> Node:
    """``x`` through an activation given by name, as a function or as a layer; None leaves it as it is."""
    if activation is None or activation == "linear":
        return x
    if isinstance(activation, str):
        function = CATALOGUE.get(f"keras.activations.{activation.lower()}")
        if function is None:
            return opaque_with_last(g, x, f"the activation {activation}")
        with g.library():
            return g.lift(function(g, x))
    result = called(g, activation, x)
    return result if isinstance(result, Node) else opaque_with_last(g, x, "an activation that is not known", result)


__all__ = [
    "activated",
    "batched",
    "contrast",
    "decorator",
    "last_extent",
    "nothing",
    "of_x",
    "of_x1_and_x2",
    "of_x_and_y",
    "opaque_of_all",
    "opaque_with_last",
    "over_axis",
    "samplewise",
    "smooth_of_x",
    "table",
    "undecided",
    "under",
]
