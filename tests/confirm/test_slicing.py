"""What a bundle holds, and the step of an inline loss."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from losslint.confirm import slicing
from losslint.confirm.jobs import Bundle, Job
from losslint.frontend.module import Module
from losslint.frontend.project import Project
from tests.traced import every


def tree(folder: Path, files: dict[str, str], main: str) -> Bundle:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
    project = Project()
    module = project.load(folder / main)
    assert module is not None
    return slicing.bundle(module, project)


def test_only_what_is_reached(tmp_path: Path) -> None:
    files = {
        "losses.py": "import tensorflow as tf\nfrom helpers import safe\ndef loss(y, p):\n    return safe(y - p)\n",
        "helpers.py": "import deep\nfrom training import train\ndef safe(x):\n    return deep.value(x)\n",
        "deep.py": "def value(x):\n    return x\n",
        "training.py": "def train():\n    pass\n",
        "unrelated.py": "",
    }
    found = tree(tmp_path, files, "losses.py")
    assert found.main == "losses"
    assert sorted(found.files) == ["deep", "helpers", "losses"]
    assert found.files["deep"].text == files["deep.py"]
    assert Job.from_json(Job(found, "loss").to_json()).bundle == found


def test_packages_and_relative_imports(tmp_path: Path) -> None:
    files = {
        "pkg/__init__.py": "from .losses import *\n",
        "pkg/losses/__init__.py": "",
        "pkg/losses/dice.py": "from ..math import safe\nfrom . import base\nfrom .base import K\n",
        "pkg/losses/base.py": "from pkg.config import K\n",
        "pkg/math.py": "def safe(x):\n    return x\n",
        "pkg/config.py": "K = 1\n",
    }
    found = tree(tmp_path, files, "pkg/losses/dice.py")
    assert found.main == "pkg.losses.dice"
    expected = {"pkg.losses.dice", "pkg.losses.base", "pkg.losses", "pkg.math", "pkg", "pkg.config"}
    assert set(found.files) <= expected and {"pkg.losses.base", "pkg.math", "pkg.config"} <= set(found.files)
    assert all(file.package == (key in ("pkg", "pkg.losses")) for key, file in found.files.items())


def test_relative_imports_without_a_package(tmp_path: Path) -> None:
    found = tree(tmp_path, {"a/b/losses.py": "from ..util import f\n", "a/util.py": "f = 1\n"}, "a/b/losses.py")
    assert found.main.endswith("a.b.losses") and f"{found.main[: -len('b.losses')]}util" in found.files


def test_cycles_and_stars(tmp_path: Path) -> None:
    files = {"a.py": "from b import *\ndef f():\n    return g()\n", "b.py": "import a\ndef g():\n    return a.f()\n"}
    assert sorted(tree(tmp_path, files, "a.py").files) == ["a", "b"]


def test_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slicing, "MAX_FILES", 3)
    files = {f"m{i}.py": f"from m{i + 1} import x\n" for i in range(9)}
    assert list(tree(tmp_path, files, "m0.py").files) == ["m0", "m1", "m2"]


@pytest.mark.parametrize(
    "text", ["", "from . import x\n", "from .... import y\nfrom ....z import w\n", "import " + "a" * 300 + "\n"]
)
def test_odd_input(text: str) -> None:
    module = Module("nowhere/losses.py", text)
    found = slicing.bundle(module, Project())
    assert found.files[found.main].text == text


def test_the_step_of_an_inline_loss() -> None:
    source = """
    def step(model, x, y):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(y - model(x, training=True)))
        return tape.gradient(loss, model.trainable_variables)
    """
    (loss,) = every(source, path="steps.py")
    step = slicing.step_of(loss)
    assert step is not None and step.function == "step"
    assert step.target.row == 8
    assert [(p.row, p.column, p.end_column) for p in step.models] == [(7, 45, 68)]


def test_a_function_is_no_step() -> None:
    (loss,) = every("def loss(y_true, y_pred):\n    return tf.reduce_mean(y_true - y_pred)\n")
    assert slicing.step_of(loss) is None
