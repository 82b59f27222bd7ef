"""What is taken for a loss, for a metric or for neither, and who is said to consume it."""

from __future__ import annotations

import textwrap

import pytest

from losslint.frontend.discovery import entries, evidence_of, imports_framework
from losslint.frontend.module import Module
from losslint.options import Options
from tests.traced import every


def found(source: str, path: str = "model.py") -> dict[str, str]:
    """Qualified name -> consumer of the function entries."""
    module = Module(path, "import tensorflow as tf\n" + textwrap.dedent(source))
    return {e.name: e.consumer.kind for e in entries(module) if e.kind == "function"}


@pytest.mark.parametrize(
    ("source", "consumer"),
    [
        ("def my_loss(y_true, y_pred):\n    return y_pred\n", "keras"),
        ("def objective(labels, logits):\n    return logits\n", "keras"),
        ("def dice(y_true, y_pred):\n    return y_pred\n", "metric"),
        ("def dice_loss(y_true, y_pred):\n    return y_pred\n", "keras"),
        ("def hamming_loss(y_true, y_pred):\n    return y_pred\n", "metric"),
        ("def accuracy(y_true, y_pred):\n    return y_pred\n", "metric"),
        ("def add_contrastive_loss(hidden):\n    return hidden\n", "unknown"),
        ("def f1_cross_entropy(y_true, y_pred):\n    return y_pred\n", "keras"),
        ("def generator_loss(fake_output):\n    return fake_output\n", "unknown"),
        ("def f(y_true, y_pred):\n    return y_pred\nmodel.compile('adam', loss=f)\n", "keras"),
        ("def f(a, b):\n    return b\nmodel.compile('adam', f)\n", "keras"),
        ("def f(a, b):\n    return b\nmodel.compile('adam', loss={'out': f})\n", "keras"),
        ("def f(y_true, y_pred):\n    return y_pred\nmodel.compile('adam', 'mse', metrics=[f])\n", "metric"),
    ],
)
def test_functions(source: str, consumer: str) -> None:
    assert list(found(source).values()) == [consumer]


@pytest.mark.parametrize(
    "source",
    [
        "def plot_loss(history):\n    return history\n",
        "def print_loss(y_true, y_pred):\n    return 1\n",
        "def add_loss_summaries(total_loss):\n    return total_loss\n",
        "def my_loss(y_true, y_pred):\n    pass\n",
        "def scale(x, factor):\n    return x * factor\n",
        "class Scale(tf.keras.layers.Layer):\n    def call(self, y_true, y_pred):\n        return y_pred\n",
        "class Hits(tf.keras.metrics.Metric):\n    def update_loss(self, y_true, y_pred):\n        return y_pred\n",
    ],
)
def test_what_is_no_loss(source: str) -> None:
    assert found(source) == {}


def test_the_inner_function_of_a_compiled_factory_is_a_keras_loss() -> None:
    source = """
        def weighted(alpha):
            def inner(a, b):
                return alpha * b
            return inner
        model.compile("sgd", loss=weighted(2.0))
    """
    assert found(source)["weighted.<locals>.inner"] == "keras"


def test_a_score_in_a_file_of_losses_is_a_loss() -> None:
    source = "def dice(y_true, y_pred):\n    return 1 - y_pred\n"
    assert found(source, "losses.py") == {"dice": "keras"}
    assert found(source, "metrics.py") == {"dice": "metric"}


def test_a_subclass_of_a_subclass_of_loss() -> None:
    source = """
        class Base(tf.keras.losses.Loss):
            pass
        class Mine(Base):
            def call(self, y_true, y_pred):
                return y_pred
    """
    assert found(source) == {"Mine.call": "keras"}


def test_training_steps_and_scripts_are_entries() -> None:
    source = """
        def train_step(x, y):
            with tf.GradientTape() as tape:
                value = my(x, y)
            return tape.gradient(value, model.trainable_variables)
        opt.minimize(cost)
    """
    module = Module("script.py", textwrap.dedent(source))
    kinds = {(e.kind, e.name) for e in entries(module)}
    assert {("step", "train_step"), ("module", "<module>")} <= kinds


def test_pragmas_overrule() -> None:
    module = Module(
        "m.py", "import keras\ndef scale(x):\n    return x\ndef my_loss(y_true, y_pred):\n    return y_pred\n"
    )
    names = [e.name for e in entries(module, Options(pragmas={2: "loss", 4: "not-a-loss"}))]
    assert names == ["scale"]


