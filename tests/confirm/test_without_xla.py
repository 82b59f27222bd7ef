"""A TensorFlow whose XLA compiles nothing: what XLA would have said of a loss is not made up."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from losslint import session
from losslint.confirm import plan
from losslint.confirm.confirming import Ran
from losslint.confirm.jobs import Outcome
from losslint.findings import CONFIRMED, INCONCLUSIVE, REFUTED
from losslint.settings import Resolver
from tests.confirm.forked import Forked, server

pytestmark = pytest.mark.tf

LOSSES = """
import tensorflow as tf

def logged_loss(y_true, y_pred):
    error = tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)
    tf.print("largest:", tf.reduce_max(error))
    return error

def python_loss(y_true, y_pred):
    return tf.reduce_mean(tf.py_function(lambda a, b: tf.abs(a - b), [y_true, y_pred], tf.float32), axis=-1)

def nll_loss(y_true, y_pred):
    return -tf.reduce_sum(y_true * tf.math.log(y_pred), axis=-1)

def guard(x):
    return tf.clip_by_value(x, 1e-7, 1.0)

def guarded_loss(y_true, y_pred):
    return -tf.reduce_sum(y_true * tf.math.log(guard(y_pred)), axis=-1)
"""
BLIND = '[tool.losslint]\nmin-severity = "info"\n[tool.losslint.facts]\nguard = { like = "tensorflow.identity" }\n'
"""Makes the linter believe that the guard does nothing."""
NO_XLA = """
import json
import tensorflow as tf

class _Refused:
    def __init__(self, *args, **options):
        pass
    def __call__(self, *args):
        raise tf.errors.NotFoundError(None, None, "could not find registered platform with id: 0x7f")

real = tf.function
def function(*args, jit_compile=None, **options):
    return _Refused() if jit_compile else real(*args, **options)
tf.function = function
"""
RUN = """
from losslint.confirm import runner
result = runner.run(json.loads({job!r}))
"""


@pytest.fixture(scope="module")
def forked() -> Iterator[Forked]:
    with server() as made:
        yield made


def test_no_verdict_rests_on_it(forked: Forked, tmp_path: Path) -> None:
    (tmp_path / "losses.py").write_text(LOSSES, encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text(BLIND, encoding="utf-8")
    resolver = Resolver({}, tmp_path / "pyproject.toml", False)
    found = session.check([str(tmp_path / "losses.py")], resolver).findings
    told: dict[tuple[str, str], list[str]] = {}
    for planned in plan.for_findings(found, resolver, {}, False):
        result = forked(NO_XLA + RUN.format(job=json.dumps(planned.job.to_json())))
        for number, verdict in zip(planned.numbers, Ran(planned, Outcome("done", result)).verdicts(), strict=True):
            told[found[number].function, found[number].code] = [verdict.verdict, verdict.reason, verdict.tried]
    none_here = "there is no XLA that works here: could not find registered platform"
    verdict, reason, _ = told["logged_loss", "LL515"]
    assert verdict == INCONCLUSIVE and none_here in reason, "that XLA refuses everything is no fault of the loss"
    assert told["python_loss", "LL206"][0] == INCONCLUSIVE, told
    assert told["nll_loss", "LL401"][0] == CONFIRMED, "tf.function alone shows it"
    verdict, _, tried = told["guarded_loss", "LL401"]
    assert verdict == REFUTED and none_here in tried, "what was not tried is told"
