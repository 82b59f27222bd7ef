"""What an interval alone cannot see: facts about nodes that are made of the same values."""

from __future__ import annotations

from collections.abc import Iterator

from losslint.domain import interval as iv
from losslint.domain.interval import INF, NONNEGATIVE, End, Interval, Trust
from losslint.domain.shape import Dim
from losslint.graph import Node
from losslint.ops.directions import cosine
from losslint.ops.identities import shares_of_one, softmax_under, vanishes
from losslint.ops.linear import Terms, constant, terms
from losslint.ops.weights import CONTRACTIONS, independent, projects

_SHAPED = frozenset(
    ["identity", "cast", "reshape", "expand_dims", "squeeze", "transpose", "broadcast_to", "tile", "stop_gradient"]
)


def related(node: Node, values: list[Interval]) -> Interval | None:
    """A range that follows from what the inputs have in common; None where nothing is known."""
    if node.op in ("mul", "log_softmax") and vanishes(node):
        return Interval.point(0.0)
    if node.op in ("add", "sub"):
        return (
            _difference(node, values)
            or _squared_distance(node, values)
            or _mixture(node, values)
            or _part_of_relu(node, values)
            or _union(node, values)
            or _free(node, values)
        )
    if node.op in ("sum", "div", "matmul", "einsum") and cosine(node) is not None:
        return COSINE
    if node.op in CONTRACTIONS:
        return _free(node, values)
    if node.op == "div":
        return _share(node, values)
    return _mass(node, values) if node.op in ("sum", "mean", "norm") else None


COSINE = Interval.of(-1.0, 1.0, Trust.ASSUMED, frozenset({"two vectors can have one direction"}))


def plain(node: Node) -> Node:
    """``node`` without reshaping and casts around it."""
    while (node.op in _SHAPED or _adds_axes(node)) and node.inputs and node.attrs.get("dtype") != "bool":
        node = node.inputs[0]
    return node


def _adds_axes(node: Node) -> bool:
    """Whether ``node`` is ``x[:, None]`` or the like: all elements of x, with axes of length 1 between."""
    return node.op == "index" and all(
        part is None or part is Ellipsis or (isinstance(part, slice) and part == slice(None))
        for part in node.attrs.get("key", ((),))
    )


def _difference(node: Node, values: list[Interval]) -> Interval | None:
    """x - x is 0; x - max(x) is nowhere positive, x - min(x) nowhere negative."""
    if node.op != "sub":
        return None
    a, b = node.inputs[:2]
    if a.number == b.number:
        return Interval.point(0.0)
    extreme = plain(b)
    if extreme.op in ("max", "min") and plain(extreme.inputs[0]).number == plain(a).number:
        far = iv.sub(values[a.id], values[b.id])
        return Interval(far.low, End(0.0)) if extreme.op == "max" else Interval(End(0.0), far.high)
    return None


def _squared_distance(node: Node, values: list[Interval]) -> Interval | None:
    """|a|^2 - 2 a.b + |b|^2 is a squared distance: it reaches 0 where a and b agree, if nothing else is added."""
    if node.op not in ("add", "sub"):
        return None
    parts = terms(node)
    if len(parts.parts) not in (2, 3):
        return None
    products = [(c, n) for c, n in parts.parts.values() if plain(n).op in ("matmul", "einsum", "tensordot") and c < 0]
    if len(products) != 1:
        return None
    coefficient, product = products[0]
    others = [(c, n) for c, n in parts.parts.values() if n is not product]
    balanced = abs(sum(c for c, _ in others) + coefficient) < 1e-9 and all(c > 0 for c, _ in others)
    if balanced and all(_is_square_norm(n) for _, n in others):
        low = parts.constant
        return Interval(End(low), End(INF, True, Trust.UNKNOWN)) if low >= 0 else None
    return None


def _is_square_norm(node: Node) -> bool:
    node = plain(node)
    if node.op == "diag_part":
        inner = plain(node.inputs[0])
        return inner.op == "matmul" and plain(inner.inputs[0]).number == plain(inner.inputs[1]).number
    if node.op not in ("sum", "norm"):
        return node.op == "square" and plain(node.inputs[0]).op == "norm"
    inner = plain(node.inputs[0])
    return node.op == "sum" and (
        inner.op == "square"
        or (inner.op == "mul" and inner.inputs[0].number == inner.inputs[1].number)
        or (inner.op == "pow" and constant(inner.inputs[1]) == 2)
    )


def _mixture(node: Node, values: list[Interval]) -> Interval | None:
    """a * t + b * (1 - t) with t in [0, 1] lies between a and b."""
    if node.op != "add" or any(x.op != "mul" for x in node.inputs[:2]):
        return None
    left, right = node.inputs[:2]
    for t, a in (left.inputs[:2], left.inputs[1::-1]):
        for u, b in (right.inputs[:2], right.inputs[1::-1]):
            if _complements(t, u) and values[t.id].within(0.0, 1.0):
                weight = values[t.id]
                inside = iv.hull(values[a.id], values[b.id])
                if not weight.given:
                    return inside
                given = [
                    End(e.at, e.open, min(e.trust, Trust.ASSUMED), e.given | weight.given)
                    for e in (inside.low, inside.high)
                ]
                return Interval(given[0], given[1], inside.nan)
    return None


