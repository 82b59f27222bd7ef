"""Values and gradients at the edges of the domain, and which operation is to blame for what is not finite."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from losslint.confirm import observe
from losslint.confirm.inputs import Arrays, onehot, values
from losslint.confirm.jobs import Claim
from losslint.confirm.judges.base import NEAR
from losslint.confirm.observe import Observation, Op, bends, breaks, distance, upstream
from losslint.confirm.points import Edges, single
from losslint.confirm.run import Run
from losslint.confirm.subject import Result, attempts, rows, without_xla

_LOST = {"float16": 5e-4, "bfloat16": 4e-3, "float64": 2e-16}
_WATCHED = 40  # points at which a loss is watched operation by operation
_COMPILED = 8  # points at which XLA is asked
_EXAMPLES = 120

FAMILIES: dict[str, frozenset[str]] = {
    "LL401": observe.LOGS,
    "LL402": observe.LOGS | observe.DIVISIONS | observe.ROOTS,
    "LL403": observe.LOGS,
    "LL404": observe.DIVISIONS,
    "LL405": observe.DIVISIONS,
    "LL406": observe.ROOTS | {"Rsqrt"},
    "LL407": observe.LOGS | observe.DIVISIONS | observe.ROOTS | observe.UNIT | observe.EXPONENTIALS,
    "LL409": observe.LOGS | observe.EXPONENTIALS,
    "LL410": observe.EXPONENTIALS,
    "LL411": observe.UNIT | {"Acosh"},
}
"""Rule -> the operations that it is about."""


def points(run: Run) -> Iterator[tuple[str, Arrays]]:
    """Every edge point of the run's convention, labels that the loss looks for, and a batch of one."""
    yield from Edges(run.convention, run.arrays).points()
    for name, value in run.marks:
        yield f"{name} all {value:g}", run.arrays | {name: np.full_like(run.arrays[name], value)}
    yield "a batch of one", single(run.convention, run.sizes, run.seed)


def _few(run: Run) -> Iterator[tuple[str, Arrays]]:
    """Batches of two and three with their edges: a trace or a sum over the batch comes to 1 there, and exactly."""
    for count in (2, 3):
        few = rows(run.arrays, run.convention, slice(0, count))
        yield from ((f"a batch of {count}, {name}", arrays) for name, arrays in Edges(run.convention, few).points())


def edges(run: Run) -> dict[str, Any]:
    """The points at which value or gradient is not finite under tf.function, and those at which the loss raises."""
    found: dict[str, Any] = {"tested": 0, "nonfinite": {}, "zero_gradient": [], "raises": []}
    for name, arrays in points(run):
        result = run.at(arrays)
        if result is None:
            found["raises"].append(name)
            continue
        found["tested"] += 1
        if not result.finite:
            found["nonfinite"][name] = numbers(result)
        elif not any(g is not None and np.any(g) for g in result.gradients.values()):
            found["zero_gradient"].append(name)
    return found


def numbers(result: Result) -> dict[str, Any]:
    """The total and the worst number of each gradient, as a witness shows them."""
    worst = {n: _worst(g) for n, g in result.gradients.items() if g is not None}
    return {"value": _spelled(result.total), "gradient": {n: _spelled(w) for n, w in worst.items()}}


def _worst(gradient: Any) -> float:
    flat = np.asarray(gradient, dtype="float64").reshape(-1)
    bad = flat[~np.isfinite(flat)]
    return float(bad[0] if bad.size else flat[np.abs(flat).argmax()] if flat.size else 0.0)


def _spelled(number: float | None) -> Any:
    """JSON has no NaN: what is not finite is spelled out."""
    return number if number is None or np.isfinite(number) else repr(float(number))


# -- deciding one claim ----------------------------------------------------------------------------------------------


def decide_in(runs: list[Run], claim: Claim) -> dict[str, Any]:
    """``decide`` under one convention after the other until one shows a fault.

    Without a fault it is the nearest approach to the edge that counts.
    """
    best: dict[str, Any] = {}
    for run in runs:
        found = decide(run, claim) | {"convention": run.convention.describe()}
        if found.get("witness"):
            return found
        away = found["nearest"]
        if not best or (away is not None and (best["nearest"] is None or away < best["nearest"])):
            best = found | {k: found[k] + best.get(k, 0) for k in ("tested", "finite", "compiled")}
    return best


