"""``losslint check --confirm`` and ``losslint confirm``, end to end: what is printed, what the status is, what it costs."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from losslint.confirm import confirming
from tests.command import losslint

ATTACKS = Path(__file__).parent / "attacks.py"
BARE = """import tensorflow as tf


def nll_loss(y_true, y_pred):
    return -tf.reduce_sum(y_true * tf.math.log(y_pred), axis=-1)
"""
GUARDED = """import tensorflow as tf


def guard(x):
    return tf.clip_by_value(x, 1e-7, 1.0)


def nll_loss(y_true, y_pred):
    return -tf.reduce_sum(y_true * tf.math.log(guard(y_pred)), axis=-1)
"""
BLIND = """[tool.losslint.facts]
guard = { like = "tensorflow.identity" }
"""
"""Makes the linter believe that the guard does nothing: its finding is then false by construction."""
UNREACHED = """import tensorflow as tf


def nll_loss(y_true, y_pred):
    if y_pred.shape.rank == 9:
        return -tf.reduce_sum(y_true * tf.math.log(y_pred), axis=-1)
    return -tf.reduce_sum(y_true * tf.math.log(tf.maximum(y_pred, 1e-7)), axis=-1)
"""

needs_tensorflow = pytest.mark.tf


def checked(folder: Path, text: str, *options: str, name: str = "losses.py") -> Any:
    (folder / name).write_text(text, encoding="utf-8")
    return losslint("check", "--confirm", "--device", "cpu", *options, name, cwd=folder)


def findings(folder: Path, text: str, *options: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(checked(folder, text, "--output-format", "json", *options).out)
    return found


# -- verdicts --------------------------------------------------------------------------------------------------------


@needs_tensorflow
def test_a_true_finding_is_confirmed_and_its_script_shows_it(tmp_path: Path) -> None:
    (found,) = findings(tmp_path, BARE)
    assert found["verdict"] == "confirmed" and found["device"] == "CPU" and found["tensorflow"].startswith("2.")
    assert set(found["witness"]) >= {"inputs", "batch", "mode", "value", "gradient", "note"}
    assert found["witness"]["mode"] == "graph"
    assert "nan" in json.dumps(found["witness"]) or "inf" in json.dumps(found["witness"])
    ran = losslint("check", "--device", "cpu", "--repro", "losses.py", cwd=tmp_path)
    assert ran.status == 0 and "losslint" not in ran.out
    (tmp_path / "alone.py").write_text(ran.out, encoding="utf-8")
    shown = _python(tmp_path / "alone.py")
    assert shown.returncode == 0, shown.stderr
    assert "value:" in shown.stdout and ("nan" in shown.stdout or "inf" in shown.stdout)
    (tmp_path / "cured.py").write_text(ran.out.replace("log(y_pred)", "log(y_pred + 1e-7)"), encoding="utf-8")
    assert "AssertionError" in _python(tmp_path / "cured.py").stderr  # the script can fail


def _python(path: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
    return subprocess.run([sys.executable, str(path)], capture_output=True, text=True, env=environment, cwd=path.parent)


@needs_tensorflow
def test_a_finding_that_is_false_by_construction_is_refuted(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(BLIND, encoding="utf-8")
    (found,) = findings(tmp_path, GUARDED)
    assert found["verdict"] == "refuted" and found["tried"], found
    ran = checked(tmp_path, GUARDED)
    assert ran.status == 0
    assert "Refuted by a run:" in ran.out and "tried:" in ran.out and "No findings in 1 file; 1 refuted" in ran.out
    assert checked(tmp_path, GUARDED, "--no-trust-refuted").status == 1


@needs_tensorflow
def test_a_line_that_is_not_reached_is_inconclusive(tmp_path: Path) -> None:
    (found,) = findings(tmp_path, UNREACHED)
    assert found["verdict"] == "inconclusive" and "not executed" in found["reason"], found
    assert checked(tmp_path, UNREACHED).status == 1  # it counts like an unconfirmed finding


@needs_tensorflow
def test_every_form_tells_the_verdict(tmp_path: Path) -> None:
    text = checked(tmp_path, BARE)
    assert text.status == 1
    assert "= confirmed: " in text.out and "on CPU, TensorFlow 2." in text.out and "1 confirmed" in text.out
    limits = text.out.rpartition("Run with these limits:")[2]
    told = ("time", "memory", "network", "files", "processes", "output", "environment", "stdin")
    assert all(f"{limit}:" in limits for limit in told), limits
    assert "(confirmed)" in checked(tmp_path, BARE, "--output-format", "concise").out
    assert "1 confirmed" in checked(tmp_path, BARE, "--statistics").out
    assert checked(tmp_path, BARE, "--exit-zero").status == 0


@needs_tensorflow
def test_a_report_runs_what_was_found_and_lists_what_was_not_run(tmp_path: Path) -> None:
    (tmp_path / "losses.py").write_text(BARE, encoding="utf-8")
    (tmp_path / "broken.py").write_text("def f(:\n", encoding="utf-8")
    ran = losslint("check", "--device", "cpu", "--timeout", "300", "--report", "out.html", ".", cwd=tmp_path)
    assert ran.status == 1 and "1 confirmed" in ran.out
    page = (tmp_path / "out.html").read_text(encoding="utf-8")
    rows = re.findall(r'<tr data-verdict="([^"]+)" data-rule="([^"]+)">', page)
    assert rows == [("not run", "LL001"), ("confirmed", "LL401")]
    assert page.count("<svg") == 2 and "tf.math.log(y_pred)" in page


@needs_tensorflow
def test_standard_input_is_confirmed(tmp_path: Path) -> None:
    arguments = ("check", "--confirm", "--device", "cpu", "--output-format", "json", "--stdin-filename", "a.py", "-")
    (found,) = json.loads(losslint(*arguments, stdin=BARE.encode(), cwd=tmp_path).out)
    assert found["verdict"] == "confirmed" and found["filename"] == "a.py"


@needs_tensorflow
def test_declared_inputs_are_used(tmp_path: Path) -> None:
    declared = BARE.replace("def nll", "# losslint: inputs y_true=onehot[B,3] y_pred=simplex[B,3]\ndef nll")
    (found,) = findings(tmp_path, declared)
    assert found["assumed"] == ["called with y_true=onehot[B,3] y_pred=simplex[B,3]"]
    wrong = BARE.replace("def nll", "# losslint: inputs y_true=onehot[B,3] y_pred=softmax[B,3]\ndef nll")
    (found,) = findings(tmp_path, wrong)
    assert found["verdict"] == "inconclusive" and "no kind 'softmax'" in found["reason"]


# -- passports -------------------------------------------------------------------------------------------------------


@needs_tensorflow
def test_a_passport_tells_what_every_probe_saw(tmp_path: Path) -> None:
    (tmp_path / "losses.py").write_text(BARE, encoding="utf-8")
    ran = losslint("confirm", "--device", "cpu", "--timeout", "300", "losses.py::nll_loss", cwd=tmp_path)
    for label in (
        "returns",
        "gradient",
        "derivative",
        "batch law",
        "parts",
        "edges",
        "precision",
        "modes",
        "keras",
        "sign",
    ):
        assert f"\n  {label} " in ran.out, (label, ran.out)
    assert "skipped" not in ran.out and "DISAGREE" not in ran.out
    (passport,) = json.loads(losslint("confirm", "--timeout", "300", "--format", "json", "losses.py", cwd=tmp_path).out)
    assert passport["ran"] and passport["facts"]["output"]["rank"] == 1
    assert passport["facts"]["batch"]["value_ratio"]["2"] == pytest.approx(1.0)
    assert passport["findings"][0]["verdict"] == "confirmed" and passport["limits"]


@needs_tensorflow
def test_a_function_that_is_no_loss_can_be_run(tmp_path: Path) -> None:
    (tmp_path / "losses.py").write_text(
        "import tensorflow as tf\n\ndef scaled(x):\n    return 2.0 * x\n", encoding="utf-8"
    )
    (passport,) = json.loads(losslint("confirm", "--format", "json", "losses.py::scaled", cwd=tmp_path).out)
    assert passport["ran"] and passport["facts"]["gradient"]["class"] == "non-zero"


@pytest.mark.parametrize(
    ("target", "words"),
    [("absent.py", "no such file"), ("losses.py::nil_loss", 'did you mean "nll_loss"'), ("broken.py", "broken.py:1")],
)
def test_wrong_targets_are_one_line_and_status_2(tmp_path: Path, target: str, words: str) -> None:
    (tmp_path / "losses.py").write_text(BARE, encoding="utf-8")
    (tmp_path / "broken.py").write_text("def (:\n", encoding="utf-8")
    ran = losslint("confirm", target, cwd=tmp_path)
    assert ran.status == 2 and words in ran.err and "Traceback" not in ran.err


# -- what can go wrong -----------------------------------------------------------------------------------------------


def test_without_tensorflow_one_line_says_what_to_install(tmp_path: Path) -> None:
    real = importlib.util.find_spec
    absent = lambda name, *rest: None if name == "tensorflow" else real(name, *rest)  # noqa: E731
    with mock.patch.object(confirming.importlib.util, "find_spec", absent):
        ran = checked(tmp_path, BARE)
    assert ran.status == 2 and "pip install 'losslint[tf]'" in ran.err and "Traceback" not in ran.err


def test_an_unknown_device_is_a_usage_error(tmp_path: Path) -> None:
    ran = losslint("check", "--confirm", "--device", "tpu", ".", cwd=tmp_path)
    assert ran.status == 2 and "tpu" in ran.err


@needs_tensorflow
@pytest.mark.parametrize("command", ["check --confirm", "confirm"])
def test_a_gpu_that_is_not_there_is_an_error(tmp_path: Path, command: str) -> None:
    from losslint.confirm.pool import devices

    if len(devices()) > 1:
        pytest.skip("this machine has a GPU")
    (tmp_path / "losses.py").write_text(BARE, encoding="utf-8")
    ran = losslint(*command.split(), "--device", "gpu", "losses.py", cwd=tmp_path)
    assert ran.status == 2 and "gpu" in ran.err
    assert ("LL401" in ran.out) == (command == "check --confirm")  # what was found without running it is not lost


@needs_tensorflow
def test_an_interrupt_ends_all_and_prints_what_is_known(tmp_path: Path) -> None:
    hangs = BARE + BARE.partition("\n\n\n")[2].replace("nll_loss", "slow_loss").replace(
        "    return", "    while True:\n        pass\n    return"
    )
    (tmp_path / "losses.py").write_text(hangs, encoding="utf-8")
    arguments = ["check", "--confirm", "--device", "cpu", "--timeout", "600", "--jobs", "1", "--output-format", "json"]
    process = subprocess.Popen(
        [sys.executable, "-m", "losslint", *arguments, "losses.py"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
    )
    _wait_for_a_loop(process.pid)  # the first loss has been run by then
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    verdicts = {f["function"]: f["verdict"] for f in json.loads(out)}
    assert verdicts == {"nll_loss": "confirmed", "slow_loss": "inconclusive"}
    assert not _zygotes(tmp_path)


def _wait_for_a_loop(pid: int) -> None:
    """Until some process below ``pid`` has computed for longer than the import of TensorFlow or any honest loss."""
    psutil = pytest.importorskip("psutil")
    for _ in range(600):
        with contextlib.suppress(psutil.Error):
            if any(p.cpu_times().user > 8 for p in psutil.Process(pid).children(recursive=True)):
                return
        time.sleep(0.2)
    raise AssertionError("no loss hangs")


def _zygotes(folder: Path) -> list[str]:
    """Command lines of processes that still work in ``folder``."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if os.readlink(entry / "cwd").startswith(str(folder)):
                found.append((entry / "cmdline").read_text())
    return found


