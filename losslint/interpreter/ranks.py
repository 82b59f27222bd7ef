"""How many axes the tensors of a loss have, read off what the loss does with them.

Nothing in a signature says whether ``y_pred`` is (B, C) or (B, H, W, C). Its uses do: ``y_pred[:, :, 0]`` has three
axes, ``tf.matmul(x, y, transpose_b=True)`` of two batches of embeddings has two. A loss is traced with shapes that
leave the rank open, and once more where its uses tell it.
"""

from __future__ import annotations

from losslint.domain.shape import Shape
from losslint.graph import Graph, Node
from losslint.ops.linear import constant
from losslint.ops.shapevalue import NO_SUCH_AXIS

AXES = {1: ("B",), 2: ("B", "C"), 3: ("B", "T", "C"), 4: ("B", "H", "W", "C"), 5: ("B", "D", "H", "W", "C")}
"""The shape of a batch of samples by rank: time, or depth, height and width, then channels."""

_ELEMENTWISE = frozenset({"add", "sub", "mul", "div", "div_no_nan", "maximum", "minimum"})
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
            if rank is None and node.attrs.get("axis") == (-1,) and node.op in _REDUCTIONS:
                # what is left of images after their height and width are reduced: not the batch alone
                rank = 2 if any(more < 0 for more in carried.get(x.id, {}).values()) else None
            if rank is None and x.op == "one_hot" and node.op == "mul":
                rank = node.inputs[1 - node.inputs.index(x)].shape.rank  # one row of scores for each label
            for name, more in carried.get(x.id, {}).items():
                if rank is not None and rank - more in AXES:
                    found[name] = max(found.get(name, 0), rank - more)
        if node.op == "eq" and node.attrs.get("asserted") and node.inputs[0].op == "rank_of":
            stated = constant(node.inputs[1])
            for name, more in carried.get(node.inputs[0].inputs[0].id, {}).items():
                if stated is not None and stated - more in AXES:
                    found[name] = int(stated) - more
        if node.op == "source" and node.shape == open_shape:
            carried[node.id] = {node.attrs["name"]: 0}
        elif node.op in ("expand_dims", "one_hot"):
            carried[node.id] = {name: more + 1 for name, more in carried.get(node.inputs[0].id, {}).items()}
        elif node.op in _REDUCTIONS and _drops(node):
            lost = len(node.attrs["axis"])
            carried[node.id] = {name: more - lost for name, more in carried.get(node.inputs[0].id, {}).items()}
        elif node.op != "opaque":
            alike = [carried[x.id] for x in node.inputs if x.id in carried and x.shape == node.shape]
            carried[node.id] = {name: more for names in alike for name, more in names.items()}
    return found


def evident_batches(graph: Graph) -> frozenset[str]:
    """The arguments of unknown shape that are batches of samples.

    They go into a model, a gradient is taken for them, or they are compared with a batch: subtracted from it, or
    multiplied as in ``tf.matmul(x, y, transpose_b=True)``.
    """
    found: set[str] = set()
    for node in graph.nodes:
        met: tuple[Node, ...] = ()
        if node.op == "model":
            met = node.inputs
        elif node.op == "gradient_of":
            met = node.inputs[-1:]
        elif node.op == "sub" or (node.op == "matmul" and node.attrs.get("transpose_b") is True):
            batch = node.op == "matmul" or any(x.shape.head and x.shape.head[0].batch for x in node.inputs)
            met = tuple(_scaled(x) for x in node.inputs if x.shape.rank is None) if batch else ()
        found |= {x.attrs["name"] for x in met if x.op == "source" and x.attrs["role"] == "argument"}
    return frozenset(found)


def misfit(graph: Graph) -> bool:
    """Whether some operation asks for an axis that its tensor lacks: the program would fail with these ranks."""
    return any(node.op == "opaque" and node.attrs["why"] == NO_SUCH_AXIS for node in graph.nodes) or any(
        _out_of_range(node) for node in graph.nodes
    )


def _out_of_range(node: Node) -> bool:
    rank = node.inputs[0].shape.rank if node.inputs else None
    if rank is None:
        return False
    if node.op in _REDUCTIONS:
        axes = node.attrs.get("axis")
        return isinstance(axes, tuple) and any(isinstance(a, int) and not -rank <= a < rank for a in axes)
    if node.op == "index":
        key = node.attrs.get("key")
        return isinstance(key, tuple) and sum(k is not None and k is not ... for k in key) > rank > 0
    return node.op == "transpose" and isinstance(perm := node.attrs.get("perm"), (tuple, list)) and len(perm) != rank


def _drops(node: Node) -> bool:
    """Whether ``node`` reduces several axes, counted from the front, and leaves the batch."""
    axes = node.attrs.get("axis")
    return isinstance(axes, tuple) and len(axes) > 1 and min(axes) > 0 and not node.attrs.get("keepdims")


def _scaled(node: Node) -> Node:
    """What ``node`` is but for its scale and its type."""
    while node.op in ("l2_normalize", "cast", "identity"):
        node = node.inputs[0]
    return node


def _pairs(node: Node) -> bool:
    """Whether each element of a vector meets every other: ``equal(expand_dims(y, 0), expand_dims(y, 1))``.

    With the axes 0 and -1 only a vector can be meant, whatever is done to the pairs.
    """
    if len(node.inputs) != 2 or not all(x.op == "expand_dims" for x in node.inputs):
        return False
    left, right = node.inputs
    axes = {left.attrs["axis"], right.attrs["axis"]}
    alike = left.inputs[0].number == right.inputs[0].number
    return alike and (axes == {0, -1} or (axes == {0, 1} and node.op in ("eq", "ne")))


def _is_number(key: object) -> bool:
    """Whether an index is one place, which a loop counts or a setting names."""
    return isinstance(key, Node) and key.op in ("source", "const") and key.shape.rank == 0


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
        if not isinstance(key, tuple) or not all(isinstance(k, (int, slice)) or _is_number(k) for k in key):
            return None
        return len(key) if len(key) > 1 else None
    if node.op in _REDUCTIONS:
        axes = node.attrs.get("axis")
        return max(axes) + 1 if isinstance(axes, tuple) and len(axes) > 1 and max(axes) > 2 else None
    if node.op in _ELEMENTWISE and len(node.inputs) == 2:
        # what meets a batch with known axes has as many: with more, samples would meet times or classes
        met = node.inputs[1 - node.inputs.index(x)].shape
        return met.rank if met.rank is not None and met.rank > 1 and met.head[0].batch else None
    images = node.inputs[: {"conv": 1, "ssim": 2}.get(node.op, 0)]
    return 4 if any(image is x for image in images) else None
