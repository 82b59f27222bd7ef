"""The probes on a GPU: ``pytest -m gpu``. Skipped, with the reason, where TensorFlow finds none."""

from __future__ import annotations

from pathlib import Path

import pytest

from losslint import session
from losslint.confirm import confirming, passport, plan
from losslint.findings import CONFIRMED, REFUTED, Finding
from losslint.settings import Resolver

pytestmark = pytest.mark.gpu

LOSSES = """import tensorflow as tf


def rounded_loss(y_true, y_pred):
    return tf.reduce_mean(tf.square(y_true - tf.round(y_pred)))


def summed_loss(y_true, y_pred):
    return tf.reduce_sum(tf.square(y_true - y_pred))


def logged_loss(y_true, y_pred):
    return -tf.reduce_mean(y_true * tf.math.log(y_pred))


def folded_loss(y_true, y_pred):
    return -tf.reduce_mean((1.0 - y_true) * tf.math.log(1.0 - y_pred + 1e-8))


def masked_root_loss(y_true, y_pred):
    gap = tf.square(y_pred - y_true)
    return tf.reduce_mean(tf.where(gap > 0.0, tf.sqrt(gap), 0.0))
"""
WANTED = {
    ("rounded_loss", "LL201"),
    ("summed_loss", "LL302"),
    ("logged_loss", "LL401"),
    ("folded_loss", "LL402"),
}
"""A gradient, a batch law, an edge, and an epsilon that XLA and Grappler lose."""


@pytest.fixture(scope="module")
def gpu() -> str:
    pytest.importorskip("tensorflow", reason="TensorFlow is not installed")
    from losslint.confirm.pool import devices

    found = [d for d in devices() if d.startswith("gpu")]
    if not found:
        pytest.skip("TensorFlow finds no GPU on this machine")
    return found[0]


@pytest.fixture(scope="module")
def findings(gpu: str, tmp_path_factory: pytest.TempPathFactory) -> list[Finding]:
    path = tmp_path_factory.mktemp("gpu") / "losses.py"
    path.write_text(LOSSES, encoding="utf-8")
    resolver = Resolver({"min-severity": "info"}, None, True)
    result = session.check([str(path)], resolver)
    confirming.confirm(result, resolver, confirming.Options(device=gpu, seconds=120), {})
    return result.findings


def test_gradient_batch_and_edge_findings_are_confirmed(findings: list[Finding]) -> None:
    confirmed = {(f.function, f.code) for f in findings if f.verdict and f.verdict.verdict == CONFIRMED}
    assert confirmed >= WANTED, [(f.function, f.code, f.verdict) for f in findings]
    assert not [f for f in findings if f.verdict and f.verdict.verdict == REFUTED]


def test_verdicts_name_the_gpu(findings: list[Finding]) -> None:
    told = {f.verdict.device for f in findings if f.verdict and f.verdict.verdict == CONFIRMED}
    assert told and all("GPU" in device for device in told), told


def test_every_mode_runs_and_xla_tells_what_a_graph_hides(gpu: str, tmp_path: Path) -> None:
    path = tmp_path / "losses.py"
    path.write_text(LOSSES, encoding="utf-8")
    planned = list(plan.for_path(str(path), "masked_root_loss", Resolver({}, None, True).of(tmp_path)))
    (ran,) = confirming.run(planned, confirming.Options(device=gpu, seconds=120))
    facts = passport.to_json(ran)["facts"]
    assert all(facts["modes"][mode]["runs"] for mode in ("eager", "graph", "xla")), facts["modes"]
    assert facts["derivative"]["agree"], facts["derivative"]
    assert facts["modes"]["differ"], "where a mask hides sqrt(0), XLA sends NaN back"
