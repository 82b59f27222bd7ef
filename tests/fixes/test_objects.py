"""Fixes of classes, of what a model is compiled with, and of the order of arguments, seen from Keras."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.confirm.forked import Forked
from tests.fixes.changed import Changed

pytestmark = pytest.mark.tf

Y = "tf.constant([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]])"
P = "tf.constant([[0.2, 0.5, 0.4], [0.6, 0.1, 0.5]])"


def after(run: Forked, one: Changed, expression: str, before: bool = False) -> object:
    """``expression`` in the file as it is after the fix."""
    return run(
        f"{one.before if before else one.after}\nimport keras, tensorflow as tf\ny, p = {Y}, {P}\nresult = {expression}"
    )


def test_a_reduction_is_passed_as_one(changed: dict[str, list[Changed]], run: Forked) -> None:
    expected = {
        "SquaredLoss": ["sum_over_batch_size", None],
        "OldOrder": ["sum_over_batch_size", None],
        "OldOrderOfConstants": ["none", "old"],
        "OldEnumeration": ["sum", None],
    }
    for one in changed["LL504"]:
        name = one.finding.function.partition(".")[0]
        reduction, called = expected.pop(name)
        assert after(run, one, f"{name}().reduction") == reduction
        assert called in (None, after(run, one, f"{name}().name"))
    assert not expected


def test_a_class_is_called_by_keras(changed: dict[str, list[Changed]], run: Forked) -> None:
    made = {"QuantileLoss": "QuantileLoss(0.5)", "Uninitialised": "Uninitialised(0.1)"}
    assert len(changed["LL505"]) >= 4
    for one in changed["LL505"]:
        name = one.finding.function.partition(".")[0]
        # one scalar, which the weight of a sample of 0 takes out of
        value = f"float({made.get(name, f'{name}()')}(y, p, sample_weight=tf.constant([2.0, 0.0])))"
        alone = f"float({made.get(name, f'{name}()')}(y[:1], p[:1]))"
        assert after(run, one, value) == pytest.approx(after(run, one, alone))


def test_a_class_survives_its_configuration(changed: dict[str, list[Changed]], run: Forked) -> None:
    made = {
        "WeightedLoss": ("weight=3.0", "weight"),
        "ElasticLoss": ("absolute=0.25, squared=2.0", "absolute squared"),
        "Uninitialised": ("smoothing=0.3", "smoothing"),
        "Forgetful": ("weight=3.0", "weight"),
        "HalfForgetful": ("alpha=2.0, beta=0.125", "_alpha beta"),
        "Balanced": ("balance=0.75", "balance"),
    }
    for one in changed["LL506"]:
        name = one.finding.function.partition(".")[0]
        arguments, attributes = made.pop(name)
        # one that does not call its base's constructor is another rule's
        first = (
            f"{name}({arguments})"
            if name != "Uninitialised"
            else f"keras.losses.Loss.__init__(l := {name}({arguments})) or l"
        )
        again = f"(lambda l: [[vars(x)[a] for a in {attributes.split()}] for x in (l, {name}.from_config(l.get_config()))])({first})"
        old, new = after(run, one, again)  # type: ignore[misc]
        assert old == new and len(old) == len(attributes.split())
    assert not made


MODELS = {
    # what is fixed: what compiles the losses, and which of its calls of compile it is
    "LL509_bad_0.py build": ("build()", 0),
    "LL509_bad_1.py build.<locals>.<lambda>": ("build(keras.Input((3,)))", 0),
    "compiled.py compile_in_a_loop.<locals>.loss": ("compile_in_a_loop(keras.Input((3,)), (0.1, 0.9))", 0),
    "compiled.py compile_in_a_loop.<locals>.<lambda>": ("compile_in_a_loop(keras.Input((3,)), (0.1, 0.9))", 1),
}


def compiled(run: Forked, one: Changed, text: str) -> list[float]:
    """What the losses give that a model is compiled with."""
    call, number = MODELS[f"{Path(one.finding.filename).name} {one.finding.function}"]
    text = text.replace("from sklearn.metrics import f1_score\n", "")
    kept = "kept = []\nkeras.Model.compile = lambda self, *args, **kwargs: kept.append(kwargs['loss'])"
    values = f"[float(tf.reduce_mean(f({Y}, {P}))) for f in keras.tree.flatten(kept[{number}])]"
    result: list[float] = run(f"import keras, tensorflow as tf\n{text}\n{kept}\n{call}\nresult = {values}")
    return result


def test_losses_of_a_loop_differ(changed: dict[str, list[Changed]], run: Forked) -> None:
    late = [one for one in changed["LL509"] if one.fix.message == "Keep it as a default"]
    assert len(late) == 3
    for one in late:
        before, after = compiled(run, one, one.before), compiled(run, one, one.after)
        assert len(set(before)) == 1 and before[-1] == after[-1], one.name
        assert len(set(after)) == len(before) > 1, one.name


def test_a_factory_is_called(changed: dict[str, list[Changed]], run: Forked) -> None:
    one, other = (one for one in changed["LL509"] if one.fix.message == "Call it")
    assert compiled(run, one, one.after) == [pytest.approx(2.0 * 0.87 / 6)]
    assert "loss=focal_loss()" in other.after


def test_arguments_are_where_they_belong(changed: dict[str, list[Changed]], run: Forked) -> None:
    right = {
        "weighted_bce": "2.0 * keras.losses.binary_crossentropy(y, p)",
        "swapped_bce": "keras.losses.binary_crossentropy(y, p)",
        "swapped_logits_loss": "tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=y, logits=p))",
        "swapped_object": "keras.losses.CategoricalCrossentropy()(y, p)",
        "swapped_backend": "K.mean(K.categorical_crossentropy(target=y, output=p))",
        "focal_by_keyword": "_own_focal(y, p)",
        "loss_of_tokens": "tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(labels=y[..., None], logits=t), -1)",
    }
    for one in changed["LL510"]:
        name = one.finding.function
        predicted = "t" if name == "loss_of_tokens" else "p"
        same = f"bool(tf.reduce_all(tf.equal({name}(y, {predicted}), {right.pop(name)})))"
        for source, holds in ((one.before, False), (one.after, True)):
            text = source.partition("\ninputs = keras.Input")[0]
            fed = f"y, p = {Y}, {P}\nt = tf.stack([p, 1.0 - p], axis=-1)"
            assert run(f"import tensorflow as tf\n{text}\n{fed}\nresult = {same}") is holds, one.name
    assert not right
