"""Labels and predictions for the cases: arrays that have the shapes that are declared to the analyser."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from tests.conformance.kinds import Kind

Pair = tuple[np.ndarray, np.ndarray]
"""y_true, y_pred."""


SIZES = (
    {"B": 3, "C": 5, "T": 7, "H": 11, "W": 13, "...": 4, "S": 4},
    {"B": 2, "C": 7, "T": 3, "H": 13, "W": 5, "...": 6, "S": 6},
)
"""What the letters stand for, in the first run and in the second."""


def arrays(kind: Kind, sizes: dict[str, int], low: float, high: float, seed: int = 1) -> Pair:
    """Random numbers in [low, high); whole labels are classes."""
    generator = np.random.default_rng(seed)
    pair = []
    for shape, dtype in ((kind.y_true, kind.dtype), (kind.y_pred, "float32")):
        letters = ("B", "C") if shape == ("...",) else shape
        extents = tuple(sizes[d] if isinstance(d, str) else d for d in letters)
        if dtype == "int32":
            pair.append(np.arange(math.prod(extents), dtype="int32").reshape(extents) % 2)
        else:
            pair.append(generator.uniform(low, high, extents).astype("float32"))
    return pair[0], pair[1]


_CONSTANTS = ((0, 0), (1, 1), (1, 0), (0, 1), (0, 1e4), (1, -1e4), (0, -1e4), (1, 1e4), (-1, 60))
"""Values of y_true and y_pred."""


def extremes(kind: Kind) -> Iterator[Pair]:
    """Inputs that take functions to the ends of their ranges."""
    many = SIZES[0] | {"B": 3 if math.prod(d for d in kind.y_pred if isinstance(d, int)) > 100 else 61}
    yield arrays(kind, many, -3.0, 3.0)
    yield arrays(kind, SIZES[0], -1e4, 1e4)
    y, p = arrays(kind, SIZES[0], 0.05, 0.95)
    for a, b in _CONSTANTS:
        yield np.full_like(y, a), np.full_like(p, b)
    alike = y.shape == p.shape
    yield y, (y if alike else p)
    first = np.zeros_like(p)
    first[..., 0] = 1.0
    for scale in (1.0, 1e4):
        yield (first if alike else y), np.roll(first, 1, -1) * scale
    if kind.dtype == "float32":
        yield y * -1e4, p * -1e4
