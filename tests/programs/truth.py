"""What TensorFlow does with a program."""

from __future__ import annotations

import functools
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tests.programs.grammar import HEADER, Program
from tests.programs.layouts import Batch, numbers


class Refused(Exception):
    """TensorFlow does not run the program."""


@functools.cache
def _namespace() -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(HEADER, names)
    return names


class Truth:
    """Runs one program eagerly, in float64 where it takes that, for laws are told apart by small differences."""

    def __init__(self, program: Program, precision: str = "float64") -> None:
        self.program = program
        self.precision = precision
        names = dict(_namespace())
        exec(program.source.replace("float32", precision), names)
        self._function = names["loss"]

    @property
    def nothing(self) -> float:
        """Up to this a gradient is rounding."""
        return 1e-12 if self.precision == "float64" else 1e-6

    def _run(self, y_true: Any, y_pred: Any) -> Any:
        keras.config.set_floatx(self.precision)
        try:
            return self._function(y_true, y_pred)
        finally:
            keras.config.set_floatx("float32")

    def _arguments(self, batch: Batch) -> tuple[Any, Any]:
        y_true = batch.y_true if self.program.layout.dtype == "int32" else batch.y_true.astype(self.precision)
        return tf.constant(y_true), tf.constant(batch.y_pred.astype(self.precision))

    def value(self, batch: Batch) -> Any:
        """The result as an array. Raises Refused."""
        try:
            found = self._run(*self._arguments(batch))
            return np.asarray(found)
        except Exception as error:
            raise Refused(f"{type(error).__name__}: {str(error)[:300]}") from error

    def gradient(self, batch: Batch, fixed: tuple[int, ...] | None = None, uneven: bool = False) -> Any:
        """The gradient of weights that all samples share, where the prediction is ``y_pred + weights * features``.

        ``fixed`` are the axes of the result that do not grow with the batch; over the others it is averaged, with
        weights of its own for each sample if ``uneven``. None where TensorFlow has no gradient.
        """
        y_true, y_pred = self._arguments(batch)
        weights = tf.zeros((1, *y_pred.shape[1:]), self.precision)
        with tf.GradientTape() as tape:
            tape.watch(weights)
            found = self._run(y_true, y_pred + weights * tf.constant(batch.features.astype(self.precision)))
            found = tf.convert_to_tensor(found)
            if not found.dtype.is_floating:
                return None
            growing = [i for i in range(found.shape.rank) if i not in (fixed or ())]
            if uneven and [found.shape[i] for i in growing] == [len(batch.features)]:
                each = 1.0 + 0.5 * np.tanh(batch.features.reshape(len(batch.features), -1).sum(axis=1))
                shape = [-1 if i in growing else 1 for i in range(found.shape.rank)]
                found *= tf.cast(tf.reshape(tf.constant(each), shape), found.dtype)
            total = tf.reduce_sum(_weighted(tf.reduce_mean(found, axis=growing)))
        gradient = tape.gradient(total, weights)
        return None if gradient is None else gradient.numpy()

    def reached(self, batch: Batch) -> str:
        """What the prediction gets: "live", "zero", "nan" where it is not a number, or "dead" (None)."""
        y_true, y_pred = self._arguments(batch)
        with tf.GradientTape() as tape:
            tape.watch(y_pred)
            found = tf.convert_to_tensor(self._run(y_true, y_pred))
            if not found.dtype.is_floating:
                return "dead"
            total = tf.reduce_sum(_weighted(found))
        gradient = tape.gradient(total, y_pred)
        if gradient is None:
            return "dead"
        values = tf.convert_to_tensor(gradient).numpy()
        if np.any(np.abs(np.nan_to_num(values)) > self.nothing):
            return "live"
        return "nan" if np.any(np.isnan(values)) else "zero"

    def trained(self, batch: Batch, compiled: bool) -> tuple[Any, Any]:
        """Value and gradient of the prediction, in a graph or compiled by XLA. Raises Refused."""
        step = self._compiled if compiled else self._graph
        try:
            value, gradient = step(*self._arguments(batch))
        except Exception as error:
            raise Refused(f"{type(error).__name__}: {str(error)[:300]}") from error
        return value.numpy(), None if gradient is None else tf.convert_to_tensor(gradient).numpy()

    @functools.cached_property
    def _graph(self) -> Any:
        return tf.function(self._step, reduce_retracing=True)

    @functools.cached_property
    def _compiled(self) -> Any:
        return tf.function(self._step, jit_compile=True)

    def _step(self, y_true: Any, y_pred: Any) -> tuple[Any, Any]:
        with tf.GradientTape() as tape:
            tape.watch(y_pred)
            found = tf.convert_to_tensor(self._run(y_true, y_pred))
        return found, tape.gradient(found, y_pred) if found.dtype.is_floating else None


def _weighted(value: Any) -> Any:
    """Uneven weights, or what is constant in sum (a softmax) would seem to have no gradient."""
    size = int(np.prod(value.shape))
    weights = np.random.default_rng(0).uniform(0.5, 1.5, size)
    return tf.cast(tf.reshape(tf.constant(weights), value.shape), value.dtype) * value


__all__ = ["Refused", "Truth", "numbers"]
