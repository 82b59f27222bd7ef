"""The graph that tracing a loss yields: primitive operations on abstract tensors, in the order they were made.

Tracing (``losslint.interpreter``) turns Python source into a graph; every analysis (``losslint.domain``) and check
then only reads it, as the interpreters of JAX read a jaxpr. A graph is acyclic: a loop whose length is unknown is
traced for two turns that meet in one ``loop`` node, which analyses widen.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from losslint.domain.shape import SCALAR, Shape


@dataclass(slots=True, unsafe_hash=True)  # frozen ones take four times as long to make
class Site:
    """The place in the source that made a node: ``tree`` is the libcst node, ``module`` the file it stands in.

    It is not changed once it is made.
    """

    module: Any  # losslint.frontend.module.Module: computes positions on demand
    tree: Any  # libcst.CSTNode
    function: str  # qualified name of the enclosing function, "<module>" outside of one
    caller: Site | None = None  # where that function was called, None in the function that is looked at


@dataclass(eq=False, slots=True)
class Node:
    """One primitive operation and its result."""

    id: int
    op: str
    inputs: tuple[Node, ...]
    attrs: dict[str, Any]
    shape: Shape
    dtype: str | None  # "float32", "int32", "bool", ...; None where unknown
    site: Site | None
    api: str  # the name the user wrote, canonical ("tensorflow.math.log"); "" for operators and leaves
    internal: bool  # made inside the expansion of a library function: its numerics are the library's business
    number: int  # value number: equal for nodes that certainly hold the same value
    # The rule for pickling or printing is not needed: graphs live as long as one function is looked at.

    def __repr__(self) -> str:
        inputs = ", ".join(f"%{n.id}" for n in self.inputs)
        attrs = ", ".join(f"{k}={v}" for k, v in self.attrs.items())
        return f"%{self.id}{self.shape} = {self.op}({inputs}{'; ' if attrs else ''}{attrs})"


@dataclass(slots=True)
class Unknown:
    """A Python value the interpreter could not follow; ``deps`` are the tensors it may depend on."""

    deps: tuple[Node, ...] = ()
    why: str = ""

    def __post_init__(self) -> None:
        if len(self.deps) > 16:  # where two that are unknown meet, again and again, they would double each time
            self.deps = tuple(dict.fromkeys(self.deps))


_serials = itertools.count()


class SomeOf(list[Any]):
    """A Python list of unknown length; what it holds stands for all elements.

    The first ``certain`` of them are where they are, however long the list is. Lists with one ``serial`` are one list.
    """

    __slots__ = ("certain", "serial")

    def __init__(self, items: Iterable[Any] = (), certain: int = 0, serial: int | None = None) -> None:
        super().__init__(items)
        self.certain = certain
        self.serial = next(_serials) if serial is None else serial

    def stir(self) -> None:
        """From now on its elements are in other places."""
        self.certain, self.serial = 0, next(_serials)

    def copy(self) -> SomeOf:
        """The same list, in another place."""
        return SomeOf(self, self.certain, self.serial)


ANEW = frozenset({"random", "model", "numpy_function", "py_function"})
"""Primitives whose result may be another one each time: a model may drop out some of its units at random."""
_MOST_AXES = 254
"""What TensorFlow allows a tensor to have."""
ShapeRule = Callable[..., "tuple[Shape, str | None, dict[str, Any]]"]
"""``rule(inputs, attrs) -> (shape, dtype, attributes to add)``; one a primitive, in losslint.ops.primitives."""


@dataclass
class Graph:
    """Builds nodes; ``rules`` are the shape rules by primitive."""

    rules: dict[str, ShapeRule]
    nodes: list[Node] = field(default_factory=list)
    site: Site | None = None
    api: str = ""
    internal: bool = False
    keras: str = "3"  # the major version whose functions are expanded
    _numbers: dict[Any, int] = field(default_factory=dict)

    def op(self, name: str, /, *inputs: Any, **attrs: Any) -> Node:
        """Append the primitive ``name``; inputs that are no nodes are lifted. Raises KeyError for an unknown name."""
        nodes = tuple(self.lift(value) for value in inputs)
        shape, dtype, extra = self.rules[name](nodes, attrs)
        return self._append(name, nodes, attrs | extra, shape, dtype, unique=name in ANEW)

    def source(self, name: str, role: str, shape: Shape, dtype: str | None = None, **attrs: Any) -> Node:
        """A leaf the loss does not compute; see losslint.ops.primitives for the roles."""
        return self._append("source", (), {"name": name, "role": role} | attrs, shape, dtype, unique=True)

    def lift(self, value: Any) -> Node:
        """``value`` as a node: numbers and nested lists become constants, lists with nodes are stacked."""
        if isinstance(value, Node):
            return value
        if isinstance(value, Unknown):
            return self.opaque(value.deps, value.why)
        if isinstance(value, bool):
            return self._append("const", (), {"value": value}, SCALAR, "bool")
        if isinstance(value, (int, float)) and _fits(value):
            return self._append("const", (), {"value": value}, SCALAR, None)
        if isinstance(value, (list, tuple)):
            flat = list(_leaves(value))
            if flat and all(isinstance(v, (int, float)) and _fits(v) for v in flat) and not _is_open(value):
                return self._append("const", (), {"value": _frozen(value)}, Shape.of(*_lengths(value)), None)
            if value:
                return self.joined("stack", value, 0)
        if hasattr(value, "as_node"):  # the static shape of a tensor
            node: Node = value.as_node(self)
            return node
        deps = getattr(value, "deps", ())
        return self.opaque(deps() if callable(deps) else deps, f"a {type(value).__name__} is no tensor")

    def joined(self, how: str, values: Sequence[Any], axis: int) -> Node:
        """``values`` as one tensor, by "stack" or "concat"; nobody knows how many of them a ``SomeOf`` stands for."""
        told = {"open": True, "serial": values.serial} if isinstance(values, SomeOf) else {}
        return self.op(how, *values, axis=axis, **told)

    def apart(self, value: Any, place: Any) -> Any:
        """``value``, which stands for many, as the one at ``place``: others may be others, and equal ones are one."""
        if isinstance(value, Node):
            return value if value.op == "const" else self.op("join", value, place=place)
        if isinstance(value, dict):
            return {key: self.apart(item, place) for key, item in value.items()}
        if type(value) in (list, tuple):
            return type(value)(self.apart(item, place) for item in value)
        return value

    def place(self, key: Any) -> Any:
        """What tells a place from others: equal keys are at one, and what is no number may be anywhere."""
        if isinstance(key, Node):
            return "at", key.number
        return key if isinstance(key, int) else ("any", len(self.nodes))

    def opaque(self, deps: Iterable[Node] = (), why: str = "", shape: Shape | None = None) -> Node:
        """The result of something unknown that may depend on ``deps`` in any way."""
        inputs = tuple(dict.fromkeys(deps))
        return self._append("opaque", inputs, {"why": why}, shape or Shape.unknown(), None, unique=True)

    def library(self) -> _Making:
        """A context: nodes made inside belong to the expansion of a library function."""
        return _Making(self, self.site, self.api, True)

    def at(self, site: Site | None, api: str = "") -> _Making:
        """A context: nodes made inside come from ``site``."""
        return _Making(self, site, api, self.internal)

    def _append(
        self,
        op: str,
        inputs: tuple[Node, ...],
        attrs: dict[str, Any],
        shape: Shape,
        dtype: str | None,
        unique: bool = False,
    ) -> Node:
        if shape.min_rank > _MOST_AXES:
            shape = Shape.unknown()
        key = (len(self.nodes),) if unique else (op, tuple(n.number for n in inputs), _frozen(attrs))
        try:
            number = self._numbers.setdefault(key, len(self.nodes))
        except TypeError:  # an attribute that cannot be hashed: a value of its own
            number = len(self.nodes)
        node = Node(len(self.nodes), op, inputs, attrs, shape, dtype, self.site, self.api, self.internal, number)
        self.nodes.append(node)
        return node


class _Making:
    """What nodes are made of while it is entered. A generator would take three times as long, at every expression."""

    __slots__ = ("_before", "_graph", "_now")

    def __init__(self, graph: Graph, site: Site | None, api: str, internal: bool) -> None:
        self._graph, self._now = graph, (site, api, internal)
        self._before = graph.site, graph.api, graph.internal

    def __enter__(self) -> None:
        self._graph.site, self._graph.api, self._graph.internal = self._now

    def __exit__(self, *_: object) -> None:
        self._graph.site, self._graph.api, self._graph.internal = self._before


def _fits(value: float) -> bool:
    """Whether ``value`` is a float, or can be one: no tensor holds a larger number."""
    return isinstance(value, float) or value.bit_length() < 1024


def _is_open(value: Any) -> bool:
    """Whether ``value`` is a list of unknown length, or holds one."""
    return isinstance(value, SomeOf) or (isinstance(value, (list, tuple)) and any(map(_is_open, value)))


def _leaves(value: Any) -> Iterator[Any]:
    for item in value:
        if isinstance(item, (list, tuple)):
            yield from _leaves(item)
        else:
            yield item


def _lengths(value: Any) -> tuple[int, ...]:
    return (
        (len(value), *_lengths(value[0]))
        if isinstance(value, (list, tuple)) and value
        else ((0,) if isinstance(value, (list, tuple)) else ())
    )


def _frozen(value: Any) -> Any:
    """``value`` with lists and dicts as tuples, so that it can be hashed."""
    if isinstance(value, dict):
        return tuple(sorted((k, _frozen(v)) for k, v in value.items()))
    if isinstance(value, (list, tuple)):
        return tuple(_frozen(v) for v in value)
    return value


def ancestors(outputs: Iterable[Node]) -> list[Node]:
    """``outputs`` and every node they are computed from, in the order they were made."""
    seen: dict[int, Node] = {}
    todo = list(outputs)
    while todo:
        node = todo.pop()
        if node.id not in seen:
            seen[node.id] = node
            todo.extend(node.inputs)
    return sorted(seen.values(), key=lambda n: n.id)


def users(nodes: Iterable[Node]) -> dict[int, list[Node]]:
    """The id of each node -> those of ``nodes`` that take it as an input."""
    found: dict[int, list[Node]] = {}
    for node in nodes:
        for value in dict.fromkeys(node.inputs):
            found.setdefault(value.id, []).append(node)
    return found


def alternatives(a: Node, b: Node, nodes: Iterable[Node]) -> bool:
    """Whether one run computes either ``a`` or ``b``: of ``nodes``, all of a graph, only a join takes both of them."""
    of_a, of_b, met = {a.id}, {b.id}, False
    for node in nodes:
        from_a, from_b = ({x.id for x in node.inputs} & found for found in (of_a, of_b))
        if from_a and from_b and not from_a & from_b:
            if node.op != "join":
                return False
            met = True
        if (from_a and node is b) or (from_b and node is a):
            return False
        of_a |= {node.id} if from_a else set()
        of_b |= {node.id} if from_b else set()
    return met
