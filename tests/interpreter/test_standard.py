"""Python's standard library, lazy modules, objects that are no tensors, and what is known to be outside."""

from __future__ import annotations

import pytest

from losslint.ops.registry import CATALOGUE, OUTSIDE, outside
from tests.traced import every, ops, traced


@pytest.mark.parametrize(
    ("header", "expression", "expected"),
    [
        ("import functools", "functools.reduce(tf.add, [y_true, y_pred, 1.0])", ["add", "add"]),
        (
            "import itertools",
            "sum(a * b for a, b in itertools.product([y_true, 2.0], [y_pred]))",
            ["mul", "mul", "add"],
        ),
        ("from itertools import chain", "tf.add_n(list(chain([y_true], [y_pred])))", ["add"]),
        ("import operator", "operator.sub(y_true, y_pred)", ["sub"]),
        ("from collections import OrderedDict", "OrderedDict([('a', tf.exp(y_pred))])['a']", ["exp"]),
        ("import copy", "tf.exp(copy.copy([y_pred])[0])", ["exp"]),
        ("", "sum(filter(lambda x: True, [tf.exp(y_pred), y_true]))", ["exp", "add"]),
        ("from functools import partial", "partial(tf.pow, y_pred)(2.0)", ["pow"]),
    ],
)
def test_the_standard_library_is_followed(header: str, expression: str, expected: list[str]) -> None:
    loss = traced(f"{header}\ndef my_loss(y_true, y_pred):\n    return {expression}\n")
    assert ops(loss) == expected


def test_named_tuples_keep_their_fields() -> None:
    loss = traced(
        """
        from collections import namedtuple
        Terms = namedtuple("Terms", "first second")
        def my_loss(y_true, y_pred):
            terms = Terms(tf.exp(y_pred), second=y_true)
            return terms._replace(second=1.0).first
        """
    )
    assert ops(loss) == ["exp"]


def test_a_module_that_is_imported_lazily_is_that_module() -> None:
    loss = traced(
        """
        class LazyModule:
            def __init__(self, name):
                self.name = name
        lazy = LazyModule("tensorflow")
        def my_loss(y_true, y_pred):
            return lazy.math.log(y_pred)
        """
    )
    assert ops(loss) == ["log"]


def test_keras_own_backend_is_its_operations() -> None:
    source = "def my_loss(y_true, y_pred):\n    return backend.numpy.square(backend.math.rsqrt(y_pred))\n"
    assert ops(traced(source, header="from keras.src import backend\n")) == ["rsqrt", "square"]


def test_what_a_model_predicts_has_no_gradient() -> None:
    loss = traced("def my_loss(y_true, y_pred, teacher):\n    return y_pred - teacher.predict(y_true)\n")
    assert ops(loss) == ["model", "stop_gradient", "sub"]


def test_what_a_distribution_of_a_model_says_is_differentiable() -> None:
    loss = traced("def my_loss(x, decoder):\n    z = decoder(x)\n    return -decoder(x).log_prob(x)\n", "my_loss")
    assert [loss.gradients.reaches(n) for n in loss.graph.nodes if n.op == "model"] == ["absent", "live"]


def test_calls_leave_happenings() -> None:
    loss = traced(
        """
        import mystery
        def my_loss(y_true, y_pred, thing):
            a = tf.exp(y_pred).numpy()
            b = mystery.function(y_pred)
            return a + b + thing.whatever(y_pred)
        """
    )
    calls = [(h.kind, h.name) for h in loss.happenings if h.kind in ("call", "unfollowed")]
    assert calls == [
        ("call", "tensorflow.exp"),
        ("call", "Tensor.numpy"),
        ("call", "mystery.function"),
        ("unfollowed", "thing.whatever"),
    ]


def test_a_test_case_asserts_and_gives_nothing() -> None:
    found = every(
        """
        import unittest
        class LossTest(unittest.TestCase):
            def my_loss(self, y_true, y_pred):
                self.assertEqual(y_true.shape, y_pred.shape)
                return tf.abs(y_true - y_pred)
        """
    )
    assert [h.name for h in found[0].happenings if h.name.startswith("unittest")] == ["unittest.TestCase.assertEqual"]


def test_nothing_is_both_catalogued_and_outside() -> None:
    assert not [name for name in OUTSIDE if name in CATALOGUE]
    assert outside("os.path.join") and not outside("tensorflow.math.log") and not outside("numpy.load_balancer")


def test_a_star_import_of_a_framework_brings_its_modules() -> None:
    source = "def my_loss(y_true, y_pred):\n    return losses.mean_squared_error(y_true, y_pred)\n"
    assert ops(traced(source, header="from tensorflow.keras import *\n")) == ["sub", "square", "mean"]


def test_objects_that_keep_others_give_them_back() -> None:
    loss = traced(
        """
        checkpoint = tf.train.Checkpoint(step=tf.Variable(0), scale=tf.Variable(2.0))
        def my_loss(y_true, y_pred):
            return checkpoint.scale * y_pred
        """
    )
    assert ops(loss) == ["mul"]


def test_the_numpy_backend_of_keras_is_not_its_operations() -> None:
    header = "import keras\nfrom keras.src.backend.numpy.core import convert_to_tensor\n"
    loss = traced("def my_loss(y_true, y_pred):\n    return convert_to_tensor(y_pred)\n", header=header)
    assert ops(loss) == ["opaque"]
