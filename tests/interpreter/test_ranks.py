"""The rank of labels and predictions is read off what a loss does with them."""

from __future__ import annotations

import pytest

from losslint.graph import ancestors
from tests.traced import traced


def shapes(body: str) -> dict[str, str]:
    """Name -> shape of every source of the loss."""
    loss = traced(f"def my_loss(y_true, y_pred):\n    {body}\n")
    return {n.attrs["name"]: str(n.shape) for n in ancestors(loss.results) if n.op == "source"}


@pytest.mark.parametrize(
    ("body", "shape"),
    [
        ("return tf.reduce_mean(tf.square(y_pred))", "(B, ..., C)"),
        ("return y_pred[:, 0]", "(B, C)"),
        ("return y_pred[:, :, 0]", "(B, T, C)"),
        ("return y_pred[:, 1:, :, :] - y_pred[:, :-1, :, :]", "(B, H, W, C)"),
        ("return y_pred[..., 0]", "(B, ..., C)"),
        ("return tf.reduce_sum(y_pred, axis=[1, 2, 3])", "(B, H, W, C)"),
        ("return tf.reduce_sum(y_pred, axis=-1)", "(B, ..., C)"),
        ("return tf.matmul(y_pred, y_pred, transpose_b=True)", "(B, C)"),
        ("return tf.matmul(tf.abs(y_pred), tf.transpose(y_pred))", "(B, C)"),
        ("return tf.transpose(y_pred, [0, 2, 1])", "(B, T, C)"),
    ],
)
def test_uses_tell_the_rank(body: str, shape: str) -> None:
    assert shapes(body) == {"y_pred": shape}


def test_a_difference_tells_it_of_both() -> None:
    assert shapes("d = y_true - y_pred\n    return d[:, :, 0]") == {"y_true": "(B, T, C)", "y_pred": "(B, T, C)"}


def test_labels_compared_in_pairs_are_a_vector() -> None:
    body = "same = tf.equal(tf.expand_dims(y_true, 0), tf.expand_dims(y_true, 1))\n    return tf.cast(same, tf.float32)"
    assert shapes(body) == {"y_true": "(B,)"}


def test_code_that_asks_for_the_rank_is_believed_where_every_rank_agrees() -> None:
    source = """
        def my_loss(y_true, y_pred):
            loss = tf.square(y_true - y_pred)
            if len(y_pred.shape) > 2:
                loss = tf.reshape(loss, [tf.shape(loss)[0], -1])
            return tf.reduce_mean(loss, axis=list(range(1, len(loss.shape))))
    """
    loss = traced(source)
    assert str(loss.results[0].shape) == "(B,)"


def test_what_depends_on_the_rank_stays_unknown() -> None:
    source = """
        def my_loss(y_true, y_pred):
            return tf.reduce_sum(tf.reduce_sum(tf.square(y_pred), axis=-1), axis=-1)
    """
    loss = traced(source)
    assert loss.laws.value(loss.results[0]) is None


def test_what_goes_into_a_model_is_a_batch() -> None:
    loss = traced(
        """
        def gradient_penalty(critic, mixed):
            slope = tf.gradients(critic(mixed), mixed)[0]
            return tf.reduce_mean(tf.square(slope))
        """
    )
    assert str(loss.results[0].shape) == "()"
    assert any(n.op == "source" and n.shape.batch_axes == (0,) for n in loss.graph.nodes)


@pytest.mark.parametrize(
    "body",
    [
        "return tf.nn.relu(1.0 - (tf.expand_dims(y_pred, -1) - tf.expand_dims(y_pred, 0)))",
        "return tf.abs(tf.expand_dims(y_pred, 0) - tf.expand_dims(y_pred, -1))",
    ],
)
def test_what_meets_itself_across_all_its_axes_is_a_vector(body: str) -> None:
    assert shapes(body) == {"y_pred": "(B,)"}


def test_pairs_of_embeddings_tell_no_rank() -> None:
    body = "return tf.square(tf.expand_dims(y_pred, 1) - tf.expand_dims(y_pred, 0))"
    assert shapes(body) == {"y_pred": "(B, ..., C)"}


def test_sparse_labels_have_one_axis_less_than_the_scores() -> None:
    body = "return tf.nn.sparse_softmax_cross_entropy_with_logits(tf.cast(y_true, tf.int32), y_pred[:, :10])"
    assert shapes(body) == {"y_true": "(B,)", "y_pred": "(B, C)"}


