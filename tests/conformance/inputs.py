"""Labels and predictions for the cases: the shapes that are declared to the analyser, and arrays that have them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from losslint.domain.shape import Shape

Pair = tuple[np.ndarray, np.ndarray]
"""y_true, y_pred."""


class Kind(NamedTuple):
    """What the two arguments of a case are; letters are extents, "B" is the batch."""

    y_true: tuple[int | str, ...]
    y_pred: tuple[int | str, ...]
    dtype: str = "float32"  # of y_true

    def shapes(self) -> tuple[Shape, Shape]:
        """As the analyser is told."""
        return Shape.of(*self.y_true), Shape.of(*self.y_pred)


KINDS = {
    "matrix": Kind(("B", "C"), ("B", "C")),
    "fixed": Kind(("B", 6), ("B", 6)),
    "labels": Kind(("B",), ("B", "C"), "int32"),
    "vector": Kind(("B",), ("B",)),
    "squares": Kind(("B", 5, 5), ("B", 5, 5)),
    "sequence": Kind(("B", "T", "C"), ("B", "T", "C")),
    "signal": Kind(("B", 64), ("B", 64)),
    "steps": Kind(("B", 7, 3), ("B", 7, 3)),
    "tokens": Kind(("B", 3), ("B", 7, 5), "int32"),
    "image": Kind(("B", 13, 11, 3), ("B", 13, 11, 3)),
    "pixels": Kind(("B", "H", "W", 3), ("B", "H", "W", 3)),
    "volume": Kind(("B", 5, 7, 5, 3), ("B", 5, 7, 5, 3)),
    "flat": Kind((6,), (6,)),
    "plane": Kind((5, 7), (5, 7)),
}

SIZES = ({"B": 3, "C": 5, "T": 7, "H": 11, "W": 13}, {"B": 2, "C": 7, "T": 3, "H": 13, "W": 5})
"""What the letters stand for, in the first run and in the second."""


def arrays(kind: Kind, sizes: dict[str, int], low: float, high: float, seed: int = 1) -> Pair:
    """Random numbers in [low, high); whole labels are classes."""
    generator = np.random.default_rng(seed)
    pair = []
    for shape, dtype in ((kind.y_true, kind.dtype), (kind.y_pred, "float32")):
        extents = tuple(sizes[d] if isinstance(d, str) else d for d in shape)
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
