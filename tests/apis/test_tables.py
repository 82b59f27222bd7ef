"""The tables against the installed packages: both ways, name by name and keyword by keyword."""

from __future__ import annotations

import gzip
import inspect
import types
from collections.abc import Iterator
from typing import Any

import pytest

from losslint.apis.tables import PATH, ask, load
from losslint.targets import KERAS, TENSORFLOW, Target

NEWEST = Target()


def missing(name: str, target: Target = NEWEST, legacy: bool = False) -> bool | None:
    answer = ask(name, target, legacy)
    return None if answer is None else answer.missing is not None


def keywords(name: str, target: Target = NEWEST) -> frozenset[str] | None:
    answer = ask(name, target)
    assert answer is not None and answer.missing is None
    return answer.keywords


def test_the_newest_versions_are_those_of_the_targets() -> None:
    roots = load().roots
    assert roots["tensorflow"].versions[-1] == TENSORFLOW[-1]
    assert roots["keras"].versions[-1] == roots["tensorflow.keras"].versions[-1] == KERAS[-1]
    assert set(roots["tensorflow"].versions) <= set(TENSORFLOW) and set(roots["keras"].versions) <= set(KERAS)


def test_the_file_is_small_and_names_no_place() -> None:
    data = PATH.read_bytes()
    assert len(data) < 200_000
    text = gzip.decompress(data)
    assert b"/" not in text and b"http" not in text


def test_two_namespaces_of_losses() -> None:
    assert missing("tensorflow.keras.losses.mean_squared_error") and not missing("tensorflow.keras.losses.MSE")
    assert missing("keras.losses.MSE") and not missing("keras.losses.mean_squared_error")
    assert missing("keras.losses.Reduction") and not missing("tensorflow.keras.losses.Reduction")


def test_versions_differ() -> None:
    before = Target("2.15", "2.15")
    assert missing("tensorflow.keras.losses.mean_squared_error", before) is False
    assert missing("keras.losses.Reduction", before) is False
    assert missing("keras.ops.mean", before) and not missing("keras.ops.mean")
    assert missing("keras.losses.CategoricalGeneralizedCrossEntropy", Target("2.21", "3.3"))


def test_older_targets_and_private_modules_are_not_judged() -> None:
    assert missing("tensorflow.log", Target("1.15", "2.3")) is None
    assert missing("keras.losses.Reduction", Target("2.6", "2.6")) is None
    assert missing("tensorflow.log", Target(None, None)) is None
    assert missing("tensorflow.python.ops.math_ops.log") is None
    assert missing("keras.src.losses.losses.foo") is None
    assert missing("tensorflow.float32.foo") is None, "what objects have is not in the table"
    assert missing("tensorflow.compat.v1.keras.losses.foo") is None, "there is no Keras 1 API in Keras 3"


def test_old_names_of_tensorflow_1() -> None:
    for name in ("log", "to_float", "placeholder", "contrib.layers.flatten", "losses.log_loss", "nn.foo"):
        assert missing(f"tensorflow.{name}"), name
    for name in ("log", "to_float", "placeholder", "losses.log_loss"):
        assert missing(f"tensorflow.compat.v1.{name}") is False, name


def test_legacy_keras() -> None:
    assert missing("tensorflow.keras.losses.mean_squared_error", legacy=True) is False
    assert missing("tf_keras.losses.mean_squared_error") is False
    either = Target("2.21", "3.15", legacy=True)
    assert missing("tensorflow.keras.losses.mean_squared_error", either) is False
    assert missing("tensorflow.keras.losses.nothing", either)


def test_keywords() -> None:
    assert keywords("tensorflow.reduce_sum") == {"input_tensor", "axis", "keepdims", "name"}
    found = keywords("tensorflow.compat.v1.reduce_sum")
    assert found is not None and {"keep_dims", "reduction_indices"} <= found
    found = keywords("keras.losses.BinaryCrossentropy")
    assert found is not None and "reduction" in found and "self" not in found
    assert keywords("keras.layers.Dense") is None, "it takes any"


# -- the real packages -----------------------------------------------------------------------------------------------


def _got(owner: Any, name: str) -> Any:
    """``owner.name``; None where a lazy module cannot load what it promises."""
    try:
        return getattr(owner, name, None)
    except (ImportError, AttributeError):
        return None


def _public(root: str) -> Iterator[tuple[str, types.ModuleType]]:
    """The public modules of the table, below ``root`` and itself, with the real ones."""
    import importlib

    top = importlib.import_module(root.split(".")[0])
    table = load().roots[root]
    for path in table.modules:
        if path in ("compat.v1.layers", "compat.v1.nn.rnn_cell"):
            continue  # loaded from Keras 2, whatever their files say: Keras 3 cannot
        names = [*root.split(".")[1:], *filter(None, path.split("."))]
        owner: Any = top
        for name in names:
            owner = _got(owner, name)
        if owner is not None:
            yield path, owner


ROOTS = {"tensorflow": TENSORFLOW[-1], "tensorflow.keras": KERAS[-1], "keras": KERAS[-1], "tf_keras": TENSORFLOW[-1]}
LAZY = {"keras", "losses", "metrics", "optimizers", "initializers", "layers"}
PRIVATE = {"src", "api", "python", "core", "compiler", "protobuf", "security", "dtensor", "tools", "tsl"}


@pytest.mark.tf
@pytest.mark.parametrize("root", ROOTS)
def test_names_are_those_of_the_installed_package(root: str) -> None:
    table, version = load().roots[root], ROOTS[root]
    missing, unknown, seen = [], [], 0
    for path, module in _public(root):
        listed = {n for n in table.modules[path] if table.find(path, n, version) is not None}
        seen += len(listed)
        missing += [f"{path}.{n}" for n in listed - LAZY if not hasattr(module, n)]
        there = (
            {n for n in dir(module) if not n.startswith("_")}
            - PRIVATE
            - (LAZY if not path or path == "compat.v1" else set())
        )
        unknown += [f"{path}.{n}" for n in there - listed if _got(module, n) is not None]
    assert seen > 800
    assert missing == []
    assert unknown == []


@pytest.mark.tf
@pytest.mark.parametrize("root", ROOTS)
def test_keywords_are_those_of_the_installed_package(root: str) -> None:
    tables = load()
    table, wrong, seen = tables.roots[root], [], 0
    for path, module in _public(root):
        for name in table.modules[path]:
            number = table.find(path, name, ROOTS[root])
            if number is None or number < 0:
                continue
            try:
                parameters = inspect.signature(_got(module, name)).parameters.values()
            except (TypeError, ValueError):
                continue
            seen += 1
            real = {p.name for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD, p.POSITIONAL_ONLY)}
            if any(p.kind is p.VAR_KEYWORD for p in parameters) or real != tables.keywords[number]:
                wrong.append(f"{path}.{name}: {sorted(real ^ tables.keywords[number])}")
    assert seen > 400
    assert wrong == []
