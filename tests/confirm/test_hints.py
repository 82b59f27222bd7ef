"""What the analysis tells about the arguments of a loss, for the process that has to make them up."""

from __future__ import annotations

from typing import Any

from losslint.confirm.hints import hints
from losslint.confirm.jobs import output_of
from tests.traced import traced


def told(body: str, signature: str = "y_true, y_pred") -> dict[str, dict[str, Any]]:
    lines = "\n".join(f"            {line}" for line in body.splitlines())
    return hints(
        traced(f"""
        import tensorflow as tf
        from tensorflow.keras import backend as K
        def loss({signature}):
{lines}
        """)
    )


def test_domains_are_read_off_the_uses() -> None:
    logged = told("return -tf.reduce_mean(y_true * tf.math.log(y_pred))")
    assert logged["y_pred"]["domain"] == "prob" and logged["y_true"]["role"] == "label"
    assert told("return tf.reduce_mean(tf.nn.softplus(y_pred) * y_true)")["y_pred"]["domain"] == "logits"
    assert told("return tf.reduce_mean(tf.one_hot(y_true, 3) * y_pred)")["y_true"]["domain"] == "ids"
    assert told("return tf.reduce_mean(tf.gather(y_pred, tf.cast(y_true, tf.int32)))")["y_true"]["integer"]


def test_ranks_and_columns() -> None:
    assert told("return tf.reduce_mean(y_pred[:, :, 0] - y_true[:, :, 2])")["y_true"]["columns"] == 3
    assert told("return tf.reduce_mean(y_pred[..., 4:] - y_true)")["y_pred"]["columns"] == 5
    assert told("return tf.reduce_mean(y_pred[..., -2] - y_true)")["y_pred"]["columns"] == 2
    assert told("return tf.reduce_mean(tf.matmul(y_pred, y_pred, transpose_b=True))")["y_pred"]["rank"] == 2
    assert "columns" not in told("return tf.reduce_mean(y_pred[0] - y_true[0])")["y_pred"]  # an axis of samples


def test_the_functions_that_take_an_argument_as_it_is() -> None:
    apis = told("return K.categorical_crossentropy(y_true, y_pred)")["y_pred"]["api"]
    assert any("categorical_crossentropy" in api for api in apis)


def test_an_argument_that_must_be_computed_from_another() -> None:
    found = told("return K.mean(K.square(K.gradients(y_pred, samples)[0]))", "y_true, y_pred, samples")
    assert found["y_pred"]["of"] == "samples"


def test_outputs_of_models_go_by_their_row() -> None:
    found = told("p = model(y_true)\nreturn tf.reduce_mean(tf.nn.softplus(p) * y_true)", "y_true, model")
    row = next(int(name.partition("@")[2]) for name in found if name.startswith("model@"))
    assert found[output_of(row)]["domain"] == "logits" and found[output_of(row)]["role"] == "prediction"
