"""Random numbers that repeat: the same for every call and for every sample of a batch.

A loss that draws noise (a reparametrisation, an interpolation) would give another number each time, and nothing could
be said about a batch and its copies. Only where TensorFlow runs, and only in the process made for the loss.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

_NAMES = {
    "normal": ("random.normal", "random_normal", "keras.backend.random_normal", "compat.v1.random_normal",
               "compat.v1.random.normal"),
    "truncated_normal": ("random.truncated_normal", "keras.backend.truncated_normal", "compat.v1.truncated_normal"),
    "uniform": ("random.uniform", "random_uniform", "keras.backend.random_uniform", "compat.v1.random_uniform",
                "compat.v1.random.uniform"),
}  # fmt: skip
_KERAS = {"normal": "normal", "truncated_normal": "truncated_normal", "uniform": "uniform"}
_SEED = (7, 11)


def seed(tf: Any, number: int) -> None:
    """Have all else that draws numbers start from ``number``: what Keras fills weights with, or NumPy in a loss."""
    tf.keras.utils.set_random_seed(number)  # also the generators of Python, NumPy and TensorFlow


def repeat(used: list[str]) -> None:
    """Replace the functions that draw numbers in TensorFlow and Keras; ``used`` is told the names that are called."""
    import tensorflow as tf

    for kind, paths in _NAMES.items():
        for path in paths:
            *folders, name = path.split(".")
            module = functools.reduce(lambda m, n: getattr(m, n, None), folders, tf)
            if module is not None and hasattr(module, name):
                setattr(module, name, _repeating(kind, f"tf.{path}", used))
    try:
        import keras
    except ImportError:
        return
    random = getattr(keras, "random", None)
    for kind, name in _KERAS.items():
        if random is not None and hasattr(random, name):
            setattr(random, name, _repeating(kind, f"keras.random.{name}", used))


def _repeating(kind: str, name: str, used: list[str]) -> Callable[..., Any]:
    import tensorflow as tf

    draw = getattr(tf.random, f"stateless_{kind}")

    def drawn(shape: Any, *args: Any, **kwargs: Any) -> Any:
        if name not in used:
            used.append(name)
        lowest, highest, dtype = _parameters(kind, args, kwargs)
        extents = tf.cast(tf.convert_to_tensor(shape), tf.int32)
        each = draw(extents[1:], _SEED, lowest, highest, dtype)
        return tf.broadcast_to(each, extents)

    return drawn


def _parameters(kind: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Any, Any]:
    """Mean and spread, or the two ends; and the dtype, which stands third in all of these functions."""
    names = ("minval", "maxval") if kind == "uniform" else ("mean", "stddev")
    given = dict(zip((*names, "dtype"), args, strict=False)) | kwargs
    dtype = given.get("dtype") or "float32"
    high = given.get(names[1])
    return given.get(names[0], 0), 1 if high is None else high, dtype
