"""What is measured for the claims of one rule alone, beside the probe that decides it."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from losslint.confirm.conventions import LAYOUTS
from losslint.confirm.inputs import SIZES, Arrays, sizes_for
from losslint.confirm.jobs import Claim
from losslint.confirm.run import Run, described
from losslint.confirm.steps import discarded
from losslint.confirm.subject import Evaluator, attempts, rows, structure, tensors_in, total_of, without_xla
from losslint.confirm.swapping import swapped


def measured(run: Run, claim: Claim) -> dict[str, Any]:
    """The evidence that only the rule of ``claim`` asks for, by its key; nothing for most rules."""
    key, measure = _MEASURES.get(claim.code, ("", None))
    return {key: measure(run, claim)} if measure is not None else {}


def _weights(run: Run, claim: Claim) -> dict[str, Any]:
    """What one-hot sample weights do; an ``error`` that only they raise is told."""
    from losslint.confirm.probes.keras import weights

    labels, predictions = run.convention.labels, run.convention.trained
    if len(labels) != 1 or len(predictions) != 1:
        return {"skipped": "not one label and one prediction"}
    value, error = attempts(weights, run, labels[0], predictions[0])
    return {"error": str(error)[:200]} if error is not None else value


def _ways_out(run: Run, claim: Claim) -> list[str]:
    """Ways to call the loss, of one label and one prediction, in which it returns nothing, or a number of Python."""
    labels, predictions = run.convention.labels, run.convention.trained
    found = []
    for layout in LAYOUTS if len(labels) == len(predictions) == 1 and len(run.convention.specs) == 2 else ():
        specs = dict(run.convention.specs)
        for name, (domain, dims) in ((labels[0], layout.label), (predictions[0], layout.prediction)):
            specs[name] = dataclasses.replace(specs[name], domain=domain, dims=dims, dtype="float32")
        convention = dataclasses.replace(run.convention, specs=specs)
        sizes = sizes_for(specs, SIZES[0])
        subject = dataclasses.replace(run.subject, convention=convention, sizes=sizes)
        value, error = attempts(lambda s=subject, c=convention: s.call(s.tensors(c.sample(s.sizes, 0))))
        if error is None and structure(value) in ("None", "number"):
            found.append(f"{structure(value)} for {convention.describe()}")
    return found


def _crossed(run: Run, claim: Claim) -> list[str]:
    """The operations on the flagged line that pair samples with samples: shapes of the operands and of the result."""
    count = run.sizes["B"]

    def pairs(tensor: Any) -> bool:
        return [int(n) for n in tensor.shape].count(count) > 1

    return [
        f"{' and '.join(str(tuple(t.shape)) for t in op.inputs)} give {tuple(op.outputs[0].shape)}"
        for op in run.observed("ordinary", run.arrays).ops
        if op.at(claim.path, claim.place.row, claim.place.end_row)
        and len(op.inputs) > 1
        and any(map(pairs, op.outputs))
        and not any(map(pairs, op.inputs))
    ]


def _unaligned(run: Run, claim: Claim) -> list[float] | None:
    """The loss of predictions of shape (B, 1) with labels of shape (B, 1), and with labels of shape (B,)."""
    convention, arrays = run.convention, dict(run.arrays)
    if len(convention.labels) != 1 or len(convention.trained) != 1:
        return None
    label, prediction = convention.labels[0], convention.trained[0]
    for name in (label, prediction):
        arrays[name] = arrays[name].reshape(len(arrays[name]), -1)[:, :1]
    both = (arrays[label], arrays[label][:, 0])
    results = [attempts(Evaluator(run.subject, "eager"), arrays | {label: labels})[0] for labels in both]
    totals = [result.total for result in results if result is not None and result.total is not None]
    return totals if len(totals) == len(both) else None


def _single(run: Run, claim: Claim) -> dict[str, Any]:
    """Ranks of what is returned for the batch and for a batch of one; or what that raises.

    ``unranked``: Keras gets something of unknown rank where the batch size is not known.
    """
    result, error = attempts(run.graph, rows(run.arrays, run.convention, slice(0, 1)))
    if error is None:
        error = _single_column(run)
    if error is not None:
        return {"error": described(error, run.files)["message"]}
    unranked = run.job.consumer == "keras" and run.trace["batch"] == "None" and run.graph.unranked
    ranks, alone = ([np.ndim(o) for o in r.outputs] for r in (run.base, result))
    return {"ranks": ranks, "alone": alone, "unranked": unranked}


def _single_column(run: Run) -> Exception | None:
    """What a batch of one raises where samples are single numbers, though more of them run."""
    convention = run.convention
    columns = convention.mapped(run.arrays, lambda v: v.reshape(len(v), -1)[:, :1] if np.ndim(v) > 1 else v)
    evaluator = Evaluator(run.subject, "eager")
    if attempts(evaluator, columns)[1] is not None:
        return None
    return attempts(evaluator, rows(columns, convention, slice(0, 1)))[1]


def _padded(run: Run, claim: Claim) -> list[float]:
    """By which factors the loss changes where as much padding again is added, for each guess at what padding is."""
    base = run.base.total
    evaluator = Evaluator(run.subject, "graph", run.trace["autograph"], static=True)  # samples get longer
    totals = [result.total for padded in _paddings(run) if (result := attempts(evaluator, padded)[0]) is not None]
    return [t / base for t in totals if base and t is not None and np.isfinite(t)]


def _paddings(run: Run) -> Iterator[Arrays]:
    """Inputs of twice the length, the second half of which is padding: samples, or steps of what is told by sample."""
    specs, arrays = run.convention.specs, run.arrays
    marked = list(_compared(run)) + [(n, 0.0) for n in arrays if specs[n].role == "weight"]
    for axis in (0, 1) if not any(np.ndim(o) for o in run.base.outputs) else (1,):
        long = {n: np.concatenate([v, v], axis) for n, v in arrays.items() if specs[n].batched and np.ndim(v) > axis}
        for name, value in marked:
            if name in long:
                half = np.array(arrays[name])
                half.fill(value)
                yield arrays | long | {name: np.concatenate([arrays[name], half], axis)}


def _compared(run: Run) -> Iterator[tuple[str, float]]:
    """Labels and the numbers that they are compared with, or that are one less: what is not counted, often."""
    found: dict[tuple[str, float], None] = {}
    for op in run.observed("ordinary", run.arrays).ops:
        if op.type in ("IsNan", "IsFinite"):
            asked = attempts(lambda op=op: np.asarray(op.inputs[0].numpy()))[0]
            for label in run.convention.labels:
                if asked is not None and asked.size == run.arrays[label].size:
                    found[label, np.nan] = None
        if op.type not in ("Equal", "NotEqual", "Greater", "GreaterEqual"):
            continue
        numbers = [attempts(lambda t=t: np.asarray(t.numpy(), dtype="float64"))[0] for t in op.inputs]
        for label in run.convention.labels:
            shaped = [n is not None and n.size == run.arrays[label].size for n in numbers]
            single = [float(n) for n in numbers if n is not None and n.size == 1]
            if any(shaped) and single:
                found[label, single[0]] = found[label, single[0] - 1.0] = None
    return iter(found)


def _python(run: Run, claim: Claim) -> dict[str, Any]:
    """The operations of the flagged line that call Python, once it is traced, and what XLA raises.

    Each comes with whether the total has a derivative with respect to what it returns. Eagerly there is no operation:
    Python is called, and nothing else.
    """
    found: list[tuple[str, bool]] = []

    def traced() -> Any:
        value = run.subject.call(run.subject.tensors(run.arrays))
        total = total_of(tensors_in(value), run.subject.consumer)
        for op in tf.compat.v1.get_default_graph().get_operations():
            if op.type in ("PyFunc", "EagerPyFunc") and _stands_at(op, claim):
                floats = [t for t in op.outputs if t.dtype.is_floating]
                found.append((op.type, any(g is not None for g in tf.gradients(total, floats)) if floats else False))
        return total

    attempts(tf.function(traced, autograph=run.trace["autograph"]).get_concrete_function)
    error = attempts(run.xla, run.arrays)[1] if not without_xla() else None  # else it says nothing about the loss
    return {"calls": found, "xla": None if error is None else described(error, run.files)["message"]}


def _discarded(run: Run, claim: Claim) -> dict[str, Any]:
    """What the flagged expression computed, and whether anything was made of it."""
    seen = run.observed("ordinary", run.arrays)
    return discarded(seen.ops, claim, tensors_in(seen.value))


_CALLS = 16
"""How often a loss is called to see whether it changes: one that draws one of two numbers hides for a while."""
_CLOCKS = ("time", "monotonic", "perf_counter")
_LATER = 3600.0


def _frozen(run: Run, claim: Claim) -> dict[str, list[float]]:
    """The values of several calls with the same input: eagerly, and of the graph that the first of them traced.

    Between them an hour passes, and the attribute that the claim is about becomes another number.
    """
    found: dict[str, list[float]] = {}
    owner = getattr(run.subject.function, "__self__", None)
    name = claim.asked.get("attribute", "")
    for mode, call in (("eager", Evaluator(run.subject, "eager")), ("graph", _traced(run))):
        with contextlib.ExitStack() as stack:
            hours = [0.0]
            for clock in _CLOCKS:
                stack.enter_context(_ahead(clock, hours))
            before = getattr(owner, name, None) if name else None
            values = []
            for _ in range(_CALLS):
                values.append(attempts(call, run.arrays)[0])
                hours[0] += _LATER
                if isinstance(getattr(owner, name, None) if name else None, (int, float)):
                    setattr(owner, name, getattr(owner, name) + 1)
            if before is not None:
                setattr(owner, name, before)
        found[mode] = [float(r.total) for r in values if r is not None and r.total is not None]
    return found


def _traced(run: Run) -> Evaluator:
    return Evaluator(run.subject, "graph", run.trace["autograph"], static=run.trace["batch"] != "None")


@contextlib.contextmanager
def _ahead(clock: str, hours: list[float]) -> Iterator[None]:
    """``time.clock`` runs ahead by ``hours[0]`` seconds."""
    real = getattr(time, clock)
    setattr(time, clock, lambda: real() + hours[0])
    try:
        yield
    finally:
        setattr(time, clock, real)


def _as_keras(run: Run, claim: Claim) -> dict[str, Any] | None:
    """What is raised where the labels are float32, as Keras 3 passes them; None where that works."""
    convention = run.convention
    for name in convention.labels:
        convention = convention.with_dtype(name, "float32")
    subject = dataclasses.replace(run.subject, convention=convention)
    error = attempts(Evaluator(subject, "graph", run.trace["autograph"]), run.arrays)[1]
    return None if error is None else described(error, run.files)


def _stands_at(op: Any, claim: Claim) -> bool:
    rows_ = range(claim.place.row, claim.place.end_row + 1)
    return any(frame.filename == claim.path and frame.lineno in rows_ for frame in op.traceback)


_MEASURES: dict[str, tuple[str, Callable[[Run, Claim], Any]]] = {
    "LL103": ("ways_out", _ways_out),
    "LL104": ("weights", _weights),
    "LL105": ("crossed", _crossed),
    "LL106": ("unaligned", _unaligned),
    "LL107": ("weights", _weights),
    "LL109": ("padded", _padded),
    "LL110": ("single", _single),
    "LL206": ("python", _python),
    "LL210": ("discarded", _discarded),
    "LL508": ("calls", _frozen),
    "LL510": ("orders", swapped),
    "LL511": ("as_keras", _as_keras),
}
"""Rule -> the key in the evidence, and what is measured."""
