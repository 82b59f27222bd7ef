"""Scripts that show a finding by themselves, run in a process that knows nothing of losslint."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

import losslint
from losslint.confirm.loader import Loader
from losslint.confirm.repro import literal, script
from tests.confirm.test_loader import bundle, make

Y = {"dtype": "float32", "value": [[0.0], [1.0]]}
P = {"dtype": "float32", "value": [[0.10000000149011612], [0.0]]}


def made(text: str, target: str, call: Any = None, **others: str) -> str:
    """The script for ``target``, all that it needs having run once."""
    loader = Loader(bundle(text, **others))
    loader.resolve(target, make)(*([1.0, 2.0] if call is None else call))
    inputs, main = {"y": Y, "p": P}, loader.scope.file.path
    return script(loader.executed, loader.recipe, inputs, main=main, mode={"autograph": False}, shims=loader.shims)


def test_one_file() -> None:
    text = made(
        """
        import math, cv2
        EPS = 1e-7  # small
        def helper(x):
            return x + EPS if cv2 is not None else x
        def loss(y, p):
            '''Of two.'''
            return math.pi * helper(y - p)
        """,
        "loss",
    )
    ast.parse(text)
    assert "EPS = 1e-7  # small\n" in text and "'''Of two.'''" in text
    assert "cv2 = None  # not imported: import cv2" in text
    assert 'p = tf.constant(np.array([[0.1], [0.0]], dtype="float32"))' in text
    assert "loss = tf.function(loss, autograph=False)" in text
    assert "losslint" not in text


def test_files_become_one() -> None:
    files = {"pkg__init": "from .math import safe\n", "pkg__math": "TINY = 3\ndef safe(x):\n    return x + TINY\n"}
    text = made(
        "import pkg.math as m\nfrom pkg import safe as guarded\ndef loss(y, p):\n    return guarded(y) + m.TINY\n",
        "loss",
        **files,
    )
    assert "guarded = safe" in text and "m = Names()" in text and "from" not in text.split("import tensorflow")[1]


def test_names_that_clash_stay_in_their_files() -> None:
    text = made(
        "from one import f\nEPS = 1\ndef loss(y, p):\n    return f(y) + EPS\n",
        "loss",
        one="EPS = 2\ndef f(x):\n    return x + EPS\n",
    )
    assert "folder / 'sources/one.py'" in text and "from sources.losses import EPS, f, loss" in text


@pytest.mark.parametrize(
    ("target", "recipe"),
    [
        ("make.<locals>.inner", "make(alpha=0.5)"),
        ("hidden.<locals>.inner", ""),
        ("C.call", "C(rate=0.5).call"),
        ("C.s", "C.s"),
        ("Bare.call", ""),
        ("plain", "plain"),
    ],
)
def test_recipes(target: str, recipe: str) -> None:
    text = """
    def make(alpha, beta=1):
        def inner(): return alpha
        return inner
    def hidden():
        def inner(): return 1
        return inner()
    class C:
        def __init__(self, rate): self.rate = rate
        def call(self): return self.rate
        @staticmethod
        def s(): return 2
    class Bare:
        def __init__(self, no_way): pass
        def call(self): return 2
    def plain(): return 1
    """
    loader = Loader(bundle(text))
    loader.resolve(target, make)
    assert loader.recipe == recipe


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1, "1"),
        (0.1, "0.1"),
        ("sum", "'sum'"),
        (None, "None"),
        ([1.0, float("inf")], "[1.0, np.inf]"),
        ({"dtype": "int32", "value": [1, 2]}, 'tf.constant(np.array([1, 2], dtype="int32"))'),
        ({"dtype": "float64", "value": 0.1}, 'tf.constant(np.array(0.1, dtype="float64"))'),
        ({"dtype": "float32", "value": 1e-30}, 'tf.constant(np.array(1e-30, dtype="float32"))'),
        ({"dtype": "float32", "value": float("nan")}, 'tf.constant(np.array(np.nan, dtype="float32"))'),
        ({"dtype": "bool", "value": [True]}, 'tf.constant(np.array([True], dtype="bool"))'),
        ({"dtype": "bfloat16", "value": [0.5]}, 'tf.cast(np.array([0.5], dtype="float32"), "bfloat16")'),
    ],
)
def test_literals(value: Any, expected: str) -> None:
    assert literal(value) == expected


def test_long_literals_are_wrapped() -> None:
    text = literal({"dtype": "float32", "value": [[i + 0.5 for i in range(60)]]})
    assert max(map(len, text.splitlines())) <= 100 and ast.parse(text)


# -- with TensorFlow -------------------------------------------------------------------------------------------------

MAKE = """
import json, sys
sys.path.insert(0, {root!r})
from losslint.confirm.inline import inline
from losslint.confirm.jobs import Place, Step
from losslint.confirm.loader import Loader
from losslint.confirm.repro import script
from tests.confirm.test_loader import bundle, make
import numpy as np, tensorflow as tf
files = {files!r}
loader = Loader(bundle(files.pop("main"), **files))
y, p = np.array([[0.0], [1.0]], "float32"), np.array([[0.1], [0.0]], "float32")
{code}
try:
    function(tf.constant(y), tf.constant(p))
