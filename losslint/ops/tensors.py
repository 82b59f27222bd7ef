"""Which nodes are one tensor for sure: not a Python number, not a list, nor something that may be either."""

from __future__ import annotations

from typing import TYPE_CHECKING

from losslint.graph import Node
from losslint.ops.primitives import ALONG_AXIS, BINARY, COMPARISONS, REDUCTION_DTYPES, REDUCTIONS, UNARY

if TYPE_CHECKING:
    from losslint.loss import Loss

_UNLIKE = frozenset({"leaves_tensorflow", "numpy_function", "py_function"})
"""Of the elementwise primitives, those that give whatever Python makes of it."""
_SHAPED = (
    "select clip cast reshape expand_dims squeeze transpose broadcast_to tile repeat pad concat stack index gather "
    "gather_nd boolean_mask one_hot matmul einsum tensordot zeros ones fill zeros_like ones_like range eye argsort "
    "diag_part unstack"
).split()
_EXTENTS = frozenset({"dynamic_dim", "shape_of", "size_of", "rank_of"})
"""What ``keras.ops`` and ``K.ndim`` answer with a Python number."""
_ONE = _EXTENTS.union(UNARY, BINARY, COMPARISONS, REDUCTIONS, REDUCTION_DTYPES, ALONG_AXIS, _SHAPED) - _UNLIKE
_MEET = frozenset({"join", "loop"})


def makes_tensors(api: str) -> bool:
    """Whether the function of this canonical name returns tensors, whatever it is given."""
    return api.startswith(("tensorflow.", "keras.ops.", "keras.backend.", "keras.losses."))


class Tensors:
    """The nodes of a loss that are certainly one tensor each."""

    def __init__(self, loss: Loss) -> None:
        self._known: set[int] = set()
        for node in loss.graph.nodes:
            if self._decide(node, loss):
                self._known.add(node.id)

    def __contains__(self, node: object) -> bool:
        """Whether ``node`` is one of them."""
        return isinstance(node, Node) and node.id in self._known

    def _decide(self, node: Node, loss: Loss) -> bool:
        if node.op == "source":
            given = node.site is None  # an argument of the loss; a free name is made where it is read
            return loss.for_keras and given and node.attrs["role"] in ("label", "prediction")
        if node.op in _MEET:
            return all(value in self for value in node.inputs)
        several = "part" in node.attrs or "parts" in node.attrs
        if node.op not in _ONE or several or node.api.startswith(("numpy", "math")):
            return False
        if node.op in _EXTENTS:
            return node.api.startswith("tensorflow.") or node.api == "keras.backend.shape"
        return any(value in self for value in node.inputs) or makes_tensors(node.api)
