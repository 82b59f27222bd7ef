"""Intervals with a memory: where values may lie, which end is really reached, and on what assumption.

An interval is a sound bound at each end together with a *trust*: whether something says that values come to that end.
A parameter of unknown range is (-inf, inf) at no trust at either end, so it never fires a rule; ``relu`` of it is
[0, inf) and surely reaches 0; a prediction that is logged is taken to be a probability, which is [0, 1] by assumption.
"""

from __future__ import annotations

import enum
import math
import struct
from collections.abc import Callable
from dataclasses import dataclass, replace

INF = math.inf
UNDERFLOW = -104.0
"""``exp`` of anything below is 0 in float32 (below -87.3 already where subnormals are flushed, as TensorFlow does)."""

TINY = 2.0**-126
"""The smallest normal float32."""


class Trust(enum.IntEnum):
    """Whether values are said to come to an end of the interval."""

    UNKNOWN = 0
    ASSUMED = 1
    FREE = 2  # training takes values past any moderate number on that side; how far is not said
    KNOWN = 3


NOTHING: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class End:
    """One end: no value lies beyond ``at``; an ``open`` end is approached, never reached."""

    at: float
    open: bool = False
    trust: Trust = Trust.KNOWN
    given: frozenset[str] = NOTHING  # the assumptions it rests on, as sentences

    @property
    def vague(self) -> bool:
        """Whether it is infinite, and nothing says that values go far enough to overflow or to underflow."""
        return math.isinf(self.at) and self.trust in (Trust.UNKNOWN, Trust.FREE)

    def times(self, other: End) -> End:
        """The product of two ends; 0 times anything is 0, and rests on the 0 alone."""
        for zero in (self, other):
            if zero.at == 0:
                return zero
        return _both(self.at * other.at, self, other)

    def plus(self, other: End) -> End:
        """The sum of two ends on the same side."""
        return _both(self.at + other.at, self, other)

    def moved(self, at: float, open: bool | None = None) -> End:
        """The image of this end under a function that takes it to ``at``."""
        return replace(self, at=at, open=self.open if open is None else open)


def _both(at: float, a: End, b: End) -> End:
    return End(at, a.open or b.open, min(a.trust, b.trust), a.given | b.given)


@dataclass(frozen=True, slots=True)
class Interval:
    """The values a node can take; ``nan``: not a number is among them."""

    low: End
    high: End
    nan: bool = False

    @classmethod
    def of(cls, low: float, high: float, trust: Trust = Trust.KNOWN, given: frozenset[str] = NOTHING) -> Interval:
        """Closed at finite ends, open at infinite ones."""
        return cls(End(low, math.isinf(low), trust, given), End(high, math.isinf(high), trust, given))

    @classmethod
    def point(cls, value: float) -> Interval:
        """One number."""
        return cls(End(value), End(value))

    @property
    def given(self) -> frozenset[str]:
        """Every assumption either end rests on."""
        return self.low.given | self.high.given

    @property
    def constant(self) -> float | None:
        """The only value, where there is just one."""
        return self.low.at if self.low.at == self.high.at and not self.low.open else None

    @property
    def bounded(self) -> bool:
        """Whether both ends are known or assumed."""
        ends = (self.low, self.high)
        return all(end.trust > Trust.UNKNOWN and not end.vague for end in ends)

    @property
    def free(self) -> bool:
        """Whether training takes values past any moderate number on either side."""
        return all(end.vague and end.trust == Trust.FREE for end in (self.low, self.high))

    def within(self, low: float, high: float) -> bool:
        """Whether no value lies outside of [low, high]."""
        return low <= self.low.at and self.high.at <= high

    def excludes(self, value: float) -> bool:
        """Whether ``value`` certainly does not occur."""
        low, high = self.low, self.high
        return (
            low.at > value or high.at < value or value in (low.at if low.open else None, high.at if high.open else None)
        )

    def reaches_down_to(self, value: float) -> End | None:
        """The low end, where values at or below ``value`` are known or assumed to occur."""
        below = self.low.at < value or (self.low.at == value and not self.low.open)
        return self.low if below and self.low.trust else None

    def reaches(self, value: float) -> End | None:
        """An end (or both ends joined) that makes ``value`` known or assumed to occur, else None."""
        if self.excludes(value):
            return None
        if value == self.low.at or value == self.high.at:
            end = self.low if value == self.low.at else self.high
        else:
            end = _both(value, self.low, self.high)
        return end if end.trust else None

    def __str__(self) -> str:
        def number(x: float) -> str:
            return f"{x:.7g}"

        left, right = "(" if self.low.open else "[", ")" if self.high.open else "]"
        return f"{left}{number(self.low.at)}, {number(self.high.at)}{right}"