def _part_of_relu(node: Node, values: list[Interval]) -> Interval | None:
    """max(x, 0) - x * t with t in [0, 1] is x * (1 - t), or -x * t: not negative, as in a cross entropy of logits."""
    a, b = node.inputs[:2]
    if node.op != "sub" or a.op != "relu" or b.op != "mul":
        return None
    for x, t in (b.inputs[:2], b.inputs[1::-1]):
        if x.number == a.inputs[0].number and values[t.id].within(0.0, 1.0):
            given = values[t.id].given
            trust = Trust.ASSUMED if given else Trust.KNOWN
            high = iv.sub(values[a.id], values[b.id]).high
            return Interval(End(0.0, False, trust, given), high)
    return None


def _complements(t: Node, u: Node) -> bool:
    """Whether t + u is 1."""
    return any(
        x.op == "sub" and constant(x.inputs[0]) == 1.0 and x.inputs[1].number == y.number for x, y in ((t, u), (u, t))
    )


def _free(node: Node, values: list[Interval]) -> Interval | None:
    """x @ W with a trained W takes either sign, whatever x is, and so does its sum with what W has no part in."""
    if node.op in CONTRACTIONS:
        return iv.FREE if projects(node) else None
    a, b = node.inputs[:2]
    if not any(values[x.id].free for x in (a, b)) or any(constant(x) is not None for x in (a, b)):
        return None
    return iv.FREE if independent(a, b) else iv.UNKNOWN


def _share(node: Node, values: list[Interval]) -> Interval | None:
    """a / (a + rest) with nothing negative in it lies in [0, 1]; x / x is 1."""
    a, b = node.inputs[:2]
    if a.number == b.number:
        return Interval.point(1.0)
    if values[b.id].low.at < 0:
        return None
    if values[a.id].low.at < 0:
        given = values[a.id].given | values[b.id].given
        return Interval.of(-1.0, 1.0, Trust.UNKNOWN, given) if _outweighs(b, a, values) else None
    if _least(terms(a), terms(b), values, a) >= 0:
        given = values[a.id].given | values[b.id].given
        return Interval(End(0.0), End(1.0, False, Trust.UNKNOWN, given))
    return None


def _outweighs(b: Node, a: Node, values: list[Interval]) -> bool:
    """Whether b is at least |a|: a norm of a, ``sqrt(a * a + eps)``, ``|a| + eps``, or a sum of these over an axis."""
    b, squared = plain(b), False
    if b.op == "norm":
        return plain(b.inputs[0]).number == plain(a).number and b.attrs.get("ord", 2) in (1, 2, "euclidean", None)
    if b.op == "sqrt":
        b, squared = b.inputs[0], True
    parts = terms(b)
    for coefficient, node in parts.parts.values():
        inner = plain(node.inputs[0]) if node.op == "sum" else plain(node)
        large = _is_square_of(inner, (a, a)) if squared else inner.op == "abs" and _same_values(inner.inputs[0], a)
        if (
            large
            and coefficient >= 1
            and _low(Terms(_less(parts.parts, {node.number: 1.0}), parts.constant), values) >= 0
        ):
            return True
    return False


def _same_values(x: Node, y: Node) -> bool:
    return plain(x).number == plain(y).number


def _union(node: Node, values: list[Interval]) -> Interval | None:
    """``sum(x) + sum(y) - sum(x * y)`` is not negative where x and y lie in [0, 1]."""
    parts = terms(node)
    above = Terms({n: (-c, x) for n, (c, x) in parts.parts.items() if c < 0}, 0.0)
    if not any(_factors(x) for _, x in above.parts.values()):
        return None
    below = Terms({n: p for n, p in parts.parts.items() if p[0] > 0}, parts.constant)
    least = _least(above, below, values)
    if least < 0:
        return None
    a, b = (values[x.id] for x in node.inputs[:2])
    plainly = iv.add(a, b) if node.op == "add" else iv.sub(a, b)
    return Interval(plainly.low.moved(least, False), plainly.high, plainly.nan) if plainly.low.at < least else None


def _least(above: Terms, below: Terms, values: list[Interval], a: Node | None = None) -> float:
    """The least that ``below - above`` surely is; ``a`` is the node of ``above``, where there is one."""
    rest = below.minus(above)
    found = [_low(rest, values), *(_low(less, values) for less in _without_overlap(rest, values))]
    for coefficient, total in below.parts.values():
        # a number is no more than the sum that it is part of
        if a is not None and total.op == "sum" and coefficient >= 1 and _same_values(total.inputs[0], a):
            found.append(_low(Terms(_less(below.parts, {total.number: 1.0}), below.constant), values))
    return max(found)


