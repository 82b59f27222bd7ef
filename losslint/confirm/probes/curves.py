"""Lines to look at: value and gradient on the way to the edges of a prediction, and for more and more samples."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from losslint.confirm.inputs import Arrays
from losslint.confirm.points import Edges
from losslint.confirm.run import Run
from losslint.confirm.subject import Result, batches, shared_gradient

LEFT = (*np.arange(1.0, 0.09, -0.05).round(2).tolist(), *(10.0 ** (-k / 3) for k in range(4, 25)), 0.0)
"""The shares of the way that are left at the points of a path: even at first, then ever closer to the edge.

A logarithm grows by the same amount from each decade to the next; float32 comes no closer to 1 than 6e-8.
"""
COPIES = (1, 2, 3, 4, 6, 8)
_PATHS = 4
_SECONDS = 5.0  # for all of it: a line that is not worth its time is left out


def curves(run: Run) -> dict[str, Any]:
    """``edges``: a path from the ordinary input to each of a few edges of one prediction; ``batch``: by copies of it.

    Both hold ``value``, the mean of what is returned, and ``gradient``, the norm of that of the moved prediction or the
    shared one. A number is None where the loss raises. ``left_out`` counts the paths for which there was no time.
    """
    end = time.monotonic() + _SECONDS
    found: dict[str, Any] = {"batch": _repeated(run, end), "edges": [], "left_out": 0}
    for edge, name, arrays in _edges(run):
        path = _path(run, name, arrays[name], end)
        if path is None:
            found["left_out"] += 1
        else:
            found["edges"].append({"edge": edge, "argument": name, **path})
    return found


def _edges(run: Run) -> list[tuple[str, str, Arrays]]:
    """Edges at which nothing but one prediction is moved, with its name; those that are not finite come first."""
    alone = []
    for edge, arrays in Edges(run.convention, run.arrays).points():
        moved = [n for n, v in arrays.items() if not np.array_equal(v, run.arrays[n])]
        if len(moved) == 1 and moved[0] in run.convention.trained:
            result = run.at(arrays)
            alone.append((result is None or result.finite, edge, moved[0], arrays))
    alone.sort(key=lambda e: e[0])
    return [(edge, name, arrays) for _, edge, name, arrays in alone if name == alone[0][2]][:_PATHS]


def _path(run: Run, name: str, edge: Any, end: float) -> dict[str, Any] | None:
    """The numbers along the straight line from the ordinary ``name`` to ``edge``; None where time runs out."""
    ordinary = run.arrays[name]
    values: list[Any] = []
    gradients: list[Any] = []
    for left in LEFT:
        if time.monotonic() > end:
            return None
        point = (left * ordinary.astype("float64") + (1.0 - left) * edge).astype(ordinary.dtype)
        result = run.at(run.arrays | {name: point})
        values.append(_mean(result))
        gradients.append(_norm(result.gradients.get(name) if result else None))
    return {"left": list(LEFT), "value": values, "gradient": gradients}


def _repeated(run: Run, end: float) -> dict[str, Any]:
    """The numbers for copies of the batch, as many as there is time for."""
    found: dict[str, Any] = {"copies": [], "value": [], "gradient": []}
    for copies, arrays in _copied(run):
        result = run.at(arrays)
        found["copies"].append(copies)
        found["value"].append(_mean(result))
        found["gradient"].append(_norm(shared_gradient(result, arrays, run.convention) if result else None))
        if time.monotonic() > end:
            break
    return found


def _copied(run: Run) -> Iterator[tuple[int, Arrays]]:
    for copies in COPIES:
        yield copies, batches(run.arrays, run.convention, copies)


def _mean(result: Result | None) -> Any:
    """The mean of what is returned, outputs added up; None where nothing that is returned is a float."""
    outputs = [np.asarray(o, dtype="float64") for o in result.outputs if o.dtype.kind == "f"] if result else []
    return _spelled(sum(float(o.mean()) for o in outputs if o.size)) if outputs else None


def _norm(gradient: Any) -> Any:
    """The Euclidean norm, in float64; None where there is no gradient."""
    return None if gradient is None else _spelled(float(np.linalg.norm(np.asarray(gradient, dtype="float64"))))


def _spelled(number: float) -> Any:
    """JSON has no NaN: what is not finite is spelled out."""
    return number if np.isfinite(number) else repr(number)