UNKNOWN = Interval.of(-INF, INF, Trust.UNKNOWN)
"""Anything, and nothing says that it comes near any value."""
SOME_LOW, SOME_HIGH = UNKNOWN.low, UNKNOWN.high
UNIT = Interval.of(0.0, 1.0)
NONNEGATIVE = Interval.of(0.0, INF)
FREE = Interval.of(-INF, INF, Trust.FREE)
"""Anything, of either sign: a product with a trained weight."""
POSITIVE = Interval(End(0.0, True, Trust.UNKNOWN), SOME_HIGH)
"""Positive, but nobody knows how near to 0: exp and softplus of something unknown."""


# --- arithmetic ---------------------------------------------------------------------------------------------------


def add(a: Interval, b: Interval) -> Interval:
    """a + b."""
    low, high = a.low.plus(b.low), a.high.plus(b.high)
    return Interval(SOME_LOW if math.isnan(low.at) else low, SOME_HIGH if math.isnan(high.at) else high, a.nan or b.nan)


def neg(a: Interval) -> Interval:
    """-a."""
    return Interval(a.high.moved(0.0 - a.high.at), a.low.moved(0.0 - a.low.at), a.nan)


def sub(a: Interval, b: Interval) -> Interval:
    """a - b, for a and b that have nothing to do with each other."""
    return add(a, neg(b))


def mul(a: Interval, b: Interval) -> Interval:
    """a * b, for a and b that have nothing to do with each other."""
    ends = [x.times(y) for x in (a.low, a.high) for y in (b.low, b.high)]
    return Interval(_lowest(ends), _highest(ends), a.nan or b.nan)


def div(a: Interval, b: Interval) -> Interval:
    """a / b; where b can be 0 only the sign is left."""
    nan = a.nan or b.nan
    if b.low.at < 0 and b.high.at <= 0:
        return div(neg(a), neg(b))
    if b.low.at < 0:
        return replace(UNKNOWN, nan=True)
    if b.low.at == 0 and not b.low.open:
        nan = nan or not a.excludes(0.0)
    return replace(mul(a, reciprocal(b)), nan=nan)


def reciprocal(a: Interval) -> Interval:
    """1 / a for a that is nowhere negative."""
    low = a.high.moved(0.0, True) if math.isinf(a.high.at) else a.high.moved(1 / a.high.at if a.high.at else INF)
    high = a.low.moved(INF, True) if a.low.at == 0 else a.low.moved(1 / a.low.at)
    return Interval(low, high, a.nan)


def hull(*parts: Interval) -> Interval:
    """The smallest interval around all of ``parts``."""
    return Interval(_lowest([p.low for p in parts]), _highest([p.high for p in parts]), any(p.nan for p in parts))


def _lowest(ends: list[End]) -> End:
    """The lowest end; of equals the closed and better known one."""
    return min(ends, key=lambda e: (e.at, e.open, -e.trust, len(e.given)))


def _highest(ends: list[End]) -> End:
    return min(ends, key=lambda e: (-e.at, e.open, -e.trust, len(e.given)))


def maximum(a: Interval, b: Interval) -> Interval:
    """max(a, b). A constant bound is reached: it would not be written for a value that never comes there.

    Where the bound is no constant and the other value is unknown, that may be the greater everywhere.
    """
    (winner, low), (loser, other) = sorted(
        ((a, a.low), (b, b.low)), key=lambda p: (-p[1].at, not p[1].open, -p[1].trust)
    )
    if winner.constant is None and other.trust == Trust.UNKNOWN and loser.high.at > low.at:
        low = replace(low, trust=Trust.UNKNOWN)
    return Interval(low, _highest([a.high, b.high]), a.nan or b.nan)


def minimum(a: Interval, b: Interval) -> Interval:
    """min(a, b)."""
    return neg(maximum(neg(a), neg(b)))


def meet(a: Interval, b: Interval) -> Interval:
    """What lies in both; an end that is not moved keeps its trust."""
    low = min((a.low, b.low), key=lambda e: (-e.at, not e.open))
    high = min((a.high, b.high), key=lambda e: (e.at, not e.open))
    return Interval(low, high, a.nan) if low.at <= high.at else b


def monotone(function: Callable[[float], float], a: Interval, low: float = -INF, high: float = INF) -> Interval:
    """The image under an increasing function with values in [low, high], whose ends unknown arguments reach."""
    return Interval(_image(function, a.low, low), _image(function, a.high, high), a.nan)