def test_what_is_compared_with_a_batch_is_one() -> None:
    loss = traced("def recon_loss(self_made, y_pred):\n    return tf.nn.l2_loss(y_pred - self_made)\n")
    assert str(loss.laws.value(loss.results[0])) == "law 1"


def test_two_arguments_multiplied_in_pairs_are_batches_of_vectors() -> None:
    loss = traced(
        """
        def in_batch_loss(query, item):
            query = tf.nn.l2_normalize(query, axis=-1)
            return tf.reduce_mean(tf.nn.log_softmax(tf.matmul(query, item, transpose_b=True)))
        """
    )
    assert [str(n.shape) for n in ancestors(loss.results) if n.op == "source"] == ["(B, C)", "(B, C)"]
    assert loss.couplings.of(loss.results[0]).kind == "coupled"


def test_of_two_names_for_labels_what_is_actual_is_predicted() -> None:
    loss = traced("def focal_loss(target, actual):\n    return tf.square(target - actual)\n")
    roles = {n.attrs["name"]: n.attrs["role"] for n in ancestors(loss.results) if n.op == "source"}
    assert roles == {"target": "label", "actual": "prediction"}


def test_ranks_at_which_the_code_fails_tell_nothing() -> None:
    loss = traced(
        """
        def spatial(shape):
            if len(shape) == 4:
                return [1, 2]
            raise ValueError

        def my_loss(y_true, y_pred):
            return tf.reduce_sum(y_true * y_pred, axis=spatial(y_pred.shape))
        """,
        "my_loss",
    )
    assert loss.results[0].shape.batch_axes == (0,)
    assert str(loss.laws.value(loss.results[0])) == "law 0"


def test_what_is_left_after_several_axes_is_more_than_the_batch() -> None:
    assert shapes("x = tf.reduce_sum(y_pred, axis=[1, 2, 3])\n    return tf.reduce_sum(x, axis=-1)") == {
        "y_pred": "(B, D, H, W, C)"
    }


def test_a_list_of_as_many_as_there_are_axes() -> None:
    loss = traced(
        """
        def slope_loss(_, y_pred):
            extents = y_pred.get_shape().as_list()[1:-1]
            slopes = [None] * len(extents)
            for i in range(len(extents)):
                turned = K.permute_dimensions(y_pred, [i + 1, *range(i + 1), *range(i + 2, len(extents) + 2)])
                step = turned[1:, ...] - turned[:-1, ...]
                slopes[i] = tf.reduce_mean(tf.abs(step))
            return tf.add_n(slopes) / len(slopes)
        """
    )
    assert str(loss.results[0].shape) == "()"
    assert str(loss.laws.value(loss.results[0])) == "law 0"


def test_a_setting_read_from_outside_is_a_number() -> None:
    loss = traced(
        """
        import os
        MISSING = float(os.environ.get("MISSING"))

        def my_loss(y_true, y_pred):
            known = tf.cast(tf.not_equal(y_true, MISSING), tf.float32)
            return tf.reduce_mean(known * tf.square(y_true - y_pred), axis=-1)
        """
    )
    assert str(loss.results[0].shape) == "(B, ...)"


def test_one_term_for_each_class() -> None:
    loss = traced(
        """
        def class_loss(y_true, y_pred):
            terms = [tf.reduce_mean(tf.abs(y_true[:, c] - y_pred[:, c])) for c in range(y_pred.shape[1])]
            return tf.reduce_mean(tf.stack(terms))
        """
    )
    assert str(loss.results[0].shape) == "()"
    assert str(loss.laws.value(loss.results[0])) == "law 0"


def test_a_sparse_tensor_of_ones_is_one_hot() -> None:
    loss = traced(
        """
        def overlap_loss(ground_truth, prediction):
            classes = tf.shape(prediction)[-1]
            labels = tf.cast(tf.reshape(ground_truth, (-1,)), tf.int64)
            count = tf.shape(labels)[0]
            places = tf.stack([tf.range(tf.cast(count, tf.int64), dtype=tf.int64), labels], axis=1)
            ones = tf.SparseTensor(places, tf.ones_like(labels, dtype=tf.float32), tf.stack([count, classes], 0))
            shape = tf.concat([tf.shape(ground_truth), tf.reshape(classes, (1,))], 0)
            return -tf.reduce_mean(tf.sparse.reduce_sum(tf.sparse.reshape(ones, shape) * prediction, axis=-1))
        """
    )
    assert "one_hot" in {n.op for n in loss.graph.nodes}
    assert str(loss.laws.value(loss.results[0])) == "law 0"
