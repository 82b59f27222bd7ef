"""``check_loss``, on losses as a project's own tests have them."""

import importlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import losslint
from losslint import LossError, check_loss

pytestmark = pytest.mark.tf


class _TensorFlow:
    """TensorFlow, imported when a loss first needs it: collecting these tests must not."""

    def __getattr__(self, name: str) -> Any:
        return getattr(importlib.import_module("tensorflow"), name)


tf: Any = _TensorFlow()

RNG = np.random.default_rng(0)
ONEHOT = np.eye(5)[RNG.integers(0, 5, 8)]
SIMPLEX = RNG.dirichlet(np.ones(5), 8)
LOGITS = RNG.normal(size=(8, 5)) * 3.0


def clipped(y_true: Any, y_pred: Any) -> Any:
    return -tf.reduce_sum(y_true * tf.math.log(tf.clip_by_value(y_pred, 1e-7, 1.0)), axis=-1)


def bare_log(y_true: Any, y_pred: Any) -> Any:
    return -tf.reduce_mean(tf.reduce_sum(y_true * tf.math.log(y_pred), axis=-1))


def summed(y_true: Any, y_pred: Any) -> Any:
    return tf.reduce_sum(tf.square(y_true - y_pred))


def rounded(y_true: Any, y_pred: Any) -> Any:
    return tf.reduce_mean(tf.square(y_true - tf.round(y_pred)))


def from_numpy(y_true: Any, y_pred: Any) -> Any:
    return tf.constant(np.mean(y_pred.numpy()))


def wrong_gradient(y_true: Any, y_pred: Any) -> Any:
    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def half(x: Any) -> Any:
        return tf.square(x), lambda upstream: upstream * x  # half of what it should be

    return tf.reduce_mean(half(y_true - y_pred))


def failures(loss: Any, y_true: Any = ONEHOT, y_pred: Any = SIMPLEX, **options: Any) -> dict[str, str]:
    with pytest.raises(LossError) as caught:
        check_loss(loss, y_true, y_pred, **options)
    assert str(caught.value.passport) in str(caught.value)
    return caught.value.passport.failures


def test_a_sound_loss_gets_its_passport() -> None:
    passport = check_loss(clipped, ONEHOT, SIMPLEX)
    assert (passport.name, passport.inputs) == ("clipped", "y_true=onehot[B,5] y_pred=simplex[B,5]")
    assert passport.facts["batch"]["gradient_ratio"]["4"] == pytest.approx(1.0)
    assert "batch law     2 and 4 copies: value x1 x1, gradient x1 x1" in str(passport)


@pytest.mark.parametrize(
    ("loss", "check", "told"),
    [
        (bare_log, "edges", "not finite at"),
        (summed, "batch", "2 copies of the batch make the gradient 2 times as large"),
        (rounded, "gradient", "no gradient for y_pred, cut at Round"),
        (from_numpy, "trace", "cannot trace it"),
        (wrong_gradient, "derivative", "the gradient is"),
    ],
)
def test_each_fault_is_named(loss: Any, check: str, told: str) -> None:
    found = failures(loss)
    assert set(found) == {check} and told in found[check]
    if check != "trace":
        assert check_loss(loss, ONEHOT, SIMPLEX, skip={check}).failures == {}


def test_a_batch_that_is_not_finite_and_one_mode_alone() -> None:
    spoilt = SIMPLEX.copy()
    spoilt[0] = [1.0, 0.0, 0.0, 0.0, 0.0]
    assert "finite" in failures(bare_log, np.eye(5)[[1] * 8], spoilt)

    def eager_only(y_true: Any, y_pred: Any) -> Any:
        scale = 1.0 if tf.executing_eagerly() else 2.0
        return tf.reduce_mean(tf.square(y_true - y_pred)) * scale

    assert failures(eager_only) == {"modes": "the modes give different numbers"}


def test_a_tape_adds_up() -> None:
    assert check_loss(summed, ONEHOT, SIMPLEX, consumer="tape").failures == {}


