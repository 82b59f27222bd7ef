"""``tf.random``: what is drawn carries no gradient; only its bounds are known."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from typing import Any

from losslint.graph import Graph, Node, Unknown
from losslint.ops.axes import batched, constant_of, opaque_row, row, unknown
from losslint.ops.dtypes import dtype_of
from losslint.ops.registry import api
from losslint.ops.shapevalue import shape_argument


def _number(value: Any) -> float | None:
    constant = constant_of(value)
    return float(constant) if isinstance(constant, (int, float)) else None


def drawn(g: Graph, shape: Any, low: float | None, high: float | None, dtype: Any) -> Node:
    """A random tensor with values in [low, high]."""
    return g.op("random", low=low, high=high, shape=shape_argument(g, shape), dtype=dtype_of(dtype) or "float32")


@api("tensorflow.random.normal", "tensorflow.random_normal")
def normal(
    g: Graph, shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = "float32", seed: Any = None, name: Any = None
) -> Node:
    """Normally distributed."""
    return drawn(g, shape, None, None, dtype)


@api("tensorflow.random.stateless_normal")
def stateless_normal(
    g: Graph,
    shape: Any,
    seed: Any,
    mean: Any = 0.0,
    stddev: Any = 1.0,
    dtype: Any = "float32",
    name: Any = None,
    alg: Any = None,
) -> Node:
    """Normally distributed, from a seed."""
    return drawn(g, shape, None, None, dtype)


@api("tensorflow.random.truncated_normal", "tensorflow.truncated_normal")
def truncated_normal(
    g: Graph, shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = "float32", seed: Any = None, name: Any = None
) -> Node:
    """Normally distributed, at most two standard deviations from the mean."""
    center, spread = _number(mean), _number(stddev)
    known = center is not None and spread is not None
    low, high = (center - 2 * spread, center + 2 * spread) if known else (None, None)  # type: ignore[operator]
    return drawn(g, shape, low, high, dtype)


@api("tensorflow.random.uniform", "tensorflow.random_uniform")
def uniform(
    g: Graph,
    shape: Any,
    minval: Any = 0,
    maxval: Any = None,
    dtype: Any = "float32",
    seed: Any = None,
    name: Any = None,
) -> Node:
    """Uniformly distributed in [minval, maxval)."""
    return drawn(g, shape, _number(minval), 1.0 if maxval is None else _number(maxval), dtype)


@api("tensorflow.random.stateless_uniform")
def stateless_uniform(
    g: Graph,
    shape: Any,
    seed: Any,
    minval: Any = 0,
    maxval: Any = None,
    dtype: Any = "float32",
    name: Any = None,
    alg: Any = None,
) -> Node:
    """Uniformly distributed in [minval, maxval), from a seed."""
    return drawn(g, shape, _number(minval), 1.0 if maxval is None else _number(maxval), dtype)


def _bounded(low: float | None, high: float | None) -> Callable[..., Node]:
    """A distribution whose parameters only decide within which fixed bounds values fall."""

    def expansion(g: Graph, shape: Any, *args: Any, dtype: Any = "float32", **kwargs: Any) -> Node:
        return drawn(g, shape, low, high, dtype)

    return expansion


row("random.stateless_poisson random.stateless_binomial", _bounded(0.0, None))
row("random.gamma random_gamma random.stateless_gamma", _bounded(sys.float_info.min, None))  # never 0
row("random.stateless_truncated_normal random.stateless_parameterized_truncated_normal", _bounded(None, None))


@api("tensorflow.random.poisson", "tensorflow.random_poisson")
def poisson(g: Graph, shape: Any, lam: Any, dtype: Any = "float32", seed: Any = None, name: Any = None) -> Node:
    """Poisson distributed."""
    return g.op("random", low=0.0, high=None, dtype=dtype_of(dtype) or "float32")


@api(
    "tensorflow.random.categorical",
    "tensorflow.multinomial",
    "tensorflow.random.multinomial",
    "tensorflow.random.stateless_categorical",
)
def categorical(
    g: Graph,
    logits: Any,
    num_samples: Any,
    dtype: Any = None,
    seed: Any = None,
    name: Any = None,
    *,
    output_dtype: Any = None,
) -> Node:
    """Class numbers, drawn for each row."""
    first = g.lift(logits).shape.axis(0)
    shape = (first, num_samples) if first is not None else Unknown()
    return g.op("random", low=0.0, high=math.inf, shape=shape, dtype="int64")


@api("tensorflow.random.shuffle", "tensorflow.random_shuffle")
def shuffle(g: Graph, value: Any, seed: Any = None, name: Any = None) -> Node:
    """The rows in another order; TensorFlow has no gradient for that."""
    x = g.lift(value)
    first = x.shape.axis(0)
    with g.library():
        order = g.op(
            "random", low=0.0, high=math.inf, shape=(first,) if first is not None else Unknown(), dtype="int64"
        )
        return batched(g.op("gather", g.op("stop_gradient", x), order, axis=0), x.shape)


@api("tensorflow.random_crop")
def random_crop(g: Graph, value: Any, size: Any, seed: Any = None, name: Any = None) -> Node:
    """A part of the tensor, from anywhere."""
    return unknown(g, "a random part", value, size)


@api("tensorflow.random.set_seed", "tensorflow.set_random_seed", "tensorflow.random.set_random_seed")
def set_seed(g: Graph, seed: Any) -> None:
    """Fixes what is drawn."""


opaque_row(
    "random numbers that are not followed",
    "random.log_uniform_candidate_sampler random.uniform_candidate_sampler random.all_candidate_sampler "
    "random.fixed_unigram_candidate_sampler random.learned_unigram_candidate_sampler random.split random.fold_in "
    "random_index_shuffle random.create_rng_state",
)