def _image(function: Callable[[float], float], end: End, limit: float) -> End:
    if math.isinf(end.at):
        return End(limit, math.isinf(limit)) if end.vague else end.moved(limit, math.isinf(limit))
    return end.moved(function(end.at))


def magnitude(a: Interval) -> Interval:
    """|a|."""
    if a.low.at >= 0:
        return a
    if a.high.at <= 0:
        return neg(a)
    farthest = max(neg(a).high, a.high, key=lambda e: (e.at, e.trust))
    return Interval(_zero(a), _grown(farthest), a.nan)


def _zero(a: Interval) -> End:
    """The 0 between two ends of opposite signs: certain, unless it rests on assumptions at both ends."""
    return End(0.0) if not a.given else End(0.0, False, Trust.ASSUMED, a.given)


def _grown(end: End) -> End:
    """An end of the square or magnitude: an unknown argument is free to make it as large as it likes."""
    return End(end.at, end.open) if end.vague else end


def power(a: Interval, exponent: float) -> Interval:
    """a ** exponent for a constant exponent; fractions take no negative base."""
    if exponent == 0:
        return Interval.point(1.0)
    if exponent < 0:
        inner = power(a, -exponent)
        return reciprocal(inner) if inner.low.at >= 0 else replace(UNKNOWN, nan=True)
    whole = exponent == int(exponent)
    if whole and int(exponent) % 2:
        return Interval(_raised(a.low, exponent), _raised(a.high, exponent), a.nan)
    if whole:
        a = magnitude(a)
    low = a.low if a.low.at >= 0 else End(0.0, False, a.low.trust, a.low.given)
    high = a.high if a.high.at >= 0 else End(0.0, False, a.high.trust, a.high.given)
    return Interval(_raised(low, exponent), _raised(high, exponent), a.nan or (not whole and a.low.at < 0))


def _raised(end: End, exponent: float) -> End:
    try:
        return end.moved(math.copysign(abs(end.at) ** exponent, end.at) if end.at else 0.0)
    except OverflowError:
        return end.moved(math.copysign(INF, end.at), True)


def total(a: Interval, count: int | None) -> Interval:
    """The sum of ``count`` values (None: of one or more). A 0 stays reached, a finite end elsewhere is lost in size."""

    def end(e: End, outward: float) -> End:
        if e.at == 0 or math.isinf(e.at):
            return e
        if count is not None:
            return e.moved(e.at * count)
        return e if (e.at > 0) != (outward > 0) else End(outward, True, Trust.UNKNOWN, e.given)

    return Interval(end(a.low, -INF), end(a.high, INF), a.nan)


# --- rounding -----------------------------------------------------------------------------------------------------


def _half(x: float) -> float:
    try:
        rounded: float = struct.unpack("<e", struct.pack("<e", x))[0]
        return rounded
    except OverflowError:
        return math.copysign(INF, x)


def _single(x: float) -> float:
    """float32 with subnormals flushed to 0, as TensorFlow's CPU kernels and XLA were measured to do."""
    try:
        rounded: float = struct.unpack("<f", struct.pack("<f", x))[0]
    except OverflowError:
        return math.copysign(INF, x)
    return 0.0 if abs(rounded) < TINY else rounded  # NaN stays


def _brain(x: float) -> float:
    """bfloat16: the upper half of a float32, rounded to even."""
    if not math.isfinite(x):
        return x
    try:
        bits: int = struct.unpack("<I", struct.pack("<f", x))[0]
    except OverflowError:
        return math.copysign(INF, x)
    bits = (bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF0000
    rounded: float = struct.unpack("<f", struct.pack("<I", bits))[0]
    return rounded


def exactly(x: float) -> float:
    """Real arithmetic, as far as Python's floats go."""
    return x


ROUNDINGS: dict[str, Callable[[float], float]] = {"float16": _half, "bfloat16": _brain, "float32": _single}


def rounding(dtype: str | None) -> Callable[[float], float]:
    """How ``dtype`` rounds; an unknown one is float32, TensorFlow's default. float64 and integers do not round here."""
    return ROUNDINGS.get(dtype or "float32", exactly)


def rounded(a: Interval, to: Callable[[float], float]) -> Interval:
    """``a`` with its ends in the precision in force. Open ends stay open."""
    if to is exactly:
        return a

    def end(e: End) -> End:
        at = to(e.at) if math.isfinite(e.at) else e.at
        return e if at == e.at else e.moved(at)

    return Interval(end(a.low), end(a.high), a.nan)
