"""Finds legal inputs that take a node to a value, by trying the corners.

Intervals forget what values have to do with each other: ``d + 1e-16 * cast(d == 0)`` seems to reach 0 and never does.
So nothing is reported before some assignment of the inputs, each constant over its tensor, really takes the operand
there. A tensor all of whose elements are equal is an input like any other, sums are multiples of it, and what cannot
be computed this way (a convolution, a softmax) is an input of its own with its range's ends as corners.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from losslint.budget import Budget, BudgetExceeded
from losslint.domain import interval as iv
from losslint.domain.interval import Interval, Trust
from losslint.domain.shape import Dim
from losslint.graph import Node
from losslint.ops.assumptions import PIECES, label_of, root_of
from losslint.ops.directions import cosine
from losslint.ops.identities import softmax_under
from losslint.ops.linear import Chain, chain, constant
from losslint.ops.relations import plain

if TYPE_CHECKING:
    from losslint.ops.ranges import Ranges

COUNT = 7.0
"""How many elements a tensor of unknown extent has; any number above 1 serves."""
FAR = 200.0
"""Far enough out to saturate a sigmoid and to overflow exp."""
_BUDGET = 100_000  # node evaluations spent on one question
_TOTAL = 600_000  # and on one loss; what is asked later is answered from fewer samples
_MOST = 256  # assignments tried
_WALKED = 1_000_000  # nodes met on the ways from what is asked to the inputs, for one loss
_A_STEP = 16  # of these take about as long as one step of the interpreter

Value = float
Assignment = dict[int, Value]
"""Leaf (by value number) -> value."""


@dataclass(slots=True)
class Sample:
    """One assignment and what follows from it; ``value`` reads a node's value, None outside of the cone."""

    leaves: Assignment
    values: dict[int, Value]

    @property
    def extreme(self) -> bool:
        """Whether some input is far out."""
        return any(abs(value) >= FAR for value in self.leaves.values())

    def value(self, node: Node) -> Value | None:
        """The value of ``node`` in this sample."""
        return self.values.get(node.number)