except tf.errors.InvalidArgumentError:
    pass
print(script(loader.executed, loader.recipe, {inputs}, main=loader.scope.file.path, source=loader.source, mode={mode!r},
    header=["what it shows"], checks="assert not np.isfinite(value)", shims=loader.shims))
"""


def run(folder: Path, code: str, mode: Any, files: dict[str, str], inputs: str = '{"y": y, "p": p}') -> str:
    """What the script prints that a loader in one process makes and another process runs."""
    root = losslint.__file__.rsplit("/", 2)[0]
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
    maker = MAKE.format(root=root, files=files, code=textwrap.dedent(code), mode=mode, inputs=inputs)
    first = subprocess.run([sys.executable, "-c", maker], capture_output=True, text=True, env=environment)
    assert first.returncode == 0, first.stderr[-2000:]
    (folder / "repro.py").write_text(first.stdout)
    second = subprocess.run([sys.executable, "repro.py"], capture_output=True, text=True, env=environment, cwd=folder)
    assert second.returncode == 0, first.stdout + second.stderr[-2000:]
    return second.stdout


@pytest.mark.tf
def test_a_script_with_a_helper_runs(tmp_path: Path) -> None:
    files = {
        "main": """
        import keras.backend as K
        import tensorflow as tf
        from helpers import negative_log
        WEIGHT = tf.constant(2.0)
        def made(alpha):
            def loss(y_true, y_pred):
                total = 0.0
                for _ in tf.range(2):
                    total += K.mean(alpha * WEIGHT * y_true * negative_log(y_pred))
                return total
            return loss
        """,
        "helpers": "import tensorflow as tf\ndef negative_log(x):\n    return -tf.log(x)\n",
    }
    printed = run(
        tmp_path, 'function = tf.function(loader.resolve("made.<locals>.loss", make))', {"autograph": True}, files
    )
    assert "value: inf" in printed and "gradient with respect to p: [[" in printed and "-inf" in printed


@pytest.mark.tf
def test_the_script_of_an_inline_loss_runs(tmp_path: Path) -> None:
    main = """
    import tensorflow as tf
    from helpers import negative_log
    class Trainer:
        def __init__(self, rate): self.rate = rate
        def step(self, model, x, y):
            with tf.GradientTape() as tape:
                p = model(x)
                loss = self.rate * tf.reduce_mean(y * negative_log(p))
            return tape.gradient(loss, model.weights)
    """
    code = """
    step = Step("Trainer.step", Place(10, 30, 10, 34), (Place(8, 17, 8, 25),))
    function = loader.resolve_inline(inline(loader.scope.tree, step, loader.scope.file.text), make)
    """
    files = {"main": main, "helpers": "import tensorflow as tf\ndef negative_log(x):\n    return -tf.math.log(x)\n"}
    assert "value: inf" in run(tmp_path, code, {"jit_compile": True}, files)
    assert "value: inf" in run(tmp_path, code, None, files)


@pytest.mark.tf
def test_a_script_with_clashing_names_runs(tmp_path: Path) -> None:
    files = {
        "main": """
        import tensorflow as tf
        from pkg.helpers import log
        EPS = 1.0
        def loss(y, p): return EPS * tf.reduce_sum(log(p))
        """,
        "pkg__helpers": "import tensorflow as tf\nfrom .eps import EPS\ndef log(x):\n    return tf.math.log(x + EPS)\n",
        "pkg__eps": "EPS = 0.0\n",
    }
    assert "value: -inf" in run(tmp_path, 'function = loader.resolve("loss", make)', {}, files)
