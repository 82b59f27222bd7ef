from __future__ import annotations

import pytest

import losslint.checks.arguments  # noqa: F401
from losslint.findings import Severity
from tests.hand import drafts
from tests.traced import HEADER, every, traced

PAIR = "def loss(y_true, y_pred):\n"


def found(body, code, header=HEADER, signature=PAIR):
    source = signature + "".join(f"    {line}\n" for line in body.splitlines())
    return [d.severity for d in drafts(traced(source, "loss" if "own" in header else None, header=header), code)]


# -- LL510 -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "call",
    [
        "keras.losses.binary_crossentropy(y_pred, y_true)",
        "keras.losses.BinaryCrossentropy()(y_pred, y_true)",
        "keras.losses.get('poisson')(y_pred, y_true)",
        "K.categorical_crossentropy(y_pred, y_true)",
        "tf.nn.sigmoid_cross_entropy_with_logits(y_pred, y_true)",
        "tf.nn.softmax_cross_entropy_with_logits(logits=y_true, labels=y_pred)",
        "keras.losses.kl_divergence(tf.nn.softmax(y_pred), tf.reshape(y_true, [-1, 3]))",
    ],
)
def test_labels_and_predictions_are_swapped(call):
    assert found(f"return {call}", "LL510") == [Severity.ERROR]


@pytest.mark.parametrize(
    "call",
    [
        "keras.losses.binary_crossentropy(y_true, y_pred)",
        "tf.nn.sigmoid_cross_entropy_with_logits(logits=y_pred, labels=y_true)",
        "keras.losses.binary_crossentropy(tf.ones_like(y_pred), y_pred)",
        "keras.losses.binary_crossentropy(y_pred, tf.zeros_like(y_true))",
        "keras.losses.binary_crossentropy(y_pred, y_true * y_pred)",
        "keras.losses.binary_crossentropy(y_pred, model(y_true))",
    ],
)
def test_not_both_are_swapped(call):
    assert found(f"return {call}", "LL510") == []


def test_where_the_other_order_is_meant_or_harmless():
    info = [Severity.INFO]
    assert found("return keras.losses.huber(y_pred, y_true)", "LL510") == info
    both = "a = keras.losses.kl_divergence(y_true, y_pred)\nreturn a + keras.losses.kl_divergence(y_pred, y_true)"
    assert found(both, "LL510") == info
    formula = "a = -K.sum(y_true * K.log(y_pred))\nreturn a + keras.losses.kl_divergence(y_pred, y_true)"
    assert found(formula, "LL510") == info
    named = "def reverse_loss(y_true, y_pred):\n"
    assert found("return keras.losses.kl_divergence(y_pred, y_true)", "LL510", signature=named) == info
    vague = "def gap_loss(real, fake):\n"
    assert found("return keras.losses.kl_divergence(fake, real)", "LL510", signature=vague) == info


BRANCH = "if {0}:\n    a = keras.losses.poisson(y_pred, y_true)\nelse:\n    a = keras.losses.poisson(y_true, y_pred)\n"


def test_one_order_in_one_branch_and_the_other_in_the_other():
    by_data, by_setting = BRANCH.format("len(y_true.shape) == 2"), BRANCH.format("backwards")
    assert found(by_data + "return 2.0 * a", "LL510") == [Severity.ERROR]
    assert found(by_data + "return a - keras.losses.poisson(y_true, y_pred)", "LL510") == [Severity.INFO]
    setting = "def loss(y_true, y_pred, backwards):\n"
    assert found(by_setting + "return a", "LL510", signature=setting) == [Severity.INFO]


def test_roles_follow_the_names_of_the_parameters():
    reversed_ = "def loss(y_pred, y_true):\n"
    assert found("return keras.losses.poisson(y_true, y_pred)", "LL510", signature=reversed_) == []
    assert found("return keras.losses.poisson(y_pred, y_true)", "LL510", signature=reversed_) == [Severity.ERROR]


OWN = HEADER + "def own(y_true, y_pred, gamma=2.0):\n    return -y_true * tf.math.log(y_pred) * gamma\n"