class Witness:
    """Samples the cones of nodes."""

    def __init__(self, ranges: Ranges, budget: Budget) -> None:
        self._ranges = ranges
        self._left = _TOTAL
        self._walked, self._budget = 0, budget

    def samples(self, *nodes: Node, exact: bool = False) -> list[Sample]:
        """Evaluations of everything that ``nodes`` are computed from, at the corners of its inputs."""
        cone = self._cone(nodes)
        inner = list({n.number: n for n in cone if not self._is_leaf(n)}.values())
        leaves = {n.number: self._corners(n) for n in cone if self._is_leaf(n)}
        leaves |= {_choice(n): _options(n) for n in inner if n.op in _CHOICES}
        budget = max(8, min(_MOST, min(_BUDGET, self._left // 10) // (len(cone) + 1)))
        found = list(self._evaluations(inner, _assignments(list(leaves.items()), budget), exact))
        self._left -= len(found) * len(cone)
        return found

    def value(self, node: Node, of: Callable[[Node], Value | None]) -> Value | None:
        """What ``node`` is where its inputs have the values ``of`` them; None where one has none, or one is chosen."""
        cone = self._cone((node,))
        leaves = {n.number: of(n) for n in cone if self._is_leaf(n)}
        inner = list({n.number: n for n in cone if not self._is_leaf(n)}.values())
        assigned = {number: value for number, value in leaves.items() if value is not None}
        if len(assigned) < len(leaves) or any(n.op in _CHOICES for n in inner):
            return None
        return next(self._evaluations(inner, [assigned], exact=True)).value(node)

    @staticmethod
    def _evaluations(inner: list[Node], assignments: Iterable[Assignment], exact: bool) -> Iterator[Sample]:
        """Each assignment with what follows from it; ``inner`` are the nodes to compute, in order."""
        rounded = {n.number: _rounded(n, exact)(c) for n in inner if (c := constant(n)) is not None}
        inner = [n for n in inner if n.number not in rounded or n.op in _CHOICES]
        chains = {n.id: chain(n) for n in inner if n.op in ("add", "sub", "neg") and not exact}
        for assignment in assignments:
            values = rounded | assignment
            for node in inner:
                values[node.number] = (
                    _chosen(node, values) if node.op in _CHOICES else _evaluated(node, values, exact, chains)
                )
            yield Sample(assignment, values)

    def leaves(self, node: Node) -> set[int]:
        """The value numbers of the inputs that ``node`` is computed from."""
        return {n.number for n in self._cone((node,)) if self._is_leaf(n)}

    def mixed(self, node: Node) -> frozenset[int]:
        """The keys of leaves whose alternatives all take part in ``node``: it is computed from a reduction of them.

        The parts of a stack, the numbers of a ``range``, and the 0 and 1 of one-hot labels or of a softmax where
        their classes are reduced.
        """
        found: set[int] = set()
        for inner in self._cone((node,)):
            if inner.op not in _REDUCTIONS or constant(inner) is not None or self._is_leaf(inner):
                continue
            for part in self._cone(inner.inputs[:1]):
                if part.op in ("stack", "concat") and not self._is_leaf(part):
                    found.add(_choice(part))
                elif part.op == "range" or _is_shared(part, inner):
                    found.add(part.number)
        return frozenset(found)

    def bounded(self, node: Node) -> Interval | None:
        """An interval with all assumptions where every input of ``node`` has known or assumed corners, else None."""
        given: set[str] = set()
        for leaf in self._cone((node,)):
            if self._is_leaf(leaf) and constant(leaf) is None:
                interval = self._ranges.of(leaf)
                if not interval.bounded:
                    return None
                given |= interval.given
        trust = Trust.ASSUMED if given else Trust.KNOWN
        return Interval.of(-iv.INF, iv.INF, trust, frozenset(given))

    def told(self, node: Node, sample: Sample) -> str:
        """What takes ``node`` there, in words: ``y_true = 0, y_pred = 1``; empty where that says little."""
        said: dict[str, Value] = {}
        for leaf in self._cone((node,)):
            value = sample.leaves.get(leaf.number)
            if value is None:
                continue
            root = root_of(leaf) if leaf.op in PIECES else leaf
            if isinstance(leaf.attrs.get("dim"), Dim) or (
                root.op != "model" and root.attrs.get("role") not in ("label", "prediction", "weight")
            ):
                return ""  # something that has no name is part of it
            if said.setdefault(label_of(leaf), value) != value:
                return ""
        return ", ".join(f"{name} = {value:.6g}" for name, value in said.items()) if len(said) < 4 else ""

    def _cone(self, nodes: tuple[Node, ...]) -> list[Node]:
        """``nodes`` and what they are computed from, down to the leaves, in order; choices keep their inputs.

        Raises BudgetExceeded where so much was asked of so large a loss that it is given up.
        """
        seen: dict[int, Node] = {}
        todo = list(nodes)
        while todo:
            node = todo.pop()
            if node.id in seen:
                continue
            seen[node.id] = node
            if constant(node) is None and not self._is_leaf(node):
                todo.extend(node.inputs)
        self._walked += len(seen)
        if self._walked > _WALKED:
            raise BudgetExceeded("too many operations that each depend on too many")
        self._budget.spend(len(seen) // _A_STEP)
        return sorted(seen.values(), key=lambda n: n.id)

    def _is_leaf(self, node: Node) -> bool:
        if constant(node) is not None:
            return False
        if isinstance(node.attrs.get("dim"), Dim) or node.attrs.get("abstract"):
            return True
        if _is_fixed(node):
            return True
        if node.op in PIECES:
            return node.id in self._ranges.assumptions.pieces
        if node.op in ("eq", "ne") and all(constant(x) is None for x in node.inputs) and _reshaped(node):
            return True  # pairs of elements: either may hold, whatever the tensors are
        if cosine(node) is not None or softmax_under(node) is not None:
            return True
        if node.op == "smooth":
            return node.attrs.get("api") not in _SMOOTH
        return node.op not in _TABLE and node.op not in _CHOICES and node.op not in ("add", "sub", "neg")

    def _corners(self, leaf: Node) -> list[Value]:
        interval = self._ranges.of(leaf)
        if leaf.dtype == "bool" or leaf.op in ("eye", "one_hot"):
            return [0.0, 1.0]
        if isinstance(leaf.attrs.get("dim"), Dim) or leaf.op in ("shape_of", "size_of", "rank_of"):
            only = interval.constant
            return [max(1.0, interval.low.at), COUNT] if only is None else [only]
        if leaf.op == "source" and leaf.attrs.get("role") == "config":
            return [0.7]
        if _is_fixed(leaf):
            low, high = interval.low.at, interval.high.at
            return [low + 0.7 * (high - low) if interval.bounded else 0.7]
        corners = [0.0, 1.0, -1.0, 0.5, FAR, -FAR]
        ends = [e.at for e in (interval.low, interval.high) if math.isfinite(e.at) and not e.open]
        inside = [c for c in corners if not interval.excludes(c)]
        return list(dict.fromkeys([*ends, *inside])) or [
            interval.low.at + 1.0 if math.isfinite(interval.low.at) else 1.0
        ]


_CHOICES = frozenset({"concat", "stack", "join", "loop", "set_diag", "diag", "band_part", "scatter", "pad"})
"""Primitives whose elements come from one input or another: which one is part of the assignment."""
_REDUCTIONS = frozenset({"sum", "mean", "max", "min", "prod", "std", "var", "norm", "logsumexp", "matmul", "tensordot"})
"""Primitives of whose operands all elements take part in the result."""
_SHARES = frozenset({"one_hot", "softmax", "log_softmax"})
"""Primitives that are nowhere 0 for all classes."""
_OR_ZERO = frozenset({"diag", "band_part", "scatter", "pad"})


def _is_fixed(node: Node) -> bool:
    """Whether ``node`` is reduced from a ``range`` alone: a constant, which is not computed here.

    The numbers of a range are all there at once, and no two are equal.
    """
    if node.op not in _REDUCTIONS:
        return False
    seen: set[int] = set()
    todo = list(node.inputs)
    found = False
    while todo:
        part = todo.pop()
        if part.id in seen or constant(part) is not None:
            continue
        seen.add(part.id)
        if part.op == "range":
            found = True
        elif part.op in _TABLE or part.op in ("add", "sub", "neg"):
            todo += part.inputs
        else:
            return False
    return found


def _is_shared(part: Node, reduction: Node) -> bool:
    """Whether ``part`` is nowhere 0 for all classes, which ``reduction`` takes in."""
    return part.op in _SHARES and _last_axis(reduction) and part.attrs.get("axis") in (None, -1, (-1,))


def _last_axis(node: Node) -> bool:
    """Whether a reduction takes in the last axis of its input, where classes are."""
    axes, rank = node.attrs.get("axis"), node.inputs[0].shape.rank
    return axes is None or (isinstance(axes, tuple) and (-1 in axes or (rank is not None and rank - 1 in axes)))


def _choice(node: Node) -> int:
    """The key of a choice, apart from all value numbers."""
    return -1 - node.number


def _options(node: Node) -> list[Value]:
    return [float(i) for i in range(min(len(node.inputs), 4) + (node.op in _OR_ZERO))]


def _chosen(node: Node, values: dict[int, Value]) -> Value:
    """The element that a choice stands for."""
    i = int(values[_choice(node)])
    return values[node.inputs[i].number] if i < len(node.inputs) else 0.0


def _reshaped(node: Node) -> bool:
    """Whether a comparison pairs elements that are not at the same place."""
    return any(plain(x).number != x.number for x in node.inputs)


def _assignments(leaves: list[tuple[int, list[Value]]], budget: int) -> Iterator[Assignment]:
    """All combinations of corners where there are few; else uniform ones, single deviations and a random rest."""
    numbers = [number for number, _ in leaves]
    corners = [values for _, values in leaves]
    if math.prod(len(c) for c in corners) <= budget:
        for chosen in itertools.product(*corners):
            yield dict(zip(numbers, chosen, strict=True))
        return
    dice = random.Random(0)
    bases = [[c[min(i, len(c) - 1)] for c in corners] for i in range(max(map(len, corners)))]
    bases.insert(0, [0.0 if 0.0 in c else c[0] for c in corners])
    made = 0
    for base in bases:
        yield dict(zip(numbers, base, strict=True))
        made += 1
    for base, (i, values) in itertools.product(bases[:2], enumerate(corners)):
        for value in values:
            if made < budget * 3 // 4:
                yield dict(zip(numbers, [*base[:i], value, *base[i + 1 :]], strict=True))
                made += 1
    while made < budget:
        yield dict(zip(numbers, [dice.choice(c) for c in corners], strict=True))
        made += 1


# --- evaluation ---------------------------------------------------------------------------------------------------


def _rounded(node: Node, exact: bool) -> Callable[[float], float]:
    return iv.exactly if exact else iv.rounding(node.dtype)


def _evaluated(node: Node, values: dict[int, Value], exact: bool, chains: dict[int, Chain]) -> Value:
    """The value of ``node``, which is no constant; ``chains`` are those that end in a sum, by node id."""
    to = _rounded(node, exact)
    links = chains.get(node.id)
    if links is not None and links.constants > 1 and links.core.number in values:
        return to(to(links.constant) + links.sign * values[links.core.number])
    arguments = [values[x.number] if x.number in values else to(constant(x) or 0.0) for x in node.inputs]
    if node.op == "add":
        return to(arguments[0] + arguments[1])
    if node.op == "sub":
        return to(arguments[0] - arguments[1])
    if node.op == "neg":
        return -arguments[0]
    try:
        result = _TABLE[node.op](node, *arguments)
    except OverflowError:
        return iv.INF
    except (ValueError, ZeroDivisionError):
        return math.nan
    return to(result) if math.isfinite(result) else result


def _count(node: Node) -> float:
    extent = node.attrs.get("extent")
    value = extent.value if extent is not None else None
    return float(value) if value else COUNT


def _log(x: float) -> float:
    return -iv.INF if x == 0 else math.log(x)


def _div(a: float, b: float) -> float:
    if b:
        return a / b
    return math.nan if a == 0 or math.isnan(a) else math.copysign(iv.INF, a)


def _pow(a: float, b: float) -> float:
    if a == 0 and b < 0:
        return iv.INF
    return math.nan if a < 0 and b != int(b) else float(a**b)


def _exp(x: float) -> float:
    return 0.0 if x < iv.UNDERFLOW else max(math.exp(x), iv.TINY)


def _sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x > iv.UNDERFLOW else 0.0


def _softplus(x: float) -> float:
    return x if x > 30 else math.log1p(math.exp(x))


def _max(a: float, b: float) -> float:
    return math.nan if math.isnan(a) or math.isnan(b) else max(a, b)


def _min(a: float, b: float) -> float:
    return -_max(-a, -b)


def _times(a: float, b: float) -> float:
    return a * b


def _cast(node: Node, x: float) -> float:
    dtype = str(node.attrs.get("dtype"))
    if dtype == "bool":
        return float(x != 0)
    return float(math.trunc(x)) if "int" in dtype else x


def _norm(node: Node, x: float) -> float:
    order = node.attrs.get("ord")
    return abs(x) * (_count(node) if order == 1 else 1.0 if order == iv.INF else math.sqrt(_count(node)))


def _elu(x: float) -> float:
    return x if x > 0 else math.expm1(x)


_SMOOTH: dict[str, Callable[[float], float]] = {
    "elu": _elu,
    "selu": lambda x: 1.0507009873554805 * (x if x > 0 else 1.6732632423543772 * math.expm1(x)),
    "silu": lambda x: x * _sigmoid(x),
    "swish": lambda x: x * _sigmoid(x),
    "gelu": lambda x: 0.5 * x * (1.0 + math.erf(x / math.sqrt(2.0))),
    "mish": lambda x: x * math.tanh(_softplus(x)),
    "softsign": lambda x: x / (1.0 + abs(x)),
    "log_cosh": lambda x: x + _softplus(-2.0 * x) - math.log(2.0),
}
"""Functions that are no primitives, by what they are called; of ``elu`` with another alpha the zero is the same."""
_ONE: dict[str, Callable[[float], float]] = {
    "abs": abs,
    "square": lambda x: x * x,
    "sqrt": math.sqrt,
    "rsqrt": lambda x: _div(1.0, math.sqrt(x)),
    "reciprocal": lambda x: _div(1.0, x),
    "exp": _exp,
    "expm1": math.expm1,
    "log": _log,
    "log1p": lambda x: _log(1.0 + x) if abs(x) > 1e-3 else math.log1p(x),
    "sigmoid": _sigmoid,
    "log_sigmoid": lambda x: -_softplus(-x),
    "tanh": math.tanh,
    "softplus": _softplus,
    "relu": lambda x: _max(x, 0.0),
    "sin": math.sin,
    "cos": math.cos,
    "tan": math.tan,
    "sinh": math.sinh,
    "cosh": math.cosh,
    "asin": math.asin,
    "acos": math.acos,
    "atan": math.atan,
    "erf": math.erf,
    "sign": lambda x: float(x > 0) - float(x < 0),
    "round": lambda x: float(round(x)),
    "floor": lambda x: float(math.floor(x)),
    "ceil": lambda x: float(math.ceil(x)),
    "is_nan": lambda x: float(math.isnan(x)),
    "is_inf": lambda x: float(math.isinf(x)),
    "is_finite": lambda x: float(math.isfinite(x)),
    "not": lambda x: float(not x),
}
_TWO: dict[str, Callable[[float, float], float]] = {
    "mul": _times,
    "div": _div,
    "pow": _pow,
    "maximum": _max,
    "minimum": _min,
    "floordiv": lambda a, b: float(a // b),
    "mod": lambda a, b: a % b,
    "div_no_nan": lambda a, b: a / b if b else 0.0,
    "mul_no_nan": lambda a, b: a * b if b else 0.0,
    "xlogy": lambda a, b: a * _log(b) if a else 0.0,
    "lt": lambda a, b: float(a < b),
    "le": lambda a, b: float(a <= b),
    "gt": lambda a, b: float(a > b),
    "ge": lambda a, b: float(a >= b),
    "eq": lambda a, b: float(a == b),
    "ne": lambda a, b: float(a != b),
    "and": lambda a, b: float(bool(a) and bool(b)),
    "or": lambda a, b: float(bool(a) or bool(b)),
    "xor": lambda a, b: float(bool(a) != bool(b)),
}
_SAME = (
    "identity stop_gradient leaves_tensorflow variable_of reshape expand_dims squeeze transpose broadcast_to tile "
    "repeat index unstack gather gather_nd boolean_mask diag_part unique max min mean median sort reverse roll top_k "
    "any all cumprod cumsum segment"
)

_TABLE: dict[str, Callable[..., float]] = {
    **{name: (lambda node, x, f=f: f(x)) for name, f in _ONE.items()},
    **{name: (lambda node, a, b, f=f: f(a, b)) for name, f in _TWO.items()},
    **{name: (lambda node, x, *rest: x) for name in _SAME.split()},
    "cast": _cast,
    "clip": lambda node, x, low, high: _min(_max(x, low), high),
    "select": lambda node, condition, a, b: a if condition else b,
    "sum": lambda node, x: x * _count(node),
    "prod": lambda node, x: x ** _count(node),
    "count_nonzero": lambda node, x: _count(node) if x else 0.0,
    "logsumexp": lambda node, x: x + math.log(_count(node)),
    "norm": _norm,
    "matmul": lambda node, a, b: a * b * _count(node),
    "tensordot": lambda node, a, b: a * b * _count(node),
    "zeros_like": lambda node, x: 0.0,
    "ones_like": lambda node, x: 1.0,
    "smooth": lambda node, x: _SMOOTH[node.attrs["api"]](x),
}
