"""Losses that could fool the confirmer, each with the verdict that TensorFlow itself gives."""

from __future__ import annotations

from pathlib import Path

import pytest

from losslint import session
from losslint.confirm import confirming, plan
from losslint.findings import CONFIRMED, INCONCLUSIVE, Finding
from losslint.settings import Resolver

pytestmark = pytest.mark.tf

LOSSES = """
import tensorflow as tf

def kept_by_tf_function_loss(y_true, y_pred):  # XLA sums the constants, TensorFlow does not: 1 - p is used again
    q = 1.0 - y_pred
    return tf.reduce_mean(0.1 * q - (1.0 - y_true) * tf.math.log(q + 1e-8), axis=-1)

def two_divisions_loss(y_true, y_pred):  # the guarded one comes close to 0, the other needs an empty mask
    mask = tf.cast(tf.not_equal(y_true, -1.0), tf.float32)
    return tf.reduce_sum(mask * tf.square(y_true - y_pred) / (tf.abs(y_true) + y_pred + 1e-7)) / tf.reduce_sum(mask)

def ignored_label_loss(y_true, y_pred):
    mask = tf.cast(tf.not_equal(y_true, 255.0), tf.float32)
    return tf.reduce_sum(mask * tf.abs(y_true - y_pred)) / tf.reduce_sum(mask)

def far_hinge_loss(y_true, y_pred):  # nothing is learnt at ordinary inputs
    return tf.maximum(0.0, tf.reduce_mean(tf.square(y_true - y_pred)) - 50.0)

def faint_sum_loss(y_true, y_pred):
    return tf.reduce_mean(tf.square(y_true - y_pred)) + 1e-6 * tf.reduce_sum(tf.abs(y_pred))

def long_loss(y_true, y_pred):
    total = tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)
    for k in range(150):
        total += 0.001 * tf.reduce_mean(tf.abs(y_pred - 0.01 * k), axis=-1)
    return total - tf.reduce_mean(tf.cast(tf.equal(y_true, tf.round(y_pred)), tf.float32), axis=-1)

def factor_loss(labels, preds, temp_factor):  # the factor gets a gradient, the prediction none
    return tf.reduce_mean(temp_factor * tf.abs(labels - tf.floor(preds)))

def silent_none_loss(y_true, y_pred):
    n = y_pred.shape[0]
    return (1.0 / n if n else 1.0) * tf.reduce_sum(tf.square(y_true - y_pred))

GRID = tf.reshape(tf.range(24.0), (4, 3, 2))

def grid_loss(y_true, y_pred):  # rows of 4 times 3 cells; of a vector the first two samples would be taken
    return tf.reduce_sum(tf.square(y_pred[..., :2] + GRID - y_true[..., :2]))

def both_logs_loss(real_output, fake_output):
    return -tf.reduce_mean(tf.math.log(real_output) + tf.math.log(1.0 - fake_output))
"""


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], list[Finding]]:
    path = tmp_path_factory.mktemp("losses") / "losses.py"
    path.write_text(LOSSES, encoding="utf-8")
    resolver = Resolver({"min-severity": "info"}, None, True)
    result = session.check([str(path)], resolver)
    confirming.confirm(result, resolver, confirming.Options(device="cpu", seconds=60), {})
    found: dict[tuple[str, str], list[Finding]] = {}
    for finding in result.findings:
        found.setdefault((finding.function, finding.code), []).append(finding)
    return found


@pytest.mark.parametrize(
    ("function", "code", "verdict"),
    [
        ("kept_by_tf_function_loss", "LL402", CONFIRMED),
        ("two_divisions_loss", "LL404", CONFIRMED),
        ("ignored_label_loss", "LL308", CONFIRMED),
        ("far_hinge_loss", "LL308", INCONCLUSIVE),
        ("faint_sum_loss", "LL304", INCONCLUSIVE),
        ("long_loss", "LL203", INCONCLUSIVE),
        ("factor_loss", "LL201", CONFIRMED),
        ("grid_loss", "LL302", INCONCLUSIVE),
        ("silent_none_loss", "LL306", CONFIRMED),
    ],
)
def test_verdicts(function: str, code: str, verdict: str, findings: dict[tuple[str, str], list[Finding]]) -> None:
    told = [(f.verdict.verdict, f.verdict.reason) for f in findings[function, code] if f.verdict]
    assert [v for v, _ in told] == [verdict], told


def test_the_witness_is_that_of_the_flagged_log(findings: dict[tuple[str, str], list[Finding]]) -> None:
    verdicts = [f.verdict for f in findings["both_logs_loss", "LL401"]]
    first, second = (v.witness["gradient"] for v in verdicts if v and v.witness)
    assert first["real_output"] == "-inf"
    assert second["fake_output"] == "inf"


SEEN = """
import tensorflow as tf
from tensorflow import keras

def python_loss(y_true, y_pred):
    return tf.reduce_mean(tf.py_function(lambda a, b: tf.abs(a - b), [y_true, y_pred], tf.float32))

def normalizing_loss(y_true, y_pred):  # Keras divides y_pred by its sum: a factor on it is not seen
    return tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(y_true, y_pred))
"""


def test_passports_hold_no_false_fact(tmp_path: Path) -> None:
    path = tmp_path / "seen.py"
    path.write_text(SEEN, encoding="utf-8")
    settings = Resolver({}, None, True).of(tmp_path)
    planned = list(plan.for_path(str(path), "", settings))
    ran = confirming.run(planned, confirming.Options(device="cpu", seconds=60))
    facts = {r.planned.name: r.result["facts"] for r in ran}
    assert facts["python_loss"]["gradient"]["class"] == "non-zero"
    assert not facts["python_loss"]["gradient"]["cut_at"]
    assert facts["normalizing_loss"]["keras"]["compiled"]["trains"]
    assert facts["normalizing_loss"]["keras"]["replicas"]["factor"] == pytest.approx(2.0, rel=1e-3)
