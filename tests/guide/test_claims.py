"""What the rule pages say in passing, measured: weights of scalars, averaged tuples, dead terms, extents, epsilons."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import Any

import pytest

from tests.rule_pages import ROOT, read

pytestmark = [
    pytest.mark.tf,
    pytest.mark.skipif(importlib.util.find_spec("tensorflow") is None, reason="TensorFlow is not installed"),
]


def example(code: str, kind: str, index: int = 0) -> dict[str, Any]:
    """The names that an example of a rule page defines."""
    namespace: dict[str, Any] = {"__name__": "example"}
    exec(read(ROOT / "rules" / f"{code}.md").examples(kind)[index].source, namespace)
    return namespace


def as_keras(function: Callable[..., Any]) -> Any:
    """``function`` as a Keras loss object."""
    import keras

    class Wrapped(keras.losses.Loss):
        def call(self, y_true: Any, y_pred: Any) -> Any:
            return function(y_true, y_pred)

    return Wrapped()


def batch(*shape: int) -> tuple[Any, Any]:
    """Labels of 0 and 1, and probabilities."""
    import numpy as np
    import tensorflow as tf

    rng = np.random.default_rng(2)
    labels = (rng.random(shape) < 0.5).astype("float32")
    return tf.constant(labels), tf.constant(0.05 + 0.9 * rng.random(shape).astype("float32"))


def test_sample_weights_only_rescale_a_scalar() -> None:
    import numpy as np

    y_true, y_pred = batch(8, 3)
    weights = np.eye(8, dtype="float32")[0]
    scalar, per_sample = (as_keras(example("LL104", kind)["squared_loss"]) for kind in ("bad", "good"))
    assert float(scalar(y_true, y_pred)) == pytest.approx(float(per_sample(y_true, y_pred)))
    first = float(np.mean(np.square(y_true[0] - y_pred[0])))
    assert float(per_sample(y_true, y_pred, sample_weight=weights)) == pytest.approx(first / 8)
    assert float(scalar(y_true, y_pred, sample_weight=weights)) == pytest.approx(float(scalar(y_true, y_pred)) / 8)


def test_a_tuple_is_averaged() -> None:
    y_true, y_pred = batch(8, 3)
    function = example("LL102", "bad")["sparse_reconstruction_loss"]
    total, error = function(y_true, y_pred)
    assert float(as_keras(function)(y_true, y_pred)) == pytest.approx(float(total + error) / 2)


@pytest.mark.parametrize(("index", "name"), [(0, "combined_loss"), (1, "count_loss")])
def test_a_dead_term_moves_the_value_and_no_gradient(index: int, name: str) -> None:
    import keras
    import tensorflow as tf

    live = (
        lambda t, p: tf.reduce_mean(keras.losses.binary_crossentropy(t, p)),
        lambda t, p: tf.reduce_mean(tf.square(t - p), axis=-1),
    )
    y_true, y_pred = batch(8, 3)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(y_pred)
        whole, alone = example("LL203", "bad", index)[name](y_true, y_pred), live[index](y_true, y_pred)
    assert bool(tf.reduce_any(whole != alone))
    assert bool(tf.reduce_all(tape.gradient(whole, y_pred) == tape.gradient(alone, y_pred)))


def test_summed_variation_grows_with_the_image() -> None:
    import tensorflow as tf

    y_true, y_pred = batch(4, 16, 16, 1)
    larger = [tf.tile(t, [1, 2, 2, 1]) for t in (y_true, y_pred)]
    for kind, growth in (("bad", 4.0), ("good", 1.0)):
        loss = example("LL311", kind)["total_variation_loss"]
        assert float(loss(*larger)) / float(loss(y_true, y_pred)) == pytest.approx(growth, rel=0.1)


def test_an_epsilon_beside_one_survives_eagerly_and_is_folded_in_a_graph() -> None:
    import tensorflow as tf

    loss = example("LL402", "bad", 1)["negative_loss"]
    y_true, y_pred = tf.zeros((4, 3)), tf.ones((4, 3))
    assert float(loss(y_true, y_pred)) == pytest.approx(18.4, abs=0.1)
    assert float(tf.function(loss, autograph=False)(y_true, y_pred)) == float("inf")


def test_where_gives_the_right_value_and_a_nan_gradient() -> None:
    import tensorflow as tf

    y_true, y_pred = tf.ones((2, 3)), tf.zeros((2, 3))
    gradients = {}
    for kind in ("bad", "good"):
        with tf.GradientTape() as tape:
            tape.watch(y_pred)
            value = example("LL407", kind)["guarded_log_loss"](y_true, y_pred)
        assert float(value) == 0.0
        gradients[kind] = tape.gradient(value, y_pred)
    assert bool(tf.reduce_all(tf.math.is_nan(gradients["bad"])))
    assert bool(tf.reduce_all(gradients["good"] == 0.0))