def test_functions_of_ones_own_that_say_which_is_which():
    for call in ("own(y_true=y_pred, y_pred=y_true)", "given(logits=y_true, labels=y_pred)"):
        assert found(f"return {call}", "LL510", header=OWN) == [Severity.ERROR], call
    for call in (
        "own(y_true=y_true, y_pred=y_pred)",
        "own(y_true, y_pred)",
        "given(y_pred, y_true)",
        "given(y_true=y_pred)",
    ):
        assert found(f"return {call}", "LL510", header=OWN) == [], call
    # by position it may be as good: many measures are symmetric
    assert found("return own(y_pred, y_true)", "LL510", header=OWN) == [Severity.INFO]
    partial = "import functools\nf = functools.partial(own, gamma=1.0)\nreturn f(y_pred, y_true)"
    assert found(partial, "LL510", header=OWN) == []
    other = OWN.replace("y_true, y_pred, gamma", "a, b, gamma").replace("-y_true", "-a").replace("(y_pred)", "(b)")
    assert found("return own(y_pred, y_true)", "LL510", header=other) == []


# -- LL511 -------------------------------------------------------------------------------------------------------------
USED = "return tf.reduce_mean(tf.cast({}, tf.float32) * y_pred)"


@pytest.mark.parametrize(
    "used",
    [
        "tf.one_hot(y_true, 3)",
        "tf.one_hot(indices=tf.reshape(y_true, [-1]), depth=3)",
        "K.one_hot(y_true[:, 0], 3)",
        "tf.gather(tf.constant([1.0, 2.0]), y_true)",
        "keras.ops.take(tf.constant([1.0, 2.0]), y_true)",
        "tf.nn.sparse_softmax_cross_entropy_with_logits(y_true, y_pred)",
        "tf.constant([1.0, 2.0])[y_true[0]]",
        "tf.one_hot(tf.cast(y_true, y_pred.dtype), 3)",
        "tf.one_hot(tf.round(y_true), 3)",
    ],
)
def test_float_labels_are_used_as_an_index(used):
    expected = [] if "y_pred.dtype" in used else [Severity.ERROR]  # a type that is not followed: unknown
    assert found(USED.format(used), "LL511") == expected


@pytest.mark.parametrize(
    "used",
    [
        "tf.one_hot(tf.cast(y_true, tf.int32), 3)",
        "tf.one_hot(K.cast(y_true, 'uint8'), 3)",
        "tf.one_hot(tf.argmax(y_true, axis=-1), 3)",
        "keras.ops.one_hot(y_true, 3)",
        "keras.losses.sparse_categorical_crossentropy(y_true, y_pred)",
        "tf.boolean_mask(y_pred, y_true > 0.5)",
        "y_true[0]",
        "y_true[:, 1:]",
    ],
)
def test_labels_that_index_nothing_or_are_cast(used):
    assert found(USED.format(used), "LL511") == []


def test_who_casts_labels():
    body = USED.format("tf.one_hot(y_true, 3)")
    assert found(body, "LL511", header=HEADER + "import tf_keras\n") == []
    assert found(body, "LL511", signature="def some_loss(x, y_true, y_pred):\n") == []
    called = (
        PAIR + f"    {body}\n\ndef other_loss(y_true, y_pred):\n    return loss(tf.cast(y_true, tf.int32), y_pred)\n"
    )
    assert [d for loss in every(called) for d in drafts(loss, "LL511")] == []
    own = f"""
    class Own(keras.losses.Loss):
        def __call__(self, y_true, y_pred, sample_weight=None):
            {body}
    """
    assert drafts(traced(own), "LL511") == []
    assert len(drafts(traced(own.replace("__call__", "call")), "LL511")) == 1


