"""The loss as Keras trains with it: through ``compile``, with sample weights, and on two replicas."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np
import tensorflow as tf

from losslint.confirm.run import Run
from losslint.confirm.subject import attempts, rows
from losslint.confirm.training import compiled, moved


def keras(run: Run) -> dict[str, Any]:
    """What ``fit`` reports for the ordinary batch, what one-hot weights change, and the factor of two replicas."""
    labels, predictions = run.convention.labels, run.convention.trained
    if len(run.convention.specs) != 2 or len(labels) != 1 or len(predictions) != 1:
        return {"skipped": "Keras calls a loss with one label and one prediction"}
    label, prediction = labels[0], predictions[0]
    found: dict[str, Any] = {}
    for key, probe in (("compiled", _compiled), ("weights", weights), ("replicas", _replicas)):
        value, error = attempts(probe, run, label, prediction)
        found[key] = value if error is None else {"error": f"{type(error).__name__}: {str(error)[:200]}"}
    return found


def _loss(run: Run) -> Any:
    """The loss as the object that ``compile`` makes of it."""
    function = run.subject.function
    owner = getattr(function, "__self__", None)
    if isinstance(owner, tf.keras.losses.Loss):
        return owner
    return lambda y_true, y_pred: function(y_true, y_pred)


def _model(run: Run, prediction: str) -> Any:
    return compiled(_loss(run), run.arrays[prediction].shape[1:])


def _compiled(run: Run, label: str, prediction: str) -> dict[str, Any]:
    model = _model(run, prediction)
    count = run.sizes["B"]
    value = float(model.evaluate(run.arrays[prediction], run.arrays[label], batch_size=count, verbose=0))
    model.train_on_batch(run.arrays[prediction], run.arrays[label])
    return {"loss": value, "trains": moved(model) != 0.0}


def weights(run: Run, label: str, prediction: str) -> dict[str, Any]:
    """A one-hot sample weight: the loss is then that of the one sample over B, where it weighs samples at all.

    A scalar loss is only rescaled by the mean of the weights. ``raised`` is what Keras says where it evaluates the
    loss, but not with weights.
    """
    count = run.sizes["B"]
    model = _model(run, prediction)
    x, y = run.arrays[prediction], run.arrays[label]
    weight = np.zeros(count, dtype="float32")
    weight[0] = 1.0
    whole = float(model.evaluate(x, y, batch_size=count, verbose=0))
    weighted, error = attempts(lambda: float(model.evaluate(x, y, sample_weight=weight, batch_size=count, verbose=0)))
    if error is not None:
        return {"whole": whole, "raised": f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"}
    first = rows(run.arrays, run.convention, slice(0, 1))
    alone = float(model.evaluate(first[prediction], first[label], batch_size=1, verbose=0))
    rescaled = bool(np.isclose(weighted, whole / count, rtol=1e-3, atol=1e-7))
    return {
        "count": count,
        "whole": whole,
        "weighted": weighted,
        "alone": alone,
        "only_rescales": rescaled and not np.isclose(whole, alone, rtol=1e-3),
    }


def _replicas(run: Run, label: str, prediction: str) -> dict[str, Any]:
    """The step under plain gradient descent: on one device, and split over two."""
    devices = tf.config.list_logical_devices("CPU")
    if len(devices) < 2:
        return {"skipped": "one logical device only"}
    count = run.sizes["B"] // 2 * 2
    half = rows(run.arrays, run.convention, slice(0, count // 2))
    # both halves are alike, so that only the scale can differ
    x, y = (np.concatenate([half[n], half[n]]) for n in (prediction, label))
    steps = []
    for strategy in (None, tf.distribute.MirroredStrategy([d.name for d in devices[:2]])):
        with contextlib.nullcontext() if strategy is None else strategy.scope():
            model = _model(run, prediction)
        # only fit splits a batch over the replicas; train_on_batch gives each the whole
        model.fit(x, y, batch_size=count, epochs=1, shuffle=False, verbose=0)
        steps.append(moved(model))
    return {"one": steps[0], "two": steps[1], "factor": steps[1] / steps[0] if steps[0] else None}
