"""How many axes the tensors of a loss have, read off what the loss does with them.

Nothing in a signature says whether ``y_pred`` is (B, C) or (B, H, W, C). Its uses do: ``y_pred[:, :, 0]`` has three
axes, ``tf.matmul(x, y, transpose_b=True)`` of two batches of embeddings has two. A loss is traced with shapes that
leave the rank open, and once more where its uses tell it.
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
    carried: dict[int, dict[str, int]] = {}  # node -> the sources it is shaped like, and how many axes it has more
    found: dict[str, int] = {}
    for node in graph.nodes:
        for x in node.inputs:
            rank = (2 if _pairs(node) else _told(node, x)) if carried.get(x.id) else None
            for name, more in carried.get(x.id, {}).items():
                if rank is not None and rank - more in AXES:
                    found[name] = max(found.get(name, 0), rank - more)
        if node.op == "source" and node.shape == open_shape:
            carried[node.id] = {node.attrs["name"]: 0}
        elif node.op == "expand_dims":
            carried[node.id] = {name: more + 1 for name, more in carried.get(node.inputs[0].id, {}).items()}
        elif node.op != "opaque":
            alike = [carried[x.id] for x in node.inputs if x.id in carried and x.shape == node.shape]
            carried[node.id] = {name: more for names in alike for name, more in names.items()}
    return found


def evident_batches(graph: Graph) -> frozenset[str]:
    """The arguments of unknown shape that go into a model, or that a gradient is taken for: batches of samples."""
    given = [n for n in graph.nodes if n.op in ("model", "gradient_of")]
    return frozenset(
        x.attrs["name"]
        for n in given
        for x in (n.inputs[-1:] if n.op == "gradient_of" else n.inputs)
        if x.op == "source" and x.attrs["role"] == "argument"
    )


def _pairs(node: Node) -> bool:
    """Whether every label is compared with every other: ``equal(expand_dims(y, 0), expand_dims(y, 1))``."""
    if node.op not in ("eq", "ne") or not all(x.op == "expand_dims" for x in node.inputs):
        return False
    left, right = node.inputs
    return left.inputs[0].number == right.inputs[0].number and {left.attrs["axis"], right.attrs["axis"]} == {0, 1}


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
        if not isinstance(key, tuple) or not all(isinstance(k, (int, slice)) for k in key):
            return None
        return len(key) if len(key) > 1 else None
    if node.op in _REDUCTIONS:
        axes = node.attrs.get("axis")
        return max(axes) + 1 if isinstance(axes, tuple) and len(axes) > 1 and max(axes) > 2 else None
    return 4 if node.op in ("conv", "ssim") and node.inputs[0] is x else None
