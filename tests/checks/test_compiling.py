from __future__ import annotations

import pytest

import losslint.checks.compiling  # noqa: F401
from losslint.options import Options
from losslint.subjects import compiling
from losslint.subjects.compiling import Compile, compiles
from tests.subjects import drafts, found

HELPERS = """
import functools
def mse(y, p):
    return tf.reduce_mean(tf.square(y - p), axis=-1)
def scaled(k, y, p):
    return k * mse(y, p)
def factory(k=1.0):
    def loss(y, p):
        return k * mse(y, p)
    return loss
"""


def compiled(loss: str, model: str = "keras.Sequential()", keras: str = "3", before: str = "pass") -> Compile:
    source = (
        f"{HELPERS}\ndef build(settings):\n    {before}\n    model = {model}\n    model.compile('sgd', loss={loss})\n"
    )
    [subject] = found(compiles, source, Options(keras=keras))
    return subject


def said(code: str, loss: str, **more: str) -> list[str]:
    return [draft.message for draft in drafts(compiled(loss, **more), code)]


# --- facts ------------------------------------------------------------------------------------------------------------


def test_calls_are_found_in_functions_methods_and_scripts() -> None:
    source = (
        HELPERS + "def f(m):\n    m.compile(loss=mse)\nclass A:\n    def g(self):\n        self.m.compile('sgd', mse)\n"
    )
    subjects = found(compiles, source + "keras.Sequential().compile(loss=mse)\n")
    assert [s.name for s in subjects] == ["f", "A.g", "<module>"]
    assert all([given.arity for given in s.given] == [(2, 2)] for s in subjects)


def test_losses_of_keras_as_they_are_cost_nothing() -> None:
    for loss in ("'mse'", "['mse']", "keras.losses.Huber(delta=2.0)", "keras.losses.mse", "{'a': 'mse'}", "None"):
        assert found(compiles, f"def f(m):\n    m.compile('sgd', loss={loss})\n") == [], loss
    assert found(compiles, "import re\nx = re.compile('loss', re.I)\n") == []


def test_how_many_arguments_a_loss_takes() -> None:
    for loss, arity in {
        "mse": (2, 2),
        "scaled": (3, 3),
        "lambda y, p, w=None: p": (2, 3),
        "lambda *args: args": (0, None),
        "lambda y, p, *, k: p": (3, 2),
        "functools.partial(scaled, 1.0)": (2, 2),
        "functools.partial(scaled, k=1.0)": (2, 0),
        "functools.partial(scaled, p=1.0)": (2, 2),
    }.items():
        assert compiled(loss).given[0].arity == arity, loss


def test_how_many_outputs_a_model_has() -> None:
    inputs = "i = keras.Input((3,)); d = keras.layers.Dense"
    for model, count in {
        "keras.Sequential([keras.layers.Dense(1)])": 1,
        "keras.Model(i, d(1)(i))": 1,
        "keras.Model(i, [d(1)(i)])": 1,
        "keras.Model(inputs=i, outputs=[d(1)(i), d(2)(i)])": 2,
        "keras.Model(i, settings.backbone(i))": None,
        "keras.Model(i, settings.outputs)": None,
        "settings.model": None,
    }.items():
        assert compiled("['mse', 'mae']", model, before=inputs).outputs == count, model


def test_one_function_that_is_too_large_costs_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiling, "_STEPS", 1_000)
    endless = "".join(f"    m.a{i} = {i}\n" for i in range(1_000))
    source = HELPERS + f"def small(m):\n    m.compile(loss=mse)\ndef large(m):\n{endless}    m.compile(loss=mse)\n"
    assert [s.name for s in found(compiles, source)] == ["small"]


def test_operations_count_as_steps_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiling, "_STEPS", 1_000)
    many = "    m.x = tf.abs(m.y)" + " + m.y" * 300 + "\n    m.compile(loss=mse)\n"
    source = HELPERS + "".join(f"def build_{i}(m):\n{many}" for i in range(6))
    assert [s.name for s in found(compiles, source)] == ["build_0", "build_1", "build_2"]


# --- LL108 ------------------------------------------------------------------------------------------------------------


def test_what_reduces_nothing() -> None:
    for loss in ("keras.losses.Huber(reduction='none')", "keras.losses.Huber(reduction=keras.losses.Reduction.NONE)"):
        for keras in ("2", "3"):
            assert said("LL108", loss, keras=keras), loss
    nothing = "keras.losses.Huber(reduction=None)"
    assert said("LL108", nothing) and not said("LL108", nothing, keras="2"), "Keras 2 refuses it"
    for loss in ("keras.losses.Huber(reduction='sum')", "keras.losses.Huber(reduction=settings.reduction)"):
        assert not said("LL108", loss), loss


def test_unknown_models_and_training_loops_may_reduce() -> None:
    loss = "keras.losses.Huber(reduction='none')"
    assert not said("LL108", loss, model="somewhere.MyModel()")
    assert not said("LL108", loss, before="tf.GradientTape()")


# --- LL207 ------------------------------------------------------------------------------------------------------------


def test_metrics() -> None:
    assert "no loss of that name" in said("LL207", "'accuracy'")[0]
    assert "keras.metrics.AUC is a metric" in said("LL207", "keras.metrics.AUC()")[0]
    assert said("LL207", "{'a': mse, 'b': keras.metrics.top_k_categorical_accuracy}")
    for loss in ("keras.metrics.mean_squared_error", "keras.metrics.KLD", "mse"):
        assert not said("LL207", loss), loss


# --- LL509 ------------------------------------------------------------------------------------------------------------


def test_factories_and_wrong_arguments() -> None:
    assert "was not called" in said("LL509", "factory")[0]
    assert "needs 3 arguments" in said("LL509", "scaled")[0]
    assert "takes 1 argument," in said("LL509", "lambda p: p")[0]
    assert "not the loss" in said("LL509", "mse(settings.y, model(settings.x))")[0]
    for loss in ("factory()", "mse", "functools.partial(scaled, 1.0)", "settings.make(1.0)", "settings.loss"):
        assert not said("LL509", loss), loss


def test_late_variables() -> None:
    [draft] = drafts(compiled("[lambda y, p: scaled(a * b, y, p) for a, b in settings.pairs]"), "LL509")
    assert draft.data == {"bind": ("a", "b"), "claim": {"late": "a b"}}
    assert draft.help == "keep it as a default: a=a, b=b"
    assert draft.site.function == "build.<locals>.<lambda>"
    for element in ("factory(k)", "lambda y, p, k=k: scaled(k, y, p)", "mse", "lambda k, p: mse(k, p)"):
        assert not said("LL509", f"[{element} for k in (1.0, 2.0)]"), element


# --- LL514 ------------------------------------------------------------------------------------------------------------


def test_lists_for_one_output() -> None:
    assert "first of the 3 losses" in said("LL514", "['mse', mse, 'mae']")[0]
    assert not said("LL514", "['mse', 'mae']", model="settings.model")
    assert not said("LL514", "[mse for _ in settings.outputs]")
