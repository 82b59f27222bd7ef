"""Stand-ins for what a loss is made from or called with and that is no tensor: models, functions, hyper-parameters.

Only imported where TensorFlow runs.
"""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from typing import Any

import numpy as np
import tensorflow as tf

from losslint.confirm.conventions import number_for
from losslint.confirm.inputs import CLASSES
from losslint.frontend.names import role_of

_WEIGHTS = re.compile(r"weights?$|^w$|class_w", re.IGNORECASE)
_ONE = re.compile(r"(^|_)(pos|neg|loss|l1|l2|bce|dice|kl|ce|mse|reg|adv|cycle|identity)_?weight$", re.IGNORECASE)
_FUNCTION = re.compile(r"(_fn|_func|function|loss|criterion|metric|distance|activation)$", re.IGNORECASE)


class LinearModel(tf.Module):  # type: ignore[misc]
    """A model that nothing is known about: one dense layer on flattened rows.

    Its weights are made anew at a call with rows of another width, which has to be an eager one.
    """

    def __init__(self, units: int = 1) -> None:
        super().__init__(name="stand_in")
        self.units = units
        self._build(CLASSES)
        self.losses: list[Any] = []

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """``inputs`` (B, ...) -> (B, units)."""
        x = inputs[0] if isinstance(inputs, (list, tuple)) else inputs
        width = int(np.prod(x.shape[1:]))
        if width != self.kernel.shape[0]:
            self._build(width)
        return tf.linalg.matmul(tf.reshape(tf.cast(x, tf.float32), [-1, width]), self.kernel) + self.bias

    call = __call__

    def _build(self, width: int) -> None:
        drawn = np.random.default_rng(3).normal(size=(width, self.units)) / np.sqrt(width)
        self.kernel = tf.Variable(drawn.astype("float32"), name="kernel")
        self.bias = tf.Variable(np.zeros(self.units, dtype="float32"), name="bias")

    @property
    def weights(self) -> list[Any]:
        """Kernel and bias."""
        return [self.kernel, self.bias]

    @property
    def trainable_weights(self) -> list[Any]:
        """The same."""
        return self.weights


def make(name: str, parameter: inspect.Parameter, owner: Any = None) -> Any:
    """A value for the required parameter ``name`` of a factory or a constructor."""
    known_values = literals(owner).get(name)
    if known_values:
        return known_values[0]
    known = _annotated(parameter)
    if known is not None:
        return known
    if re.search(
        r"^(y_?true|labels?|y_?pred|.*tensor|inputs?|x|.*features?|z_mean|z_log_?var\w*)$", name, re.IGNORECASE
    ):
        return tf.constant(np.random.default_rng(5).normal(size=(7, CLASSES)).astype("float32"))
    if role_of(name) == "model":
        return LinearModel()
    if re.search(r"optimi[sz]er", name):
        return tf.keras.optimizers.SGD(0.01)
    if re.search(r"^anchors?$", name):
        return np.array([[0.1, 0.2], [0.3, 0.3], [0.5, 0.6]], dtype="float32")
    if _FUNCTION.search(name):
        return _mean_square
    if _WEIGHTS.search(name) and not _ONE.search(name):
        return np.linspace(0.5, 1.5, CLASSES).astype("float32")
    return number_for(name)


def _annotated(parameter: inspect.Parameter) -> Any:
    """What a plain annotation asks for; None where it says nothing."""
    note = parameter.annotation
    text = note if isinstance(note, str) else getattr(note, "__name__", "")
    number = number_for(parameter.name)
    if text == "bool":
        return number if isinstance(number, bool) else False
    if text == "int":
        return int(number) if number == int(number or 0) and not isinstance(number, (bool, str)) else 3
    if text == "float":
        return float(number) if isinstance(number, (int, float)) else 0.5
    return None


def stand_in(kind: str) -> Any:
    """The object that an argument of this kind is given: a model, or a function of two tensors."""
    return LinearModel() if kind.startswith("model") else Distance()


class Distance:
    """A function of two tensors: the cosine distance of all pairs of rows of two matrices, else a mean square."""

    name = "cosine"

    def __call__(self, a: Any, b: Any, *args: Any, **kwargs: Any) -> Any:
        """(B, E) and (B', E) -> (B, B'); anything else per sample."""
        if getattr(a, "shape", None) is not None and len(a.shape) == len(b.shape) == 2:
            rows, columns = (tf.math.l2_normalize(x, axis=-1) for x in (a, b))
            return 1.0 - tf.linalg.matmul(rows, columns, transpose_b=True)
        return _mean_square(a, b)


def _mean_square(y_true: Any, y_pred: Any, *args: Any, **kwargs: Any) -> Any:
    """A loss of the simplest kind, per sample."""
    return tf.reduce_mean(tf.square(y_pred - tf.cast(y_true, y_pred.dtype)), axis=-1)


def literals(owner: Any) -> dict[str, list[str]]:
    """Argument or attribute of ``owner``, a function or a class -> the strings it is compared with.

    What turns something off ("none") comes last.
    """
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(owner))))
    except (OSError, TypeError, SyntaxError, ValueError):
        return {}
    found: dict[str, list[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare) and isinstance(node.left, (ast.Name, ast.Attribute)):
            name = node.left.id if isinstance(node.left, ast.Name) else node.left.attr
            for right in node.comparators:
                items = right.elts if isinstance(right, (ast.Tuple, ast.List, ast.Set)) else [right]
                strings = [i.value for i in items if isinstance(i, ast.Constant) and isinstance(i.value, str)]
                found.setdefault(name, []).extend(s for s in strings if s not in found.get(name, ()))
    return {n: sorted(values, key=lambda v: v.lower() in ("none", "off", "")) for n, values in found.items() if values}
