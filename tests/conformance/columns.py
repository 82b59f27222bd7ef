"""The five columns of the catalogue: how what is predicted compares with what is measured."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from losslint.domain.interval import Interval
from losslint.domain.law import Power
from losslint.domain.shape import Dim, Shape
from losslint.graph import Node

COLUMNS = ("shape", "law", "gradient", "range", "dtype")
EXACT, LOOSE, UNKNOWN, WRONG = VERDICTS = ("exact", "loose", "unknown", "wrong")
"""From best to worst; a name is as good as its worst case."""

Verdict = tuple[str, str]
"""One of ``VERDICTS`` and, where it is wrong, how."""

LARGE = 1e3
"""An end at infinity counts as reached where values come this far."""
REACHED = 1e-3
"""A finite end counts as reached where values come this near."""
POWERS = (-2.0, -1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0, 3.0)


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The worst of ``verdicts``; exact where there are none."""
    return max(verdicts, key=lambda v: VERDICTS.index(v[0]), default=(EXACT, ""))


# --- shape ------------------------------------------------------------------------------------------------------------


def shape(told: Shape, real: Sequence[int], doubled: Sequence[int], sizes: dict[str, int]) -> Verdict:
    """``real`` is the shape for extents ``sizes``, ``doubled`` that for twice the batch."""
    if told.rank is not None and told.rank != len(real):
        return WRONG, f"{told} but the rank is {len(real)}"
    if told.min_rank > len(real):
        return WRONG, f"{told} but the rank is {len(real)}"
    if told.rest is not None and not told.head and not told.tail and told.rest.startswith("?"):
        return UNKNOWN, ""
    axes = list(enumerate(told.head)) + [(i - len(told.tail), d) for i, d in enumerate(told.tail)]
    verdicts = [_extent(d, real[i], doubled[i], sizes) for i, d in axes]
    if told.rest is not None:
        verdicts.append((LOOSE, ""))
        hidden = slice(len(told.head), len(real) - len(told.tail))
        if not told.rest.startswith("?") and math.prod(real[hidden]) != math.prod(doubled[hidden]):
            verdicts.append((WRONG, "unlisted axes hold the batch"))
    verdict, why = worst(verdicts)
    return verdict, f"{told} but it is {tuple(real)}, {tuple(doubled)} for twice the batch: {why}" * (verdict == WRONG)


def _extent(told: Dim, real: int, doubled: int, sizes: dict[str, int]) -> Verdict:
    known = all(name in sizes for name, _ in told.symbols)
    if known:
        value = told.coefficient * math.prod(sizes[name] ** power for name, power in told.symbols)
        return (EXACT, "") if value == real else (WRONG, f"{told} is {real}")
    if told.batch is not None and real and doubled != real * 2**told.batch:
        return WRONG, f"{told} goes from {real} to {doubled}"
    return LOOSE, ""


# --- batch law --------------------------------------------------------------------------------------------------------


def law(told: Power | None, once: Any, twice: Any, repeated: Any, large: Any = None) -> Verdict:
    """``once`` is the value for a batch, ``twice`` for [a, b, a, b], ``repeated`` for [a, a, b, b].

    ``large`` is a pair of values for many copies of the batch and for twice as many.
    """
    pairs = [(*aligned(once, twice), "twice"), (*aligned(once, repeated, 2), "repeated")]
    if any(first is None for first, _, _ in pairs):
        return (EXACT if told is None else LOOSE), ""
    if told is None:
        lawful = any(all(_follows(Power(), a, b, p) for a, b, _ in pairs) for p in POWERS)
        return (UNKNOWN if lawful else EXACT), ""
    if told.zero:
        return (WRONG, f"said to be 0, but is {_few(once)}") if np.any(once) or np.any(twice) else (EXACT, "")
    blocks = [_sorted(once, twice), _sorted(once, repeated)]
    tolerance = 1e-3
    if told.asymptotic and large is not None:
        first, second = aligned(*large)
        if first is None:
            return LOOSE, ""
        pairs, blocks, tolerance = [(first, second, "many times")], [_sorted(*large)], 3e-2
    for (first, second, how), sorted_ in zip(pairs, blocks, strict=True):
        if not any(_follows(told, *v, float(told.p), tolerance) for v in ((first, second), sorted_)):
            return WRONG, f"{told} but {_few(first)} becomes {_few(second)} for a batch that comes {how}"
    return (LOOSE if told.asymptotic or told.c is None else EXACT), ""


def _few(values: Any) -> str:
    return np.array2string(values.ravel()[:3], precision=4)