def decide(run: Run, claim: Claim) -> dict[str, Any]:
    """What the run shows about ``claim``.

    ``witness``: an input at which value or gradient is not finite because of the flagged line, in ``mode`` "graph" or
    "xla". Else ``nearest``: how close the flagged operand came to its edge, and ``near``: points within ``NEAR`` at
    which everything was finite.
    """
    family = FAMILIES[claim.code]
    tried = [*points(run), *(_few(run) if family & observe.UNIT else ())]
    at_edges = [(name, arrays, run.at(arrays)) for name, arrays in tried]
    finite = [p for p in at_edges if p[2] is not None and p[2].finite]
    found: dict[str, Any] = {"tested": len(at_edges), "finite": len(finite), "compiled": 0, "executed": False}
    found |= {"nearest": None, "near": [], "elsewhere": []}
    broken = [(n, a, r) for n, a, r in at_edges if r is not None and not r.finite]
    if not run.base.finite:
        broken.insert(0, ("an ordinary input", run.arrays, run.base))
    for name, arrays, result in broken[:8]:
        blame = _blame(run.observed(name, arrays), claim, family)
        found["executed"] |= blame["executed"]
        if blame["hit"]:
            found["witness"] = _witness(run, claim, family, name, arrays, result, "graph")
            return found
        found["elsewhere"].append(name)
    edge_points = _approach(run, claim, family, finite, found)
    for nearest, name, arrays in edge_points[:_COMPILED]:
        result, _ = attempts(run.xla, arrays)
        found["compiled"] += result is not None
        if result is None or result.finite:
            continue
        if nearest == 0.0 or claim.code == "LL402":  # an epsilon that tf.function leaves in place may be lost to XLA
            found["witness"] = _witness(run, claim, family, name, arrays, result, "xla")
            return found
        found["elsewhere"].append(f"{name}, compiled by XLA")
        found["near"] = [point for point in found["near"] if point[0] != name]
    if edge_points and not found["compiled"]:
        found["without_xla"] = without_xla()
    if found["executed"] and found["nearest"] != 0.0:
        searched = _searched(run, claim, family)
        if searched is not None:
            found["witness"] = searched
    return found


def _approach(run: Run, claim: Claim, family: frozenset[str], finite: list[Any], found: dict[str, Any]) -> list[Any]:
    """Watch the loss where it stays finite, and note how near the operand comes. The near points, nearest first."""
    reached = []
    for name, arrays, _ in [("an ordinary input", run.arrays, run.base), *finite][:_WATCHED]:
        blame = _blame(run.observed(name, arrays), claim, family)
        found["executed"] |= blame["executed"]
        nearest = blame["nearest"]
        if nearest is None:
            continue
        if found["nearest"] is None or nearest < found["nearest"]:
            found["nearest"] = nearest
        if nearest <= NEAR:
            found["near"].append([name, nearest])
            reached.append((nearest, name, arrays))
    return sorted(reached, key=lambda r: r[0])


def _blame(observation: Observation, claim: Claim, family: frozenset[str]) -> dict[str, Any]:
    """Whether an operation on the flagged line is at the edge of its domain or leaves it; how near it is."""
    executed, own = _own(observation, claim, family)
    distances = [d for d in map(distance, own) if d is not None]
    lost = 0.0
    if claim.code == "LL402":  # eagerly the epsilon is still there: rounded away only where the graph sums constants
        lost = max((_LOST.get(_dtype(op), 6e-8) for op in own), default=0.0)
    at_edge = [op for op, d in ((op, distance(op)) for op in own) if d is not None and d <= lost]
    hit = any(breaks(op) for op in own) or any(lost or bends(observation, op) for op in at_edge)
    return {"executed": executed, "hit": hit, "nearest": min(distances, default=None)}


def _own(observation: Observation, claim: Claim, family: frozenset[str]) -> tuple[bool, list[Op]]:
    """Whether the flagged line ran, and the operations of ``family`` that are meant.

    Of each type those of the flagged expression itself, else those within it; where there is none of any type, those on
    its line, and at last those that it is computed from.
    """
    path, place = claim.path, claim.place
    here = [op for op in observation.ops if op.at(path, place.row, place.end_row)]
    within = [op for op in here if op.is_in(path, place)]
    outer = {op.type for op in within if op.is_of(path, place)}
    nearest = [op for op in within if op.type not in outer or op.is_of(path, place)]
    for ops in (nearest, here):
        own = [op for op in ops if op.type in family]
        if own:
            return True, own
    made = [t for op in within or here for t in op.outputs]
    executed = bool(here) or observation.executed(path, place.row, place.end_row)
    return executed, [op for op in upstream(observation, made) if op.type in family]


