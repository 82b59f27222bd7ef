"""What a name holds where two ways of a program meet."""

from __future__ import annotations

from typing import Any

from losslint.graph import Graph, Node, SomeOf, Unknown
from losslint.interpreter.values import CONTAINERS, Bindings, dependencies

Overwritten = dict[int, tuple[Any, Any]]
"""Containers that were changed in place, by identity: each, and a copy of what it held before."""


def forked(bindings: Bindings, memo: dict[int, Any] | None = None, overwritten: Overwritten | None = None) -> Bindings:
    """``bindings`` for another way the program may take: shared, unless they hold what can be changed in place."""
    bindings.shared = True
    if not bindings.containers:
        return bindings
    fork = Bindings(copied(dict(bindings), memo, overwritten))
    fork.containers = True
    return fork


def copied(value: Any, memo: dict[int, Any] | None = None, overwritten: Overwritten | None = None) -> Any:
    """``value`` with its own containers, shared ones still shared; all else is immutable or kept by reference.

    They hold what ``overwritten`` has kept of them.
    """
    memo = {} if memo is None else memo
    if type(value) is tuple:
        return tuple([copied(v, memo, overwritten) if isinstance(v, CONTAINERS) else v for v in value])
    if not isinstance(value, (list, dict)):
        return value
    if id(value) not in memo:
        content: Any = overwritten[id(value)][1] if overwritten and id(value) in overwritten else value
        if isinstance(value, dict):
            copy_: Any = {}
            memo[id(value)] = copy_
            for key, item in content.items():
                copy_[key] = copied(item, memo, overwritten) if isinstance(item, CONTAINERS) else item
        else:
            copy_ = SomeOf((), value.certain, value.serial) if isinstance(value, SomeOf) else type(value)()
            memo[id(value)] = copy_
            copy_.extend([copied(v, memo, overwritten) if isinstance(v, CONTAINERS) else v for v in content])
    return memo[id(value)]


def merged(graph: Graph, values: list[Any], loop: bool = False) -> Any:
    """One value for what may be any of ``values``; with ``loop``: before a loop, after one turn and after two."""
    first = values[0]
    if all(same(first, v) for v in values[1:]):
        return first
    lists = [v for v in values if isinstance(v, list)]
    if len(lists) == len(values):
        places = [[v[i] for v in lists if i < len(v)] for i in range(max(map(len, lists)))]
        met = [merged(graph, items, loop) for items in places]
        certain = min(v.certain if isinstance(v, SomeOf) else len(v) for v in lists)
        return SomeOf(met, certain) if any(len(v) < len(met) or isinstance(v, SomeOf) for v in lists) else met
    if all(isinstance(v, tuple) and len(v) == len(first) for v in values):
        return tuple(merged(graph, list(items), loop) for items in zip(*values, strict=True))
    if all(isinstance(v, dict) for v in values):
        keys = dict.fromkeys(k for v in values for k in v)
        return {k: merged(graph, [v[k] for v in values if k in v]) for k in keys}
    present = [v for v in values if v is not None]
    if len(present) == 1:
        return present[0]
    if all(isinstance(v, (Node, Unknown, int, float)) for v in present) and any(
        isinstance(v, (Node, int, float)) for v in present
    ):
        nodes = [graph.lift(v) for v in present]
        distinct = list({n.number: n for n in nodes}.values())
        if len(distinct) == 1:
            return distinct[0]
        return graph.op("loop", *nodes) if loop and len(nodes) == 3 else graph.op("join", *distinct)
    if len({type(v) for v in present}) == 1 and not isinstance(first, (str, bytes, Unknown)):
        return present[0]  # two functions, classes or modules: the first stands for both
    return Unknown(tuple(dict.fromkeys(d for v in values for d in dependencies(v))), "different values meet here")


def same(a: Any, b: Any) -> bool:
    """Whether both are certainly one value."""
    if a is b:
        return True
    if isinstance(a, Node) and isinstance(b, Node):
        return a.number == b.number
    return type(a) is type(b) and isinstance(a, (int, float, str, bytes, bool)) and a == b
