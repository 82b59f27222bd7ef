"""Renaming, extracting, reordering and wrapping change nothing of what is found."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter

import pytest

from tests import metamorphic
from tests.rule_pages import ROOT

UNSOUND = ROOT / "fixtures" / "unsound"
FEW = ("arguments.py", "batch_laws.py", "cut_gradients.py", "numerics.py")
CHANGES = {*metamorphic.SAME_FUNCTIONS, *metamorphic.OTHER_FUNCTIONS}


@pytest.mark.parametrize("name", FEW)
def test_what_is_found_does_not_depend_on_how_it_is_written(name: str) -> None:
    path = UNSOUND / name
    text = path.read_text(encoding="utf-8")
    found = dict(metamorphic.differences(text, path))
    assert len(found) >= 5 and found.keys() <= CHANGES
    assert {change: told for change, told in found.items() if told} == {}


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(p.relative_to(UNSOUND.parent).as_posix() for p in UNSOUND.parent.rglob("*.py")))
def test_nor_does_it_anywhere(name: str) -> None:
    path = UNSOUND.parent / name
    found = metamorphic.differences(path.read_text(encoding="utf-8"), path)
    assert [(change, told) for change, told in found if told] == []


@pytest.mark.parametrize("length", [40, 100])
def test_nor_on_the_layout(length: int) -> None:
    path = UNSOUND / "numerics.py"
    text = metamorphic.plain(path.read_text(encoding="utf-8"))
    command = [sys.executable, "-m", "ruff", "format", "--isolated", f"--line-length={length}", "-"]
    laid_out = subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout
    assert laid_out != text
    assert metamorphic.findings(laid_out, path, True) == metamorphic.findings(text, path, True) != Counter()


def test_the_changes_change_what_they_say() -> None:
    text = "import numpy as np\n\ndef f(x):\n    a = x + 1\n    b = x * 2\n    return a + b + np.pi\n"
    changes = metamorphic.SAME_FUNCTIONS | metamorphic.OTHER_FUNCTIONS
    made = {name: after for name, change in changes.items() if (after := change(text)) != metamorphic.plain(text)}
    assert len(made) >= 6
    for after in made.values():
        spaces: dict[str, dict[str, object]] = {"before": {}, "after": {}}
        exec(text, spaces["before"])
        exec(after, spaces["after"])
        assert after != text and spaces["before"]["f"](3) == spaces["after"]["f"](3)  # type: ignore[operator]
    assert "a_2 + b_2" in made["variables renamed"] and "import numpy as np_2" in made["modules renamed"]
    assert made["assignments swapped"].index("b =") < made["assignments swapped"].index("a =")
    assert "def combined_" in made["helpers extracted"] and "f = make_f_()" in made["made by factories"]


def test_the_other_changes_do_so_too() -> None:
    text = (
        "import tensorflow as tf\nfrom keras import backend as K\n\ndef half(x):\n    return tf.abs(x) / 2\n\n"
        "def my_loss(y_true, y_pred):\n    d = y_true - y_pred\n    return K.mean(tf.math.log(half(d)))\n"
    )
    assert "tf.math.abs(x)" in metamorphic.synonyms(text)
    assert "math_2.log(" in (made := metamorphic.imported(text)) and "from tensorflow import math as math_2" in made
    assert "tf_2.reduce_mean(" in (made := metamorphic.of_tensorflow(text)) and "import tensorflow as tf_2" in made
    assert "tf.math.log(tf.abs(d) / 2)" in (made := metamorphic.inlined(text)) and "def half" not in made
    assert "class my_loss(tf.keras.losses.Loss):\n\n    def call(self, y_true, y_pred):" in metamorphic.methods(text)
