"""Neither TensorFlow, nor Keras, nor what is linted is ever imported."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent
LINTED = """import pathlib
import keras
import tensorflow as tf
import helper

pathlib.Path({marker!r}).write_text("linted code ran")

def loss(y_true, y_pred):
    return helper.reduce(tf.square(y_true - y_pred))

model = keras.Sequential()
model.compile(loss=loss)
"""


@pytest.mark.parametrize(
    "arguments",
    [
        ["check", "train.py"],
        ["check", ".", "--jobs", "2"],
        ["facts", "train.py"],
        ["explain", "LL302"],
        ["rules", "--format", "json"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_nothing_foreign_is_imported(tmp_path: Path, arguments: list[str]) -> None:
    marker, poison, work = tmp_path / "marker", tmp_path / "poison", tmp_path / "work"
    poisoned = f"import pathlib\npathlib.Path({str(marker)!r}).write_text(__name__)\n"
    for package in ("tensorflow", "keras", "tf_keras", "numpy", "torch"):
        (poison / package).mkdir(parents=True)
        (poison / package / "__init__.py").write_text(poisoned)
    work.mkdir()
    (work / "train.py").write_text(LINTED.format(marker=str(marker)))
    (work / "helper.py").write_text(
        poisoned + "import tensorflow as tf\n\ndef reduce(x):\n    return tf.reduce_mean(x)\n"
    )
    # the working folder is on the path, as it is for "python -m"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(poison), str(REPOSITORY), str(work)])}
    ran = subprocess.run(
        [sys.executable, "-m", "losslint", *arguments], cwd=work, env=environment, capture_output=True, text=True
    )
    assert ran.returncode in (0, 1), ran.stderr
    assert ran.stdout
    assert not marker.exists(), marker.read_text()


def test_what_costs_time_is_imported_only_where_it_is_needed(tmp_path: Path) -> None:
    (tmp_path / "plain.py").write_text("x = 1\n")
    code = "import sys; from losslint.cli import main\ntry: main(['check', 'plain.py'])\nexcept SystemExit: print(*sys.modules)"
    ran = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(ran.stdout.split())
    assert not loaded & {"libcst", "rich", "tensorflow", "numpy", "losslint.engine"}
