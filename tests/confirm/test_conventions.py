"""The likeliest way to call a loss comes first: what the analysis knows and what names say."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from losslint.confirm.conventions import Asked, asked, ladder, number_for
from losslint.confirm.inputs import Convention, declared


def about(signature: str, words: str = "", hints: dict[str, Any] | None = None, **rest: Any) -> Asked:
    names: dict[str, Any] = {}
    exec(f"def f({signature}): pass", names)
    parameters = list(inspect.signature(names["f"]).parameters.values())
    told = f"{words} {' '.join(p.name for p in parameters)}"
    return asked(parameters, hints or {}, told, "", rest.pop("known", {}), rest.pop("literals", {}), **rest)


def first(signature: str, words: str = "", hints: dict[str, Any] | None = None, **rest: Any) -> Convention:
    return next(ladder(about(signature, words, hints, **rest), {}, []))


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("categorical_focal", "y_true=onehot[B,C] y_pred=simplex[B,C]"),
        ("binary_focal", "y_true=binary[B,1] y_pred=prob[B,1]"),
        ("dice", "y_true=binary[B,H,W,1] y_pred=prob[B,H,W,1]"),
        ("ssim", "y_true=unit[B,H,W,3] y_pred=unit[B,H,W,3]"),
        ("giou box", "y_true=box[B,4] y_pred=box[B,4]"),
        ("triplet", "y_true=ids[B] y_pred=embedding[B,E]"),
        ("regression huber", "y_true=real[B,C] y_pred=real[B,C]"),
    ],
)
def test_words_tell_the_task(words: str, told: str) -> None:
    assert first("y_true, y_pred", words).describe() == told


def test_hints_weigh_more_than_words() -> None:
    hints = {"y_true": {"rank": 2}, "y_pred": {"rank": 2, "domain": "prob"}}
    assert len(first("y_true, y_pred", "dice", hints).specs["y_pred"].dims) == 2
    ids = first("y_true, y_pred", "", {"y_true": {"domain": "ids", "rank": 1}})
    assert ids.describe().startswith("y_true=ids[B] ")
    actions = first("logits, actions", "", {"actions": {"role": "prediction", "domain": "ids"}})
    assert len(actions.specs["actions"].dims) == len(actions.specs["logits"].dims) - 1
    logits = first("y_true, y_pred", "", {"y_pred": {"domain": "logits"}})
    assert logits.specs["y_pred"].domain == "logits"


def test_named_columns_come_first() -> None:
    hints = {"y_true": {"rank": 2, "columns": 2}, "y_pred": {"rank": 2, "columns": 4}}
    assert first("y_true, y_pred", "", hints).describe() == "y_true=binary[B,2] y_pred=prob[B,4]"


def test_columns_are_not_cut_out_of_the_batch() -> None:
    hints = {"y_true": {"columns": 2}, "y_pred": {"columns": 2}}
    assert all(
        ("B",) not in (s.dims for s in c.specs.values()) for c in ladder(about("y_true, y_pred", "", hints), {}, [])
    )


def test_what_is_called_is_a_model() -> None:
    assert first("critic, x", known={"critic": "called"}).specs["critic"].value == "model"
    assert first("f, real, fake", known={"f": "called"}).specs["f"].value == "model"
    assert first("a, b, distance_fn", known={"distance_fn": "called"}).specs["distance_fn"].value == "distance"


def test_hyper_parameters_are_numbers_and_defaults_stay() -> None:
    specs = first("y_true, y_pred, gamma, alpha=0.5, mask=None").specs
    assert specs["gamma"].value == 2.0 and "alpha" not in specs and "mask" not in specs
    assert "mask" in about("y_true, y_pred, mask=None", optional=True).parameters


def test_a_literal_that_the_loss_compares_with_is_used() -> None:
    assert first("y_true, y_pred, mode", literals={"mode": ["multilabel", "none"]}).specs["mode"].value == "multilabel"


def test_declared_inputs_are_the_only_ones() -> None:
    question = about("y_true, y_pred")
    given = declared("y_true=real[B,3] y_pred=real[B,3]", question.roles)
    found = list(ladder(question, given, []))
    assert [c.describe() for c in found] == ["y_true=real[B,3] y_pred=real[B,3]"]
    assert found[0].specs["y_pred"].trained and not found[0].specs["y_true"].trained


def test_an_argument_with_a_default_can_be_declared() -> None:
    question = about("y_true, y_pred, gamma=2.0")
    specs = next(ladder(question, declared("gamma=3", question.roles), [])).specs
    assert specs["gamma"].value == 3 and "y_pred" in specs


def test_extents_that_errors_name_are_tried() -> None:
    told: list[int] = []
    climbing = ladder(about("y_true, y_pred"), {}, told)
    seen = [next(climbing)]
    told.append(85)
    seen += [c for c, _ in zip(climbing, range(300), strict=False)]
    assert any(c.specs["y_pred"].dims[-1] == 85 for c in seen)


@pytest.mark.parametrize(("name", "value"), [("num_classes", 5), ("from_logits", False), ("epsilon", 1e-7), ("q", 0.3)])
def test_numbers(name: str, value: object) -> None:
    assert number_for(name) == value
