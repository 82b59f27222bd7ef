"""The verdicts of the pages and fixtures are those of the real TensorFlow."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys

import pytest

from tests.guide.verify_with_tensorflow import FIXTURES, OTHER_PROCESS, Case, cases, verify
from tests.rule_pages import ROOT

pytestmark = [
    pytest.mark.tf,
    pytest.mark.skipif(importlib.util.find_spec("tensorflow") is None, reason="TensorFlow is not installed"),
]

# verdicts of the first losses that newcomers write; the other cases are read from the fixtures' own comments
GUIDE = {
    "mean_squared_loss": set(),
    "weighted_binary_loss": {"LL302"},
    "total_and_mean_loss": {"LL102"},
    "summed_built_in_loss": {"LL302"},
    "batch_variance_loss": {"LL303"},
    "centered_loss": {"LL303"},
    "log_of_mean_loss": {"LL308"},
    "log_of_sum_loss": {"LL301"},
    "summed_variation_loss": {"LL302"},
    "mean_variation_loss": set(),
    "variation_per_image_loss": {"LL311"},
    "huber_loss": set(),
    "weighted_backend_loss": set(),
    "make_sparse_loss.<locals>.sparse_loss": {"LL516"},
    "f1_loss": {"LL201"},
    "log_softmax_loss": {"LL409"},
    "tiny_clip_loss": {"LL402"},
    "tiny_shift_loss": {"LL402"},
    "masked_log_loss": {"LL407"},
    "batch_dice_loss": {"LL308"},
    "sample_dice_loss": set(),
    "vae_loss": {"LL304", "LL410"},
    "nt_xent_loss": {"LL308"},
}

everything = cases()


def test_the_guide_says_what_it_should() -> None:
    said = {case.path: set(case.codes | case.infos) for case in everything if "guide/" in case.origin}
    assert said == GUIDE


@pytest.mark.parametrize("case", everything, ids=lambda case: case.name)
def test_tensorflow_agrees(case: Case) -> None:
    assert verify(case) == []


@pytest.mark.parametrize("name", sorted(OTHER_PROCESS))
def test_script_of_tensorflow_1_runs(name: str) -> None:
    """Such a script turns eager execution off for its whole process."""
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
    done = subprocess.run(
        [sys.executable, str(FIXTURES / name)], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-2000:]
