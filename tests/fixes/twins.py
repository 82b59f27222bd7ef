"""Runs a loss before and after a fix on the same inputs, in a process that has TensorFlow."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

SEEDS = 3
EDGES = 12


def compare(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """What is alike at ordinary inputs and at the edges of the domain, as plain data.

    ``refused``: why the loss could not be called before; ``shims``: names that had to be provided after the fix.
    ``points``: for each input and type its ``name``, ``ordinary``, ``dtype``, ``identical`` (bit by bit), ``error``
    (the largest relative distance of values and gradients where both are finite), ``lost`` (something finite is not
    any more) and ``finite`` (all is, after the fix).
    """
    import tensorflow as tf

    from losslint.confirm import callee
    from losslint.confirm.inputs import Convention
    from losslint.confirm.jobs import Job
    from losslint.confirm.loader import Loader
    from losslint.confirm.points import Edges
    from losslint.confirm.run import NotRun
    from losslint.confirm.subject import Evaluator, attempts

    callee.as_before(tf)
    runs, shims, refused = [], [], ""
    for data in (after, before):  # old names are provided for the second one
        job = Job.from_json(data)
        loader = Loader(job.bundle)
        try:
            runs.append(next(callee.accepted(job, loader, frozenset(f.path for f in job.bundle.files.values()))))
        except NotRun as error:
            if data is after:
                raise
            refused = str(error)
        shims.append(list(loader.shims))
    new, old = runs[0], runs[-1]
    points = []
    for dtype in ("float32", "float64") if not refused else ():
        specs = {n: _typed(s, dtype) for n, s in old.convention.specs.items()}
        convention = Convention(old.convention.name, specs)
        twins = [
            dataclasses.replace(old.subject, function=r.subject.function, convention=convention) for r in (old, new)
        ]
        inputs = [(f"seed {n}", convention.sample(old.sizes, n)) for n in range(SEEDS)]
        edges = list(Edges(convention, inputs[0][1]).points())
        for number, (name, arrays) in enumerate([*inputs, *edges[:: -(-len(edges) // EDGES) or 1]]):
            a, b = (attempts(Evaluator(twin, "eager"), arrays)[0] for twin in twins)
            if a is not None:
                points.append({"name": name, "dtype": dtype, "ordinary": number < SEEDS, **_distance(a, b)})
    return {"points": points, "shims": shims[0], "convention": old.convention.describe(), "refused": refused}


def _typed(spec: Any, dtype: str) -> Any:
    return dataclasses.replace(spec, dtype=dtype) if spec.dtype == "float32" else spec


def _distance(a: Any, b: Any) -> dict[str, Any]:
    if b is None:
        return {"identical": False, "error": float("inf"), "lost": True, "finite": False}
    pairs = [(np.asarray(x), np.asarray(y)) for x, y in zip(a.outputs, b.outputs, strict=True)]
    for name, gradient in a.gradients.items():
        other = b.gradients.get(name)
        if (gradient is None) != (other is None):
            return {"identical": False, "error": float("inf"), "lost": other is None, "finite": b.finite}
        if gradient is not None:
            pairs.append((np.asarray(gradient), np.asarray(other)))
    found = {"identical": True, "error": 0.0, "lost": False, "finite": b.finite}
    for x, y in pairs:
        if x.shape != y.shape:
            return {"identical": False, "error": float("inf"), "lost": True, "finite": False}
        was, stays = np.isfinite(x), np.isfinite(y)
        both = was & stays
        found["identical"] &= x.dtype == y.dtype and x.tobytes() == y.tobytes()
        found["lost"] |= bool((was & ~stays).any())
        if both.any():
            distance = np.abs(y[both].astype("float64") - x[both]) / np.maximum(1.0, np.abs(x[both]))
            found["error"] = max(found["error"], float(distance.max()))
    return found
