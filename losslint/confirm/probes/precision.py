"""The loss in other precisions: float32 against float64, and float16 and bfloat16."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from losslint.confirm.inputs import Convention
from losslint.confirm.run import Run
from losslint.confirm.subject import Evaluator, Result, attempts


def precision(run: Run) -> dict[str, Any]:
    """Value at the ordinary input in each dtype: finite or not, and the relative distance from float64."""
    results = {dtype: _in(run, dtype) for dtype in ("float64", "float32", "float16", "bfloat16")}
    exact = results["float64"][0]
    found: dict[str, Any] = {}
    for dtype, (result, error) in results.items():
        if result is None or result.total is None:
            found[dtype] = {"skipped": error or "no number is returned"}
            continue
        found[dtype] = {"finite": result.finite}
        if exact is not None and exact.total and np.isfinite(result.total) and dtype != "float64":
            found[dtype]["relative_error"] = abs(result.total - exact.total) / abs(exact.total)
    return found


def _in(run: Run, dtype: str) -> tuple[Result | None, str]:
    specs = {n: replace(s, dtype=dtype) if s.dtype == "float32" else s for n, s in run.convention.specs.items()}
    convention = Convention(run.convention.name, specs)
    subject = replace(run.subject, convention=convention)
    result, error = attempts(Evaluator(subject, "eager"), run.arrays)
    return result, "" if error is None else f"{type(error).__name__}: {str(error)[:120]}"
