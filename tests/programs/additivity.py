"""How a program mixes the samples of a batch, measured on parts of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from losslint.domain.coupling import Coupling
from tests.conformance.columns import EXACT, LOOSE, UNKNOWN, WRONG, Verdict

if TYPE_CHECKING:
    from tests.programs.compare import Measured
    from tests.programs.layouts import Batch

UNMEASURED = "unmeasured"
SIZES = (3, 2, 4)
"""Of the parts."""


def verdict(told: Coupling, parts: Parts) -> Verdict:
    """Whether the program is as additive as ``told``."""
    if not parts.finite:
        return UNMEASURED, ""
    kind = told.kind
    if kind == "unknown":
        return (UNKNOWN if parts.rows or parts.additive(0.0) or parts.additive(-1.0) else EXACT), ""
    if kind == "coupled":
        fitting = [
            n for n, yes in (("row", parts.rows), ("sum", parts.additive(0.0)), ("mean", parts.additive(-1.0))) if yes
        ]
        return (LOOSE, f"coupled, but behaves as {fitting}") if fitting else (EXACT, "")
    if kind == "const":
        return _is(parts.constant, "const")
    if kind == "count":
        return _is(parts.constant_for_its_size, "count")
    if kind == "row":
        return _is(parts.rows, "row")
    power = power_of(told)
    if power is None:
        return LOOSE, ""
    return _is(parts.additive(power), f"{kind} (power {power:g})")


def power_of(told: Coupling) -> float | None:
    """The s of ``size**s * sum(rows)`` that the mean over the batch axis of such a value is."""
    row = None if told.row is None else float(told.row) - 1
    total = None if told.total is None else float(told.total)
    if row is not None and total is not None:
        return row if row == total else None
    return row if row is not None else total


def _is(holds: bool, what: str) -> Verdict:
    return (EXACT, "") if holds else (WRONG, f"said to be {what}")


class Parts:
    """Results for parts of a batch and for their unions."""

    def __init__(self, measured: Measured, draw: Callable[[int, int], Batch] | None = None) -> None:
        self._measured = measured
        self._batches = [(draw or measured.batch)(size, 11 + i) for i, size in enumerate(SIZES)]
        self._values = [measured.truth.value(b) for b in self._batches]
        self._joined = {
            (i, j): measured.truth.value(self._batches[i].joined(self._batches[j])) for i, j in ((0, 1), (1, 2), (0, 2))
        }
        self._growing = [i for i in range(measured.once.ndim) if i not in measured.fixed]
        every = [*self._values, *self._joined.values()]
        self.finite = all(np.issubdtype(v.dtype, np.number) and np.all(np.isfinite(v)) for v in every) and all(
            v.ndim == measured.once.ndim for v in every
        )

    def _close(self, a: Any, b: Any, scale: float) -> bool:
        return bool(np.max(np.abs(a - b), initial=0.0) <= 10 * self._measured.tolerance * max(scale, 1e-6))

    @property
    def rows(self) -> bool:
        """Whether row i of the result depends on sample i alone."""
        if len(self._growing) != 1:
            return False
        axis = self._growing[0]
        for (i, j), whole in self._joined.items():
            pieces = np.concatenate([self._values[i], self._values[j]], axis)
            if pieces.shape != whole.shape or not self._close(pieces, whole, float(np.abs(whole).max(initial=0.0))):
                return False
        return True

    @property
    def constant(self) -> bool:
        """Whether neither the samples nor their number play a part."""
        if self._growing:
            means = [self._mean(v) for v in self._values]
            return all(self._close(m, means[0], float(np.abs(m).max(initial=0.0))) for m in means)
        return all(self._close(v, self._values[0], float(np.abs(v).max(initial=0.0))) for v in self._values)

    @property
    def constant_for_its_size(self) -> bool:
        """Whether only the number of samples plays a part."""
        other = self._measured.truth.value(self._measured.batch(SIZES[0], 19))
        return self._close(other, self._values[0], float(np.abs(other).max(initial=0.0)))

    def _mean(self, value: Any) -> Any:
        return value.mean(axis=tuple(self._growing)) if self._growing else value

    def additive(self, s: float) -> bool:
        """Whether the result is ``size**s * sum(rows) + constant``; what grows is averaged first."""
        means = [self._mean(v) for v in self._values]
        scale = max(float(np.abs(m).max(initial=0.0)) for m in means)
        constant = None
        for (i, j), whole in self._joined.items():
            n, m = SIZES[i], SIZES[j]
            a, b = (n + m) ** s * n**-s, (n + m) ** s * m**-s
            # whole - c = a (first - c) + b (second - c)
            rest, slope = self._mean(whole) - a * means[i] - b * means[j], 1 - a - b
            if abs(slope) < 1e-9:
                if not self._close(rest, 0 * rest, scale):
                    return False
                continue
            if constant is not None and not self._close(rest / slope, constant, scale + float(np.abs(constant).max())):
                return False
            constant = rest / slope
        return True
