"""One step of gradient descent on a small Keras model that is compiled with what is given as loss."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from losslint.confirm.conventions import LAYOUTS
from losslint.confirm.inputs import SIZES, Spec, values
from losslint.confirm.subject import attempts

_LAYOUTS = ("rows of classes", "one column", "rows of numbers", "class ids in a column", "masks of images", "boxes")
"""What is tried in turn as labels and predictions."""


class Batch(NamedTuple):
    """Labels and predictions of one batch."""

    name: str
    labels: Any
    predictions: Any


class Scale(tf.keras.layers.Layer):  # type: ignore[misc]
    """A trainable factor and shifts on the prediction: some losses do not see a factor."""

    def build(self, shape: Any) -> None:
        """A factor of 1 and shifts of 0."""
        self.factor = self.add_weight(shape=(), initializer="ones", name="factor")
        self.shift = self.add_weight(shape=shape[1:], initializer="zeros", name="shift")

    def call(self, inputs: Any) -> Any:
        """``factor * inputs + shift``."""
        return inputs * self.factor + self.shift


def compiled(loss: Any, shape: tuple[int, ...]) -> Any:
    """A model whose predictions are at first its inputs, of ``shape`` without the batch; it descends at rate 1."""
    model = tf.keras.Sequential([tf.keras.Input(shape), Scale()])
    model.compile(optimizer=tf.keras.optimizers.SGD(1.0), loss=loss)
    return model


def moved(model: Any) -> float:
    """How far the weights of a model of ``compiled`` are from those that it starts with."""
    layer = model.layers[-1]
    return float(np.hypot(layer.factor.numpy() - 1.0, np.linalg.norm(layer.shift.numpy())))


def batches() -> Iterator[Batch]:
    """Labels and predictions of common kinds, of 7 samples."""
    for layout in (x for name in _LAYOUTS for x in LAYOUTS if x.name == name):
        made = (Spec("label", *layout.label), Spec("prediction", *layout.prediction))
        rng = np.random.default_rng(5)
        labels, predictions = (np.asarray(values(spec, SIZES[0], rng), dtype="float32") for spec in made)
        yield Batch(f"y_true={made[0].describe()} y_pred={made[1].describe()}", labels, predictions)


def step(loss: Any, batch: Batch) -> dict[str, Any]:
    """Value and length of the step for the batch, and for two copies of it; or what Keras raises.

    ``stub``: what was raised is that something is not imported.
    """
    found: dict[str, Any] = {"batch": batch.name}
    for key, copies in (("once", 1), ("twice", 2)):
        told, error = attempts(_one_step, loss, batch, copies)
        if error is not None:
            text = " ".join(str(error).split())[:200]
            return found | {"error": f"{type(error).__name__}: {text}", "stub": type(error).__name__ == "StubUsed"}
        found[key] = told
    return found


def _one_step(loss: Any, batch: Batch, copies: int) -> dict[str, float]:
    x, y = (np.concatenate([array] * copies) for array in (batch.predictions, batch.labels))
    model = compiled(loss, x.shape[1:])
    value = float(model.train_on_batch(x, y))
    return {"value": value, "step": moved(model)}


def tried(loss: Any, known: list[Batch] | None = None) -> list[dict[str, Any]]:
    """``step`` with one kind of batch after the other, up to the first that Keras takes with finite numbers."""
    found: list[dict[str, Any]] = []
    for batch in known or batches():
        found.append(step(loss, batch))
        if found[-1].get("stub") or np.isfinite(found[-1].get("twice", {}).get("value", np.nan)):
            break
    return found
