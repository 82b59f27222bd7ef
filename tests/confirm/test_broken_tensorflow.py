"""A TensorFlow that cannot be used: the cause and the way out are said, and what was found is not lost.

The packages are made up, so no TensorFlow is needed here.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from losslint.confirm import pool as pools
from losslint.confirm.pool import CannotStart, Pool
from tests.confirm.field import RUNNER, linux

REPOSITORY = Path(__file__).parents[2]
LOSS = """import tensorflow as tf


def nll_loss(y_true, y_pred):
    return -tf.reduce_sum(y_true * tf.math.log(y_pred), axis=-1)
"""
LAZY_KERAS = """
__version__ = "{version}"

def __getattr__(name):
    import keras
    return keras
"""
ANEW = "pip install --force-reinstall tensorflow"
KERAS = "pip install --upgrade keras"
CASES = {
    "raises ImportError": ("raise ImportError('libcudart.so.12: no such file')", "", ("libcudart.so.12", ANEW)),
    "raises anything else": ("raise RuntimeError('built for another NumPy')", "", ("another NumPy", ANEW)),
    "leaves": ("import sys; sys.exit('go away')", "", ("SystemExit: go away", ANEW)),
    "ends the process": ("import os; os.write(2, b'bye'); os._exit(3)", "", ("status 3", "bye", ANEW)),
    "segfaults": ("import ctypes; ctypes.string_at(0)", "", ("SIGSEGV", ANEW)),
    "is a rest of one": ("", "", ("no attribute '__version__'", ANEW)),
    "is too old": ("__version__ = '2.9.3'", "", ("2.9.3 is too old", "'tensorflow>=2.16'")),
    "is much too old": ("__version__ = '1.15.5'", "", ("1.15.5 is too old", "'tensorflow>=2.16'")),
    "Keras fails": (
        LAZY_KERAS.format(version="2.17.0"),
        "raise ImportError(\"cannot import name 'x' from 'tensorflow'\")",
        ("TensorFlow 2.17.0 cannot use the keras", "cannot import name 'x'", KERAS),
    ),
    "Keras is too old": (
        LAZY_KERAS.format(version="2.21.0"),
        "__version__ = '2.4.0'",
        ("cannot use the keras", "has no attribute 'losses'", KERAS),
    ),
    "Keras is missing": (
        LAZY_KERAS.format(version="2.20.0").replace("import keras", "import no_keras_here"),
        "",
        ("TensorFlow 2.20.0 cannot use the keras", "No module named 'no_keras_here'", KERAS),
    ),
}  # fmt: skip


def broken(folder: Path, tensorflow: str, keras: str = "") -> dict[str, str]:
    """The environment in which TensorFlow and Keras are packages with these texts."""
    site = folder / "site"
    for name, text in (("tensorflow", tensorflow), ("keras", keras)):
        (site / name).mkdir(parents=True)
        (site / name / "__init__.py").write_text(text, encoding="utf-8")
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(site), str(REPOSITORY)])}


def lint(folder: Path, environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    (folder / "losses.py").write_text(LOSS, encoding="utf-8")
    command = [sys.executable, "-P", "-m", "losslint", *arguments, "--device", "cpu", "losses.py"]
    if sys.version_info < (3, 11):
        command.remove("-P")
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)


@linux
@pytest.mark.parametrize("case", CASES)
def test_the_cause_and_the_way_out_are_said(tmp_path: Path, case: str) -> None:
    tensorflow, keras, words = CASES[case]
    environment = broken(tmp_path, tensorflow, keras)
    ran = lint(tmp_path, environment, "check", "--confirm", "--no-cache", "--output-format", "json")
    assert ran.returncode == 2, ran.stderr
    assert all(word in ran.stderr for word in words), ran.stderr
    assert ran.stderr.count("losslint: error:") == 1 and "Traceback" not in ran.stderr
    (found,) = json.loads(ran.stdout)
    assert (found["code"], found["verdict"]) == ("LL401", None), "what was found is not lost"


@linux
@pytest.mark.parametrize("arguments", [("confirm",), ("check", "--repro"), ("check", "--confirm", "--exit-zero")])
def test_every_command_that_runs_losses_says_so(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    environment = broken(tmp_path, *CASES["raises ImportError"][:2])
    ran = lint(tmp_path, environment, *arguments)
    assert ran.returncode == 2 and "libcudart.so.12" in ran.stderr and ANEW in ran.stderr
    assert "Traceback" not in ran.stderr
    assert ("LL401" in ran.stdout) == ("--exit-zero" in arguments)


@pytest.mark.parametrize("case", ["raises ImportError", "ends the process", "Keras fails", "is too old"])
def test_who_asks_for_devices_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    tensorflow, keras, words = CASES[case]
    monkeypatch.setenv("PYTHONPATH", broken(tmp_path, tensorflow, keras)["PYTHONPATH"])
    pools._probe.cache_clear()
    with pytest.raises(CannotStart) as raised:
        pools.devices()
    assert all(word in str(raised.value) for word in words)


@linux
@pytest.mark.parametrize("resident", [False, True])
def test_an_import_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, resident: bool) -> None:
    monkeypatch.setenv("PYTHONPATH", broken(tmp_path, "import time; time.sleep(600)")["PYTHONPATH"])
    monkeypatch.setattr(pools, "STARTUP", 1.0)
    pools._probe.cache_clear()
    with Pool(runner=RUNNER, resident=resident) as pool:
        for ask in (lambda: pool.run({}), pools.devices):
            with pytest.raises(CannotStart, match=r"could not be imported: no result after 1 s(.|\n)*force-reinstall"):
                ask()
