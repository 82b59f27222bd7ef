"""Runs losses of the rule pages and the fixtures under the real TensorFlow, and measures what the rules claim.

A loss is called with the first *convention* of inputs that it accepts: rows of class probabilities, images, tokens.
Every tensor but the labels is then scaled and shifted by variables of the shape of one sample, which play the part of a
layer's weights: their gradients are sums over the batch, as those of a kernel and a bias.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

BATCH = 6
LABELS = ("y_true", "labels", "real", "x")
NO_LABELS = ("z_i", "anchor", "real_output", "fake_output", "image_features", "features", "style")
LOGITS = ("logits", "pred", "real_output", "fake_output")

Loss = Callable[..., Any]
Inputs = dict[str, Any]


def conventions(names: list[str], batch: int = BATCH, seed: int = 0) -> Iterator[Inputs]:
    """Inputs for the parameters ``names``, one convention after the other."""
    for shape, as_tokens in (((5,), False), ((12, 11, 3), False), ((7,), True), ((1,), False), ((), False)):
        rng = np.random.default_rng(seed)
        inputs: Inputs = {}
        for name in names:
            if name in ("sample_weight", "mask"):
                continue
            latent = name.startswith("z_") and name not in NO_LABELS and "z_j" not in names
            size = (batch, 4) if latent else (batch, *shape)
            if name in LABELS and as_tokens:
                values = rng.integers(0, 4, size).astype("float32")
                values[0] = 1.0
            elif name in LABELS:
                values = _labels(rng, size)
            elif latent or name in NO_LABELS or name in LOGITS or as_tokens:
                values = rng.normal(size=(*size, 5) if as_tokens else size).astype("float32")
            else:
                values = _probabilities(rng, size)
            inputs[name] = tf.constant(values)
        yield inputs
        if shape == (5,) and len(names) == 2 and names[0] == "y_true":  # a model with named outputs
            yield {n: {k: inputs[n] for k in "ab"} for n in names}


def _labels(rng: np.random.Generator, size: tuple[int, ...]) -> Any:
    """Zeros and ones; each row of classes has at least a one, and the rows have different numbers of them."""
    values = (rng.random(size) < 0.4).astype("float32")
    if len(size) == 2 and size[1] > 1:
        values[np.arange(size[0]), rng.integers(0, size[1], size[0])] = 1.0
    return values


def _probabilities(rng: np.random.Generator, size: tuple[int, ...]) -> Any:
    return (0.9 / (1.0 + np.exp(-rng.normal(size=size))) + 0.05).astype("float32")


class Subject:
    """A loss and the inputs that it accepts."""

    def __init__(self, loss: Loss, inputs: Inputs) -> None:
        self.loss = loss
        self.inputs = inputs
        self._graph = tf.function(self._differentiate, autograph=False)

    @property
    def trained(self) -> list[str]:
        """The inputs that depend on weights."""
        names = list(self.inputs)
        return [n for n in names if n not in LABELS or n in NO_LABELS] or names[-1:]

    def gradient(self, inputs: Inputs | None = None, graph: bool = False) -> list[Any]:
        """The value, and its gradient for the scale and shift of each trained input; None where there is none."""
        differentiate = self._graph if graph else self._differentiate
        result: list[Any] = differentiate(self.inputs if inputs is None else inputs)
        return result

    def _differentiate(self, inputs: Inputs) -> list[Any]:
        shapes = {n: tf.nest.flatten(inputs[n])[0].shape[1:] for n in self.trained}
        weights = {n: (tf.ones(shape), tf.zeros(shape)) for n, shape in shapes.items()}
        with tf.GradientTape() as tape:
            tape.watch(weights)
            moved = {n: _moved(value, *weights[n]) if n in weights else value for n, value in inputs.items()}
            value = tf.reduce_mean(tf.cast(self.loss(*moved.values()), tf.float32))
        return [value, *tf.nest.flatten(tape.gradient(value, weights))]


def _moved(value: Any, scale: Any, shift: Any) -> Any:
    return tf.nest.map_structure(lambda v: v * scale + shift, value)


def _mapped(inputs: Inputs, function: Callable[[Any], Any]) -> Inputs:
    return {n: tf.nest.map_structure(function, v) for n, v in inputs.items()}


def subject(loss: Loss, own: Inputs | None = None) -> Subject:
    """``loss`` with its ``own`` inputs, or the first convention it accepts. Raises the first error if there is none."""
    if own is not None:
        return Subject(loss, own)
    parameters = inspect.signature(loss).parameters.values()
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    names = [p.name for p in parameters if p.kind in kinds and p.default is p.empty]
    first: Exception | None = None
    for inputs in conventions(names):
        try:
            loss(*inputs.values())
        except Exception as error:  # not made for these inputs
            first = first or error
            continue
        return Subject(loss, inputs)
    assert first is not None
    raise first


def gradient_state(one: Subject) -> str:
    """Whether the loss trains any of its inputs: "none", "zero" or "live"."""
    gradients = [g for g in one.gradient()[1:] if g is not None]
    if not gradients:
        return "none"
    return "live" if any(bool(tf.reduce_any(g != 0.0)) for g in gradients) else "zero"


def _joined(gradients: list[Any]) -> Any:
    return np.concatenate([np.zeros(1) if g is None else np.reshape(g, -1) for g in gradients]).astype("float64")


def _distance(first: Any, second: Any) -> float:
    size = max(float(np.linalg.norm(first)), 1e-12)
    return float(np.linalg.norm(first - second)) / size


def law_error(one: Subject, copies: int = 4, base: int = 1) -> float:
    """How far the gradient of ``base`` copies of the batch is from that of ``copies`` times as many; 0 for a mean.

    Where a smoothing constant is added to a sum, the law only shows in a large batch: take a large ``base``.
    """
    small, large = (_mapped(one.inputs, lambda t, n=n: tf.concat([t] * n, axis=0)) for n in (base, base * copies))
    return _distance(_joined(one.gradient(small)[1:]), _joined(one.gradient(large)[1:]))


def micro_batch_error(one: Subject) -> float:
    """How far the gradient is from the mean of those of an unequal split, weighted by size."""
    parts = [slice(0, 2), slice(2, BATCH)]
    total = np.zeros(1)
    for part in parts:
        gradient = _joined(one.gradient(_mapped(one.inputs, lambda t, part=part: t[part]))[1:])
        total = total + gradient * (part.stop - part.start) / BATCH
    return _distance(_joined(one.gradient()[1:]), total)


def edges(one: Subject, logits: bool, simplex: bool) -> Iterator[Inputs]:
    """Inputs at the ends of what a model can say: probabilities of 0 and 1, perfect and constant ones, large logits.

    With ``simplex`` the probabilities of a row add up to 1.
    """
    prediction = one.trained[-1]
    values = one.inputs[prediction]
    if isinstance(values, dict):
        return
    for label in (None,) if simplex else (None, 0.0, 1.0):
        inputs = dict(one.inputs)
        for name in inputs:
            if name in LABELS and label is not None:
                inputs[name] = tf.fill(tf.shape(inputs[name]), label)
        first = next(iter(inputs.values()))
        signs = tf.fill(tf.shape(values), -1.0) if not values.shape.rank else tf.where(values > 0.4, 1.0, -1.0)
        points = {"hard": tf.nn.relu(signs)}
        if simplex:
            points = {"vertex": tf.one_hot(tf.argmax(values, axis=-1), values.shape[-1])}
        else:
            points |= {str(v): tf.fill(tf.shape(values), v) for v in (0.0, 0.5, 1.0)}
            if first.shape == values.shape:
                points["perfect"] = first
        if logits:
            points |= {"large": 200.0 * signs, "low": tf.fill(tf.shape(values), -200.0)}
        for point in points.values():
            yield inputs | {prediction: tf.cast(point, values.dtype)}


def first_non_finite(one: Subject, logits: bool = False, simplex: bool = False) -> str:
    """The first edge at which value or gradient is inf or NaN, in a graph; "" where there is none."""
    for inputs in edges(one, logits, simplex):
        for place, tensor in enumerate(one.gradient(inputs, graph=True)):
            if tensor is not None and not bool(tf.reduce_all(tf.math.is_finite(tensor))):
                where = {n: np.unique(np.round(v, 3))[:3].tolist() for n, v in inputs.items()}
                return f"{'gradient' if place else 'value'} at {where}"
    return ""


def traced_error(one: Subject) -> str:
    """The error that a trace with an unknown batch size raises, as under ``fit``; "" where it works."""
    specs = _mapped(one.inputs, lambda t: tf.TensorSpec([None, *t.shape[1:]], t.dtype)).values()
    try:
        tf.function(lambda *args: one.loss(*args), autograph=False).get_concrete_function(*specs)
    except Exception as error:  # whatever it is, it is the answer
        return f"{type(error).__name__}: {error}"
    return ""


def step_law_error(step: Callable[..., Any], copies: int = 4) -> float:
    """``law_error`` for a training step: how far the update of the weights is from not changing.

    Raises the error of the first convention where no kind of labels is accepted.
    """
    first: BaseException | None = None
    for kind in ("values", "classes", "one-hot"):
        try:
            return _distance(_update(step, kind, 1), _update(step, kind, copies))
        except (ValueError, TypeError, tf.errors.InvalidArgumentError, tf.errors.UnimplementedError) as error:
            first = first or error
    assert first is not None
    raise first


def _update(step: Callable[..., Any], kind: str, copies: int) -> Any:
    """What one step of plain gradient descent, with a rate of 1, adds to the weights."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(BATCH, 4)).astype("float32")
    classes = rng.integers(0, 3, BATCH)
    labels = {"values": rng.normal(size=(BATCH, 3)).astype("float32"), "classes": classes}
    y = labels.get(kind, np.eye(3, dtype="float32")[classes])
    keras.utils.set_random_seed(3)
    activation = "softmax" if kind == "one-hot" else None
    models = {n: keras.Sequential([keras.layers.Dense(3, activation=activation)]) for n in ("model", "target_model")}
    for model in models.values():
        model.build((None, 4))
    tensors = {"x": x, "y": y, "images": x, "labels": y, "states": x, "actions": classes, "next_states": x[::-1].copy()}
    tensors |= {name: rng.normal(size=BATCH).astype("float32") for name in ("returns", "rewards")}
    args: list[Any] = []
    for name in inspect.signature(step).parameters:
        if name in models:
            args.append(models[name])
        elif name == "optimizer":
            args.append(keras.optimizers.SGD(1.0))
            args[-1].build(models["model"].trainable_variables)
        else:
            args.append(tf.constant(np.concatenate([tensors[name]] * copies)))
    before = _joined([v.numpy() for v in models["model"].trainable_variables])
    if hasattr(step, "python_function"):  # a fresh trace, as the variables are new ones
        step = tf.function(step.python_function)
    step(*args)
    return _joined([v.numpy() for v in models["model"].trainable_variables]) - before
