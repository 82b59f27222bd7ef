"""The edges of what a loss can legally be called with: saturated and perfect predictions, empty masks, constant inputs.

Every point is a whole input: names -> arrays. A point is legal where a network can produce it: a softmax reaches the
corners of the simplex and nothing else, a sigmoid every corner of the cube, logits go to +-100.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from losslint.confirm.inputs import Arrays, Convention, Sizes, Spec, onehot

FAR = 100.0
"""Logits this large saturate a sigmoid and overflow exp in float32."""

Array = Any
Point = tuple[str, Arrays]


@dataclass(frozen=True, slots=True)
class Edges:
    """The edge points of one convention, around the ordinary input ``base``."""

    convention: Convention
    base: Arrays

    def points(self) -> Iterator[Point]:
        """Name and input of every edge; a name says which tensors were moved where."""
        labels = self.convention.labels
        trained = self.convention.trained
        seen: set[bytes] = set()
        for point in self._moves(labels, trained):
            key = b"".join(np.asarray(v).tobytes() for v in point[1].values() if isinstance(v, np.ndarray))
            if key not in seen:
                seen.add(key)
                yield point

    def _moves(self, labels: list[str], trained: list[str]) -> Iterator[Point]:
        base, specs = self.base, self.convention.specs
        for label_name, moved in [("", base), *self._label_points(labels)]:
            around = f"{label_name} " if label_name else ""
            if label_name:
                yield label_name, moved
            for name, change in self._prediction_points(trained, labels, moved):
                yield f"{around}{name}", moved | change
        for name, spec in specs.items():
            if spec.role == "weight" and isinstance(base[name], np.ndarray):
                yield f"{name} all 0", base | {name: np.zeros_like(base[name])}
            if spec.domain in ("object", "derived"):
                kind = spec.value if spec.domain == "object" else "model"
                yield f"{name} with weights of 0", base | {name: f"{kind}:zero"}

    def _label_points(self, labels: list[str]) -> Iterator[Point]:
        """The labels at their own edges."""
        for name in labels:
            spec, value = self.convention.specs[name], self.base[name]
            for what, changed in _label_edges(spec, value, self._classes()):
                yield f"{name} {what}", self.base | {name: changed.astype(value.dtype)}

    def _classes(self) -> float:
        """How many classes there are, by the scores that are predicted for each; any number where none are."""
        specs = self.convention.specs
        scored = [n for n in self.convention.trained if specs[n].domain in ("simplex", "logits")]
        return min((self.base[n].shape[-1] for n in scored), default=np.inf)

    def _prediction_points(self, trained: list[str], labels: list[str], base: Arrays) -> Iterator[Point]:
        """All predictions at one edge together, then each alone."""
        specs = self.convention.specs
        whats = dict.fromkeys(w for n in trained for w, _ in self._edges_of(n, labels, base))
        for what in whats:
            change = {n: dict(self._edges_of(n, labels, base)).get(what) for n in trained}
            found = {n: v.astype(base[n].dtype) for n, v in change.items() if v is not None}
            yield f"{', '.join(found)} {what}", found
            if len(found) > 1 and len(found) < 5:
                for name, value in found.items():
                    yield f"{name} {what}", {name: value}
        if len(trained) > 1 and not labels:
            first, *others = trained
            same = {
                n: base[first]
                for n in others
                if base[n].shape == base[first].shape and specs[n].domain == specs[first].domain
            }
            if same:
                yield f"{first} equal to {', '.join(same)}", same

    def _edges_of(self, name: str, labels: list[str], base: Arrays) -> Iterator[tuple[str, Array]]:
        spec, value = self.convention.specs[name], base[name]
        label = next((base[n] for n in labels if isinstance(base[n], np.ndarray)), None)
        yield from _PREDICTIONS.get(spec.domain, _real)(value, label)


# -- labels ----------------------------------------------------------------------------------------------------------


def _label_edges(spec: Spec, value: Array, classes: float) -> Iterator[tuple[str, Array]]:
    if not isinstance(value, np.ndarray) or not value.size:
        return
    if spec.domain in ("binary", "mask"):
        yield "all 0", np.zeros_like(value)
        yield "all 1", np.ones_like(value)
    elif spec.domain == "onehot":
        yield "of one class", onehot(np.zeros(value.shape[:-1]), value.shape[-1])
    elif spec.domain == "ids":
        yield "of one class", np.zeros_like(value)
        if value.ndim <= 2 and value.shape[-1:] in ((1,), value.shape[:1]) and value.size <= classes:
            yield "all different", np.arange(value.size).reshape(value.shape)
    elif spec.domain == "unit":
        yield "black", np.zeros_like(value)
        yield "white", np.ones_like(value)
    elif spec.domain in ("real", "positive", "count"):
        yield "constant", np.full_like(value, value.flat[0])
        if spec.domain != "positive":
            yield "all 0", np.zeros_like(value)


# -- predictions -----------------------------------------------------------------------------------------------------

Edge = Callable[[Array, "Array | None"], Iterator[tuple[str, Array]]]


def _alike(value: Array, label: Array | None) -> Array | None:
    """The label where it is shaped like the prediction."""
    return label if label is not None and label.shape == value.shape else None


def _prob(value: Array, label: Array | None) -> Iterator[tuple[str, Array]]:
    yield "all 0", np.zeros_like(value)
    yield "all 1", np.ones_like(value)
    yield "all 0.5", np.full_like(value, 0.5)
    same = _alike(value, label)
    if same is not None and bool(((same >= 0) & (same <= 1)).all()):
        yield "perfect", same
        yield "all wrong", 1.0 - same
    yield "0 or 1", (value > 0.5).astype(value.dtype)


def _classes_of(value: Array, label: Array | None) -> Array:
    """The class of each row: the label's where it has one for each, else that of the largest score."""
    if label is not None and label.shape == value.shape:
        return label.argmax(-1)
    if label is not None and label.size == int(np.prod(value.shape[:-1])):
        return label.reshape(value.shape[:-1]).astype(int) % value.shape[-1]
    return value.argmax(-1)


