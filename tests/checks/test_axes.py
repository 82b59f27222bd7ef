"""LL105, LL107, LL109, LL110, each beside what it must not be taken for."""

from __future__ import annotations

import pytest

import losslint.checks.axes  # noqa: F401
from losslint.findings import Severity
from tests.hand import drafts
from tests.traced import traced


def found(code: str, body: str, arguments: str = "y_true, y_pred") -> list[str]:
    """The messages of ``code`` for a loss with this body."""
    lines = "\n".join(f"    {line.strip()}" for line in body.strip().splitlines())
    loss = traced(f"def some_loss({arguments}):\n{lines}\n")
    said = drafts(loss, code)
    assert {draft.severity for draft in said} <= {Severity.WARNING}
    return [draft.message for draft in said]


# --- LL105 --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "expression",
    [
        "y_true[:, 0] - y_pred[:, :1]",
        "y_true[:, :1] - y_pred[:, 0]",
        "y_pred[:, 0] * y_true[:, 1][:, None]",
        "tf.expand_dims(y_true[:, 0], -1) - y_pred[:, 0]",  # an error, so the axis is a mistake
        "tf.where(y_true[:, 0] > 0, y_pred[:, :1], 0.0) * y_true[:, 1]",
        "tf.reduce_mean(y_true - y_pred, axis=-1) * tf.abs(y_pred)",
        "y_pred - tf.reduce_max(y_pred, axis=-1)",
    ],
)
def test_crossed_samples(expression: str) -> None:
    [message] = found("LL105", f"return tf.reduce_mean({expression})")
    assert "every sample meets every other" in message


@pytest.mark.parametrize(
    "expression",
    [
        "y_true[:, :1] - y_pred[:, :1]",
        "y_true[:, 0] - y_pred[:, 0]",
        "y_true[:, :1] * y_pred[:, :4]",
        "y_pred[:, 0][:, None] - y_pred[:, 0][None, :]",
        "y_pred[:, 0][:, None] - y_pred[:, 0]",  # the same tensor
        "y_pred[:, 0][:, None] - y_pred[:, 1]",  # each with each
        "y_true[:, 0][:, None] == y_true[:, 1]",
        "y_pred - tf.reduce_max(y_pred, axis=-1, keepdims=True)",
        "tf.reduce_mean(y_pred, axis=-1) - y_true",  # class ids may have an axis less
        "tf.constant([1.0, 2.0]) * y_pred[:, :2]",
    ],
)
def test_samples_that_are_not_crossed(expression: str) -> None:
    assert found("LL105", f"return tf.reduce_mean(tf.cast({expression}, tf.float32))") == []


def test_a_matrix_is_a_matrix() -> None:
    body = """
    a, b = y_pred[:, :4], y_true[:, :4]
    products = tf.matmul(a, b, transpose_b=True)
    sizes = tf.reduce_sum(a * a, axis=1, keepdims=True) * tf.reduce_sum(b * b, axis=1)
    return tf.reduce_mean({})
    """
    assert found("LL105", body.format("products / sizes")) == []
    assert found("LL105", body.format("sizes")) != []


# --- LL107 --------------------------------------------------------------------------------------------------------


def test_the_batch_is_reduced_and_classes_are_kept() -> None:
    assert found("LL107", "return tf.reduce_mean(tf.square(y_true - y_pred), axis=0)") != []
    assert found("LL107", "return tf.sqrt(tf.reduce_sum(tf.square(y_true - y_pred)[:, :3], 0))") != []


@pytest.mark.parametrize(
    "value",
    [
        "tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)",
        "tf.reduce_mean(tf.square(y_true - y_pred))",
        "tf.reduce_mean(tf.reduce_mean(tf.square(y_true - y_pred), axis=0))",
        "tf.reshape(tf.reduce_mean(tf.square(y_true - y_pred)), [1])",
        "tf.square(y_true - tf.reduce_mean(y_pred, axis=0))",
    ],
)
def test_the_batch_is_kept_or_all_is_reduced(value: str) -> None:
    assert found("LL107", f"return {value}") == []


def test_what_a_caller_goes_on_with_is_its_business() -> None:
    source = """
    def dice_loss(y_true, y_pred):
        return tf.reduce_sum(y_true * y_pred, axis=0)


    def total_loss(y_true, y_pred):
        return tf.reduce_mean(dice_loss(y_true, y_pred))
    """
    assert drafts(traced(source, "dice_loss"), "LL107") == []


