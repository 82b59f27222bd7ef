"""Whether a gradient arrives, where it is cut, and whether it is the derivative."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import tensorflow as tf

from losslint.confirm.inputs import SIZES
from losslint.confirm.observe import Observation, Op, downstream, upstream
from losslint.confirm.run import Run
from losslint.confirm.subject import Evaluator, Result, attempts, tensors_in

_MOST = 400  # operations whose gradient is asked for one by one
_SEEDS = 3

_LINEAR = frozenset({
    "AddV2", "Add", "Sub", "AddN", "Neg", "Identity", "Mean", "Sum", "Reshape", "Squeeze", "ExpandDims", "Cast",
    "Mul", "RealDiv", "Pack", "ConcatV2", "StridedSlice", "Slice", "Transpose", "Tile", "BroadcastTo", "EnsureShape",
    "Select", "SelectV2",
})  # fmt: skip
"""Operations through which a sum stays a sum.

A product counts where the other factor depends on no prediction, a choice where its condition does not.
"""


def gradient(run: Run) -> dict[str, Any]:
    """State of each source at several inputs, and where the gradient is lost if the total or a term is cut."""
    results = [run.base]
    for seed in range(1, _SEEDS):
        result = run.at(run.convention.sample(run.sizes, run.seed + seed))
        results += [result] if result is not None else []
    specs = run.convention.specs
    sources = {
        name: _state([r.gradients.get(name) for r in results])
        | {"role": specs[name].role if name in specs else "variable"}
        for name in run.base.gradients
    }
    observation = run.observed("ordinary", run.arrays)
    living = alive(observation)
    found = {
        "sources": sources,
        "class": _class(sources),
        "cut_at": [_told(op) for op in cuts(observation, living)],
        "dead_terms": [_term(t, observation) for t in dead_terms(observation, living)],
    }
    if living is None:
        found["not_watched"] = "its operations are too many, or do not answer one by one"
    if observation.error is not None:
        found["not_watched"] = f"{type(observation.error).__name__}: {str(observation.error)[:200]}"
    return found


def _state(gradients: list[Any]) -> dict[str, Any]:
    """``state`` "none", "zero", "live" or "nan"; ``reached`` is the share of elements with a gradient at some input."""
    arrays = [np.asarray(g) for g in gradients if g is not None]
    if not arrays:
        return {"state": "none", "reached": 0.0}
    if not all(np.isfinite(a).all() for a in arrays):
        return {"state": "nan", "reached": float(np.mean([np.isfinite(a).mean() for a in arrays]))}
    reached = float(np.mean(np.any([a != 0 for a in arrays], axis=0)))
    size = float(np.sqrt(np.sum(arrays[0].astype("float64") ** 2)))
    return {"state": "live" if reached else "zero", "reached": reached, "norm": size}


def _class(sources: dict[str, Any]) -> str:
    states = {s["state"] for s in sources.values()}
    return next((c for c, s in (("non-finite", "nan"), ("non-zero", "live"), ("zero", "zero")) if s in states), "none")


def _told(op: Op) -> dict[str, Any]:
    return {"op": op.type, "lines": [list(line) for line in op.lines]}


def _term(tensor: Any, observation: Observation) -> dict[str, Any]:
    """A term without gradient: what made it, and every line it is computed on."""
    ops = upstream(observation, [tensor])
    depends = {id(op) for op in downstream(observation)}
    lines = {line for op in ops if id(op) in depends for line in op.lines}
    return {"op": ops[-1].type if ops else "", "lines": sorted([list(line) for line in lines])}


# -- where it is cut -------------------------------------------------------------------------------------------------


def alive(observation: Observation) -> set[int] | None:
    """The ids of tensors that pass a gradient other than 0 to some source.

    None where there are too many to ask, or where one cannot be asked: a py_function answers once.
    """
    ops = downstream(observation)
    if len(ops) > _MOST or observation.tape is None:
        return None
    sources = list(observation.sources.values())
    found = {id(s) for s in sources} | {id(s.handle) for s in sources if hasattr(s, "handle")}
    for op in ops:
        if not any(id(t) in found for t in op.inputs):
            continue  # it is lost before
        for tensor in op.outputs:
            passes = getattr(tensor, "dtype", tf.bool).is_floating and _passes(observation, tensor, sources)
            if passes is None:
                return None
            if passes:
                found.add(id(tensor))
    return found


def _passes(observation: Observation, tensor: Any, sources: list[Any]) -> bool | None:
    """Whether a gradient other than 0 comes back from ``tensor``; None where that cannot be told."""
    gradients, error = attempts(observation.tape.gradient, tensor, sources)
    if error is not None:  # LookupError: the op has no gradient registered
        return False if isinstance(error, LookupError) else None
    return any(g is not None and bool(tf.reduce_any(tf.convert_to_tensor(g) != 0)) for g in gradients)


def cuts(observation: Observation, living: set[int] | None) -> list[Op]:
    """The operations on the way to the result that take in a gradient's path and let none out.

    Only where no path is left at all: beside a live path a comparison is a mask.
    """
    if living is None:
        return []
    results = tensors_in(observation.value)
    if any(id(t) in living for t in results):
        return []
    depends = {id(op) for op in downstream(observation)}
    return [
        op
        for op in upstream(observation, results)
        if id(op) in depends
        and any(id(t) in living for t in op.inputs)
        and not any(id(t) in living for t in op.outputs)
    ]


def dead_terms(observation: Observation, living: set[int] | None) -> list[Any]:
    """The terms of the total that depend on a source without passing it any gradient, where another term is live."""
    if living is None or observation.total is None:
        return []
    moving = {id(t) for op in downstream(observation) for t in op.outputs}
    makers = {id(t): op for op in observation.ops for t in op.outputs}
    leaves: list[Any] = []
    todo, seen = [*tensors_in(observation.value)], set()
    while todo:
        tensor = todo.pop()
        if id(tensor) in seen or id(tensor) not in moving:
            continue
        seen.add(id(tensor))
        op = makers.get(id(tensor))
        inner = [t for t in op.inputs if id(t) in moving] if op is not None else []
        if op is not None and op.type in _LINEAR and inner and _stays_sum(op, inner):
            todo.extend(inner)
        else:
            leaves.append(tensor)
    dead = [t for t in leaves if id(t) not in living]
    return dead if len(dead) < len(leaves) else []


def _stays_sum(op: Op, moving: list[Any]) -> bool:
    """Whether ``op``, one of ``_LINEAR``, is linear in what of it is ``moving``."""
    if op.type == "Mul":
        return len(moving) == 1
    if op.type == "RealDiv":
        return len(moving) == 1 and moving[0] is op.inputs[0]
    return op.type not in ("Select", "SelectV2") or all(t is not op.inputs[0] for t in moving)


# -- whether it is the derivative ------------------------------------------------------------------------------------


def directional(run: Run) -> dict[str, Any]:
    """The derivative along one random direction in float64: by the tape, and by central differences."""
    subject = run.subject
    specs = {n: s if not s.dtype.startswith("float") else _double(s) for n, s in subject.convention.specs.items()}
    convention = type(subject.convention)(subject.convention.name, specs)
    double = replace(subject, convention=convention)
    arrays = convention.sample(run.sizes, run.seed)
    evaluate = Evaluator(double, "eager")
    result, error = attempts(evaluate, arrays)
    if error is not None:
        return {"skipped": f"it does not run in float64: {type(error).__name__}: {str(error)[:120]}"}
    rng = np.random.default_rng(SIZES[0]["X"])
    direction = {n: rng.normal(size=np.shape(arrays[n])) for n in convention.trained}
    tape = sum(
        float((result.gradients[n] * d).sum()) for n, d in direction.items() if result.gradients.get(n) is not None
    )
    step = 1e-6
    ends = [attempts(evaluate, arrays | {n: arrays[n] + s * d for n, d in direction.items()})[0] for s in (step, -step)]
    totals = [_total(e) for e in ends]
    if None in totals or result.total is None:
        return {"skipped": "no number is returned"}
    differences = (totals[0] - totals[1]) / (2 * step)  # type: ignore[operator]
    return {
        "tape": tape,
        "differences": differences,
        "agree": bool(abs(tape - differences) <= 1e-4 * max(1.0, abs(tape), abs(differences))),
    }


def _total(result: Result | None) -> float | None:
    return None if result is None else result.total


def _double(spec: Any) -> Any:
    return replace(spec, dtype="float64")