def _simplex(value: Array, label: Array | None) -> Iterator[tuple[str, Array]]:
    classes, width = _classes_of(value, label), value.shape[-1]
    yield "perfect", onehot(classes, width)
    yield "all wrong", onehot(classes + 1, width)
    yield "of one class", onehot(np.zeros_like(classes), width)
    yield "uniform", np.full_like(value, 1.0 / width)


def _logits(value: Array, label: Array | None) -> Iterator[tuple[str, Array]]:
    yield "all 0", np.zeros_like(value)
    same = _alike(value, label)
    if same is not None and set(np.unique(same)) <= {0.0, 1.0}:
        yield "far on the right side", FAR * (2.0 * same - 1.0)
        yield "far on the wrong side", FAR * (1.0 - 2.0 * same)
    elif value.ndim > 1 and value.shape[-1] > 1:
        classes = _classes_of(value, label)
        yield "far on the right side", FAR * (2.0 * onehot(classes, value.shape[-1]) - 1.0)
        yield "far on the wrong side", FAR * (2.0 * onehot(classes + 1, value.shape[-1]) - 1.0)
    yield "far below 0", np.full_like(value, -FAR)
    yield "far above 0", np.full_like(value, FAR)


def _real(value: Array, label: Array | None) -> Iterator[tuple[str, Array]]:
    yield "all 0", np.zeros_like(value)
    yield "constant", np.full_like(value, value.flat[0]) if value.size else value
    same = _alike(value, label)
    if same is not None:
        yield "perfect", same
        yield "opposite", -same
    if value.ndim > 1:
        yield "identical rows", np.repeat(value[:1], value.shape[0], axis=0)
    yield "far out", FAR * np.sign(value)
    yield "far below 0", np.full_like(value, -FAR)
    yield "far above 0", np.full_like(value, FAR)


def _positive(value: Array, label: Array | None) -> Iterator[tuple[str, Array]]:
    yield "all 0", np.zeros_like(value)  # what softplus and exp underflow to
    yield "tiny", np.full_like(value, 1e-6)
    yield "huge", np.full_like(value, 1e4)
    same = _alike(value, label)
    if same is not None and bool((same > 0).all()):
        yield "perfect", same


def _unit(value: Array, label: Array | None) -> Iterator[tuple[str, Array]]:
    yield "black", np.zeros_like(value)
    yield "white", np.ones_like(value)
    yield "flat", np.full_like(value, 0.5)
    same = _alike(value, label)
    if same is not None:
        yield "perfect", same


def _box(value: Array, label: Array | None) -> Iterator[tuple[str, Array]]:
    same = _alike(value, label)
    if same is not None:
        yield "perfect", same
    flat = np.concatenate([value[..., :2], value[..., :2]], axis=-1)
    yield "without area", flat
    yield "elsewhere", value + 2.0


_PREDICTIONS: dict[str, Edge] = {
    "prob": _prob,
    "binary": _prob,
    "simplex": _simplex,
    "logits": _logits,
    "positive": _positive,
    "unit": _unit,
    "box": _box,
}


def single(convention: Convention, sizes: Sizes, seed: int) -> Arrays:
    """An ordinary batch of one."""
    return convention.sample({**sizes, "B": 1}, seed)
