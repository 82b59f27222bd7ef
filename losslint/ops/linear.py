"""Sums as linear combinations: the constants of a chain of ``+`` and ``-``, and what two sums have in common."""

from __future__ import annotations

from collections.abc import Container
from typing import NamedTuple

from losslint.graph import Node

_CARRIED = frozenset({"identity", "cast", "stop_gradient", "broadcast_to", "expand_dims", "reshape", "squeeze", "tile"})
_LIMIT = 64  # terms of one sum that are still told apart


def beneath(node: Node, ops: Container[str]) -> Node:
    """``node`` without the primitives ``ops`` around it; a cast to a truth value stays, as it is another value."""
    while node.op in ops and node.inputs and node.attrs.get("dtype") != "bool":
        node = node.inputs[0]
    return node


def constant(node: Node) -> float | None:
    """The number that every element of ``node`` holds, where it is written down."""
    node = beneath(node, _CARRIED)
    if node.op == "const":
        value = node.attrs.get("value")
        return float(value) if isinstance(value, (int, float)) else None
    if node.op in ("ones_like", "ones"):
        return 1.0
    if node.op in ("zeros_like", "zeros"):
        return 0.0
    if node.op == "fill" and node.inputs:
        return constant(node.inputs[-1])
    if node.op == "neg":
        inner = constant(node.inputs[0])
        return None if inner is None else -inner
    if node.op in ("add", "sub", "mul", "div"):
        return _arithmetic(node)
    return None


def _arithmetic(node: Node) -> float | None:
    a, b = (x if x.op != node.op else None for x in node.inputs[:2])  # one level: constants are folded when traced
    left, right = (constant(x) if x is not None else None for x in (a, b))
    if left is None or right is None:
        return None
    if node.op == "div":
        return left / right if right else None
    return left + right if node.op == "add" else left - right if node.op == "sub" else left * right


class Chain(NamedTuple):
    """``constant + sign * core``, written with so many ``constants``: compilers add them up first."""

    core: Node
    sign: int
    constant: float
    constants: int


def chain(node: Node) -> Chain:
    """The chain of ``+`` and ``-`` with constants that ends in ``node``; no constants where it is none."""
    sign, total, count = 1, 0.0, 0
    while True:
        if node.op == "neg":
            sign, node = -sign, node.inputs[0]
            continue
        if node.op not in ("add", "sub"):
            return Chain(node, sign, total, count)
        left, right = node.inputs[:2]
        minus = -1 if node.op == "sub" else 1
        known = constant(right)
        if known is not None:
            total, node = total + sign * minus * known, left
        else:
            known = constant(left)
            if known is None:
                return Chain(node, sign, total, count)
            total, sign, node = total + sign * known, sign * minus, right
        count += 1


class Terms(NamedTuple):
    """``constant + sum(coefficient * node)``; nodes by value number."""

    parts: dict[int, tuple[float, Node]]
    constant: float

    def minus(self, other: Terms) -> Terms:
        """The difference of two sums, terms that cancel left out."""
        parts = dict(self.parts)
        for number, (coefficient, node) in other.parts.items():
            left = parts.pop(number, (0.0, node))[0] - coefficient
            if abs(left) > 1e-9:
                parts[number] = (left, node)
        return Terms(parts, self.constant - other.constant)


def terms(node: Node) -> Terms:
    """``node`` as a linear combination, as far as ``+``, ``-`` and constant factors go."""
    parts: dict[int, tuple[float, Node]] = {}
    total = 0.0
    todo = [(1.0, node)]
    while todo:
        factor, node = todo.pop()
        known = constant(node)
        if known is not None:
            total += factor * known
            continue
        inner = _linear(node) if len(todo) + len(parts) < _LIMIT else None
        if inner is not None:
            todo.extend((factor * c, n) for c, n in inner)
            continue
        before = parts.get(node.number, (0.0, node))[0]
        parts[node.number] = (before + factor, node)
    return Terms({n: (c, x) for n, (c, x) in parts.items() if c}, total)


def _linear(node: Node) -> list[tuple[float, Node]] | None:
    """``node`` as a combination of its inputs, None where it is no linear one."""
    if node.op in ("identity", "cast") and node.inputs and _same_kind(node):
        return [(1.0, node.inputs[0])]
    if node.op == "neg":
        return [(-1.0, node.inputs[0])]
    if node.op in ("add", "sub"):
        return [(1.0, node.inputs[0]), (-1.0 if node.op == "sub" else 1.0, node.inputs[1])]
    if node.op in ("mul", "div", "div_no_nan"):
        a, b = node.inputs[:2]
        known = constant(b)
        if known is not None and (node.op == "mul" or known):
            return [(known if node.op == "mul" else 1 / known, a)]
        known = constant(a) if node.op == "mul" else None
        return None if known is None else [(known, b)]
    return None


def _same_kind(node: Node) -> bool:
    return node.op == "identity" or ("float" in str(node.dtype) and "float" in str(node.inputs[0].dtype))
