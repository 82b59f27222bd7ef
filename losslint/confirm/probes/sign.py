"""Whether a perfect prediction is better than a disturbed one: loss(y, y) <= loss(y, noise)."""

from __future__ import annotations

from typing import Any

import numpy as np

from losslint.confirm.inputs import Arrays
from losslint.confirm.run import Run

_FLOAT_LABELS = frozenset({"binary", "onehot", "real", "unit", "box", "sign", "positive"})


def sign(run: Run) -> dict[str, Any]:
    """The mean value at a (nearly) perfect prediction and at an ordinary one, for one label and one prediction."""
    specs = run.convention.specs
    labels, predictions = run.convention.labels, run.convention.trained
    if len(labels) != 1 or len(predictions) != 1:
        return {"skipped": "it takes one label and one prediction where this is asked"}
    label, prediction = labels[0], predictions[0]
    if specs[label].domain not in _FLOAT_LABELS or specs[label].dims != specs[prediction].dims:
        return {"skipped": "labels and predictions are not alike"}
    perfect = run.at(_perfect(run, label, prediction))
    if perfect is None or perfect.total is None or run.base.total is None:
        return {"skipped": "it raises for a perfect prediction"}
    near, far = perfect.total, run.base.total
    if not (np.isfinite(near) and np.isfinite(far)):
        return {"skipped": "a value is not finite"}
    return {"perfect": near, "ordinary": far, "right": bool(near <= far + 1e-6 * max(1.0, abs(far)))}


def _perfect(run: Run, label: str, prediction: str) -> Arrays:
    """The label as a prediction: pulled off 0 and 1 where it is a probability, pushed out where logits are wanted."""
    y = run.arrays[label].astype("float32")
    domain = run.convention.specs[prediction].domain
    if domain in ("prob", "simplex"):
        y = np.clip(y, 1e-3, 1.0 - 1e-3)
    elif domain == "logits":
        y = 8.0 * (2.0 * y - 1.0)
    return run.arrays | {prediction: y}