def _without_overlap(difference: Terms, values: list[Interval]) -> Iterator[Terms]:
    """Smaller sums than ``difference``, without the product that it subtracts.

    ``x * y`` is no more than x, nor than y, where both lie in [0, 1], and no more than half of ``x * x + y * y``; the
    same holds for sums of these.
    """
    for coefficient, overlap in difference.parts.values():
        factors = _factors(overlap)
        if factors is None or coefficient > 0 or any(values[x.id].low.at < 0 for x in factors):
            continue
        rest = Terms({n: p for n, p in difference.parts.items() if n != overlap.number}, difference.constant)
        sums = [(c, n, _summed(n, overlap)) for c, n in rest.parts.values() if c > 0]
        squares = {n.number: -coefficient / 2 for _, n, x in sums if x is not None and _is_square_of(x, factors)}
        if len(squares) == 2:
            yield Terms(_less(rest.parts, squares), rest.constant)
        if all(values[x.id].within(0.0, 1.0) for x in factors):
            left, taken = -coefficient, {}
            for c, n, x in sums:
                if x is not None and any(x.number == plain(f).number for f in factors):
                    taken[n.number] = min(c, left)
                    left -= taken[n.number]
            if left <= 1e-9:
                yield Terms(_less(rest.parts, taken), rest.constant)


def _less(parts: dict[int, tuple[float, Node]], taken: dict[int, float]) -> dict[int, tuple[float, Node]]:
    left = {n: (c - taken.get(n, 0.0), node) for n, (c, node) in parts.items()}
    return {n: part for n, part in left.items() if abs(part[0]) > 1e-9}


def _factors(node: Node) -> tuple[Node, Node] | None:
    """x and y of ``x * y`` or ``sum(x * y)``."""
    inner = plain(node.inputs[0]) if node.op == "sum" else node
    return (inner.inputs[0], inner.inputs[1]) if inner.op == "mul" else None


def _summed(node: Node, like: Node) -> Node | None:
    """What ``node`` is the sum of, over the axes that ``like`` is a sum over."""
    if like.op != "sum":
        return plain(node)
    same = node.op == "sum" and all(node.attrs.get(k) == like.attrs.get(k) for k in ("axis", "keepdims"))
    return plain(node.inputs[0]) if same else None


def _is_square_of(node: Node, factors: tuple[Node, Node]) -> bool:
    numbers = {plain(x).number for x in factors}
    if node.op == "mul":
        return node.inputs[0].number == node.inputs[1].number and plain(node.inputs[0]).number in numbers
    squared = node.op == "square" or (node.op == "pow" and constant(node.inputs[1]) == 2)
    return squared and plain(node.inputs[0]).number in numbers


def _low(rest: Terms, values: list[Interval]) -> float:
    low = rest.constant
    for coefficient, node in rest.parts.values():
        end = values[node.id].low.at if coefficient > 0 else values[node.id].high.at
        low += coefficient * end if end else 0.0
    return low


def _mass(node: Node, values: list[Interval]) -> Interval | None:
    """Sums that are positive although every summand can be 0: probabilities over their axis, x == x on the diagonal."""
    softmax = softmax_under(node)
    if node.op == "mean":
        return None if softmax is None else _share_of_mass(softmax)
    if softmax is not None:
        over, along = (n.attrs.get("axis") for n in (node, softmax))
        single = isinstance(over, tuple) and isinstance(along, tuple) and len(over) == len(along)
        return Interval.point(1.0) if single else Interval(End(1.0), iv.SOME_HIGH)
    if node.op != "sum":
        return None
    inner = plain(node.inputs[0])
    factor = inner.inputs[0] if inner.op in ("square", "pow", "mul") else None
    if factor is not None and shares_of_one(node, plain(factor)) and values[node.inputs[0].id].low.at >= 0:
        same = inner.op == "square" or inner.op == "pow" or inner.inputs[0].number == inner.inputs[1].number
        if same:
            return Interval(End(0.0, True), NONNEGATIVE.high)
    if inner.op == "eq" and _reflexive(inner):
        return Interval(End(1.0), iv.SOME_HIGH)
    return None


def _share_of_mass(softmax: Node) -> Interval:
    """The mean of probabilities: one part in as many as there are."""
    extent = softmax.attrs.get("extent")
    if isinstance(extent, Dim) and extent.value:
        return Interval.point(1.0 / extent.value)
    return Interval(End(0.0, True, Trust.UNKNOWN), End(1.0))


def _reflexive(node: Node) -> bool:
    """Whether every element is compared with itself somewhere: labels against their own transpose."""
    a, b = node.inputs[:2]
    return a.number != b.number and plain(a).number == plain(b).number
