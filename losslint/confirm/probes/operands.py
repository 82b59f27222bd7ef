"""What softmax and sigmoid are applied to, and what labels that are NaN do."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from losslint.confirm.observe import Op
from losslint.confirm.points import Edges
from losslint.confirm.run import Run

_ACTIVATIONS = frozenset(
    ["Softmax", "LogSoftmax", "Sigmoid", "SoftmaxCrossEntropyWithLogits", "SparseSoftmaxCrossEntropyWithLogits"]
)


def logits(run: Run) -> dict[str, Any]:
    """The range of what each activation is applied to, over all edges; ``far``: how far out the inputs were meanwhile.

    ``applied`` holds, for each of them, its lines, and the least and greatest element.
    """
    found: dict[tuple[Any, str, int], list[float]] = {}
    free = [n for n in run.convention.trained if run.convention.specs[n].domain in ("logits", "real")]
    far = 0.0
    for name, arrays in [("ordinary", run.arrays), *Edges(run.convention, run.arrays).points()]:
        far = max([far, *(float(np.max(np.abs(arrays[n]))) for n in free)])
        turns: Counter[tuple[Any, str]] = Counter()
        for op in run.observed(name, arrays).ops:
            values = _operand(op)
            if values is not None:
                turns[op.lines, op.type] += 1
                known = found.setdefault((op.lines, op.type, turns[op.lines, op.type]), [np.inf, -np.inf])
                known[:] = min(known[0], float(values.min())), max(known[1], float(values.max()))
    applied = [
        {"op": kind, "lines": [list(line) for line in lines], "low": low, "high": high}
        for (lines, kind, _), (low, high) in found.items()
    ]
    return {"applied": applied, "far": far}


def _operand(op: Op) -> Any:
    if op.type not in _ACTIVATIONS and not _compares_with_zero(op):
        return None
    values = np.asarray(op.inputs[0].numpy())
    return values if values.size and values.dtype.kind == "f" and np.isfinite(values).all() else None


def _compares_with_zero(op: Op) -> bool:
    """``x >= 0``, by which a sigmoid cross entropy begins."""
    return op.type == "GreaterEqual" and not np.any(op.inputs[1].numpy())


def missing(run: Run) -> dict[str, Any]:
    """Value and gradient with every third label NaN, for each label that the loss tests for it (else for each one)."""
    specs = run.convention.specs
    labels = [n for n in run.convention.labels if specs[n].dtype.startswith("float") and np.ndim(run.arrays[n])]
    tested = [n for n in labels if _tests(run, n)]
    found: dict[str, Any] = {}
    for name in tested or labels:
        array = run.arrays[name].copy()
        array.flat[::3] = np.nan
        result = run.at(run.arrays | {name: array})
        if result is not None:
            finite = {n: bool(np.isfinite(g).all()) for n, g in result.gradients.items() if g is not None}
            found[name] = {"value": result.total, "finite_value": result.finite_value, "finite_gradient": finite}
    return {"missing": found}


def _tests(run: Run, name: str) -> bool:
    """Whether some operation asks which elements of a label are numbers."""
    label = run.arrays[name]
    for op in run.observed("ordinary", run.arrays).ops:
        if op.type in ("IsNan", "IsFinite", "Equal", "NotEqual"):
            values = np.asarray(op.inputs[0].numpy())
            if values.size == label.size and bool(np.all(values.ravel() == label.ravel())):
                return True
    return False