def _dtype(op: Op) -> str:
    return getattr(getattr(op.inputs[0], "dtype", None), "name", "float32") if op.inputs else "float32"


# -- the smallest witness --------------------------------------------------------------------------------------------


def _witness(
    run: Run, claim: Claim, family: frozenset[str], name: str, arrays: Arrays, result: Result, mode: str
) -> dict[str, Any]:
    """``arrays`` as a witness, or a smaller one that shows the same."""
    small = _smallest(run, claim, family) if mode == "graph" else None
    if small is not None:
        arrays, result = small
        name = "the input shown"
    return {"point": name, "mode": mode, "inputs": shown(arrays, run), "batch": _count(arrays, run), **numbers(result)}


def _searched(run: Run, claim: Claim, family: frozenset[str]) -> dict[str, Any] | None:
    """A witness found by searching where the edges themselves show none."""
    small = _smallest(run, claim, family)
    if small is None:
        return None
    arrays, result = small
    count = _count(arrays, run)
    return {
        "point": "found by search",
        "mode": "graph",
        "inputs": shown(arrays, run),
        "batch": count,
        **numbers(result),
    }


def _smallest(run: Run, claim: Claim, family: frozenset[str]) -> tuple[Arrays, Result] | None:
    """The smallest input, made of corners of the domains, at which the flagged line breaks the loss, or None."""
    from hypothesis import HealthCheck, Phase, find, settings
    from hypothesis import strategies as st
    from hypothesis.errors import NoSuchExample

    convention = run.convention
    corners = {n: _corners(run, n) for n in convention.specs}

    @st.composite
    def small(draw: Any) -> Arrays:
        count = draw(st.integers(1, 3))
        rng = np.random.default_rng(run.seed)
        made: Arrays = {}
        for n, spec in convention.specs.items():
            value = values(spec, {**run.sizes, "B": count}, rng)
            if isinstance(value, np.ndarray) and corners[n]:
                picked = draw(st.sampled_from(corners[n]))
                value = _filled(value, picked, spec.domain)
            made[n] = value
        return made

    def fails(arrays: Arrays) -> bool:
        result = run.at(arrays)
        if result is None or result.finite:
            return False
        return bool(_blame(observe.observe(run.subject, arrays, run.files), claim, family)["hit"])

    quiet = settings(
        max_examples=_EXAMPLES, database=None, deadline=None, derandomize=True,
        suppress_health_check=list(HealthCheck), phases=[Phase.generate, Phase.shrink],
    )  # fmt: skip
    try:
        arrays = find(small(), fails, settings=quiet)
    except NoSuchExample:
        return None
    result = run.at(arrays)
    return None if result is None else (arrays, result)


def _filled(value: Any, picked: float | None, domain: str) -> Any:
    """``value`` with ``picked`` everywhere; of classes, all rows of the class ``picked``. None leaves it."""
    if picked is None:
        return value
    if domain in ("simplex", "onehot"):
        return onehot(np.full(value.shape[:-1], picked), value.shape[-1]).astype(value.dtype)
    return np.full_like(value, picked)


def _corners(run: Run, name: str) -> list[float | None]:
    """Constants that an argument can legally be filled with; None leaves its ordinary values."""
    spec = run.convention.specs[name]
    known: dict[str, list[float | None]] = {
        "prob": [None, 0.0, 1.0], "unit": [None, 0.0, 1.0], "binary": [None, 0.0, 1.0], "mask": [None, 0.0],
        "weights": [None, 0.0], "logits": [None, 0.0, 100.0, -100.0], "real": [None, 0.0, 1.0, -1.0],
        "positive": [None, 0.0, 1e-6, 1e4], "count": [None, 0.0],
        "simplex": [None, 0, 1], "onehot": [None, 0], "ids": [None, 0],
    }  # fmt: skip
    return known.get(spec.domain, [])


def shown(arrays: Arrays, run: Run) -> dict[str, Any]:
    """The inputs of a witness as nested lists, rounded by nothing."""
    return {n: v.tolist() if isinstance(v, np.ndarray) else v for n, v in arrays.items()}


def _count(arrays: Arrays, run: Run) -> int:
    return next((len(v) for n, v in arrays.items() if run.convention.specs[n].batched), 0)