# -- attacks ---------------------------------------------------------------------------------------------------------

SAID = {
    "infinite_loop": "time limit",
    "huge_allocation_tensorflow": "limit",
    "leaves": "ended the process",
    "fork_bomb": "too many processes",
    "aborts_in_tensorflow": "SIGABRT",
    "floods": "more output",
    "forges_a_passport": "its result cannot be read",
    "escapes": "owned",
    "honest": "",
    "writes": "",
    "deletes": "",
    "connects_locally": "",
    "reads_stdin": "",
    "reads_secrets": "",
}
"""Attack -> what its passport says; "" for those that come to nothing, and give the loss of an honest function."""


@pytest.mark.unmeasured
@needs_tensorflow
def test_each_attack_costs_its_own_verdict_only(tmp_path: Path) -> None:
    shutil.copy(ATTACKS, tmp_path / "attacks.py")
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "data").write_text("kept", encoding="utf-8")
    before = sorted(p.relative_to(tmp_path) for p in tmp_path.rglob("*"))
    targets = [f"attacks.py::{name}" for name in SAID]
    with mock.patch.dict(os.environ, {"LOSSLINT_SECRET": "s3cret"}):
        ran = losslint("confirm", "--format", "json", "--device", "cpu", "--timeout", "10", *targets, cwd=tmp_path)
    found = {p["name"]: p for p in json.loads(ran.out)}
    assert found.keys() == SAID.keys()
    honest = found["honest"]["facts"]["output"]["total"]
    for name, words in SAID.items():
        assert words in found[name]["reason"] and bool(words) != found[name]["ran"], (name, found[name]["reason"])
        assert found[name]["limits"], name
        if not words:
            assert found[name]["facts"]["output"]["total"] == pytest.approx(honest), name
    assert sorted(p.relative_to(tmp_path) for p in tmp_path.rglob("*")) == before
    assert not _zygotes(tmp_path)
    shown = losslint("confirm", "--device", "cpu", "attacks.py::escapes", cwd=tmp_path).out
    assert "owned" in shown and all(c.isprintable() or c == "\n" for c in shown), "no terminal obeys a loss"


