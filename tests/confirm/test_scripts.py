"""What a script checks, by the rule and by what a run has seen; and of which findings there is none, and why."""

from __future__ import annotations

import ast
from types import SimpleNamespace
from typing import Any, cast

import pytest

from losslint.confirm import reproduce
from losslint.confirm.confirming import Ran
from losslint.confirm.loader import Loader
from losslint.confirm.reproduce import NoScript, scripts, written
from losslint.findings import CONFIRMED, REFUTED, Finding, Severity, Span, Verdict
from tests.confirm.test_loader import bundle, make

LOSS = "import tensorflow as tf\ndef loss(y_true, y_pred, kind='model'):\n    return y_true - y_pred\n"
BATCH = {"y_true": [[0.0], [1.0], [0.0]], "y_pred": [[0.5], [0.25], [0.75]]}
SHIFT = {"gradient_shift": {"2": 0.5, "4": 0.75}}


def finding(code: str) -> Finding:
    return Finding(code, Severity.WARNING, "two\nrows", "losses.py", Span(3, 1, 3, 5), "loss")


def ran(code: str, runs: object = (SHIFT,), consumer: str = "keras", **recipe: Any) -> Ran:
    """A run of a loss of one claim."""
    loader = Loader(bundle(LOSS))
    loader.resolve("loss", make)
    repro = {
        "recipe": loader.recipe,
        "executed": loader.executed,
        "main": loader.scope.file.path,
        "source": "",
        "autograph": False,
        "shims": [],
        "inputs": BATCH,
        "dtypes": dict.fromkeys(BATCH, "float32"),
        "trained": ["y_pred"],
        "batched": ["y_true", "y_pred"],
    }
    planned = SimpleNamespace(findings=(finding(code),), job=SimpleNamespace(consumer=consumer))
    result = {"repro": repro | recipe, "claims": [{"runs": list(cast(Any, runs))}]}
    return cast(Ran, SimpleNamespace(result=result, planned=planned))


def text(code: str, *, witness: dict[str, Any] | None = None, **run: Any) -> str:
    made = ran(code, **run)
    verdict = Verdict(CONFIRMED, "it is so,\nreally", witness, device="CPU", tensorflow="2.21.0")
    found = written(made.planned.findings[0], verdict, made)
    ast.parse(found)
    return found


@pytest.mark.parametrize(
    ("code", "check"),
    [
        ("LL401", "assert not all(np.isfinite(x).all() for x in seen if x is not None), 'all is finite'"),
        ("LL201", "for n in ['y_pred']), 'it has a gradient'"),
        ("LL205", "for n in ['y_pred']), 'it has a gradient'"),
        ("LL101", "assert value.ndim > 0, 'it is a scalar'"),
        ("LL104", "assert value.ndim == 0, 'it is no scalar'"),
        ("LL302", "assert np.linalg.norm(many - few) > 0.375 * np.linalg.norm(few), 'the batch size is of no matter'"),
        ("LL308", "* np.linalg.norm(once), 'the parts add up'"),
    ],
)
def test_the_last_line_fails_where_the_fault_is_gone(code: str, check: str) -> None:
    found = text(code)
    assert found.rstrip().endswith(check)
    head = [row for row in found.splitlines()[:12] if "losslint" not in row]
    assert any(f"{code} (" in row and "two rows" in row for row in head), "in one row each"
    assert any("Seen: it is so, really" in row for row in head)
    assert any("TensorFlow 2.21.0 on CPU" in row for row in head)


@pytest.mark.parametrize(("consumer", "reduced"), [("tape", "tf.reduce_sum(part)"), ("keras", "tf.reduce_mean(part)")])
def test_the_gradient_is_that_of_the_consumer(consumer: str, reduced: str) -> None:
    found = text("LL303", consumer=consumer)
    assert reduced in found and "rows = np.arange(3)" in found
    assert "few = shared_gradient(np.tile(rows, 1))" in found and "many = shared_gradient(np.tile(rows, 4))" in found


def test_what_shows_in_large_batches_only_is_shown_there() -> None:
    small = {"gradient_shift": {"4": 0.0001}, "large": {"copies": 16, "gradient_shift": 0.5}}
    found = text("LL301", runs=[small])
    assert "np.tile(rows, 16)" in found and "np.tile(rows, 64)" in found and "> 0.25 * np" in found
    found = text("LL301", runs=[small | {"gradient_shift": {"4": 0.75}}])
    assert "np.tile(rows, 1)" in found and "> 0.375 * np" in found


def test_two_parts_of_a_batch() -> None:
    found = text("LL307")
    assert "parts = 2 / 3 * shared_gradient(rows[:2]) + 1 / 3 * shared_gradient(rows[2:])" in found


def test_inputs_and_mode_of_the_witness_come_first() -> None:
    found = text("LL401", witness={"inputs": {"y_true": [[1.0]], "y_pred": [[0.0]]}, "mode": "xla"})
    assert 'y_pred = tf.constant(np.array([[0.0]], dtype="float32"))' in found
    assert "jit_compile=True" in found and "0.25" not in found
    assert "jit_compile" not in text("LL401")


def test_a_model_stands_in() -> None:
    inputs = BATCH | {"model": "model", "critic": "model:zero"}
    kinds = dict.fromkeys(inputs, "float32")
    found = text("LL401", inputs=inputs, dtypes=kinds)
    assert found.count("class Model:") == 1 and "model = Model()" in found and "critic = Model()" in found
    assert "kind='model'" in found, "what the user wrote stays"
    assert "class Model" not in text("LL401")


@pytest.mark.parametrize(
    ("code", "run", "why"),
    [
        ("LL401", {"recipe": ""}, "in a way that plain Python cannot repeat"),
        ("LL401", {"inputs": None}, "too large for a script"),
        ("LL401", {"inputs": BATCH | {"d": "distance"}, "dtypes": dict.fromkeys([*BATCH, "d"], "")}, "stands in for an unknown one"),
        ("LL105", {}, "LL105 is not shown by numbers"),
        ("LL302", {"batched": []}, "it has no batch"),
        ("LL302", {"runs": [{"gradient_shift": {"4": 0.0}}]}, "the gradient did not change at this input"),
        ("LL302", {"runs": [{}]}, "the gradient did not change at this input"),
    ],
)  # fmt: skip
def test_of_some_there_is_none(code: str, run: dict[str, Any], why: str) -> None:
    with pytest.raises(NoScript, match=why):
        text(code, **run)


def test_those_without_are_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = [ran(code) for code in ("LL105", "LL401", "LL302")]
    for place, one in enumerate(runs):
        verdict = Verdict(CONFIRMED if place != 2 else REFUTED, "so")
        monkeypatch.setattr(one, "verdicts", lambda v=verdict: [v], raising=False)
    confirmed = reproduce.confirmed(runs)
    assert [f.code for f, _, _ in confirmed] == ["LL105", "LL401"]
    assert [f.code for f, _ in scripts(confirmed)] == ["LL401"]