def test_names_are_configured_by_pattern() -> None:
    source = "import keras\ndef my_aim(a):\n    return a\ndef old_loss(y_true, y_pred):\n    return y_pred\n"
    module = Module("m.py", source + "def rank_loss(y_true, y_pred):\n    return y_pred\n")
    options = Options(loss_names=("my_*",), not_loss_names=("old_*",), metric_names=("rank_*",))
    kinds = {e.name: e.consumer.kind for e in entries(module, options)}
    assert kinds == {"my_aim": "unknown", "rank_loss": "metric"}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import tensorflow as tf", True),
        ("from tensorflow.keras import losses", True),
        ("import keras", True),
        ("import torch", False),
        ("import torch\nimport tensorflow as tf", True),
        ("import numpy as np", False),
        ("def f(**kwargs):\n    backend = kwargs['backend']\n    return backend.sum(1)", True),
        ("from .common import *\ndef loss(y_true, y_pred):\n    return K.mean(y_true - y_pred)", True),
        ("tf1, tf, version = try_import_tf()\ndef loss(policy):\n    return tf.reduce_mean(policy)", True),
        ("def score(X):\n    K = kernel(X)\n    return K.sum()", False),
        ("def score(K, y):\n    return K.sum()", False),
        ('def score(X, y):\n    """K folds, any backend."""\n    return X.sum()', False),
    ],
)
def test_only_tensorflow_and_keras_code_is_looked_at(source: str, expected: bool) -> None:
    assert imports_framework(Module("m.py", source)) is expected


def test_weights_masks_and_strategies_are_noticed() -> None:
    assert evidence_of(Module("m.py", "model.fit(x, y, sample_weight=w)")).weighted
    assert evidence_of(Module("m.py", "s = tf.distribute.MirroredStrategy()")).strategy
    assert not evidence_of(Module("m.py", "model.fit(x, y)")).weighted


@pytest.mark.parametrize(
    ("path", "source", "consumer"),
    [
        ("metrics.py", "def dice_loss(y_true, y_pred):\n    return y_pred\n", "keras"),
        ("metrics.py", "def mse(y_true, y_pred):\n    return y_pred\n", "metric"),
        ("losses.py", "def generalized_dice(y_true, y_pred):\n    return y_pred\n", "keras"),
        ("losses.py", "def dice_coef(y_true, y_pred):\n    return y_pred\n", "metric"),
        ("loss_segmentation.py", "def volume_enforcement(prediction, ground_truth):\n    return prediction\n", "keras"),
    ],
)
def test_what_the_file_says(path: str, source: str, consumer: str) -> None:
    assert list(found(source, path).values()) == [consumer]


def test_what_a_loss_class_wraps_is_a_loss_of_keras() -> None:
    source = """
    def slope_penalty(slope, real, weight=10.0):
        return slope

    class SlopePenalty(LossFunctionWrapper):
        def __init__(self):
            super().__init__(slope_penalty, name="slope")
    """
    assert found(source) == {"slope_penalty": "keras"}


PART = "def combined(pred, true):\n    return pred\n"
CALLED = "def dice_loss(y_true, y_pred):\n    return combined(y_pred, y_true)\n"


@pytest.mark.parametrize(
    ("more", "is_whole"),
    [
        (CALLED, False),
        ("def some(y_true, y_pred):\n    return 1 - combined(y_pred, y_true)\n", False),
        ("", True),
        ("def train(x, y):\n    return combined(x, y)\n", True),
        ("def accuracy(y_true, y_pred):\n    return combined(y_pred, y_true)\n", True),
        (CALLED + "LOSSES = [combined]\n", True),
        (CALLED + "__all__ = ['combined']\n", True),
        (CALLED + "m.compile(loss=combined)\n", True),
    ],
)
def test_what_losses_alone_call_is_a_part_of_them(more: str, is_whole: bool) -> None:
    module = Module("model.py", "import tensorflow as tf\n" + PART + more)
    (entry,) = (e for e in entries(module) if e.name == "combined")
    assert entry.part != is_whole


def test_a_part_is_traced_where_no_loss_is_followed_into_it() -> None:
    part = "def combined(pred, true):\n    return tf.reduce_mean(true * tf.math.log(tf.nn.softmax(pred)))\n"
    whole = "def dice_loss(y_true, y_pred):\n    return combined(y_pred, y_true)\n"
    unknown = "def dice_loss(y_true, y_pred):\n    return strange(combined(y_pred, y_true))\n"
    assert {loss.name for loss in every(part + whole)} == {"dice_loss"}
    assert {loss.name for loss in every(part + unknown)} == {"dice_loss", "combined"}


def test_of_two_that_call_each_other_each_may_be_the_whole() -> None:
    each = "def {}(y_true, y_pred):\n    return {}(y_pred, y_true)\n"
    assert found(each.format("a", "b") + each.format("b", "a")) == {"a": "keras", "b": "keras"}


def test_two_thousand_branches_are_no_levels() -> None:
    branches = "if x == 0:\n    pass\n" + "".join(f"elif x == {i}:\n    pass\n" for i in range(2_000))
    assert found(branches + "def my_loss(y_true, y_pred):\n    return y_pred\n") == {"my_loss": "keras"}