# -- scripts ---------------------------------------------------------------------------------------------------------

SHOWN = {
    "LL201": "def a_loss(y_true, y_pred):\n    return tf.reduce_mean(tf.square(y_true - tf.round(y_pred)))\n",
    "LL302": "def a_loss(y_true, y_pred):\n    return tf.reduce_sum(tf.square(y_true - y_pred))\n",
    "LL303": "def a_loss(y_true, y_pred):\n    return tf.reduce_mean(tf.square(y_true - y_pred)) / "
    "tf.cast(tf.shape(y_pred)[0], tf.float32)\n",
    "LL308": "def a_loss(y_true, y_pred):\n    return tf.sqrt(tf.reduce_mean(tf.square(y_true - y_pred)) + 1e-6)\n",
    "LL101": "def step(model, optimizer, x, y):\n    with tf.GradientTape() as tape:\n"
    "        loss = tf.reduce_mean(tf.square(y - model(x)), axis=-1)\n"
    "    return tape.gradient(loss, model.trainable_variables)\n",
}
"""Rule -> a loss for which it is confirmed."""


@needs_tensorflow
@pytest.mark.parametrize("code", SHOWN)
def test_scripts_of_every_family_show_what_they_say(code: str, tmp_path: Path) -> None:
    (tmp_path / "losses.py").write_text(f"import tensorflow as tf\n\n\n{SHOWN[code]}", encoding="utf-8")
    options = ("--min-severity", "info", "--select", code, "--device", "cpu")
    ran = losslint("check", "--repro", *options, "losses.py", cwd=tmp_path)
    assert ran.status == 0, ran.err
    (tmp_path / "alone.py").write_text(ran.out, encoding="utf-8")
    shown = _python(tmp_path / "alone.py")
    assert shown.returncode == 0, (ran.out, shown.stderr)
    assert "assert" in ran.out and shown.stdout
