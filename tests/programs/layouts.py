"""What the arguments of a program are, and batches of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

Extent = str | int
Extents = tuple[Extent, ...]
"""Of a tensor: letters are free extents, "B" is the batch."""

SIZES: dict[str, int] = {"T": 4, "H": 2, "W": 5, "C": 3}
"""What the letters other than the batch stand for."""

AXES = ((), ("C",), (3,), (1,), ("T", "C"), ("T",), ("H", "W", 3), ("H", "W", 1))
"""The axes of a sample, from the simplest to the largest."""
LABELS = ("binary", "soft", "classes")
OUTPUTS = ("probabilities", "logits")


class Layout(NamedTuple):
    """``labels`` tells what is in y_true (whole classes have no axis for them), ``outputs`` what is in y_pred."""

    axes: Extents
    labels: str = "binary"
    outputs: str = "probabilities"

    @property
    def y_pred(self) -> Extents:
        return ("B", *self.axes)

    @property
    def y_true(self) -> Extents:
        return self.y_pred[:-1] if self.labels == "classes" else self.y_pred

    @property
    def dtype(self) -> str:
        """Of y_true."""
        return "int32" if self.labels == "classes" else "float32"


def numbers(extents: Extents, batch: int) -> tuple[int, ...]:
    """The extents as numbers."""
    sizes = SIZES | {"B": batch}
    return tuple(sizes[e] if isinstance(e, str) else e for e in extents)


class Batch(NamedTuple):
    """Labels, predictions, and the features that a weight shared by all samples is multiplied with."""

    y_true: Any
    y_pred: Any
    features: Any

    def copies(self, times: int) -> Batch:
        """[a, b, a, b]"""
        return Batch(*(np.concatenate([x] * times) for x in self))

    def repeated(self, times: int) -> Batch:
        """[a, a, b, b]"""
        return Batch(*(np.repeat(x, times, axis=0) for x in self))

    def rows(self, which: Any) -> Batch:
        """Some of the samples."""
        return Batch(*(x[which] for x in self))

    def joined(self, *others: Batch) -> Batch:
        """All samples."""
        return Batch(*(np.concatenate(parts) for parts in zip(self, *others, strict=True)))


def batch(layout: Layout, size: int, seed: int, outputs: str = "", spread: float = 1.0) -> Batch:
    """``size`` random samples; ``spread`` is how far logits go."""
    generator = np.random.default_rng(seed)
    shape, labels = numbers(layout.y_pred, size), numbers(layout.y_true, size)
    classes = shape[-1] if len(shape) > 1 else 2
    y_true = {
        "soft": lambda: generator.uniform(0.0, 1.0, labels),
        "binary": lambda: generator.integers(0, 2, labels).astype(float),
        "classes": lambda: generator.integers(0, classes, labels).astype("int32"),
    }[layout.labels]()
    unit = (outputs or layout.outputs) == "probabilities"
    y_pred = generator.uniform(0.05, 0.95, shape) if unit else spread * generator.normal(size=shape)
    return Batch(y_true, y_pred, generator.normal(size=shape))


def corners(layout: Layout, ends: tuple[float, float], size: int, seed: int) -> Batch:
    """Random samples, and such that hold nothing but one of the ``ends``."""
    y_true, y_pred, features = batch(layout, size, seed)
    for row, choice in enumerate(np.random.default_rng(seed).integers(0, 5, size)):
        if choice:
            y_pred[row] = ends[int(choice) % 2]
            y_true[row] = ends[int(choice > 2)] if layout.labels != "classes" else y_true[row]
    return Batch(y_true, y_pred, features)


CORNERS = ((0.0, 0.0), (1.0, 1.0), (1.0, 0.0), (0.0, 1.0))
"""Values of y_true and y_pred."""


def edges(layout: Layout, limited: frozenset[str], far: float = 1e6) -> Iterator[Batch]:
    """Random and extreme samples, as large as ``far``; the arguments ``limited`` lie in [0, 1]."""
    whole = layout.labels == "classes"

    def legal(y_true: Any, y_pred: Any, features: Any) -> Batch:
        y_true = np.clip(y_true, 0, 1) if "y_true" in limited and not whole else y_true
        return Batch(y_true, np.clip(y_pred, 0, 1) if "y_pred" in limited else y_pred, features)

    for size, spread in ((5, 1.0), (5, far), (1, far)):
        y_true, y_pred, features = batch(layout, size, 31, "logits", spread)
        yield legal(y_true, y_pred, features)
        for a, b in (*CORNERS, (-far, far), (far, -far)) if size == 1 or spread == 1.0 else ():
            yield legal(y_true if whole else np.full_like(y_true, a), np.full_like(y_pred, b), features)
        first = np.zeros_like(y_pred)
        first[..., 0] = spread
        yield legal(y_true, first, features)
        if not whole:
            yield legal(-spread * y_true, -spread * y_pred, features)
