"""What a loss takes for granted about its inputs, told from how it uses them.

Nothing bounds a ``y_pred``. But a loss that takes its logarithm, or crosses ``1 - p`` with the labels, believes that it
is a probability, and a network that keeps to this does reach 0 and 1; one that takes its root believes that it is not
negative; one that takes its arc cosine believes in a cosine. A value that goes to exp, sigmoid or softmax is one of
logits and is never assumed to be anything.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from losslint.domain.interval import INF, Interval, Trust
from losslint.graph import Node
from losslint.ops.linear import constant
from losslint.ops.overlaps import overlaps, summands

if TYPE_CHECKING:
    from losslint.loss import Loss

SAME_VALUES = frozenset(
    [
        "identity",
        "cast",
        "reshape",
        "expand_dims",
        "squeeze",
        "transpose",
        "broadcast_to",
        "tile",
        "repeat",
        "stop_gradient",
        "gather",
        "gather_nd",
        "boolean_mask",
        "reverse",
        "roll",
        "sort",
        "leaves_tensorflow",
        "variable_of",
    ]
)
"""Primitives whose result holds nothing but values of their first input."""
PIECES = frozenset({"index", "unstack"})
"""Primitives that cut one column out: it may be a probability where its neighbours are not."""

_TO_LOGITS = frozenset(
    {"exp", "expm1", "sigmoid", "log_sigmoid", "softmax", "log_softmax", "softplus", "logsumexp", "tanh"}
)
_SIGNED = frozenset({"neg", "abs"})
_TENSORS = frozenset({"prediction", "argument", "captured"})
_SPREAD = re.compile(r"(^|[ _.])(sigmas?|std|std_?dev|scale|var|variance|spread|sd)(_|\d|$)", re.IGNORECASE)
"""Names of how far a distribution spreads: positive, and no probability."""
_ANGLES = frozenset({"acos", "asin", "atanh"})
"""Primitives that are defined for cosines and correlations only."""
_SMALL = 0.02  # an addend up to this guards; a larger one is arithmetic

# How a value still relates to the piece it was made from.
_SAME, _GUARDED, _COMPLEMENT, _SCALED, _FACTOR = range(5)


def pieces(nodes: list[Node]) -> dict[int, Node]:
    """Node id -> the source, model or column of one that the node's values are taken from."""
    found: dict[int, Node] = {}
    for node in nodes:
        if node.op in ("source", "model"):
            found[node.id] = node
        elif node.inputs and node.inputs[0].id in found:
            if node.op in PIECES:
                found[node.id] = node
            elif node.op in SAME_VALUES and node.attrs.get("dtype") != "bool":
                found[node.id] = found[node.inputs[0].id]
    return found


def label_of(piece: Node) -> str:
    """How messages call a piece: ``y_pred``, or ``a part of y_pred``."""
    depth = 0
    while piece.op not in ("source", "model") and piece.inputs:
        piece, depth = piece.inputs[0], depth + (piece.op in PIECES)
    name = str(piece.attrs.get("name") or "the model's output")
    return f"a part of {name}" if depth else name


def root_of(piece: Node) -> Node:
    """The source or model that a piece was cut from."""
    while piece.op not in ("source", "model") and piece.inputs:
        piece = piece.inputs[0]
    return piece


def _lineage(piece: Node) -> Iterator[int]:
    """The value numbers of a piece and of everything it was cut from."""
    yield piece.number
    while piece.op not in ("source", "model") and piece.inputs:
        piece = piece.inputs[0]
        yield piece.number


def _is_fraction(exponent: float | None) -> bool:
    return exponent is not None and math.isfinite(exponent) and exponent % 1 != 0


def _not_negative(name: str) -> Interval:
    return Interval.of(0.0, INF, Trust.ASSUMED, frozenset({f"{name} is not negative"}))


