"""Whether a value is computed from tensors, or only from hyper-parameters, constants and static shapes."""

from __future__ import annotations

from typing import Any

from losslint.ops.axes import nodes_in

TENSOR_ROLES = frozenset({"label", "prediction", "weight", "input", "variable"})
"""Roles of sources that are tensors. A "config" is a number; an "argument" or "captured" name may be anything."""
_SHAPE_ONLY = frozenset({"static_dim", "dynamic_dim", "shape_of", "size_of", "rank_of"})


def from_tensors(*values: Any, roles: frozenset[str] = TENSOR_ROLES) -> bool:
    """Whether the value, not only the shape, of some tensor goes into ``values``."""
    todo, seen = list(nodes_in(values)), set()
    while todo:
        node = todo.pop()
        if node.id in seen or node.op in _SHAPE_ONLY:
            continue
        seen.add(node.id)
        if node.op == "model" or (node.op == "source" and node.attrs.get("role") in roles):
            return True
        todo.extend(node.inputs)
    return False
