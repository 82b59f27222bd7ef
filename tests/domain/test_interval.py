from __future__ import annotations

import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from losslint.domain import interval as iv
from losslint.domain.interval import INF, NONNEGATIVE, UNIT, UNKNOWN, End, Interval, Trust

ASSUMED = Interval.of(0.0, 1.0, Trust.ASSUMED, frozenset({"p is a probability"}))
finite = st.floats(-1e6, 1e6)


@st.composite
def intervals(draw: st.DrawFn) -> tuple[Interval, float]:
    """An interval and a value in it."""
    low, inside, high = sorted((draw(finite), draw(finite), draw(finite)))
    return Interval.of(low, high), inside


@given(intervals(), intervals())
def test_arithmetic_holds_every_result(a: tuple[Interval, float], b: tuple[Interval, float]) -> None:
    (x, u), (y, v) = a, b
    for result, value in [
        (iv.add(x, y), u + v),
        (iv.sub(x, y), u - v),
        (iv.mul(x, y), u * v),
        (iv.maximum(x, y), max(u, v)),
        (iv.minimum(x, y), min(u, v)),
        (iv.magnitude(x), abs(u)),
        (iv.power(x, 2), u * u),
        (iv.power(x, 3), u**3),
        (iv.hull(x, y), u),
        (iv.monotone(math.tanh, x, -1, 1), math.tanh(u)),
    ]:
        slack = 1e-9 * (1 + abs(value))
        assert result.low.at - slack <= value <= result.high.at + slack
    if abs(v) > 1e-300:
        quotient = iv.div(x, y)
        assert quotient.low.at - 1e-9 * abs(u / v) <= u / v <= quotient.high.at + 1e-9 * abs(u / v)


@pytest.mark.parametrize(
    ("made", "shown"),
    [
        (iv.sub(Interval.point(1.0), UNIT), "[0, 1]"),
        (iv.maximum(UNKNOWN, Interval.point(0.0)), "[0, inf)"),
        (iv.minimum(iv.maximum(UNKNOWN, Interval.point(1e-7)), Interval.point(1.0)), "[1e-07, 1]"),
        (iv.power(UNKNOWN, 2), "[0, inf)"),
        (iv.reciprocal(Interval.of(1.0, INF)), "(0, 1]"),
        (iv.div(UNIT, UNIT), "[0, inf)"),
        (iv.div(UNIT, Interval.of(-1.0, 1.0)), "(-inf, inf)"),
        (iv.total(Interval.of(0.0, 1.0), None), "[0, inf)"),
        (iv.total(Interval.of(0.25, 1.0), 4), "[1, 4]"),
        (iv.total(Interval.of(-1.0, 1.0), None), "(-inf, inf)"),
        (iv.power(UNIT, 0.5), "[0, 1]"),
        (iv.power(Interval.of(-2.0, 1.0), 3), "[-8, 1]"),
    ],
)
def test_ends(made: Interval, shown: str) -> None:
    assert str(made) == shown


def test_unknown_reaches_nothing() -> None:
    assert UNKNOWN.reaches(0.0) is None
    assert UNKNOWN.reaches_down_to(0.0) is None
    assert iv.add(UNIT, UNKNOWN).reaches(0.0) is None
    assert iv.mul(UNIT, UNKNOWN).reaches_down_to(0.0) is None


def test_a_guard_makes_known_what_comes_in_unknown() -> None:
    rectified = iv.maximum(UNKNOWN, Interval.point(0.0))
    assert rectified.low == End(0.0) and rectified.high.trust == Trust.UNKNOWN
    assert iv.magnitude(UNKNOWN).reaches(0.0) == End(0.0)


def test_a_guard_that_is_not_known_may_be_positive() -> None:
    assert iv.maximum(UNIT, UNKNOWN).reaches(0.0) is None


def test_assumptions_travel_with_the_end_they_support() -> None:
    complement = iv.sub(Interval.point(1.0), ASSUMED)
    end = complement.reaches(0.0)
    assert end is not None and end.trust == Trust.ASSUMED and end.given == {"p is a probability"}
    assert iv.maximum(complement, Interval.point(1e-7)).low.given == frozenset()
    zero = iv.mul(ASSUMED, UNIT).reaches(0.0)
    assert zero is not None


def test_open_ends_are_never_reached() -> None:
    positive = Interval(End(0.0, True), End(INF, True))
    assert positive.excludes(0.0) and positive.reaches(0.0) is None
    assert iv.add(positive, NONNEGATIVE).excludes(0.0)
    assert not iv.mul(NONNEGATIVE, positive).excludes(0.0)


