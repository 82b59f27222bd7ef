"""How nodes are called in messages, and the way of a gradient as stops a reader can follow."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from losslint.domain.shape import Dim, Shape
from losslint.graph import Node, Site

_SYMBOLS = {
    "add": "+", "sub": "-", "mul": "*", "div": "/", "pow": "**", "floordiv": "//", "mod": "%", "matmul": "@",
    "lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!=", "and": "&", "or": "|", "not": "~",
    "index": "[...]",
}  # fmt: skip
_SHORT = {
    "tensorflow_probability.": "tfp.",
    "tensorflow_addons.": "tfa.",
    "tensorflow.": "tf.",
    "numpy.": "np.",
    "builtins.": "",
}


def spoken(node: Node) -> str:
    """What the user calls the operation: ``tf.math.log``, ``>``, or the name of a source."""
    if node.op in ("source", "model"):
        return str(node.attrs.get("name") or node.op)
    if node.op == "stop_gradient" and not node.api and node.inputs[0].op == "model":
        return "the array it returns"  # model.predict(x)
    if node.op == "leaves_tensorflow":
        return str(node.attrs.get("how") or node.api or "NumPy")
    return written(node.api) or _SYMBOLS.get(node.op, node.op)


def written(name: str) -> str:
    """A canonical name as it is usually written: ``tf.math.log``."""
    for long, short in _SHORT.items():
        if name.startswith(long):
            return short + name[len(long) :]
    return name


def extents(shape: Shape | Dim) -> str:
    """``shape`` without the numbers that tell its symbols apart: they change from run to run."""
    return re.sub(r"\?\d+", "?", re.sub(r"#\w+", "", str(shape)))


def stops(path: Iterable[Node], end: Site | None) -> list[tuple[str, Site | None]]:
    """The nodes of ``path`` as (label, site) pairs, ending in "return" at ``end``.

    Operations that one call expands to are one stop.
    """
    found: list[tuple[str, Site | None]] = []
    for node in path:
        if node.op in ("const", "identity") or (found and node.op == "opaque"):
            continue
        label = spoken(node)
        tree = node.site.tree if node.site else None
        if not found or found[-1][0] != label or (found[-1][1].tree if found[-1][1] else None) is not tree:
            found.append((label, node.site))
    return [*found, ("return", end)]


def words(tree: Any) -> Iterator[str]:
    """The identifiers in a piece of syntax."""
    if type(tree).__name__ == "Name":
        yield str(tree.value)
    for child in getattr(tree, "children", ()):
        yield from words(child)
