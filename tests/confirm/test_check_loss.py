"""What ``check_loss`` makes of what probes have seen, and of the numbers it is given: without TensorFlow."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from losslint import checking

FINE: dict[str, dict[str, Any]] = {
    "trace": {"mode": "graph", "batch": "None", "errors": {}},
    "finite": {"structure": "a tensor"},
    "gradient": {"sources": {"y_pred": {"state": "live"}}, "cut_at": []},
    "derivative": {"agree": True},
    "batch": {"gradient_ratio": {"2": 1.0, "4": None}, "single": {"finite": True}},
    "edges": {"nonfinite": {}},
    "modes": {mode: {"runs": True} for mode in ("eager", "graph", "xla")} | {"agree": True, "differ": {}},
}
ERROR = {"None": {"message": "in\n  user code"}}


def told(check: str, fact: dict[str, Any], consumer: str = "keras", **base: Any) -> str:
    known = {"total": 1.0, "finite_value": True, "finite_gradient": True} | base
    run: Any = SimpleNamespace(job=SimpleNamespace(consumer=consumer), base=SimpleNamespace(**known))
    return checking._CHECKS[check][1](FINE[check] | fact, run)


@pytest.mark.parametrize("check", FINE)
def test_nothing_is_said_of_what_is_fine(check: str) -> None:
    assert told(check, {}) == "" and FINE.keys() == checking._CHECKS.keys()


@pytest.mark.parametrize(
    ("check", "fact", "expected"),
    [
        ("trace", {"mode": "eager", "errors": ERROR}, "tf.function cannot trace it: in user code"),
        ("trace", {"mode": "eager"}, "tf.function cannot trace it: "),
        ("trace", {"batch": "8", "errors": ERROR}, "it cannot be traced with an unknown batch size: in user code"),
        (
            "gradient",
            {"sources": {"y_pred": {"state": "none"}}, "cut_at": [{"op": "Round"}]},
            "there is no gradient for y_pred, cut at Round",
        ),
        (
            "gradient",
            {"sources": {"a": {"state": "zero"}, "b": {"state": "live"}, "c": {"state": "nonfinite"}}},
            "the gradient of a is 0; the gradient of c is not finite",
        ),
        (
            "derivative",
            {"agree": False, "tape": 0.5, "differences": 1 / 3},
            "the gradient is 0.5 along a direction in which the loss changes by 0.3333",
        ),
        ("batch", {"error": "it raises"}, "it raises"),
        ("batch", {"gradient_ratio": {"2": 1.0, "4": 4.0}}, "4 copies of the batch make the gradient 4 times as large"),
        ("batch", {"single": None}, "it raises for a batch of one"),
        ("batch", {"single": {"finite": False}}, "it is not finite for a batch of one"),
        ("edges", {"nonfinite": {"y_pred=0": {}}}, "not finite at y_pred=0"),
        ("edges", {"nonfinite": {"y_pred=0": {}, "y_pred=1": {}}}, "not finite at y_pred=0, and at 1 more"),
        ("modes", {"xla": {"runs": False, "error": "not\n compiled"}}, "xla raises: not compiled"),
        ("modes", {"agree": False}, "the modes give different numbers"),
        ("modes", {"differ": {"y_pred=1": {}}}, "finite in one mode and not in another at y_pred=1"),
    ],
)
def test_what_is_wrong_is_said(check: str, fact: dict[str, Any], expected: str) -> None:
    assert told(check, fact) == expected


@pytest.mark.parametrize(
    ("base", "expected"),
    [
        ({"total": None}, "it returns a tensor without a floating-point number"),
        ({"finite_value": False, "total": float("inf")}, "its value is inf for the batch that was given"),
        ({"finite_gradient": False}, "its gradient is not finite for the batch that was given"),
    ],
)
def test_of_the_given_batch(base: dict[str, Any], expected: str) -> None:
    assert told("finite", {}, **base) == expected


def test_a_tape_is_not_asked_for_what_keras_needs() -> None:
    assert told("trace", {"batch": "8", "errors": ERROR}, "tape") == ""
    assert told("batch", {"gradient_ratio": {"4": 4.0}}, "tape") == ""
    assert told("batch", {"gradient_ratio": {"4": 4.0}, "single": None}, "tape") == "it raises for a batch of one"


@pytest.mark.parametrize(
    ("values", "role", "kind"),
    [
        ([[0.0, 1.0], [1.0, 0.0]], "label", "onehot"),
        ([[1.0, 1.0], [1.0, 0.0]], "label", "binary"),
        ([0.0, 1.0], "label", "binary"),
        ([0, 1], "label", "binary"),
        ([0, 5], "label", "ids"),
        ([True, False], "label", "binary"),
        ([[0.25, 0.75], [0.5, 0.5]], "label", "simplex"),
        ([[0.25, 0.25], [0.5, 0.5]], "label", "prob"),
        ([[-1.0, 2.0], [0.5, 0.5]], "label", "real"),
        ([[0.25, 0.75], [0.5, 0.5]], "prediction", "simplex"),
        ([[0.0, 1.0], [1.0, 0.0]], "prediction", "simplex"),
        ([[0.25], [0.5]], "prediction", "prob"),
        ([[-1.0, 2.0], [0.5, 0.5]], "prediction", "logits"),
        (np.zeros((0, 3)), "prediction", "logits"),
    ],
)
def test_what_numbers_look_like(values: Any, role: str, kind: str) -> None:
    assert checking._kind(np.array(values), role) == kind


@pytest.mark.parametrize(
    ("name", "array", "dtype"),
    [
        ("y_pred", np.zeros((4, 3)), "float32"),
        ("y_pred", np.zeros((4, 3), "float16"), "float16"),
        ("y_true", np.zeros((4,), "int64"), "int64"),
        ("y_true", np.zeros((4,), "bool"), "bool"),
    ],
)
def test_types_stay_but_for_what_numpy_makes_unasked(name: str, array: Any, dtype: str) -> None:
    spec = checking._spec(name, array, "logits")
    assert (spec.dtype, spec.dims, spec.domain, spec.given) == (dtype, ("B", *array.shape[1:]), "logits", True)


@pytest.mark.parametrize(
    ("name", "array", "why"),
    [
        ("y_pred", np.zeros((4, 3), "int32"), "y_pred is made of floating-point numbers, not int32"),
        ("y_true", np.array(["a", "b"]), "y_true is made of numbers, not <U1"),
        ("y_true", np.array([None, None]), "y_true is made of numbers, not object"),
        ("y_true", np.zeros(2, "complex64"), "y_true is made of numbers, not complex64"),
    ],
)
def test_what_is_no_number_is_told(name: str, array: Any, why: str) -> None:
    with pytest.raises(ValueError, match=f"^{why}$"):
        checking._spec(name, array, None)


def test_what_has_no_file() -> None:
    assert checking._file(test_what_has_no_file) == __file__
    assert checking._file(len) is None
