"""Whether the loss can be traced, and what it returns."""

from __future__ import annotations

from typing import Any

from losslint.confirm.run import Run
from losslint.confirm.subject import Evaluator, attempts


def trace(run: Run) -> dict[str, Any]:
    """In the consumer's mode with an unknown batch size; else in which way it can be traced, and what went wrong.

    ``totals``: the loss traced with an unknown batch size and with a known one.
    """
    found = run.trace
    if found["batch"] != "None" or found["mode"] != "graph":
        return found
    fixed, _ = attempts(Evaluator(run.subject, "graph", found["autograph"], static=True), run.arrays)
    totals = [run.base.total, None if fixed is None else fixed.total]
    return found if None in totals else found | {"totals": totals}


def output(run: Run) -> dict[str, Any]:
    """Structure, rank, shape and dtype of what is returned; the structure of what is no tensor."""
    graph, base = run.graph, run.base
    ranks = [len(shape) for shape in _shapes(run)]
    return {
        "structure": graph.structure,
        "shapes": _shapes(run),
        "dtypes": graph.dtypes,
        "rank": ranks[0] if graph.structure == "tensor" and ranks else None,
        "values": [o.reshape(-1)[:3].tolist() for o in base.outputs],
        "total": base.total,
    }


def _shapes(run: Run) -> list[list[int]]:
    return [list(o.shape) for o in run.base.outputs]