@pytest.mark.parametrize(
    ("dtype", "lost", "kept"),
    [("float32", 2.9e-8, 3e-8), ("float16", 2.4e-4, 2.5e-4), ("bfloat16", 1.9e-3, 2e-3), ("float64", 1e-17, 2e-16)],
)
def test_one_minus_eps(dtype: str, lost: float, kept: float) -> None:
    """Measured with TensorFlow 2.21."""
    to = iv.rounding(dtype)
    assert to(1 - lost) == 1.0
    assert to(1 - kept) < 1.0


def test_small_numbers_vanish() -> None:
    assert iv.rounding("float16")(1e-8) == 0.0 != iv.rounding("float16")(1e-7)
    assert iv.rounding("float32")(1e-46) == 0.0
    assert iv.rounding("float32")(1e-40) == 0.0  # subnormal: log(x + 1e-40) is -inf at 0 in every mode
    assert iv.rounding("float32")(1e-37) > 0.0
    assert iv.rounding("float16")(1e6) == INF
    assert iv.rounding(None)(0.1) == struct.unpack("f", struct.pack("f", 0.1))[0]


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_rounding_twice_is_rounding_once(x: float) -> None:
    for dtype in ("float16", "bfloat16", "float32", "float64"):
        to = iv.rounding(dtype)
        assert to(to(x)) == to(x)
        assert to(-x) == -to(x)


def test_rounded_moves_both_ends() -> None:
    made = iv.rounded(Interval.of(1e-8, 1 - 1e-8), iv.rounding("float32"))
    assert made.high.at == 1.0 and 0 < made.low.at < 2e-8
    assert iv.rounded(UNKNOWN, iv.rounding("float32")) == UNKNOWN


def test_a_quotient_of_what_is_positive_is_exact():
    assert str(iv.div(Interval.of(1.0, 2.0), Interval.of(2.0, 4.0))) == "[0.25, 1]"
    assert str(iv.div(Interval.of(1.0, 2.0), Interval.of(-4.0, -2.0))) == "[-1, -0.25]"


def test_only_roots_of_what_may_be_negative_are_no_number():
    around = Interval.of(-1.0, 1.0)
    assert [iv.power(around, p).nan for p in (0.5, 1.5, 2, 3, 4)] == [True, True, False, False, False]
    assert not iv.power(UNIT, 0.5).nan
    assert iv.power(around, -3).nan


UNIT_GAP = Interval(End(0.0, True), End(1.0))


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (Interval.of(0.0, 2.0), Interval.of(-1.0, 1.0), Interval.of(0.0, 1.0)),
        (Interval.of(-1.0, 1.0), Interval.of(0.0, 2.0), Interval.of(0.0, 1.0)),
        (Interval.of(-2.0, 0.0), Interval.of(-1.0, 1.0), Interval.of(-1.0, 0.0)),
        (Interval.of(0.0, 1.0), Interval.of(1.0, 2.0), Interval.point(1.0)),
        (Interval.of(0.0, 1.0), UNIT_GAP, UNIT_GAP),
        (UNIT_GAP, Interval.of(0.0, 1.0), UNIT_GAP),
        (Interval.of(3.0, 4.0), Interval.of(1.0, 2.0), Interval.of(1.0, 2.0)),
    ],
)
def test_meet(a, b, expected):
    assert iv.meet(a, b) == expected


def test_the_power_0_is_1_and_one_that_is_too_large_is_infinite() -> None:
    assert str(iv.power(UNKNOWN, 0)) == str(iv.power(UNIT, 0.0)) == "[1, 1]"
    huge = iv.power(Interval.of(-10.0, 10.0), 309)
    assert (huge.low.at, huge.high.at) == (-INF, INF)
    assert iv.power(Interval.of(-10.0, 10.0), 310).low.at == 0.0


@pytest.mark.parametrize(
    ("x", "expected"),
    [
        (1.00390625, 1.0),
        (1.01171875, 1.015625),
        (3.389e38, 3.3895313892515355e38),  # the largest there is
        (3.4e38, INF),
        (3.5e38, INF),
        (-1e300, -INF),
        (INF, INF),
    ],
)
def test_rounding_to_bfloat16_is_to_even_and_overflows(x: float, expected: float) -> None:
    assert iv.rounding("bfloat16")(x) == expected
