"""Symbolic shapes: a dimension is a monomial of symbols, a shape may leave its middle open.

The batch is the symbol ``B``; symbols that start with ``B`` count samples too (``B#3`` is the number of rows that
a boolean mask kept). A symbol that starts with ``?`` is an extent nothing is known about, so it may hold the batch.
Every other symbol (``C``, ``S``) is known to be independent of the batch size.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

_fresh = itertools.count()


@dataclass(frozen=True, slots=True)
class Dim:
    """An extent: ``coefficient * product(symbol ** power)``, e.g. ``B*H*W`` or ``3``."""

    coefficient: int
    symbols: tuple[tuple[str, int], ...] = ()

    @classmethod
    def of(cls, value: int | str) -> Dim:
        """``Dim.of(3)`` is the number 3, ``Dim.of("B")`` the symbol B."""
        return cls(value) if isinstance(value, int) else cls(1, ((value, 1),))

    @classmethod
    def unknown(cls) -> Dim:
        """A fresh extent that may be anything, the batch included."""
        return cls.of(f"?{next(_fresh)}")

    @classmethod
    def fresh(cls, batch: int | None = 0, name: str = "S") -> Dim:
        """A new extent that grows with the batch size to the power ``batch`` (None: unknown), called ``name#...``."""
        if batch is None or batch < 0:
            return cls.unknown()
        return cls(1, ((f"B#{next(_fresh)}", batch),)) if batch else cls.of(f"{name}#{next(_fresh)}")

    @property
    def family(self) -> str:
        """The name that extents derived from this one bear: ``H`` for ``H`` and ``H#7``."""
        return self.symbols[0][0].partition("#")[0] if len(self.symbols) == 1 else "S"

    @property
    def value(self) -> int | None:
        """The extent as a number, None where it holds a symbol."""
        return None if self.symbols else self.coefficient

    @property
    def batch(self) -> int | None:
        """The power with which the extent grows with the batch size; None where that is unknown."""
        if any(name.startswith("?") for name, _ in self.symbols):
            return None
        return sum(power for name, power in self.symbols if name.startswith("B"))

    def __mul__(self, other: Dim) -> Dim:
        powers = dict(self.symbols)
        for name, power in other.symbols:
            powers[name] = powers.get(name, 0) + power
        return Dim(self.coefficient * other.coefficient, tuple(sorted((n, p) for n, p in powers.items() if p)))

    def divided_by(self, other: Dim) -> Dim | None:
        """The quotient where it is a monomial with natural powers, else None."""
        if not other.coefficient or self.coefficient % other.coefficient:
            return None
        inverse = Dim(1, tuple((name, -power) for name, power in other.symbols))
        quotient = Dim(self.coefficient // other.coefficient) * Dim(1, self.symbols) * inverse
        return quotient if all(power > 0 for _, power in quotient.symbols) else None

    def __str__(self) -> str:
        names = [name if power == 1 else f"{name}^{power}" for name, power in self.symbols]
        return "*".join(([str(self.coefficient)] if self.coefficient != 1 or not names else []) + names)


ONE = Dim(1)
BATCH = Dim.of("B")


def product(dims: tuple[Dim, ...] | list[Dim]) -> Dim:
    """The number of elements of axes with these extents."""
    return math.prod(dims, start=ONE)


@dataclass(frozen=True, slots=True)
class Shape:
    """``head`` axes, then, if ``rest`` names their product, any number of unlisted axes, then ``tail``."""

    head: tuple[Dim, ...] = ()
    rest: str | None = None
    tail: tuple[Dim, ...] = ()

    @classmethod
    def of(cls, *dims: int | str | Dim) -> Shape:
        """A shape of known rank."""
        return cls(tuple(d if isinstance(d, Dim) else Dim.of(d) for d in dims))

    @classmethod
    def unknown(cls) -> Shape:
        """A shape nothing is known about."""
        return cls((), f"?{next(_fresh)}")

    @property
    def rank(self) -> int | None:
        """The number of axes; None where it is unknown."""
        return len(self.head) if self.rest is None else None

    @property
    def min_rank(self) -> int:
        """A lower bound of the number of axes."""
        return len(self.head) + len(self.tail)

    @property
    def numel(self) -> Dim:
        """The number of elements."""
        middle = Dim.of(self.rest) if self.rest is not None else ONE
        return product(self.head) * middle * product(self.tail)

    @property
    def batch_axes(self) -> tuple[int, ...]:
        """The leading axes that are known to grow with the batch."""
        return tuple(i for i, d in enumerate(self.head) if d.batch)

    def axis(self, index: int) -> Dim | None:
        """The extent of axis ``index`` (negative from the end); None where the shape does not tell."""
        if self.rest is None:
            return self.head[index] if -len(self.head) <= index < len(self.head) else None
        if index >= 0:
            return self.head[index] if index < len(self.head) else None
        return self.tail[index] if -index <= len(self.tail) else None

    def __str__(self) -> str:
        parts = [str(d) for d in self.head]
        parts += ["..."] * (self.rest is not None) + [str(d) for d in self.tail]
        return f"({', '.join(parts)}{',' * (len(parts) == 1)})"


SCALAR = Shape()


def _opened(rest: str | None) -> str:
    """A fresh name for unlisted axes that are known to be batch-free exactly if those of ``rest`` were."""
    return f"?{next(_fresh)}" if rest is None or rest.startswith("?") else f"S#{next(_fresh)}"


def opened(shape: Shape, head: int = 0, tail: int = 0) -> Shape:
    """``shape`` of which only the first ``head`` and the last ``tail`` axes are still told."""
    listed = shape.head[head:] + (shape.tail if shape.rest is not None else ())
    known = shape.rest is None or not shape.rest.startswith("?")
    free = known and all(d.batch == 0 for d in listed[: len(listed) - tail])
    kept = (shape.tail if shape.rest is not None else shape.head)[-tail:] if tail else ()
    return Shape(shape.head[:head], Dim.fresh(0 if free else None).symbols[0][0], kept)


def with_rank(shape: Shape, rank: int) -> Shape:
    """``shape`` if its rank is known, else the same with ``rank`` axes (unknown where it has more already)."""
    if shape.rest is None:
        return shape
    missing = rank - shape.min_rank
    if missing < 0:
        return Shape.unknown()
    middle = (Dim.of(shape.rest),) if missing == 1 else tuple(Dim.of(_opened(shape.rest)) for _ in range(missing))
    return Shape(shape.head + middle + shape.tail)


def reduce(shape: Shape, axes: tuple[int, ...] | None, keepdims: bool = False) -> tuple[Shape, Dim | None]:
    """The shape after reducing ``axes`` (None: all), and the number of elements each result is made of.

    That number is None where the shape does not tell which axes are meant.
    """
    if axes is None:
        if not keepdims:
            return SCALAR, shape.numel
        kept = Shape(tuple(ONE for _ in shape.head), shape.rest and _opened("S"), tuple(ONE for _ in shape.tail))
        return kept, shape.numel
    if shape.rank is not None:
        if any(not -shape.rank <= a < shape.rank for a in axes):
            return Shape.unknown(), None
        gone = {a % shape.rank for a in axes}
        extent = product([shape.head[a] for a in gone])
        dims = [ONE if i in gone else d for i, d in enumerate(shape.head) if keepdims or i not in gone]
        return Shape(tuple(dims)), extent
    return _reduce_open(shape, axes, keepdims)


def _reduce_open(shape: Shape, axes: tuple[int, ...], keepdims: bool) -> tuple[Shape, Dim | None]:
    """Reduce a shape of unknown rank. ``axis=[1, 2, 3]`` is taken to leave nothing but the batch."""
    heads, tails = {a for a in axes if a >= 0}, {a for a in axes if a < 0}
    inside = {a for a in heads if a >= len(shape.head)} | {a for a in tails if -a > len(shape.tail)}
    free = not (shape.rest or "?").startswith("?")
    known = [shape.head[a] for a in heads - inside] + [shape.tail[a] for a in tails - inside]
    gone = ONE if keepdims else None
    head = [gone if i in heads else d for i, d in enumerate(shape.head)]
    tail = [gone if i - len(shape.tail) in tails else d for i, d in enumerate(shape.tail)]
    new_head = tuple(d for d in head if d is not None)
    new_tail = tuple(d for d in tail if d is not None)
    if not inside:
        return Shape(new_head, shape.rest, new_tail), product(known)
    if not free or (any(a < 0 for a in inside) and not shape.tail):
        # axis -1 of (B, ...): the unlisted axes may be none, and then -1 is the batch
        reach = max((-a for a in axes if a < 0), default=0) - len(shape.tail)
        if (
            free
            and not heads
            and not keepdims
            and all(d.batch == 0 for d in shape.head[-reach:])
            and reach < len(shape.head)
        ):
            return opened(shape, len(shape.head) - reach), Dim.fresh()
        return Shape.unknown(), None
    extent = product(known) * Dim.of(_opened(shape.rest))
    if all(a < 0 for a in axes):  # the last axes of (B, ..., C): what stands before stays told
        return Shape(new_head, _opened(shape.rest), new_tail if keepdims else ()), extent
    if sorted(heads) == list(range(len(shape.head), max(heads, default=0) + 1)) and len(heads) >= 3 and not keepdims:
        return Shape(new_head), extent
    return Shape(new_head, _opened(shape.rest)), extent


def _told(dim: Dim) -> int:
    """How much an extent tells: 1 gives way to all, the batch to none, a number is better known than a symbol."""
    if dim == ONE or dim.batch is None:
        return 0 if dim == ONE else 1
    return 4 if dim.batch else 2 if dim.value is None else 3


def _one_dim(a: Dim, b: Dim) -> Dim:
    """The extent of two axes that broadcast."""
    return b if _told(b) > _told(a) else a


def broadcast(a: Shape, b: Shape) -> Shape:
    """The shape of an elementwise operation on both, aligned from the right as NumPy does."""
    if a == b or b == SCALAR:
        return a
    if a == SCALAR:
        return b
    if a.rank is not None and b.rank is not None:
        longer, shorter = (a, b) if a.rank >= b.rank else (b, a)
        gap = longer.head[: len(longer.head) - len(shorter.head)]
        return Shape(gap + tuple(map(_one_dim, longer.head[len(gap) :], shorter.head)))
    if a.rank is None and b.rank is None:
        return _broadcast_open(a, b)
    closed, open_ = (a, b) if a.rank is not None else (b, a)
    common = min(len(closed.head), len(open_.tail))
    split = len(open_.tail) - common
    tail = open_.tail[:split] + tuple(map(_one_dim, open_.tail[split:], closed.head[len(closed.head) - common :]))
    outer = closed.head[: len(closed.head) - common]
    if all(d == ONE for d in outer):
        return Shape(open_.head, open_.rest, tail)
    if closed.batch_axes == (0,):
        if open_.batch_axes[:1] == (0,) and open_.head[0] != closed.head[0]:
            return Shape.unknown()  # (B, ...) and (B*S, 1): which axes meet is not known
        head = open_.head[:1] if open_.batch_axes[:1] == (0,) else closed.head[:1]
        known = open_.batch_axes[:1] == (0,) or not open_.head
        return Shape(head, _opened(open_.rest), tail) if known else Shape.unknown()
    if all(d.batch == 0 for d in outer):
        return Shape(open_.head, open_.rest if len(outer) == 1 else _opened(open_.rest), tail)
    return Shape.unknown()


def _broadcast_open(a: Shape, b: Shape) -> Shape:
    """Broadcast two shapes of unknown rank. Tensors that meet elementwise are mostly alike."""
    if len(a.head) == len(b.head) and len(a.tail) == len(b.tail):
        fits = all(x == y or ONE in (x, y) or x.batch == y.batch for x, y in zip(a.head, b.head, strict=False))
        told = [s for s in (a.rest, b.rest) if s and not s.startswith("?")]
        if fits and (a.rest == b.rest or len(told) == 2):
            return Shape(tuple(map(_one_dim, a.head, b.head)), a.rest, tuple(map(_one_dim, a.tail, b.tail)))
    common = tuple(
        x for x, _ in itertools.takewhile(lambda pair: pair[0] == pair[1], zip(a.head, b.head, strict=False))
    )
    head = common or (a.head or b.head)[:1] if common or not (a.head and b.head) else ()
    split = min(len(a.tail), len(b.tail))
    tail = tuple(map(_one_dim, a.tail[len(a.tail) - split :], b.tail[len(b.tail) - split :]))
    hidden = [
        *a.head[len(head) :],
        *b.head[len(head) :],
        *a.tail[: len(a.tail) - split],
        *b.tail[: len(b.tail) - split],
    ]
    free = all(d.batch == 0 for d in hidden) and not any((s or "?").startswith("?") for s in (a.rest, b.rest))
    return Shape(head, _opened("S" if free else None), tail)
