"""Ragged tensors are their values; handed to other functions, they are padded."""

from __future__ import annotations

import pytest

from tests.traced import ops, traced


@pytest.mark.parametrize(
    ("expression", "shape", "gradient"),
    [
        ("tf.RaggedTensor.from_row_lengths(y_pred, lengths).to_tensor()", 2, "live"),
        ("tf.RaggedTensor.from_row_lengths(y_pred, lengths).values", 1, "live"),
        ("tf.RaggedTensor.from_row_lengths(y_pred, lengths).row_lengths()", 1, "absent"),
        ("tf.reduce_sum(tf.RaggedTensor.from_row_lengths(y_pred, lengths), axis=1)", 1, "live"),
        ("tf.ragged.map_flat_values(tf.exp, tf.RaggedTensor.from_row_splits(y_pred, lengths)).flat_values", 1, "live"),
    ],
)
def test_rows_of_different_lengths(expression: str, shape: int, gradient: str) -> None:
    loss = traced(
        f"""
        def my_loss(y_true, y_pred):
            y_pred = tf.reshape(y_pred, [-1])
            lengths = tf.cast(tf.reshape(y_true, [-1]), tf.int32)
            return {expression}
        """
    )
    prediction = next(n for n in loss.graph.nodes if n.op == "source" and n.attrs["role"] == "prediction")
    assert (loss.results[0].shape.rank, loss.gradients.reaches(prediction)) == (shape, gradient)


def test_a_padded_row_is_a_row() -> None:
    loss = traced(
        """
        def my_loss(y_true, y_pred):
            rows = tf.RaggedTensor.from_tensor(y_pred, padding=0.0)
            return tf.reduce_sum(rows.to_tensor() ** 2, axis=-1)
        """
    )
    assert "opaque" not in ops(loss)
    assert loss.couplings.of(loss.results[0]).kind == "row"