def test_losses_of_keras_pass_as_objects_and_functions() -> None:
    ids = RNG.integers(0, 5, 8)
    keras = tf.keras.losses
    check_loss(keras.CategoricalCrossentropy(), ONEHOT, SIMPLEX)
    check_loss(keras.SparseCategoricalCrossentropy(from_logits=True), ids, LOGITS)
    check_loss(keras.BinaryCrossentropy(), ONEHOT, RNG.uniform(0.01, 0.99, (8, 5)))
    check_loss(keras.MeanSquaredError(), RNG.normal(size=(8, 3)), RNG.normal(size=(8, 3)))


@pytest.mark.parametrize(
    ("y_true", "y_pred", "expected"),
    [
        (ONEHOT, LOGITS, "y_true=onehot[B,5] y_pred=logits[B,5]"),
        (ONEHOT.astype("int64"), SIMPLEX, "y_true=binary int64[B,5] y_pred=simplex[B,5]"),
        (np.arange(8) % 5, SIMPLEX, "y_true=ids int64[B] y_pred=simplex[B,5]"),
        (LOGITS, LOGITS.astype("float32"), "y_true=real[B,5] y_pred=logits[B,5]"),
        (np.ones((8, 1)), np.full((8, 1), 0.5), "y_true=binary[B,1] y_pred=prob[B,1]"),
    ],
)
def test_what_the_numbers_are_is_read_off_the_batch(y_true: Any, y_pred: Any, expected: str) -> None:
    if expected.endswith("prob[B,1]"):
        y_true, y_pred = tf.constant(y_true), tf.constant(y_pred)
    mean = losslint.check_loss(
        lambda t, p: tf.reduce_mean(tf.square(tf.cast(tf.shape(t)[0], p.dtype) * 0.0 + p), axis=-1), y_true, y_pred
    )
    assert mean.inputs == expected


def test_kinds_say_what_the_numbers_leave_open() -> None:
    inside = RNG.uniform(0.2, 0.8, (8, 5))
    logits = tf.keras.losses.BinaryCrossentropy(from_logits=True)
    assert check_loss(logits, ONEHOT, inside, kinds={"y_pred": "logits"}).inputs.endswith("y_pred=logits[B,5]")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((clipped, ONEHOT, SIMPLEX[:4]), "of the same two or more samples"),
        ((clipped, ONEHOT[:1], SIMPLEX[:1]), "two or more samples"),
        ((clipped, ONEHOT, ONEHOT.astype("int32")), "floating-point"),
        ((clipped, np.array(["a"] * 8), SIMPLEX), "made of numbers"),
        (("mse", ONEHOT, SIMPLEX), "not str"),
    ],
)
def test_what_cannot_be_used_is_told(arguments: tuple[Any, ...], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        check_loss(*arguments)


@pytest.mark.parametrize("options", [{"skip": {"edge"}}, {"kinds": {"y_pred": "odd"}}, {"consumer": "me"}])
def test_options_that_are_none_are_told(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"edges|simplex|tape"):
        check_loss(clipped, ONEHOT, SIMPLEX, **options)


def test_pytest_has_the_fixture(tmp_path: Path) -> None:
    (tmp_path / "test_losses.py").write_text(
        "import numpy as np, tensorflow as tf\n\n"
        "def mse(y_true, y_pred):\n    return tf.reduce_mean(tf.square(y_true - y_pred), -1)\n\n"
        "def total(y_true, y_pred):\n    return tf.reduce_sum(tf.square(y_true - y_pred))\n\n"
        "DATA = np.random.normal(size=(2, 4, 3))\n\n"
        "def test_mse(check_loss):\n    check_loss(mse, *DATA)\n\n"
        "def test_total(check_loss):\n    check_loss(total, *DATA)\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "losslint.pytest_plugin", "-p", "no:cacheprovider", tmp_path]
    ran = subprocess.run(command, cwd=Path(losslint.__file__).parent.parent, capture_output=True, text=True)
    assert "1 failed, 1 passed" in ran.stdout
    assert "LossError: total fails 1 of its checks" in ran.stdout and "times as large" in ran.stdout
