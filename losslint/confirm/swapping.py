"""The same loss with two arguments of one call exchanged: which order is stationary at a perfect prediction?

A cross entropy or divergence of labels and predictions is least where the prediction is the label, also where labels
are soft; the other way round it is not.
"""

from __future__ import annotations

import ast
import dataclasses
from typing import Any

import numpy as np

from losslint.confirm import callee
from losslint.confirm.inputs import Arrays, Spec, values
from losslint.confirm.jobs import Bundle, Claim
from losslint.confirm.loader import Loader
from losslint.confirm.run import Run
from losslint.confirm.subject import Evaluator, Subject, attempts
from losslint.sources import split_lines

_SOFT = {"binary": "prob", "onehot": "simplex", "prob": "prob", "simplex": "simplex"}
"""Labels -> the soft ones in their place."""


def swapped(run: Run, claim: Claim) -> dict[str, Any]:
    """How large the gradient is where predictions are soft labels, as the call stands and with its arguments exchanged.

    Only the part of it along which the predictions can move: those of a row of probabilities add up to 1.
    """
    convention = run.convention
    if len(convention.labels) != 1 or len(convention.trained) != 1:
        return {"skipped": "not one label and one prediction"}
    label, prediction = convention.labels[0], convention.trained[0]
    soft = _SOFT.get(convention.specs[label].domain)
    if soft is None or convention.specs[label].dims != convention.specs[prediction].dims:
        return {"skipped": "labels and predictions are not alike, or the labels cannot be soft"}
    text = _exchanged(run.job.bundle.files[run.job.bundle.main].text, claim)
    if text is None:
        return {"skipped": "the flagged call does not have two arguments that can be exchanged"}
    files = dict(run.job.bundle.files)
    files[run.job.bundle.main] = dataclasses.replace(files[run.job.bundle.main], text=text)
    job = dataclasses.replace(run.job, bundle=Bundle(run.job.bundle.main, files), claims=())
    other = attempts(lambda: next(callee.accepted(job, Loader(job.bundle), run.files)).subject.function)[0]
    if other is None:
        return {"skipped": "with its arguments exchanged it does not run"}
    arrays = _perfect(run, label, prediction, soft)
    found: dict[str, Any] = {}
    for key, function in (("written", run.subject.function), ("exchanged", other)):
        subject = Subject(function, convention, run.sizes, run.subject.consumer, run.subject.aligned)
        evaluator = Evaluator(subject, "graph", run.trace["autograph"], static=True)
        result, error = attempts(evaluator, arrays)
        gradient = None if result is None else result.gradients.get(prediction)
        if gradient is None:
            return {"skipped": f"it has no gradient there: {error}"}
        found[key] = float(np.linalg.norm(_tangent(gradient, convention.specs[prediction])))
    return found


def _exchanged(text: str, claim: Claim) -> str | None:
    """``text`` with the first two arguments of the flagged call exchanged."""
    lines = split_lines(text)
    place = claim.place
    calls = [
        n
        for n in ast.walk(ast.parse(text))
        if isinstance(n, ast.Call) and (n.lineno, n.end_lineno) == (place.row, place.end_row)
    ]
    call = next(
        (c for c in calls if (c.col_offset, c.end_col_offset) == (place.column - 1, place.end_column - 1)), None
    )
    given = [*(call.args if call is not None else ()), *(k.value for k in (call.keywords if call is not None else ()))]
    if len(given) < 2 or any(a.lineno != a.end_lineno or a.lineno != place.row for a in given[:2]):
        return None
    first, second = given[:2]
    line = lines[place.row - 1].encode()
    one, two = (line[a.col_offset : a.end_col_offset] for a in (first, second))
    line = (
        line[: first.col_offset]
        + two
        + line[first.end_col_offset : second.col_offset]
        + one
        + line[second.end_col_offset :]
    )
    return "\n".join([*lines[: place.row - 1], line.decode(), *lines[place.row :]])


def _perfect(run: Run, label: str, prediction: str, soft: str) -> Arrays:
    """Soft labels, and the prediction that is right."""
    spec = run.convention.specs[prediction]
    labels = Spec("label", soft, spec.dims)
    y = np.asarray(values(labels, run.sizes, np.random.default_rng(23)), dtype="float64")
    y = np.clip(y, 0.05, 0.95)
    y = y / y.sum(-1, keepdims=True) if soft == "simplex" else y
    p = y
    if spec.domain in ("logits", "real"):
        p = np.log(y) if soft == "simplex" else np.log(y / (1.0 - y))
    return run.arrays | {label: y.astype("float32"), prediction: p.astype("float32")}


def _tangent(gradient: Any, spec: Spec) -> Any:
    g = np.asarray(gradient, dtype="float64")
    return g - g.mean(-1, keepdims=True) if spec.domain == "simplex" else g
