"""Runs one case both ways and compares."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from losslint.domain.interval import Interval
from losslint.domain.shape import Dim, Shape
from losslint.graph import Node
from tests.conformance import columns
from tests.conformance.columns import COLUMNS, EXACT, UNKNOWN, WRONG, Seen, Verdict
from tests.conformance.inputs import SIZES, Pair, arrays, extremes
from tests.conformance.kinds import KINDS
from tests.conformance.measured import Measured
from tests.conformance.predicted import Predicted

Verdicts = dict[str, Verdict]
COPIES = 256
"""How often the batch is repeated where a law holds for large batches only."""


class CannotRun(Exception):
    """TensorFlow refuses the case; the message is TensorFlow's."""


def compared(source: str, kind_name: str) -> Verdicts:
    """The verdict of each column on the case ``source``. Raises CannotRun."""
    kind = KINDS[kind_name]
    real = Measured(source)
    told = Predicted(source, kind)
    runs = [(sizes, fitted(arrays(kind, sizes, 0.05, 0.95), told)) for sizes in SIZES]
    try:
        dtypes = real.dtypes(runs[0][1])
        results = [(sizes, real(pair), real(copies(pair, 2))) for sizes, pair in runs]
    except Exception as error:
        raise CannotRun(f"{type(error).__name__}: {str(error)[:300]}") from error
    leaves = results[0][1]
    if len(told.leaves) != len(leaves):
        if not told.tells or (len(told.leaves) == 1 and silent(told.leaves[0])):
            return dict.fromkeys(COLUMNS, (UNKNOWN, ""))
        return {
            c: (WRONG if c == "shape" else UNKNOWN, f"{len(told.leaves)} results, not {len(leaves)}") for c in COLUMNS
        }
    verdicts: dict[str, list[Verdict]] = {column: [] for column in COLUMNS}
    tensors = []
    for i, (predicted, leaf) in enumerate(zip(told.leaves, leaves, strict=True)):
        if not isinstance(leaf, np.ndarray) or not isinstance(predicted, Node):
            for column in COLUMNS:
                verdicts[column].append(columns.python(predicted, leaf))
            continue
        tensors.append((i, predicted))
        verdicts["dtype"].append(columns.dtype(predicted.dtype, dtypes[i]))
        for sizes, once, twice in results:
            verdicts["shape"].append(columns.shape(predicted.shape, once[i].shape, twice[i].shape, sizes))
            verdicts["shape"].extend(extents(predicted, once[i], twice[i], sizes))
    if tensors:
        verdicts["law"].extend(laws(told, real, tensors, runs[0][1], results[0]))
        measured = max(
            (real.gradient(pair) for pair in gradient_inputs(kind, told)), key=("dead", "zero", "live").index
        )
        verdicts["gradient"].append(columns.gradient(told.gradient, measured))
        verdicts["range"].extend(ranges(told, real, tensors, kind))
    return {column: columns.worst(found) for column, found in verdicts.items()}


def silent(leaf: Any) -> bool:
    """Whether nothing is said about a result, not even that it is one tensor."""
    return not isinstance(leaf, Node) or (leaf.shape.rank is None and leaf.shape.min_rank == 0 and leaf.dtype is None)


def extents(node: Node, once: Any, twice: Any, sizes: dict[str, int]) -> Iterator[Verdict]:
    """The extent or the shape that a value is said to be."""
    dim, shape = node.attrs.get("dim"), node.attrs.get("shape")
    if isinstance(dim, Dim) and once.shape == ():
        verdict, why = columns.shape(Shape((dim,)), (int(once),), (int(twice),), sizes)
        yield (verdict, why) if verdict == WRONG else (EXACT, "")
    if isinstance(shape, Shape) and once.ndim == 1:
        verdict, why = columns.shape(shape, tuple(once), tuple(twice), sizes)
        yield (verdict, why) if verdict == WRONG else (EXACT, "")


def laws(told: Predicted, real: Measured, tensors: Any, pair: Pair, result: Any) -> Iterator[Verdict]:
    """The law of each result."""
    _, once, twice = result
    again, repeated = real(pair, seed=4), real(tuple(np.repeat(x, 2, axis=0) for x in pair))
    found = told.loss.laws
    large = None
    for i, node in tensors:
        power = found.value(node)
        alike = np.array_equal(once[i], again[i], equal_nan=once[i].dtype.kind in "fc")
        if not alike or "stateless_" in real.source:  # random: there is nothing to be measured
            yield (EXACT if power is None else columns.LOOSE), ""
            continue
        if power is not None and power.asymptotic and large is None:
            large = real(copies(pair, COPIES)), real(copies(pair, 2 * COPIES))
        yield columns.law(power, once[i], twice[i], repeated[i], large and (large[0][i], large[1][i]))


def gradient_inputs(kind: Any, told: Predicted) -> Iterator[Pair]:
    """Inputs at which no gradient vanishes by chance."""
    for low, high in ((0.05, 0.95), (-3.0, 3.0)):
        yield fitted(arrays(kind, SIZES[0], low, high), told)


def ranges(told: Predicted, real: Measured, tensors: Any, kind: Any) -> Iterator[Verdict]:
    """The interval of each result."""
    seen = {i: Seen() for i, _ in tensors}
    for pair in extremes(kind):
        try:
            leaves = real(fitted(pair, told))
        except Exception:  # a check inside of TensorFlow: not a legal input
            continue
        for i, _ in tensors:
            seen[i].add(leaves[i])
    for i, node in tensors:
        yield columns.interval(told.loss.ranges.of(node), seen[i])


def copies(pair: Pair, times: int) -> Pair:
    """The batch, repeated."""
    return tuple(np.concatenate([x] * times) for x in pair)  # type: ignore[return-value]


def fitted(pair: Pair, told: Predicted) -> Pair:
    """The inputs, brought into the ranges that the analyser takes labels and predictions to have."""
    return tuple(_inside(x, told.loss.ranges.of(source)) for x, source in zip(pair, told.sources, strict=True))  # type: ignore[return-value]


def _inside(values: Any, interval: Interval) -> Any:
    return np.clip(values, interval.low.at, interval.high.at).astype(values.dtype)
