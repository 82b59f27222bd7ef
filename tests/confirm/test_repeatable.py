"""The same losses give the same verdicts and the same numbers again, however many run at a time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.command import losslint

pytestmark = pytest.mark.tf

LOSSES = """
import random
import keras
import numpy as np
import tensorflow as tf

def nll_loss(y_true, y_pred):
    return -tf.reduce_sum(y_true * tf.math.log(y_pred), axis=-1)

def summed_loss(y_true, y_pred):
    return tf.reduce_sum(tf.square(y_true - y_pred))

def shuffled_loss(y_true, y_pred):  # what is not replaced by numbers that repeat
    return tf.reduce_mean(tf.square(tf.random.shuffle(y_true) - y_pred)) + random.random() + np.random.rand()

def dropped_loss(y_true, y_pred):
    return tf.reduce_mean(tf.nn.dropout(tf.square(y_true - y_pred), 0.5))

def trained():
    model = keras.Sequential([keras.layers.Dense(3)])
    model.compile("sgd", loss=["mse", nll_loss])
    return model
"""
TIMES = {"seconds"}
"""What is the time that something took."""


def ran(folder: Path, *arguments: str) -> Any:
    (folder / "losses.py").write_text(LOSSES, encoding="utf-8")
    return json.loads(losslint(*arguments, "--device", "cpu", "--timeout", "300", "losses.py", cwd=folder).out)


def test_findings(tmp_path: Path) -> None:
    arguments = ("check", "--confirm", "--min-severity", "info", "--output-format", "json")
    first = ran(tmp_path, *arguments, "--jobs", "1")
    assert {f["verdict"] for f in first} >= {"confirmed", "inconclusive"}
    assert all(f["seed"] == 0 for f in first if f["verdict"] == "confirmed")
    assert ran(tmp_path, *arguments, "--jobs", "3") == first


def test_passports(tmp_path: Path) -> None:
    first, again = (ran(tmp_path, "confirm", "--format", "json", "--jobs", jobs) for jobs in ("1", "3"))
    assert [p["name"] for p in first] == ["nll_loss", "summed_loss", "shuffled_loss", "dropped_loss"]
    assert all(p["ran"] and p["seed"] == 0 and p["facts"]["keras"]["compiled"]["trains"] for p in first), first
    without = [[{k: v for k, v in p.items() if k not in TIMES} for p in told] for told in (first, again)]
    assert without[0] == without[1]
