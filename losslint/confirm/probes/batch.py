"""How the loss answers to its batch: repeated, split, permuted, and alone."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from losslint.confirm.inputs import Arrays, halves
from losslint.confirm.run import Run
from losslint.confirm.subject import Result, batches, rows, shared_gradient, shared_parts

_LARGE = 8
"""Copies of the batch beside which a smoothing constant hardly counts; pairs and triples of samples still fit."""
_SCALES = (0.05, 0.2, 0.4, 0.7, 1.5, 3.0)
_BLENDS = (0.5, 0.9)
_SLOW = 0.3  # seconds after which larger batches are not tried


def batch(run: Run) -> dict[str, Any]:
    """``laws``, and ``micro``: how far the gradient is from the size-weighted mean of those of the batch's parts.

    A relative distance, the worst of an equal and an unequal split and of the inputs that are tried.
    """
    return laws(run) | {"micro": max((m for m in _micros(run) if m is not None), default=None)}


def laws(run: Run) -> dict[str, Any]:
    """Laws of value and gradient, permutation, and a batch of one.

    ``value_ratio`` and ``gradient_ratio`` hold, for 2 and 4 copies of the batch, the factor on the mean of what is
    returned and on the norm of the shared gradient; ``gradient_turn`` is how far its direction turns (0 to 2),
    ``gradient_shift`` its relative distance, ``by_source`` the factor of each source for 4 copies. ``large`` is the
    same between ``_LARGE`` and 4 times as many copies.
    """
    convention, arrays, base = run.convention, run.arrays, run.base
    own = shared_gradient(base, arrays, convention)
    found: dict[str, Any] = {"value_ratio": {}, "gradient_ratio": {}, "gradient_turn": {}, "gradient_shift": {}}
    one = run.at(rows(arrays, convention, slice(0, 1)))
    if not np.any(own) and one is not None:
        found["vanished"] = bool(np.any(shared_gradient(one, rows(arrays, convention, slice(0, 1)), convention)))
    for copies in (2, 4):
        repeated = batches(arrays, convention, copies)
        result = run.at(repeated)
        if result is None:
            found["error"] = f"raises for {copies} copies of the batch"
            continue
        found["value_ratio"][str(copies)] = _quotient(_mean(result), _mean(base))
        _compare(found, str(copies), own, shared_gradient(result, repeated, convention))
        by_source = shared_parts(result, repeated, convention)
        found["by_source"] = {
            n: float(np.linalg.norm(by_source[n]) / np.linalg.norm(g))
            for n, g in shared_parts(base, arrays, convention).items()
            if np.any(g) and n in by_source
        }
    found |= _large(run)
    found |= _extents(run)
    order = np.random.default_rng(run.seed + 1).permutation(run.sizes["B"])
    shuffled = rows(arrays, convention, order)
    result = run.at(shuffled)
    if result is not None:
        found["permutation"] = _distance(own, shared_gradient(result, shuffled, convention))
        found["value_permutation"] = abs((_quotient(_mean(result), _mean(base)) or 1.0) - 1.0)
    found["single"] = None if one is None else {"finite": one.finite, "value": _mean(one)}
    return found


def _compare(found: dict[str, Any], key: str, own: Any, other: Any) -> None:
    size, size_other = float(np.linalg.norm(own)), float(np.linalg.norm(other))
    if own.shape != other.shape or not size or not math.isfinite(size + size_other):
        return
    found["gradient_ratio"][key] = size_other / size
    found["gradient_shift"][key] = _distance(own, other)
    found["gradient_turn"][key] = 1.0 - float(own @ other) / (size * size_other) if size_other else None


def _mean(result: Result) -> float:
    """The mean of what is returned, outputs added up."""
    floats = [np.asarray(o, dtype="float64") for o in result.outputs if np.asarray(o).dtype.kind == "f" and np.size(o)]
    return float(sum(o.mean() for o in floats)) if floats else math.nan


def _quotient(a: float, b: float) -> float | None:
    return a / b if b and math.isfinite(a) and math.isfinite(b) else None


def _distance(a: Any, b: Any) -> float | None:
    """Relative distance of two gradients; None where one is not finite."""
    if a.shape != b.shape:
        return None
    size = max(float(np.linalg.norm(a)), 1e-12)
    away = float(np.linalg.norm(a - b)) / size
    return away if math.isfinite(away) else None


def _micros(run: Run) -> Iterator[float | None]:
    """At the ordinary input, with labels that are masked, and at other scales: a maximum may take its other side."""
    yield _micro(run, run.arrays, run.base)
    for name, value in run.marks:
        marked = run.arrays | {name: _every_third(run.arrays[name], value)}
        result = run.at(marked)
        if result is not None:
            yield _micro(run, marked, result)
    for elsewhere in _scaled(run):
        result = run.at(elsewhere)
        if result is not None:
            yield _micro(run, elsewhere, result)


def _every_third(array: Any, value: float) -> Any:
    marked = array.copy()
    marked.flat[::3] = value
    return marked


def _scaled(run: Run) -> Iterator[Arrays]:
    """What is unbounded at other scales, and predictions part of the way to labels that are like them."""
    specs, arrays = run.convention.specs, run.arrays
    free = [n for n in run.convention.trained if specs[n].domain in ("real", "logits", "positive")]
    for scale in _SCALES if free else ():
        yield arrays | {n: (scale * arrays[n]).astype(arrays[n].dtype) for n in free}
    alike = {
        n: arrays[label]
        for n in run.convention.trained
        for label in run.convention.labels
        if specs[label].dims == specs[n].dims and specs[n].domain in ("prob", "simplex", "unit", "real")
    }
    for share in _BLENDS if alike else ():
        yield arrays | {n: ((1 - share) * arrays[n] + share * y).astype(arrays[n].dtype) for n, y in alike.items()}


def _micro(run: Run, arrays: Arrays, whole: Result) -> float | None:
    """The relative distance, the worst of several splits; None where a part does not run or nothing is learnt."""
    own = shared_gradient(whole, arrays, run.convention)
    if not np.any(own):
        return None
    count = run.sizes["B"]
    worst: float | None = None
    for parts in halves(count):
        total: Any = np.zeros_like(own)
        for part in parts:
            piece = rows(arrays, run.convention, part)
            result = run.at(piece)
            gradient = None if result is None else shared_gradient(result, piece, run.convention)
            if gradient is None or gradient.shape != own.shape:
                return None
            total = total + gradient * (len(range(*part.indices(count))) / count)
        away = _distance(own, total)
        worst = away if worst is None or (away is not None and away > worst) else worst
    return worst


def _large(run: Run) -> dict[str, Any]:
    """The law among large batches, where a constant beside a sum does not count; skipped for large samples."""
    samples: Arrays = run.arrays
    width = max(
        (np.size(v) // run.sizes["B"] for n, v in samples.items() if run.convention.specs[n].batched), default=0
    )
    if width > 1000:
        return {}
    many, more = (batches(samples, run.convention, k) for k in (_LARGE, 4 * _LARGE))
    start = time.monotonic()
    first = run.at(many)
    if time.monotonic() - start > _SLOW:
        return {}
    second = run.at(more)
    if first is None or second is None:
        return {}
    a, b = shared_gradient(first, many, run.convention), shared_gradient(second, more, run.convention)
    size = float(np.linalg.norm(a))
    if a.shape != b.shape or not size or not math.isfinite(size):
        return {}
    return {
        "large": {
            "copies": _LARGE,
            "gradient_ratio": float(np.linalg.norm(b)) / size,
            "gradient_shift": _distance(a, b),
        }
    }


def _extents(run: Run) -> dict[str, Any]:
    """The factor on the value where every sample is repeated along its second axis, if it has two axes or more."""
    specs = run.convention.specs
    wide = [n for n, s in specs.items() if len(s.dims) >= 3 and s.batched and isinstance(s.dims[1], str)]
    if not wide:
        return {}
    from losslint.confirm.subject import Evaluator, attempts

    repeated = run.arrays | {n: np.concatenate([run.arrays[n]] * 2, axis=1) for n in wide}
    result, _ = attempts(Evaluator(run.subject, "eager"), repeated)
    return {} if result is None else {"extent_ratio": _quotient(_mean(result), _mean(run.base))}
