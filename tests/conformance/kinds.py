"""What labels and predictions of the cases are, as the analyser is told."""

from __future__ import annotations

from typing import NamedTuple

from losslint.domain.shape import BATCH, Dim, Shape


class Kind(NamedTuple):
    """What the two arguments of a case are; letters are extents, "B" is the batch, "..." is any number of axes."""

    y_true: tuple[int | str, ...]
    y_pred: tuple[int | str, ...]
    dtype: str = "float32"  # of y_true

    def shapes(self) -> tuple[Shape, Shape]:
        """As the analyser is told."""
        return _shape(self.y_true), _shape(self.y_pred)


def _shape(dims: tuple[int | str, ...]) -> Shape:
    if "..." not in dims:
        return Shape.of(*dims)
    if dims == ("...",):
        return Shape.unknown()
    at = dims.index("...")
    head, tail = (tuple(BATCH if d == "B" else Dim.of(d) for d in part) for part in (dims[:at], dims[at + 1 :]))
    return Shape(head, "S", tail)


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
    "columns": Kind(("B", 1), ("B", 1)),
    "open": Kind(("B", "...", "C"), ("B", "...", "C")),
    "rows": Kind(("B", "..."), ("B", "...")),
    "any": Kind(("...",), ("...",)),
}
