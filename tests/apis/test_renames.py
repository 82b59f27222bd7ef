"""Every rename leads to a name that is there, and that computes the same where both can be run."""

from __future__ import annotations

import importlib
import inspect
from typing import Any

import numpy as np
import pytest

from losslint.apis import renames
from losslint.apis.tables import ask, load
from losslint.targets import Target

BY_HAND = sorted(renames._BY_HAND)
GENERATED = sorted(load().renames)


def at(path: str) -> Any:
    first, *names = path.split(".")
    value = importlib.import_module(first)
    for name in names:
        value = getattr(value, name)
    return value


def is_known(name: str) -> bool:
    answer = ask(name, Target())
    return answer is not None and answer.missing is None


@pytest.mark.parametrize("old", BY_HAND)
def test_renames_lead_from_nothing_to_something(old: str) -> None:
    out = renames.way_out(old, Target())
    assert not is_known(old) and out.name == renames._BY_HAND[old] and is_known(out.name)


def test_generated_renames_do_as_well() -> None:
    assert len(GENERATED) > 200
    for old in GENERATED:
        assert not is_known(old) and is_known(load().renames[old]), old


X = np.array([[0.2, 0.5, 0.3], [0.6, 0.1, 0.3]], np.float32)
Y = np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]], np.float32)
TWO = (
    "maximum minimum equal not_equal greater greater_equal less less_equal pow binary_crossentropy categorical_crossentropy multiply "
    "mul sub div logcosh log_cosh kl_divergence"
).split()
ARGUMENTS: dict[str, tuple[Any, ...]] = {
    **dict.fromkeys(TWO, (Y, X)),
    "div": (X, X + 1),
    "arange": (5,),
    "cast": (X, "float64"),
    "clip": (X, 0.25, 0.4),
    "dot": (X, X.T),
    "eye": (3,),
    "expand_dims": (X, -1),
    "one_hot": (np.array([0, 2]), 3),
    "ones": ((2, 3),),
    "zeros": ((2, 3),),
    "reshape": (X, (3, 2)),
    "sparse_categorical_crossentropy": (np.array([1, 0]), X),
    "squeeze": (X[:, :1], 1),
    "stack": ([X, Y],),
    "pack": ([X, Y],),
    "concatenate": ([X, Y], -1),
    "cumsum": (X, 0),
    "cumprod": (X, 0),
    "argmax": (X, -1),
    "argmin": (X, -1),
    "arg_max": (X, -1),
    "arg_min": (X, -1),
    "tile": (X, (2, 1)),
    "permute_dimensions": (X, (1, 0)),
    "repeat_elements": (X, 2, 1),
    "softmax_cross_entropy_with_logits_v2": (Y, X),
    "all": (X > 0.15,),
    "any": (X > 0.55,),
    "map_fn": (lambda v: v * 2, X),
}
RANDOM = {"random_normal", "random_uniform", "truncated_normal"}
WITHOUT = {"select", "unpack", "batch_matmul"}  # gone from tf.compat.v1 as well


@pytest.mark.tf
@pytest.mark.parametrize("old", [o for o in BY_HAND if o.rpartition(".")[2] not in RANDOM | WITHOUT])
def test_both_compute_the_same(old: str) -> None:
    short = old.rpartition(".")[2]
    before = old.replace("keras.backend", "tf_keras.backend") if old.startswith("keras.backend") else ""
    before = before or old.replace("tensorflow.keras", "tf_keras").replace("tensorflow.", "tensorflow.compat.v1.")
    new = at(renames._BY_HAND[old])
    try:
        function = at(before)
    except AttributeError:
        pytest.skip(f"there is no {before} any more")
    import tensorflow as tf

    arguments = tf.nest.map_structure(
        lambda a: tf.constant(a) if isinstance(a, np.ndarray) else a, ARGUMENTS.get(short, (X,))
    )
    first, second = (np.asarray(f(*arguments)) for f in (function, new))
    assert first.shape == second.shape
    np.testing.assert_allclose(first, second, rtol=1e-5, atol=1e-6)


EDGES = np.array([[0.0, 1.0, 0.5], [1.0, 1e-9, 1.0 - 1e-9], [1e-4, 0.0, 1.0]])
LOSSES = "binary_crossentropy categorical_crossentropy sparse_categorical_crossentropy".split()


@pytest.mark.tf
@pytest.mark.parametrize("from_logits", [False, True])
@pytest.mark.parametrize("short", LOSSES)
def test_losses_are_the_same_at_their_edges_or_said_to_differ(short: str, from_logits: bool) -> None:
    labels = np.array([0, 2, 1]) if short.startswith("sparse") else np.eye(3)[[0, 2, 1]]
    old, new = at(f"tf_keras.backend.{short}"), at(renames._BY_HAND[f"keras.backend.{short}"])
    first, second = (np.asarray(f(labels, EDGES, from_logits=from_logits)) for f in (old, new))
    differ = float(np.max(np.abs(first - second)))
    if from_logits or f"keras.backend.{short}" not in renames.OTHER_NUMBERS:
        assert differ <= 1e-6
    else:
        assert differ == pytest.approx(np.log(2.0), abs=1e-3)


@pytest.mark.tf
def test_generated_renames_are_the_same_object() -> None:
    import tensorflow as tf

    seen = 0
    for old, new in load().renames.items():
        if not old.startswith("tensorflow.keras") and old.startswith("tensorflow."):
            path = old.removeprefix("tensorflow.")
            if path.split(".")[0] in ("layers", "keras", "losses", "metrics", "optimizers", "initializers"):
                continue
            owner: Any = tf.compat.v1
            for name in path.split("."):
                owner = getattr(owner, name)
            assert inspect.unwrap(owner) is inspect.unwrap(at(new)), old
            seen += 1
    assert seen > 150