def _follows(told: Power, first: Any, second: Any, p: float, tolerance: float = 1e-3) -> bool:
    difference = second / 2**p - first
    finite = np.isfinite(difference)
    scale = 1e-6 + np.max(np.abs(first[np.isfinite(first)]), initial=0.0)
    if told.c is None:
        return bool(np.ptp(difference[finite]) <= tolerance * scale) if finite.any() else True
    return bool(np.all(np.abs(difference - float(told.c) * math.log(2))[finite] <= tolerance * scale))


def aligned(once: Any, twice: Any, step: int = 1) -> tuple[Any, Any]:
    """Both values with the same samples, every ``step``th one of ``twice``; None where they cannot be matched."""
    if not all(np.issubdtype(v.dtype, np.number) or v.dtype == bool for v in (once, twice)) or once.ndim != twice.ndim:
        return None, None
    for axis, (a, b) in enumerate(zip(once.shape, twice.shape, strict=True)):
        if b == 2 * a:
            twice = np.take(twice, range(0, a * step, step), axis)
        elif a != b:
            return None, None
    kind = complex if np.iscomplexobj(once) else float
    return once.astype(kind), twice.astype(kind)


def _sorted(once: Any, twice: Any) -> tuple[Any, Any]:
    """Both values sorted along the doubled axes: samples of several blocks, [a, b] and [a, a, b, b], match so."""
    for axis, (a, b) in enumerate(zip(once.shape, twice.shape, strict=True)):
        if b == 2 * a:
            once, twice = np.sort(once, axis), np.take(np.sort(twice, axis), range(0, b, 2), axis)
    return once.astype(complex if np.iscomplexobj(once) else float), twice.astype(
        complex if np.iscomplexobj(twice) else float
    )


# --- gradient ---------------------------------------------------------------------------------------------------------


def gradient(told: str, measured: str) -> Verdict:
    """``told`` is "live", "unknown", "zero", "dead" or "absent"; ``measured`` "live", "zero" or "dead" (None)."""
    if told == "unknown":
        return UNKNOWN, ""
    told = "dead" if told == "absent" else told
    if told == measured:
        return EXACT, ""
    if "live" in (told, measured):
        return WRONG, f"said to be {told}, but is {measured}"
    return LOOSE, ""


# --- range ------------------------------------------------------------------------------------------------------------


class Seen:
    """The values of one result over all inputs."""

    def __init__(self) -> None:
        self.low, self.high = math.inf, -math.inf
        self.numbers = True

    def add(self, values: Any) -> None:
        """Take in an array; what is not a number says nothing."""
        if values.dtype == bool or np.issubdtype(values.dtype, np.integer) or _real(values):
            kept = values[~np.isnan(values)] if values.dtype.kind == "f" else values
            if kept.size:
                self.low, self.high = min(self.low, float(kept.min())), max(self.high, float(kept.max()))
        else:
            self.numbers = False


def _real(values: Any) -> bool:
    return (values.dtype.kind in "fV" and values.dtype.names is None) or "float" in str(values.dtype)


def interval(told: Interval, seen: Seen) -> Verdict:
    """Whether ``told`` holds all values that were seen, and whether they came to its ends."""
    low, high = told.low.at, told.high.at
    if not seen.numbers or seen.low > seen.high:
        return UNKNOWN, ""
    slack = (
        1e-5 * max(1.0, *(abs(x) for x in (low, high) if math.isfinite(x)))
        if math.isfinite(low) or math.isfinite(high)
        else 0.0
    )
    if seen.low < low - slack or seen.high > high + slack:
        return WRONG, f"{told} but {seen.low:.7g} to {seen.high:.7g} were seen"
    down = seen.low < -LARGE if low == -math.inf else _near(seen.low, low)
    up = seen.high > LARGE if high == math.inf else _near(seen.high, high)
    if down and up:
        return EXACT, ""
    return (UNKNOWN if low == -math.inf and high == math.inf else LOOSE), ""


def _near(seen: float, end: float) -> bool:
    return math.isinf(end) or abs(seen - end) <= REACHED * max(1.0, abs(end))


# --- dtype ------------------------------------------------------------------------------------------------------------


def dtype(told: str | None, real: str | None) -> Verdict:
    """A Python number has no dtype, and None says that there is none or that it is not known."""
    if told is None:
        return (EXACT if real is None else UNKNOWN), ""
    return (EXACT, "") if told == real or real is None else (WRONG, f"{told} but it is {real}")


# --- a Python value -----------------------------------------------------------------------------------------------


def python(told: Any, real: Any) -> Verdict:
    """A result that is no tensor: a number, a string, None."""
    if isinstance(told, Node):
        told = told.attrs.get("value")
    try:
        same = bool(np.all(told == real)) or bool(np.allclose(told, real, rtol=1e-6, equal_nan=True))
    except (TypeError, ValueError):
        same = False
    return (EXACT, "") if same else (UNKNOWN, "")