# -- LL512 -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "value",
    [
        "y_pred / tf.size(y_pred)",
        "y_pred * tf.shape(y_pred)[0]",
        "tf.reduce_sum(y_pred) / tf.math.count_nonzero(y_true)",
        "tf.math.divide_no_nan(y_pred, tf.shape(y_pred)[0])",
        "tf.cast(y_true, tf.float64) - y_pred",
        "tf.cast(tf.shape(y_pred)[0] * 2.5, tf.float32)",
        "tf.cast(1.0 - (y_true > 0.5), tf.float32)",
        "y_pred > tf.argmax(y_pred, axis=-1)",
        "tf.where(y_true > 0.5, y_pred, tf.ones_like(y_pred, dtype=tf.int32))",
        "tf.concat([y_pred, tf.cast(y_true, tf.int32)], axis=-1)",
        "tf.math.exp(SOMETHING) * tf.shape(y_pred)[0]",
        "tf.shape(y_pred)[0] / 2 * y_pred",
        "K.maximum(y_pred, K.shape(y_pred)[0])",
        "tf.equal(tf.argmax(y_true), tf.cast(y_pred, tf.int32))",
    ],
)
def test_tensors_of_different_types_meet(value):
    assert found(f"return tf.reduce_mean(tf.cast({value}, tf.float32))", "LL512") == [Severity.WARNING]


@pytest.mark.parametrize(
    "value",
    [
        "y_pred / y_pred.shape[-1]",
        "y_pred * 2 + True",
        "y_pred * np.arange(3)",
        "y_pred * np.ones(3)",
        "y_pred * np.float64(y_pred.shape[1])",
        "y_pred * (y_true > 0.5)",
        "tf.cast(y_true, 'float') * y_pred",
        "tf.shape(y_pred)[0] / 2",
        "tf.shape(y_pred)[0] * 2 - 1",
        "tf.maximum(tf.shape(y_pred)[0], 1)",
        "keras.ops.multiply(y_pred, keras.ops.argmax(y_pred, axis=-1))",
        "y_pred / keras.ops.shape(y_pred)[-1]",
        "SOMETHING * tf.shape(y_pred)[0]",
        "tf.one_hot(tf.argmax(y_true, axis=-1), 3) * y_pred",
        "tf.eye(3) * y_pred",
        "tf.shape(y_pred, out_type=tf.int64)[0] * tf.math.count_nonzero(y_true)",
        "tf.size(y_pred, out_type=tf.int64) / tf.math.count_nonzero(y_true)",
        "keras.losses.mean_squared_error(tf.cast(y_true, tf.int32), y_pred)",
        "tf.where(y_true > 0.5, 1, 0)",
        "(tf.cast(y_true, tf.int32) if FLAG else y_true) * y_pred",
        "K.ndim(y_pred) * y_pred",
        "tf.stack([y_pred, y_true])",
    ],
)
def test_what_tensorflow_takes(value):
    body = f"return tf.reduce_mean(tf.cast({value}, tf.float32))"
    assert found(body, "LL512", header=HEADER + "import numpy as np\n") == []


def test_another_floatx():
    body = "return tf.reduce_mean(tf.cast(y_true, tf.float64) - y_pred)"
    assert found(body, "LL512", header=HEADER + "K.set_floatx('float64')\n") == []


# -- LL513 -------------------------------------------------------------------------------------------------------------
MODEL = HEADER + "inputs = keras.Input((3,))\ndense = keras.layers.Dense(3)\nhidden = dense(inputs)\n"


@pytest.mark.parametrize(
    "term", ["tf.reduce_mean(hidden)", "K.mean(K.square(inputs))", "y_pred * hidden", "hidden * 2.0"]
)
def test_a_symbolic_tensor_is_captured(term):
    body = f"return tf.reduce_mean(tf.square(y_true - y_pred)) + {term}"
    assert found(body, "LL513", header=MODEL) == [Severity.ERROR]
    assert found(body, "LL513", header=MODEL + "import tf_keras\n") == []


@pytest.mark.parametrize("term", ["K.int_shape(hidden)[-1]", "hidden.shape[-1]", "dense(y_pred)", "len([hidden])"])
def test_what_has_a_value(term):
    body = f"return tf.reduce_mean(tf.square(y_true - y_pred)) * {term}"
    assert found(body, "LL513", header=MODEL) == []


def test_a_captured_tensor_that_changes_nothing():
    body = "penalty = tf.reduce_mean(hidden)\nreturn tf.reduce_mean(tf.square(y_true - y_pred))"
    assert found(body, "LL513", header=MODEL) == []
