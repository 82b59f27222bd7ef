"""The same numbers eagerly, under tf.function and compiled by XLA, at the ordinary input and at the edges."""

from __future__ import annotations

from typing import Any

import numpy as np

from losslint.confirm.probes.domain import numbers, points
from losslint.confirm.run import Run
from losslint.confirm.subject import Evaluator, attempts, without_xla


def modes(run: Run) -> dict[str, Any]:
    """Whether each mode runs, and the points at which one is finite and another not."""
    eager = Evaluator(run.subject, "eager")
    runs = {"eager": eager, "graph": run.graph, "xla": run.xla}
    found: dict[str, Any] = {"differ": {}}
    for mode, evaluate in runs.items():
        result, error = attempts(evaluate, run.arrays)
        found[mode] = {"runs": error is None} | (
            {"error": str(error)[:200]} if error is not None else {"total": result.total}
        )
    if not found["xla"]["runs"]:
        found["xla"]["missing"] = without_xla()
    working = {m: e for m, e in runs.items() if found[m]["runs"]}
    for name, arrays in points(run):
        if name == "a batch of one":  # another shape would have to be compiled
            continue
        results = {m: attempts(e, arrays)[0] for m, e in working.items()}
        finite = {m: r.finite for m, r in results.items() if r is not None}
        if len(set(finite.values())) > 1:
            found["differ"][name] = {m: numbers(r) for m, r in results.items() if r is not None}
    totals = [found[m]["total"] for m in working if found[m].get("total") is not None]
    found["agree"] = bool(len(totals) < 2 or np.allclose(totals, totals[0], rtol=1e-4, atol=1e-6, equal_nan=True))
    return found
