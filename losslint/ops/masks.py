"""Masks of padding: which tensors tell samples or steps that count from those that are only there to fill up.

A mask is told by its name, or by what it compares: labels that are *not* a certain value. The labels that *are* one
(``tf.equal(y_true, 1)``) select a class, as focal losses do.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from losslint.graph import Node, ancestors
from losslint.ops.linear import constant

_NAMES = re.compile(
    r"(^|\.)_?((loss|pad|padding|valid|validity|seq|sequence|token|sample|time|keras)_?)?masks?$", re.IGNORECASE
)
_RESHAPING = frozenset({"cast", "identity", "stop_gradient", "expand_dims", "squeeze", "reshape", "broadcast_to"})
_OF_LABELS = _RESHAPING | {"index"}


def _bare(node: Node, through: frozenset[str] = _RESHAPING) -> Node:
    """``node`` before it was cast or got other axes."""
    while node.inputs and (
        node.op in through or (node.op == "index" and not any(isinstance(k, int) for k in node.attrs.get("key") or ()))
    ):
        node = node.inputs[0]
    return node


def is_mask(node: Node) -> bool:
    """Whether ``node`` is 1 for what counts and 0 for padding, as far as its name or its making tells."""
    base = _bare(node)
    if base.op == "source":
        return base.attrs["role"] in ("weight", "argument", "captured", "input") and _is_named_mask(base)
    return base.api.endswith("sequence_mask") or _keeps(base)


def _is_named_mask(source: Node) -> bool:
    return bool(_NAMES.search(str(source.attrs["name"])))


def _keeps(node: Node) -> bool:
    """Whether a condition on labels leaves out those of one value, or the negative ones."""
    if node.op == "and":
        return any(map(_keeps, node.inputs))
    if node.op == "not":
        inner = node.inputs[0]
        return (inner.op == "eq" and _label_and_number(inner) is not None) or (
            inner.op == "is_nan" and _is_label(inner.inputs[0])
        )
    number = _label_and_number(node)
    if number is None:
        return False
    return node.op == "ne" or (node.op == "gt" and number < 0) or (node.op == "ge" and number == 0)


def _label_and_number(node: Node) -> float | None:
    """The number that labels are compared with."""
    if node.op not in ("eq", "ne", "gt", "ge") or not _is_label(node.inputs[0]):
        return None
    return constant(node.inputs[1])


def _is_label(node: Node) -> bool:
    base = _bare(node, _OF_LABELS)
    return base.op == "source" and base.attrs["role"] == "label"


def undone(mask: Node, order: Iterable[Node]) -> bool:
    """Whether the mask is counted, or only one half of a choice: something is divided by it, or what it hides is used.

    Who compares the labels with the same value elsewhere treats both kinds of samples, each in its way.
    """
    base = _bare(mask)
    inside = [n for n in ancestors([base]) if n is base or n.op in ("eq", "ne", "gt", "ge", "not", "and")]
    kept = {n.number for n in inside}
    compared = {frozenset(x.number for x in n.inputs) for n in inside if n.op in ("eq", "ne")}
    for node in order:
        if node.op in ("div", "div_no_nan") and any(n.number in kept for n in ancestors([node.inputs[1]])):
            return True
        if node.op == "sub" and node.inputs[0].op == "const" and _bare(node.inputs[1]).number == base.number:
            return True  # 1 - mask
        again = node.op in ("eq", "ne") and frozenset(x.number for x in node.inputs) in compared
        if again and node.number not in kept:
            return True
        if base.op == "source" and _takes(node, base):
            return True  # it is more than a factor: the mask that is to be predicted, for one
    return False


def _takes(node: Node, base: Node) -> bool:
    """Whether ``node`` does something else with a mask than to multiply by it, and to count it."""
    if node.op in _RESHAPING or node.op in ("mul", "sum", "mean", "index"):
        return False
    return any(_bare(x).number == base.number for x in node.inputs)
