"""How a value mixes the samples of a batch: is the loss of a batch the mean of the losses of its parts?

Almost every sound loss is *additive*: ``B**r * row + B**s * sum(rows) + constant``, where ``row`` holds one value a
sample that is computed from that sample alone, and ``sum(rows)`` adds such values over the batch. A per-sample loss has
r = 0 and no sum, a batch sum s = 0, a batch mean s = -1. Linear operations keep this form, nonlinear ones keep it only
for rows. What leaves it is *coupled*: gradient accumulation and replicas change it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction

from losslint.graph import Node

_ZERO, _ONE = Fraction(0), Fraction(1)


@dataclass(frozen=True, slots=True)
class Coupling:
    """One value. ``row`` and ``total`` are the powers r and s above, None where the part is absent.

    ``count`` is the power of a value that is computed from the batch size alone.
    """

    row: Fraction | None = None
    total: Fraction | None = None
    count: Fraction | None = None
    at: Node | None = None  # the operation that couples the samples
    lost: bool = False  # nothing is known
    ordered: bool = False  # neighbours in the batch are combined, so their order matters

    @property
    def kind(self) -> str:
        """ "const", "count", "row", "sum", "mean", "row+mean", "scaled", "coupled" or "unknown"."""
        if self.at is not None or self.lost:
            return "coupled" if self.at is not None else "unknown"
        if self.count is not None:
            return "count"
        names = {
            (None, None): "const",
            (_ZERO, None): "row",
            (None, _ZERO): "sum",
            (None, -_ONE): "mean",
            (_ZERO, -_ONE): "row+mean",
        }
        return names.get((self.row, self.total), "scaled")

    @property
    def additive(self) -> bool:
        """Whether the form above holds and the value is no mere count."""
        return self.at is None and not self.lost and self.count is None

    @property
    def constant(self) -> bool:
        """Whether no sample, nor their number, plays a part."""
        return self.kind == "const"

    def __str__(self) -> str:
        return self.kind + " (order matters)" * self.ordered


CONST = Coupling()
ROW = Coupling(row=_ZERO)
SUM = Coupling(total=_ZERO)
MEAN = Coupling(total=-_ONE)
UNKNOWN = Coupling(lost=True)


def counted(power: int) -> Coupling:
    """The batch size to some power."""
    return Coupling(count=Fraction(power)) if power else CONST


def coupled(node: Node, inputs: Iterable[Coupling] = (), ordered: bool = False) -> Coupling:
    """Samples are mixed at ``node``, unless one of the inputs was coupled before, or is unknown."""
    inputs = list(inputs)
    order = ordered or any(x.ordered for x in inputs)
    first = next((x for x in inputs if x.at is not None), None)
    if first is not None:
        return replace(first, ordered=order)
    if any(x.lost for x in inputs):
        return replace(UNKNOWN, ordered=order)
    return Coupling(at=node, ordered=order)


def _closed(node: Node, inputs: list[Coupling]) -> Coupling | None:
    """The result where an input is coupled or unknown, else None."""
    return coupled(node, inputs) if any(x.at is not None or x.lost for x in inputs) else None


def add(node: Node, inputs: list[Coupling]) -> Coupling:
    """A linear combination with constant weights."""
    done = _closed(node, inputs)
    if done is not None:
        return done
    parts = [x for x in inputs if not x.constant]
    if len(parts) == 1 and parts[0].count is None:
        return parts[0]
    if any(x.count is not None for x in parts):
        return coupled(node)
    rows, totals = (
        {p for p in powers if p is not None} for powers in ((x.row for x in parts), (x.total for x in parts))
    )
    if len(rows) > 1 or len(totals) > 1:
        return coupled(node)
    return Coupling(next(iter(rows), None), next(iter(totals), None))


def multiply(node: Node, a: Coupling, b: Coupling) -> Coupling:
    """A product: with constants, with powers of the batch size, and of rows."""
    done = _closed(node, [a, b])
    if done is not None:
        return done
    if a.constant or b.constant:
        return b if a.constant else a
    if a.count is not None or b.count is not None:
        times, x = (a.count, b) if a.count is not None else (b.count, a)
        assert times is not None
        if x.count is not None:
            return Coupling(count=x.count + times) if x.count + times else CONST
        return Coupling(None if x.row is None else x.row + times, None if x.total is None else x.total + times)
    if a.total is None and b.total is None and a.row is not None and b.row is not None:
        return Coupling(row=a.row + b.row)
    return coupled(node)


def reciprocal(node: Node, x: Coupling) -> Coupling:
    """1 / x."""
    return Coupling(count=-x.count) if x.count is not None else function(node, [x])


def function(node: Node, inputs: list[Coupling]) -> Coupling:
    """Any function, element by element: rows stay rows, all else is coupled by it."""
    done = _closed(node, inputs)
    if done is not None:
        return done
    parts = [x for x in inputs if not x.constant]
    if not parts:
        return CONST
    return ROW if all(x.row == 0 and x.total is None and x.count is None for x in parts) else coupled(node)


def reduce_sum(node: Node, x: Coupling, degree: int | None) -> Coupling:
    """The sum over axes whose extent grows like B**degree."""
    if x.at is not None or x.lost or degree == 0:
        return x
    if degree is None:
        return UNKNOWN
    if x.constant or x.count is not None:
        return counted(degree) if x.constant else Coupling(count=(x.count or _ZERO) + degree)
    powers = {p for p in (x.row, None if x.total is None else x.total + degree) if p is not None}
    if degree > 1 and x.row is not None:
        return coupled(node)
    return Coupling(total=powers.pop()) if len(powers) == 1 else coupled(node)
