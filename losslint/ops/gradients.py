"""Where the gradient of a loss goes: what each primitive passes back to each input, and what arrives at each source.

One edge of the graph is *live* (the derivative exists and is not identically zero), *zero* (it exists and is zero:
``tf.sign``), *dead* (TensorFlow hands back None: ``tf.round``, a comparison, an index) or *unknown*. A path is as good
as its worst edge, a node as good as its best path, so one pass in each direction settles every node.

The table was measured on TensorFlow 2.21. Registration of a gradient is not enough to go by: Round, Floor, Ceil, Rint,
Sign, ArgMax, ArgMin, FloorDiv and TruncateDiv have one registered that returns None or zeros.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

import libcst as cst

from losslint.domain.shape import ONE
from losslint.graph import Node, ancestors
from losslint.ops.linear import constant

if TYPE_CHECKING:
    from losslint.domain.interval import Interval
    from losslint.loss import Loss

STATES = ("absent", "dead", "zero", "unknown", "live")
"""From worst to best; a path takes the minimum of its edges, a node the maximum of its paths."""
_RANK = {state: rank for rank, state in enumerate(STATES)}
_ABSENT, _DEAD, _ZERO, _UNKNOWN, _LIVE = range(5)

TRAINABLE_ROLES = frozenset({"prediction", "argument", "captured", "variable"})
"""Roles of sources that training may move. A "label", "weight", "config" or "input" is data."""

SHAPE_ONLY = frozenset({"shape_of", "size_of", "rank_of", "dynamic_dim", "static_dim", "zeros_like", "ones_like"})
"""Primitives that look at the shape of their input and never at its values."""

_DEAD_EVERYWHERE = SHAPE_ONLY | frozenset(
    "round floor ceil trunc is_nan is_inf is_finite not stop_gradient leaves_tensorflow numpy_function variable_of "
    "floordiv lt le gt ge eq ne and or xor all any argmax argmin count_nonzero argsort one_hot unique range eye random "
    "zeros ones source const".split()
)
_LIVE_EVERYWHERE = frozenset(
    "neg abs square sqrt rsqrt reciprocal exp expm1 log log1p sigmoid log_sigmoid tanh softplus relu sin cos tan asin "
    "acos atan sinh cosh asinh acosh atanh erf erfc lgamma digamma identity smooth py_function straight_through "
    "add sub mul div pow maximum minimum mod atan2 div_no_nan mul_no_nan xlogy xlog1py xdivy clip join loop "
    "sum mean prod max min logsumexp std var norm median softmax log_softmax l2_normalize cumsum cumprod sort reverse "
    "roll concat stack set_diag fill matmul einsum tensordot model conv ssim batch_statistics samplewise "
    "contrast gradient_of".split()
)
_LIVE_IN_FIRST = frozenset(
    "reshape expand_dims squeeze transpose broadcast_to tile repeat pad unstack index gather gather_nd boolean_mask "
    "diag_part diag band_part segment".split()
)
"""The other inputs are lengths, indices, masks or segment numbers."""
_DEAD_IN_FIRST = frozenset({"select", "scatter"})
"""The first input is a condition or an index."""
_CONSTANT_ON_ONE = frozenset({"softmax", "log_softmax", "l2_normalize", "std", "var"})
"""These are constant along an axis of one element: softmax over a single unit is 1 whatever comes in."""
_NO_GRADIENT_LINALG = frozenset({"matrix_rank", "rank", "lu", "logm"})
_CLIPPING = frozenset({"clip", "maximum", "minimum", "relu"})
"""Primitives whose gradient is zero where the other side wins for certain."""


def edge_kind(node: Node, i: int) -> str:
    """What ``node`` passes back to its input ``i``: "live", "dead", "zero" or "unknown" (also for unlisted primitives).

    Ranges are not looked at; ``Gradients`` adds the clips that are always saturated.
    """
    op = node.op
    if op in _DEAD_EVERYWHERE:
        return "dead"
    if op == "straight_through" and i == 0 and node.attrs.get("valued"):
        return "dead"  # the gradient is declared to go to the arguments
    if op == "sign" or (op in _CONSTANT_ON_ONE and node.attrs.get("extent") == ONE and not node.attrs.get("fused")):
        return "zero"
    if op in _LIVE_EVERYWHERE:
        return "live"
    if op in _LIVE_IN_FIRST:
        return "live" if i == 0 else "dead"
    if op in _DEAD_IN_FIRST:
        return "dead" if i == 0 else "live"
    if op == "cast":
        whole = is_whole(node.attrs.get("dtype")) or is_whole(node.inputs[i].dtype)
        return "dead" if whole else "live"
    if op == "top_k":
        return "dead" if node.attrs.get("part") == "indices" else "live"
    if op == "linalg":
        return "dead" if node.attrs.get("how") in _NO_GRADIENT_LINALG else "live"
    return "unknown"


def is_whole(dtype: object) -> bool:
    """Whether ``dtype`` is known to hold no fractions (int, uint, bool): TensorFlow has no gradient for those."""
    return isinstance(dtype, str) and dtype.startswith(("int", "uint", "bool", "qint", "quint"))


class Cut(NamedTuple):
    """The edge at which the gradient on its way back to a source ends; ``kind`` is "dead" or "zero"."""

    node: Node
    input: int
    kind: str


class Gradients:
    """The gradient facts of one loss."""

    def __init__(self, loss: Loss) -> None:
        self._loss = loss
        self._nodes = loss.graph.nodes
        self.order: list[Node] = ancestors(loss.results)
        """The nodes that the results are computed from."""
        self._in_order = {node.id for node in self.order}
        self._edges: dict[int, tuple[int, ...]] = {}
        self._origins: list[Node] = []
        self._masks: list[int] = []  # bit k: computed from the values of origin k
        self._up: list[int] = []
        self._forward()
        self._down = self._backward()

    # --- what other modules ask ---------------------------------------------------------------------------------

    def reaches(self, source: Node) -> str:
        """The best gradient any result sends to ``source``: "live", "unknown", "zero", "dead" or "absent"."""
        state = self._down.get(source.id, _ABSENT)
        return STATES[min(state, _UNKNOWN) if source.op == "opaque" else state]

    def from_sources(self, node: Node) -> str:
        """The best path from anything trainable to ``node``: the gradient ``node`` would send if it were the loss."""
        return STATES[self._up[node.id]]

    def live_from_source(self, node: Node) -> bool:
        """Whether a live path leads from something trainable to ``node``."""
        return self._up[node.id] == _LIVE

    def live_to_result(self, node: Node) -> bool:
        """Whether a live path leads from ``node`` to a result."""
        return self._down.get(node.id, _ABSENT) == _LIVE

    def live(self, node: Node) -> bool:
        """Whether ``node`` lies on a live path from something trainable to a result."""
        return self.live_from_source(node) and self.live_to_result(node)

    def depends(self, node: Node) -> list[Node]:
        """The origins whose values, not only shapes, ``node`` is computed from."""
        mask = self._masks[node.id]
        return [origin for k, origin in enumerate(self._origins) if mask >> k & 1]

    def depends_on_prediction(self, node: Node) -> bool:
        """Whether ``node`` is computed from the values of a prediction or of a model."""
        return bool(self._masks[node.id] & self._prediction_mask)

    @functools.cached_property
    def reaching(self) -> list[Node]:
        """The origins whose values some result is computed from."""
        mask = functools.reduce(int.__or__, (self._masks[node.id] for node in self._loss.results), 0)
        return [origin for k, origin in enumerate(self._origins) if mask >> k & 1]

    def cuts(self, source: Node, within: Iterable[Node] | None = None) -> list[Cut]:
        """The first edges on the paths from ``source`` to a result that end the gradient, in source order.

        ``within`` restricts the search to these nodes (default: all that a result is computed from). Nodes that take
        no more than the shape are no cuts: there is nothing to differentiate.
        """
        found: list[Cut] = []
        reached = {source.id}
        for node in sorted(within, key=lambda n: n.id) if within is not None else self.order:
            if node.id <= source.id or node.op in SHAPE_ONLY:
                continue
            for i, (value, kind) in enumerate(zip(node.inputs, self._kinds(node), strict=True)):
                if value.id not in reached:
                    continue
                if kind >= _UNKNOWN:
                    reached.add(node.id)
                else:
                    found.append(Cut(node, i, STATES[kind]))
        return found

    def path(self, source: Node, to: Node) -> list[Node]:
        """The nodes from ``source`` to ``to``, both included, with as few cuts and then as few steps as possible.

        Empty where ``to`` is not computed from ``source``.
        """
        best: dict[int, tuple[int, int]] = {source.id: (0, 0)}
        back: dict[int, Node] = {}
        for node in self._nodes[source.id + 1 : to.id + 1]:
            for value, kind in zip(node.inputs, self._kinds(node), strict=True):
                if value.id in best:
                    cuts, steps = best[value.id]
                    cost = (cuts + (kind < _UNKNOWN), steps + 1)
                    if node.id not in best or cost < best[node.id]:
                        best[node.id], back[node.id] = cost, value
        if to.id not in best:
            return []
        path = [to]
        while path[-1] is not source:
            path.append(back[path[-1].id])
        return path[::-1]

    # --- the two passes -----------------------------------------------------------------------------------------

    @functools.cached_property
    def _prediction_mask(self) -> int:
        return sum(1 << k for k, origin in enumerate(self._origins) if is_prediction(origin))

    def _kinds(self, node: Node) -> tuple[int, ...]:
        """The state of every edge into ``node``."""
        kinds = self._edges.get(node.id)
        if kinds is None:
            found = [_RANK[edge_kind(node, i)] for i in range(len(node.inputs))]
            if node.op in _CLIPPING and node.id in self._in_order:
                found = [_ZERO if k == _LIVE and self._saturated(node, i) else k for i, k in enumerate(found)]
            if node.id in self._loss.unmoved or (node.op == "mul" and _times_zero(node)):
                found = [_ZERO if k == _LIVE else k for k in found]
            elif node.op in ("mul", "mul_no_nan") and node.id in self._in_order:
                found = [_ZERO if k == _LIVE and self._is_zero(node.inputs[1 - i]) else k for i, k in enumerate(found)]
            kinds = self._edges[node.id] = tuple(found)
        return kinds

    def _forward(self) -> None:
        for node in self._nodes:
            state, mask = _ABSENT, 0
            for value, kind in zip(node.inputs, self._kinds(node), strict=True):
                state = max(state, min(kind, self._up[value.id]))
                mask |= self._masks[value.id]
            if node.op in SHAPE_ONLY:
                state = mask = 0
            start = _start(node)
            if start != _ABSENT:
                mask |= 1 << len(self._origins)
                self._origins.append(node)
            self._up.append(max(state, start))
            self._masks.append(mask)

    def _backward(self) -> dict[int, int]:
        down = {node.id: _LIVE for node in self._loss.results}
        for node in reversed(self.order):
            state = down.setdefault(node.id, _ABSENT)
            for value, kind in zip(node.inputs, self._kinds(node), strict=True):
                down[value.id] = max(down.get(value.id, _ABSENT), min(kind, state))
        return down

    def _is_zero(self, factor: Node) -> bool:
        """Whether a factor that is computed from tensors is 0 whatever they are: ``(x - x) ** 2``."""
        interval = self._loss.ranges.of(factor)
        return interval.constant == 0 and not interval.given and constant(factor) is None

    def _saturated(self, node: Node, i: int) -> bool:
        """Whether input ``i`` of a clip, maximum, minimum or relu certainly loses, so that its slope is zero."""
        spans = [_sure(self._loss.ranges.of(value)) for value in node.inputs]
        low, high = spans[i]
        if node.op == "relu":
            return high <= 0
        if node.op == "clip":
            return i == 0 and len(spans) == 3 and (high < spans[1][0] or low > spans[2][1])
        other_low, other_high = spans[1 - i]
        if low == high:
            return high < other_low if node.op == "maximum" else low > other_high
        return high <= other_low if node.op == "maximum" else low >= other_high  # where they meet is a single point


def _times_zero(node: Node) -> bool:
    """Whether the author wrote ``0.0 * x``; a factor that only happens to be 0 is a setting."""
    if not any(x.op == "const" and x.attrs["value"] == 0 for x in node.inputs) or node.site is None:
        return False
    written = [getattr(node.site.tree, side, None) for side in ("left", "right")]
    return any(isinstance(part, (cst.Integer, cst.Float)) and float(part.value) == 0 for part in written)


def _sure(interval: Interval) -> tuple[float, float]:
    """The ends that rest on no assumption."""
    low, high = interval.low, interval.high
    return -math.inf if low.given else low.at, math.inf if high.given else high.at


def is_prediction(origin: Node) -> bool:
    """Whether a loss that ignores this origin is suspicious: a prediction, or the output of a model."""
    return origin.op == "model" or origin.attrs.get("role") == "prediction"


def _start(node: Node) -> int:
    """What a node is as the start of a gradient path."""
    if node.op == "model" or (node.op == "source" and node.attrs.get("role") in TRAINABLE_ROLES):
        return _LIVE
    return _UNKNOWN if node.op == "opaque" else _ABSENT
