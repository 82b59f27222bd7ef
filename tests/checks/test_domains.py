"""LL410 and LL411: exponents without bounds and the ends of inverse functions, and what keeps both away."""

from __future__ import annotations

import pytest

from tests.checks.short import said

NORMAL = "y, p = tf.math.l2_normalize(y_true, -1), tf.math.l2_normalize(y_pred, -1)\n"

CASES = {
    # --- LL410: a division, a logarithm or a difference meets the infinity
    "sigmoid by hand": ("1.0 / (1.0 + tf.exp(-y_pred))", "LL410 W"),
    "odds": ("tf.exp(y_pred) / (1.0 + tf.exp(y_pred))", "LL410 W"),
    "softmax by hand": ("tf.exp(y_pred) / tf.reduce_sum(tf.exp(y_pred), -1, keepdims=True)", "LL410 W"),
    "reciprocal": ("tf.math.reciprocal(tf.exp(y_pred) + 2.0)", "LL410 W"),
    "tanh by hand": ("(tf.exp(y_pred) - tf.exp(-y_pred)) / (tf.exp(y_pred) + tf.exp(-y_pred))", "LL410 W"),
    "log of a shifted exponential": ("tf.math.log(tf.exp(y_pred) + 2.0)", "LL410 W"),
    "log cosh": ("tf.math.log(tf.cosh(y_pred - y_true))", "LL410 W"),
    "difference": ("tf.exp(2.0 * y_pred) - tf.exp(y_pred)", "LL410 W"),
    "the maximum itself": ("1.0 / (1.0 + tf.exp(tf.reduce_max(y_pred, axis=-1)))", "LL410 W"),
    # --- LL410: handed on
    "poisson": ("tf.exp(y_pred) - y_true * y_pred", "LL410 I"),
    "variance": ("tf.exp(-y_pred) * tf.square(y_true) + y_pred", "LL410 I"),
    "divided by a number": ("tf.exp(y_pred) / 3.0", "LL410 I"),
    # --- LL410: bounded, or told elsewhere
    "nowhere positive": ("1.0 / (1.0 + tf.exp(-tf.square(y_pred - y_true)))", ""),
    "clipped": ("1.0 / (1.0 + tf.exp(tf.clip_by_value(y_pred, -30.0, 30.0)))", ""),
    "less the maximum": (
        "e = tf.exp(y_pred - tf.reduce_max(y_pred, -1, keepdims=True))\ne / tf.reduce_sum(e, -1, keepdims=True)",
        "",
    ),
    "of tanh": ("1.0 / (1.0 + tf.exp(5.0 * tf.tanh(y_pred)))", ""),
    "of a cosine": (NORMAL + "1.0 / (1.0 + tf.exp(tf.reduce_sum(y * p, -1) / 0.05))", ""),
    "of labels": ("y_pred / (1.0 + tf.exp(y_true))", ""),
    "of an unknown": ("y_pred / (1.0 + tf.exp(gamma))", ""),
    "in a mask": ("y_true * y_pred * tf.cast(1.0 / (1.0 + tf.exp(y_pred)) > 0.5, tf.float32)", ""),
    "softplus by hand": ("tf.math.log(1.0 + tf.exp(y_pred))", ""),  # LL409
    "library": ("tf.keras.losses.poisson(y_true, tf.sigmoid(y_pred))", ""),
    # --- LL411
    "clip that does not help": ("tf.acos(tf.clip_by_value(y_pred, -1.0, 1.0))", "LL411 W"),
    "clip with a lost epsilon": ("tf.acos(tf.clip_by_value(y_pred, -1.0 + 1e-8, 1.0 - 1e-8))", "LL411 W"),
    "cosine": (NORMAL + "tf.acos(tf.reduce_sum(y * p, -1))", "LL411 W"),
    "cosine by division": (
        "tf.acos(tf.reduce_sum(y_true * y_pred, -1) / (tf.norm(y_true, axis=-1) * tf.norm(y_pred, axis=-1) + 1e-6))",
        "LL411 W",
    ),
    "asin": ("tf.asin(tf.tanh(y_pred))", "LL411 W"),
    "atanh": ("tf.atanh(tf.tanh(y_pred))", "LL411 W"),
    "acosh": ("tf.acosh(tf.maximum(y_pred, 1.0))", "LL411 W"),
    "clip that helps": ("tf.acos(tf.clip_by_value(y_pred, -0.999999, 0.999999))", ""),
    "shrunk cosine": (NORMAL + "tf.acos(tf.reduce_sum(y * p, -1) * 0.99999)", ""),
    "assumed cosine": ("tf.acos(y_pred)", "LL411 W"),
    "unknown argument": ("tf.acos(0.3 * y_pred - gamma)", ""),
    "labels only": ("y_pred * tf.acos(tf.clip_by_value(y_true, -1.0, 1.0))", ""),
    "detached": ("y_pred * tf.stop_gradient(tf.acos(tf.clip_by_value(y_pred, -1.0, 1.0)))", ""),
    "away from 1": ("tf.acosh(1.5 + tf.square(y_pred))", ""),
    "atan has no ends": ("tf.atan(tf.clip_by_value(y_pred, -1.0, 1.0))", ""),
}


@pytest.mark.parametrize("body, expected", CASES.values(), ids=CASES.keys())
def test_what_is_said(body: str, expected: str) -> None:
    assert ",".join(said(body, ("LL410", "LL411"), parameters="y_true, y_pred, gamma")) == expected


def test_a_metric_is_told_at_one_severity_less() -> None:
    assert said("1.0 / (1.0 + tf.exp(-y_pred))", ("LL410",), name="brier_metric") == ["LL410 I"]
