"""What the real TensorFlow does with a case."""

from __future__ import annotations

import contextlib
import functools
import warnings
from typing import Any

import numpy as np
import tensorflow as tf

from tests.conformance.inputs import Pair
from tests.conformance.spelling import namespace

Leaf = Any
"""A numpy array, or the Python value itself where the result is no array."""


def function_of(source: str) -> Any:
    """The function that ``source`` defines."""
    names = dict(namespace())
    exec(source, names)
    return names["case"]


class Measured:
    """Runs a case eagerly."""

    def __init__(self, source: str) -> None:
        self.source = source
        self._function = function_of(source)

    def __call__(self, pair: Pair, seed: int = 3) -> list[Leaf]:
        """The leaves of the result; random numbers are drawn by ``seed``."""
        return [as_array(leaf) for leaf in flat(self._run(tf.constant(pair[0]), tf.constant(pair[1]), seed))]

    def dtypes(self, pair: Pair) -> list[str | None]:
        """The dtype of each leaf; None where it is no tensor or array."""
        leaves = flat(self._run(tf.constant(pair[0]), tf.constant(pair[1])))
        return [
            str(getattr(d, "name", d)) if (d := getattr(leaf, "dtype", None)) is not None else None for leaf in leaves
        ]

    def gradient(self, pair: Pair) -> str:
        """What the prediction gets: "live", "zero" or "dead"."""
        y, p = tf.constant(pair[0]), tf.constant(pair[1])
        with tf.GradientTape() as tape:
            tape.watch(p)
            leaves = [
                v for v in flat(self._run(y, p)) if tf.is_tensor(v) and (v.dtype.is_floating or v.dtype.is_complex)
            ]
            targets = [tf.math.real(v) + tf.math.imag(v) if v.dtype.is_complex else v for v in leaves]
            # uneven weights, or what is constant in sum (a softmax) would seem to have no gradient
            total = [tf.reduce_sum(v * tf.cast(_weights(v), v.dtype)) for v in targets]
        try:
            found = tape.gradient(total, p) if total else None
        except LookupError:  # the kernel has no gradient at all
            found = None
        if found is None:
            return "dead"
        return "live" if np.any(np.abs(np.nan_to_num(tf.convert_to_tensor(found).numpy(), nan=1.0)) > 1e-12) else "zero"

    def _run(self, y: Any, p: Any, seed: int = 3) -> Any:
        tf.random.set_seed(seed)
        np.random.seed(seed)
        return self._function(y, p)


def _weights(value: Any) -> Any:
    size = int(np.prod(value.shape))
    return tf.reshape(tf.constant(np.random.default_rng(0).uniform(0.5, 1.5, size).astype("float32")), value.shape)


def flat(value: Any) -> list[Any]:
    """The leaves of nested containers; a shape is a leaf, also as a tuple of Python numbers."""
    if isinstance(value, tuple) and value and all(type(v) is int for v in value):
        value = tf.TensorShape(value)
    return [value] if isinstance(value, (tf.TensorShape, str)) else tf.nest.flatten(value)


def as_array(leaf: Any) -> Leaf:
    """A tensor as an array; a Python value as itself."""
    if isinstance(leaf, tf.TensorShape):
        return np.array(leaf.as_list(), "int32")
    if tf.is_tensor(leaf) and hasattr(leaf, "numpy"):
        return np.asarray(leaf.numpy())
    if isinstance(leaf, tf.Variable):
        return leaf.numpy()
    return np.asarray(leaf) if isinstance(leaf, (np.ndarray, np.generic)) else leaf


@functools.cache
def quiet() -> None:
    """No warnings on the way, and no threads for what is this small."""
    with contextlib.suppress(RuntimeError):  # where TensorFlow runs already
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    warnings.simplefilter("ignore")
    tf.get_logger().setLevel("ERROR")
    np.seterr(all="ignore")
