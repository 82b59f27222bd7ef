"""LL408, LL412 and LL413: probabilities as logits, similarities as losses, NaN as labels; and what only looks like it."""

from __future__ import annotations

import pytest

from tests.checks.short import findings, said

CODES = ("LL408", "LL412", "LL413")
DICE = "i = tf.reduce_sum(y_true * y_pred, -1)\nd = (2.0 * i + 1.0) / (tf.reduce_sum(y_true + y_pred, -1) + 1.0)\n"
ENTROPY = "tf.nn.softmax_cross_entropy_with_logits(labels=y_true, logits={})"
KERAS = "tf.keras.losses.categorical_crossentropy(y_true, {}, from_logits=True)"
ERROR = "e = tf.square(y_true - y_pred)\n"

CASES = {
    # --- LL408
    "softmax as logits": (ENTROPY.format("tf.nn.softmax(y_pred)"), "LL408 W"),
    "sigmoid as logits": (ENTROPY.format("tf.sigmoid(y_pred)"), "LL408 W"),
    "guarded": (ENTROPY.format("tf.maximum(tf.nn.softmax(y_pred) + 1e-7, 1e-6)"), "LL408 W"),
    "reshaped": (ENTROPY.format("tf.reshape(tf.nn.softmax(y_pred), [-1, 3])"), "LL408 W"),
    "weighted": ("tf.nn.weighted_cross_entropy_with_logits(y_true, tf.sigmoid(y_pred), 2.0)", "LL408 W"),
    "sparse": ("tf.nn.sparse_softmax_cross_entropy_with_logits(y_true, tf.nn.softmax(y_pred))", "LL408 W"),
    "keras, with a clip": (KERAS.format("tf.clip_by_value(tf.nn.softmax(y_pred), 1e-7, 1.0)"), "LL408 W"),
    "keras, another activation": (KERAS.format("tf.sigmoid(y_pred)"), "LL408 W"),
    "keras finds the logits": (KERAS.format("tf.nn.softmax(y_pred)"), "LL408 I"),
    "twice": ("tf.nn.softmax(tf.nn.softmax(y_pred)) * y_true", "LL408 W"),
    "log_softmax of softmax": ("-y_true * tf.nn.log_softmax(tf.nn.softmax(y_pred))", "LL408 W"),
    "logits": (ENTROPY.format("y_pred"), ""),
    "log probabilities": (ENTROPY.format("tf.nn.log_softmax(y_pred)"), ""),
    "temperature": (ENTROPY.format("tf.nn.softmax(y_pred) / 0.1"), ""),
    "logits of a gate": (ENTROPY.format("y_pred * tf.sigmoid(y_pred)"), ""),
    "soft labels": ("tf.nn.softmax_cross_entropy_with_logits(labels=tf.nn.softmax(y_true), logits=y_pred)", ""),
    "probabilities": ("tf.keras.losses.categorical_crossentropy(y_true, tf.nn.softmax(y_pred))", ""),
    "another axis": ("tf.nn.softmax(tf.nn.softmax(y_pred, axis=-1), axis=1) * y_true", ""),
    "in one branch": (
        "x = y_pred\nif some_flag:\n    x = tf.nn.softmax(y_pred)\n" + ENTROPY.format("x"),
        "",
    ),
    # --- LL412
    "dice": (DICE + "d", "LL412 W"),
    "mean of dice": (DICE + "tf.reduce_mean(d)", "LL412 W"),
    "minus one": (DICE + "d - 1.0", "LL412 W"),
    "focal with the wrong sign": (DICE + "tf.pow(d, 0.75)", "LL412 W"),
    "positive cosine": ("-tf.keras.losses.cosine_similarity(y_true, y_pred)", "LL412 W"),
    "cosine by division": (
        "tf.reduce_sum(y_true * y_pred, -1) / (tf.norm(y_true, axis=-1) * tf.norm(y_pred, axis=-1) + 1e-6)",
        "LL412 W",
    ),
    "dice beside a small term": (DICE + "d + 1e-4 * tf.reduce_mean(tf.abs(y_pred), -1)", "LL412 W"),
    "one minus dice": (DICE + "1.0 - d", ""),
    "minus dice": (DICE + "-d", ""),
    "log": (DICE + "-tf.math.log(d)", ""),
    "negative cosine": ("tf.keras.losses.cosine_similarity(y_true, y_pred)", ""),
    "a greater term": (DICE + "d + 10.0 * tf.reduce_mean(tf.square(y_true - y_pred), -1)", ""),
    "a product": ("tf.reduce_mean(y_true * y_pred, -1)", ""),
    "a relative error": ("tf.reduce_sum(tf.abs(y_true - y_pred), -1) / tf.reduce_sum(y_true + y_pred, -1)", ""),
    "detached": (DICE + "tf.reduce_mean(tf.square(y_true - y_pred), -1) * tf.stop_gradient(d)", ""),
    # --- LL413
    "where": (ERROR + "tf.where(tf.math.is_nan(y_true), 0.0, e)", "LL413 E"),
    "where, the other way round": (ERROR + "tf.where(tf.math.is_finite(y_true), e, 0.0)", "LL413 E"),
    "not": (ERROR + "tf.where(~tf.math.is_nan(y_true), e, 0.0)", "LL413 E"),
    "equal to itself": (ERROR + "tf.where(y_true == y_true, e, 0.0)", "LL413 E"),
    "with another mask": (ERROR + "tf.where(tf.math.is_nan(y_true) | (y_pred > 3.0), 0.0, e)", "LL413 E"),
    "product": (ERROR + "tf.cast(tf.math.is_finite(y_true), tf.float32) * e", "LL413 E"),
    "complement": (ERROR + "(1.0 - tf.cast(tf.math.is_nan(y_true), tf.float32)) * e", "LL413 E"),
    "no nan": (ERROR + "tf.math.multiply_no_nan(e, tf.cast(tf.math.is_finite(y_true), tf.float32))", "LL413 E"),
    "boolean_mask": (ERROR + "tf.reduce_sum(tf.boolean_mask(e, ~tf.math.is_nan(y_true)))", "LL413 E"),
    "crossed": ("tf.where(tf.math.is_nan(y_true), 0.0, y_true * y_pred)", "LL413 E"),
    "replaced": ("y = tf.where(tf.math.is_nan(y_true), y_pred, y_true)\ntf.square(y - y_pred)", ""),
    "replaced and masked": (
        "m = tf.math.is_finite(y_true)\ny = tf.where(m, y_true, 0.0)\ntf.where(m, tf.square(y - y_pred), 0.0)",
        "",
    ),
    "linear": ("tf.where(tf.math.is_nan(y_true), 0.0, y_pred - y_true)", ""),
    "a test of the result": (ERROR + "tf.where(tf.math.is_nan(e), 0.0, e)", ""),
    "a test of the prediction": (ERROR + "tf.where(tf.math.is_nan(y_pred), 0.0, e)", ""),
    "the branch that is taken": (ERROR + "tf.where(tf.math.is_nan(y_true), e, 0.0)", ""),
    "another mask": (ERROR + "tf.where(y_true < 0.0, 0.0, e)", ""),
}


@pytest.mark.parametrize("body, expected", CASES.values(), ids=CASES.keys())
def test_what_is_said(body: str, expected: str) -> None:
    assert " ".join(said(body, CODES)) == expected


@pytest.mark.parametrize("name", ["dice_metric", "dice_coefficient", "adversarial_dice_loss", "negative_pairs_loss"])
def test_what_is_no_loss_or_meant_to_rise_is_no_mistake(name: str) -> None:
    assert said(DICE + "d", ("LL412",), name=name) == []


def test_the_operation_that_loses_the_gradient_is_named() -> None:
    [finding] = findings(ERROR + "tf.where(tf.math.is_nan(y_true), 0.0, e)", CODES)
    assert "tf.square" in finding.message and finding.span.row == 6
