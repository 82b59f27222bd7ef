"""What operators make of lists whose length nobody knows, and of numbers that nobody knows."""

from __future__ import annotations

from typing import Any

from losslint.graph import Node, SomeOf, Unknown
from losslint.interpreter.values import is_setting

_COUNTING = frozenset({"add", "sub", "mul", "floordiv", "neg", "maximum", "minimum", "abs"})
"""Operators whose result, of numbers of Python's, is one."""


def are_lists(left: Any, right: Any) -> bool:
    """Whether both are lists, or tuples, and the length of one is not known."""
    return any(
        (isinstance(a, SomeOf) or _is_list(a)) and (isinstance(b, (list, tuple)) or _is_list(b))
        for a, b in ((left, right), (right, left))
    )


def repeated_list(left: Any, right: Any) -> Any:
    """The one of two factors that is repeated to a list, or tuple, of unknown length; None where none is."""
    return next((a for a, b in ((left, right), (right, left)) if _repeats(a, b)), None)


def is_count(value: Node | Unknown) -> bool:
    """Whether ``value`` is certainly a number of Python's, made of hyper-parameters and static extents."""
    if isinstance(value, Unknown):
        return not value.deps
    todo = [value]
    while todo:
        node = todo.pop()
        if node.op in _COUNTING and not node.api:
            todo += node.inputs
        elif node.op not in ("const", "static_dim") and not is_setting(node):
            return False
    return True


def _is_list(value: Any) -> bool:
    """Whether ``value`` stands for a list of variables."""
    return isinstance(value, Node) and bool(value.attrs.get("list"))


def _repeats(items: Any, times: Any) -> bool:
    """Whether ``items * times`` is a list of unknown length; a list that meets a tensor becomes one."""
    if isinstance(items, SomeOf) and isinstance(times, int):
        return True
    if not isinstance(items, (list, tuple)) or not items or not isinstance(times, (Node, Unknown)):
        return False
    return None in items or is_count(times) or (len(items) == 1 and isinstance(items[0], Node) and _may_count(times))


def _may_count(value: Node | Unknown) -> bool:
    """Whether ``value`` is an argument of which nothing says that it is a tensor."""
    return isinstance(value, Node) and value.op == "source" and value.shape.min_rank == 0 and value.dtype is None
