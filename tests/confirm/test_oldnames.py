"""What stands in for names that are gone, among packages that are made up: the real ones take seconds to import."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from losslint.confirm import oldnames
from losslint.confirm.oldnames import OldNames


def module(name: str, **members: Any) -> ModuleType:
    made = ModuleType(name)
    made.__dict__.update(members)
    return made


def called(name: str) -> Callable[..., str]:
    def function(x: object, axis: object = None, keepdims: bool = False) -> str:
        return name

    return function


def old_reduce_sum(x: object, axis: object = None, keep_dims: bool = False) -> str:
    return "of version 1"


@pytest.fixture
def packages(monkeypatch: pytest.MonkeyPatch) -> dict[str, ModuleType]:
    """The modules that can be imported."""
    v1 = module("v1", log=called("v1.log"), reduce_sum=old_reduce_sum, zeros=len)
    losses, layers = module("losses", mse=called("mse")), module("layers", Dense=called("Dense"))
    keras = module("keras", losses=losses, layers=layers, backend=module("backend", mean=called("K.mean")))
    tensorflow = module(
        "tensorflow",
        compat=module("compat", v1=v1),
        math=module("math", log=called("math.log"), square=called("square")),
        reduce_sum=called("reduce_sum"),
        zeros=len,
        keras=keras,
        __version__="2.21",
    )
    found = {
        "tensorflow": tensorflow,
        "keras": module("keras", backend=module("backend"), losses=losses, layers=layers),
        "keras.losses": losses,
        "keras.layers": layers,
        "keras.backend": module("backend"),
        "numpy": module("numpy", float64=float, random=module("random")),
    }
    monkeypatch.setattr(oldnames, "_import", found.get)
    return found


def provided(packages: dict[str, ModuleType], text: str) -> OldNames:
    names = OldNames(packages.get)
    names.provide(ast.parse(text))
    return names


def test_names_and_keywords_of_tensorflow_1(packages: dict[str, ModuleType]) -> None:
    text = "import tensorflow as tf\ndef f(x):\n    return tf.reduce_sum(tf.log(x), keep_dims=True) + tf.log(x)\n"
    names = provided(packages, text)
    assert names.shims == ["tf.log ran as tf.compat.v1.log", "tf.reduce_sum ran as tf.compat.v1.reduce_sum"]
    assert packages["tensorflow"].log(1) == "v1.log" and packages["tensorflow"].reduce_sum(1) == "of version 1"
    assert names.replaced["tensorflow.log"] is None
    assert names.replaced["tensorflow.reduce_sum"](1) == "reduce_sum", "what stood there can be put back"


@pytest.mark.parametrize(
    "call",
    [
        "tf.reduce_sum(x, keepdims=True)",
        "tf.reduce_sum(x, axes=1)",  # neither of them takes that
        "tf.math.square(x, keep_dims=True)",
        "tf.zeros(x, dtype=1)",  # nothing tells what it takes
        "tf.__version__(x, keep_dims=True)",
        "tf.compat.v1.reduce_sum(x, keep_dims=True)",
        "tf.nothing.at_all(x, keep_dims=True)",
        "other.reduce_sum(x, keep_dims=True)",
        "f().reduce_sum(x, keep_dims=True)",
    ],
)
def test_calls_that_mean_what_they_say(call: str, packages: dict[str, ModuleType]) -> None:
    assert provided(packages, f"import tensorflow as tf\n{call}\n").shims == []


def test_names_of_keras(packages: dict[str, ModuleType]) -> None:
    text = "from keras import backend as K\nimport keras\nK.mean(x) + keras.backend.square(x)\nk = K.tf\n"
    names = provided(packages, text)
    assert set(names.shims) == {
        "keras.backend.mean ran as tf.keras.backend.mean",
        "keras.backend.square ran as tf.math.square",
        "keras.backend.tf ran as tf",
    }
    assert packages["keras.backend"].tf is packages["tensorflow"]


def test_an_assignment_is_another_name(packages: dict[str, ModuleType]) -> None:
    names = provided(packages, "import tensorflow\nm = tensorflow.keras\nm.losses.mse, m.objectives.mse\n")
    assert names.shims == []  # objectives is a module: whoever imports it is told
    assert provided(packages, "x = 1\nx.log\n").shims == []


def test_numpy(packages: dict[str, ModuleType]) -> None:
    names = provided(packages, "import numpy as np\nnp.float(1) + np.nothing + np.random.float\n")
    assert names.shims == ["numpy.float ran as numpy.float64"] and packages["numpy"].float is float


@pytest.mark.parametrize(
    ("name", "found", "shims"),
    [
        ("keras.objectives", "keras.losses", ["keras.objectives ran as keras.losses"]),
        ("keras.layers.core", "keras.layers", ["keras.layers.core ran as keras.layers"]),
        ("keras.engine.topology", "keras.layers", ["keras.engine.topology ran as keras.layers"]),
        ("keras.backend.tensorflow_backend", "keras.backend", ["keras.backend.tensorflow_backend ran as keras.backend"]),
        ("keras.legacy.interfaces", "", []),
        ("keras.utils.np_utils", "", []),
        ("keras.losses", "", []),
        ("somewhere", "", []),
    ],
)  # fmt: skip
def test_modules_that_are_gone(name: str, found: str, shims: list[str], packages: dict[str, ModuleType]) -> None:
    names = OldNames(packages.get)
    assert names.module(name) is packages.get(found) and names.shims == shims


def test_a_module_that_a_package_no_longer_has(packages: dict[str, ModuleType]) -> None:
    names = OldNames(packages.get)
    assert names.member(packages["keras"], "keras", "objectives") is packages["keras.losses"]
    assert packages["keras"].objectives is packages["keras.losses"]
    assert names.member(packages["keras"], "keras", "nothing") is None


@pytest.mark.parametrize(
    ("variable", "installed", "meant"), [("1", True, "tf_keras.losses"), ("1", False, ""), ("", True, "")]
)
def test_keras_2_is_a_package_of_its_own(
    variable: str, installed: bool, meant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TF_USE_LEGACY_KERAS", variable)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: installed or None)
    assert oldnames.meant_by("keras.losses") == (meant or "keras.losses")
    assert oldnames.meant_by("tensorflow.keras") == "tensorflow.keras"


def test_a_lazy_module_that_cannot_load_what_it_promises() -> None:
    class Lazy(ModuleType):
        def __getattr__(self, name: str) -> Any:
            raise ImportError(name)

    assert oldnames._get(Lazy("lazy"), "anything") is None