class Assumptions:
    """The assumed interval of every source, by value number of the piece it holds for."""

    def __init__(self, loss: Loss) -> None:
        self._nodes = loss.graph.nodes
        self.pieces = pieces(self._nodes)
        self.labels: set[int] = set()  # nodes computed from labels or weights alone
        self.logits: set[int] = set()  # pieces that go to an activation
        self._logged: set[int] = set()
        self._complemented: set[int] = set()
        self._crossed: set[int] = set()
        self._unit_labels: set[int] = set()
        self._cosines: set[int] = set()
        self._rooted: set[int] = set()
        self._met: dict[int, set[int]] = {}  # label piece -> what it is multiplied with
        self._activations: set[int] = set()
        self._read()
        self.intervals: dict[int, Interval] = {}
        for piece in {p.number: p for p in self.pieces.values()}.values():
            interval = self._interval(piece)
            if interval is not None:
                self.intervals[piece.number] = interval

    def _read(self) -> None:
        """One pass over the graph: which pieces go where."""
        forms: list[dict[int, int]] = []  # per node: piece number -> form
        for node in self._nodes:
            form = self._forms(node, forms)
            forms.append(form)
            self._note_labels(node)
            self._note_uses(node, forms)

    def _note_labels(self, node: Node) -> None:
        if node.op == "source":
            if node.attrs.get("role") in ("label", "weight"):
                self.labels.add(node.id)
        elif any(x.id in self.labels for x in node.inputs) and all(
            x.id in self.labels or x.op == "const" for x in node.inputs
        ):
            self.labels.add(node.id)

    def _forms(self, node: Node, forms: list[dict[int, int]]) -> dict[int, int]:
        piece = self.pieces.get(node.id)
        if piece is not None:
            return {piece.number: _SAME}
        if node.op in ("softmax", "sigmoid"):
            self._activations.add(node.number)
            return {node.number: _SAME}
        if not node.inputs:
            return {}
        inner = forms[node.inputs[0].id]
        if node.op in ("clip", "sum", *SAME_VALUES):
            return {p: max(f, _GUARDED) for p, f in inner.items()}
        if node.op in ("maximum", "minimum", "add", "sub", "mul", "div"):
            return self._through_binary(node, forms)
        if node.op in ("pow", "square", "log", "log1p", "sqrt"):
            return {p: _FACTOR for p, f in inner.items() if f in (_COMPLEMENT, _FACTOR)}
        if node.op in ("select", "join"):
            parts = node.inputs[1:] if node.op == "select" else node.inputs
            return {p: max(f, _GUARDED) for x in parts for p, f in forms[x.id].items() if f < _SCALED}
        return {p: _SCALED for p in inner} if node.op in _SIGNED else {}

    def _through_binary(self, node: Node, forms: list[dict[int, int]]) -> dict[int, int]:
        a, b = node.inputs[:2]
        known_a, known_b = constant(a), constant(b)
        if known_a is None and known_b is None:
            chosen = [forms[x.id] for x, y in ((a, b), (b, a)) if y.id in self.labels]
            picked = {p: _GUARDED for form in chosen for p, f in form.items() if f <= _GUARDED}
            return self._mixed(node, forms[a.id], forms[b.id], picked)
        known, inner = (known_a, forms[b.id]) if known_a is not None else (known_b, forms[a.id])
        assert known is not None
        if node.op == "sub" and known_a is not None and abs(known_a - 1) < _SMALL:
            return {p: _COMPLEMENT if f <= _GUARDED else max(f, _GUARDED) for p, f in inner.items() if f < _SCALED}
        if (node.op in ("add", "sub") and abs(known) < _SMALL and known_b is not None) or node.op in (
            "maximum",
            "minimum",
        ):
            return {p: max(f, _GUARDED) for p, f in inner.items() if known or f != _COMPLEMENT}
        if node.op == "add" and abs(known) < _SMALL:
            return {p: max(f, _GUARDED) for p, f in inner.items()}
        if node.op in ("mul", "div"):
            same = known == 1 and not (node.op == "div" and known_a is not None)
            return {p: f if same or f in (_COMPLEMENT, _FACTOR) else _SCALED for p, f in inner.items()}
        return {}

    @staticmethod
    def _mixed(node: Node, a: dict[int, int], b: dict[int, int], picked: dict[int, int]) -> dict[int, int]:
        """``picked``: what a label selects, as in sum(y * p)."""
        if node.op in ("maximum", "minimum"):  # maximum(p, eps) with an eps that is computed
            return {p: max(f, _GUARDED) for p, f in a.items()}
        if node.op == "mul":
            return {p: _FACTOR for part in (a, b) for p, f in part.items() if f in (_COMPLEMENT, _FACTOR)} | picked
        if node.op in ("add", "sub"):  # logits - max(logits)
            return {p: _SCALED for p, f in a.items() if f <= _GUARDED or f == _SCALED}
        return {p: _SCALED for p, f in a.items() if f in (_SAME, _SCALED)}  # logits / temperature

    def _note_uses(self, node: Node, forms: list[dict[int, int]]) -> None:
        inputs = node.inputs
        if node.op in _TO_LOGITS or "with_logits" in node.api:
            for x in inputs:
                self.logits.update(p for p, f in forms[x.id].items() if f in (_SAME, _SCALED))
        elif node.op in ("log", "log1p", "xlogy", "xlog1py") and inputs:
            for p, f in forms[inputs[-1].id].items():
                if f <= _COMPLEMENT and not (node.op == "log1p" and f != _COMPLEMENT):
                    self._logged.add(p)
                    if f == _COMPLEMENT:
                        self._complemented.add(p)
        elif node.op == "mul":
            for x, other in (inputs[:2], inputs[1::-1]):
                crossed = [p for p, f in forms[x.id].items() if f in (_COMPLEMENT, _FACTOR)]
                if other.id in self.labels:
                    self._crossed.update(crossed)
                    label = self.pieces.get(other.id)
                    if label is not None:
                        self._met.setdefault(label.number, set()).update(
                            p for p, f in forms[x.id].items() if f != _SCALED
                        )
        elif node.op == "select" and inputs[0].id in self.labels:  # where(y == 1, p, 1 - p)
            self._crossed.update(p for x in inputs[1:] for p, f in forms[x.id].items() if f == _COMPLEMENT)
        elif node.op in ("div", "div_no_nan"):
            self._note_overlap(node)
        elif node.op == "sqrt" or (node.op == "pow" and _is_fraction(constant(inputs[1]))):
            self._rooted.update(p for p, f in forms[inputs[0].id].items() if f <= _GUARDED)
        elif node.op in _ANGLES:
            self._cosines.update(p for p, f in forms[inputs[0].id].items() if f <= _GUARDED)
        if node.op == "sub" and constant(inputs[0]) == 1.0:
            piece = self.pieces.get(inputs[1].id)
            if piece is not None and inputs[1].id in self.labels:
                self._unit_labels.add(piece.number)

    def _note_overlap(self, ratio: Node) -> None:
        """Dice, Jaccard: what is a share of two summed masks, labels and predictions, is made of masks."""
        for pair in overlaps(summands(ratio.inputs[0]), summands(ratio.inputs[1])):
            for label, mask in (pair, pair[::-1]):
                piece = self.pieces.get(mask.id)
                if label.id in self.labels and piece is not None and mask.id not in self.labels:
                    self._crossed.add(piece.number)
                    named = self.pieces.get(label.id)
                    if named is not None:
                        self._unit_labels.add(named.number)

    def _interval(self, piece: Node) -> Interval | None:
        root = root_of(piece)
        role = "prediction" if root.op == "model" else root.attrs.get("role")
        name = label_of(piece)
        numbers = set(_lineage(piece))
        if role == "weight":
            return _not_negative(name)
        if role == "label":
            met = set().union(*(self._met.get(n, set()) for n in numbers))
            if numbers & self._unit_labels or met & (self._activations | self._probabilities):
                return Interval.of(0.0, 1.0, Trust.ASSUMED, frozenset({f"{name} is in [0, 1]"}))
            return _not_negative(name) if met & self._rooted else None
        if role in _TENSORS and _SPREAD.search(name):
            positive = role == "prediction" and numbers & self._logged and not numbers & self.logits
            return _not_negative(name) if positive else None
        if role in _TENSORS and self._is_probability(numbers, role, name):
            return Interval.of(0.0, 1.0, Trust.ASSUMED, frozenset({f"{name} is a probability in [0, 1]"}))
        if role in _TENSORS and numbers & self._cosines:
            return Interval.of(-1.0, 1.0, Trust.ASSUMED, frozenset({f"{name} is a cosine in [-1, 1]"}))
        if role == "prediction" and numbers & self._rooted and not numbers & self.logits:
            return _not_negative(name)
        return None

    def _is_probability(self, numbers: set[int], role: str, name: str) -> bool:
        if numbers & self.logits or "logit" in name.lower():
            return False
        return bool(numbers & (self._complemented | self._crossed) or (role == "prediction" and numbers & self._logged))

    @functools.cached_property
    def _probabilities(self) -> set[int]:
        """The pieces that are taken to be probabilities."""
        found = set()
        for piece in self.pieces.values():
            root = root_of(piece)
            role = "prediction" if root.op == "model" else str(root.attrs.get("role"))
            named = label_of(piece)
            if (
                role in _TENSORS
                and not _SPREAD.search(named)
                and self._is_probability(set(_lineage(piece)), role, named)
            ):
                found.add(piece.number)
        return found
