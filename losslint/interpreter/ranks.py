"""How many axes the tensors of a loss have, read off what the loss does with them.

Nothing in a signature says whether ``y_pred`` is (B, C) or (B, H, W, C). Its uses do: ``y_pred[:, :, 0]`` has three axes,
``tf.matmul(x, y, transpose_b=True)`` of two batches of embeddings has two. A loss is traced with shapes that leave the
rank open, and once more where its uses tell it.
"""

from __future__ import annotations

from losslint.domain.shape import Shape
from losslint.graph import Graph, Node

AXES = {1: ("B",), 2: ("B", "C"), 3: ("B", "T", "C"), 4: ("B", "H", "W", "C"), 5: ("B", "D", "H", "W", "C")}
"""The shape of a batch of samples by rank: time, or depth, height and width, then channels."""

_REDUCTIONS = frozenset({"sum", "mean", "max", "min", "prod", "std", "var", "norm", "logsumexp"})


def samples(rank: int | None, open_shape: Shape) -> Shape:
    """The shape of a batch of samples with ``rank`` axes, ``open_shape`` where that is unknown."""
    return Shape.of(*AXES[rank]) if rank in AXES else open_shape


def evident_ranks(graph: Graph, open_shape: Shape) -> dict[str, int]:
    """Name of each source of ``open_shape`` -> the rank that its uses tell."""
    carried: dict[int, frozenset[str]] = {}  # node -> the sources whose shape it has, axis by axis
    found: dict[str, int] = {}
    for node in graph.nodes:
        for x in node.inputs:
            names = carried.get(x.id)
            rank = _told(node, x) if names else None
            if rank in AXES:
                for name in names or ():
                    found[name] = max(found.get(name, 0), rank)
        if node.shape == open_shape and node.op != "opaque":
            own = frozenset({node.attrs["name"]}) if node.op == "source" else frozenset()
            carried[node.id] = own.union(*(carried.get(x.id, frozenset()) for x in node.inputs))
    return found


def _told(node: Node, x: Node) -> int | None:
    """The rank that using ``x`` in ``node`` gives it."""
    if node.op == "matmul" and len(node.inputs) == 2:
        other = node.inputs[1 - node.inputs.index(x)]
        return 2 if other.shape == x.shape or other.shape.rank == 2 or other.op == "transpose" else None
    if node.op == "transpose":
        perm = node.attrs.get("perm")
        return len(perm) if isinstance(perm, (tuple, list)) else 2 if perm is None else None
    if node.op == "index" and node.inputs[0] is x:
        key = node.attrs.get("key")
        plain = isinstance(key, tuple) and all(isinstance(k, (int, slice)) for k in key)
        return len(key) if plain and len(key) > 1 else None
    if node.op in _REDUCTIONS:
        axes = node.attrs.get("axis")
        return max(axes) + 1 if isinstance(axes, tuple) and len(axes) > 1 and max(axes) > 2 else None
    return 4 if node.op in ("conv", "ssim") and node.inputs[0] is x else None