# --- LL109 --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "mask",
    [
        "tf.cast(tf.not_equal(y_true, 0), tf.float32)",
        "tf.cast(y_true != -1, tf.float32)",
        "tf.cast(tf.logical_not(tf.equal(y_true, 255)), tf.float32)",
        "tf.cast(y_true >= 0, tf.float32)",
        "tf.cast(y_true > -1, tf.float32)",
        "tf.cast(tf.logical_not(tf.math.is_nan(y_true)), tf.float32)",
        "padding_mask",
        "tf.cast(mask, tf.float32)",
        "loss_mask[:, :, None]",
    ],
)
def test_padding_is_averaged_over(mask: str) -> None:
    arguments = "y_true, y_pred, mask, padding_mask, loss_mask"
    for product in (f"losses * {mask}", f"-({mask} * losses)", f"0.5 * (losses * {mask})"):
        body = f"losses = tf.square(y_true - y_pred)\nreturn tf.reduce_mean({product})"
        assert len(found("LL109", body, arguments)) == 1, product


@pytest.mark.parametrize(
    "body",
    [
        "return tf.reduce_sum(losses * mask) / tf.reduce_sum(mask)",
        "return tf.reduce_mean(losses * mask) / tf.reduce_mean(mask)",
        "return tf.reduce_mean(losses * mask) * tf.cast(tf.size(mask), tf.float32) / tf.reduce_sum(mask)",
        "return tf.reduce_mean(losses * (mask / tf.reduce_mean(mask)))",
        "return tf.reduce_mean(losses * mask) + tf.reduce_mean(losses * (1.0 - mask))",
        "return tf.reduce_mean(losses * tf.cast(tf.equal(y_true, 1), tf.float32))",
        "return tf.reduce_mean(losses * tf.cast(y_true > 0, tf.float32))",
        "return tf.reduce_mean(losses * tf.cast(losses > 0.1, tf.float32))",
        "return tf.reduce_mean(losses * y_true)",
        "return tf.reduce_mean(losses * weights)",
        "return tf.reduce_mean(tf.square(y_pred - mask) * mask)",  # the mask is what is predicted
        "return tf.reduce_sum(losses * mask)",
        "return tf.reduce_mean(tf.boolean_mask(losses, mask))",
    ],
)
def test_masks_that_are_counted_and_factors_that_are_none(body: str) -> None:
    assert found("LL109", f"losses = tf.square(y_true - y_pred)\n{body}", "y_true, y_pred, mask, weights") == []


def test_the_mean_of_another_axis_hides_nothing() -> None:
    body = """
    losses = tf.square(y_true - y_pred)[:, :5]
    return tf.reduce_sum(tf.reduce_mean(losses * tf.cast(y_true[:, :1] != 0, tf.float32), axis=-1))
    """
    assert found("LL109", body) == []


# --- LL110 --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        "tf.square(y_true[:, 0] - tf.squeeze(y_pred))",
        "tf.reduce_mean(tf.abs(tf.squeeze(y_true) - tf.squeeze(y_pred)), axis=-1)",
        "tf.reduce_mean(tf.squeeze(y_true)[:, 0] - y_pred[:, 0])",
        "tf.square(tf.squeeze(y_true) - y_pred)",
        "tf.reduce_mean(keras.losses.mean_squared_error(tf.squeeze(y_true), tf.squeeze(y_pred)))",
    ],
)
def test_axes_that_matter(value: str) -> None:
    assert found("LL110", f"return {value}") != []


@pytest.mark.parametrize(
    "value",
    [
        "tf.square(tf.squeeze(y_true, axis=-1) - tf.squeeze(y_pred, -1))",
        "tf.reduce_mean(tf.abs(tf.squeeze(y_true) - tf.squeeze(y_pred)))",
        "tf.reduce_sum(tf.reshape(tf.squeeze(y_true), [-1]) * tf.reshape(tf.squeeze(y_pred), [-1]))",
        "tf.reduce_mean(tf.square(y_true - y_pred)) + tf.squeeze(tf.constant([[0.1]]))",
        "tf.reduce_mean(tf.reduce_max(tf.square(tf.squeeze(y_true) - y_pred), axis=-1))",
    ],
)
def test_axes_that_may_go(value: str) -> None:
    assert found("LL110", f"return {value}") == []
