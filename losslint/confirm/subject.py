"""The loss that is run: called eagerly, traced with an unknown batch size, or compiled by XLA; with its gradient.

The gradient is that of the total: Keras averages what a loss returns, a tape sums it.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import tensorflow as tf

from losslint.confirm.inputs import MADE, Arrays, Convention, Sizes
from losslint.confirm.standins import LinearModel, stand_in


@dataclass(slots=True)
class Result:
    """Numbers of one call. A gradient is None where there is none."""

    outputs: list[Any]
    total: float | None
    gradients: dict[str, Any]

    @property
    def finite(self) -> bool:
        """Whether value and gradients are all finite."""
        return self.finite_value and self.finite_gradient

    @property
    def finite_value(self) -> bool:
        """Whether all that is returned is finite."""
        return all(bool(np.isfinite(o).all()) for o in self.outputs if np.asarray(o).dtype.kind == "f")

    @property
    def finite_gradient(self) -> bool:
        """Whether every gradient is finite."""
        return all(bool(np.isfinite(g).all()) for g in self.gradients.values() if g is not None)


@dataclass
class Subject:
    """A loss with the convention it is called by. ``models`` are the stand-ins among its arguments."""

    function: Callable[..., Any]
    convention: Convention
    sizes: Sizes
    consumer: str = "unknown"
    aligned: bool = False  # a plain function in Keras 3: ranks that differ by a last axis of 1 are aligned
    models: dict[str, Any] = field(default_factory=dict)

    def tensors(self, arrays: Arrays) -> dict[str, Any]:
        """``arrays`` as tensors; stand-ins take the place of objects."""
        found: dict[str, Any] = {}
        for name, value in arrays.items():
            spec = self.convention.specs[name]
            if spec.domain in ("object", "derived"):
                found[name] = self._model(name, str(value))
            elif spec.domain == "constant":
                found[name] = value
            else:
                found[name] = tf.constant(value, dtype=spec.dtype)
        return found

    def _model(self, name: str, value: str) -> Any:
        model = self.models.setdefault(name, stand_in(value))
        if isinstance(model, LinearModel):
            drawn = np.random.default_rng(3).normal(size=model.kernel.shape) / np.sqrt(model.kernel.shape[0])
            model.kernel.assign(np.zeros(model.kernel.shape) if value.endswith(":zero") else drawn)
        return model

    def call(self, tensors: dict[str, Any]) -> Any:
        """The loss itself."""
        arguments = dict(tensors)
        for name, spec in self.convention.specs.items():
            if spec.domain == "derived":
                arguments[name] = tensors[name](tensors[spec.value])
        if self.aligned and len(arguments) >= 2:
            first, second = list(arguments)[:2]
            arguments[first], arguments[second] = _aligned(arguments[first], arguments[second])
        positional, keywords = self._bound(arguments)
        return self.function(*positional, **keywords)

    def _bound(self, arguments: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        """Positional where Python wants it so, by keyword otherwise."""
        try:
            parameters = inspect.signature(self.function).parameters
        except (TypeError, ValueError):
            return list(arguments.values()), {}
        names = list(parameters)
        if names[: len(arguments)] == list(arguments):
            simple = all(parameters[n].kind is not inspect.Parameter.KEYWORD_ONLY for n in arguments)
            if simple:
                return list(arguments.values()), {}
        positional = [arguments.pop(n) for n, p in parameters.items() if n in arguments and p.kind is p.POSITIONAL_ONLY]
        if not set(arguments) <= set(parameters):  # *args: the order is all there is
            return [*positional, *arguments.values()], {}
        return positional, arguments

    @property
    def variables(self) -> dict[str, Any]:
        """The weights of the stand-ins that have been called."""
        return {
            f"{n} {kind}": v
            for n, m in self.models.items()
            if isinstance(m, LinearModel)
            for kind, v in zip(("kernel", "bias"), m.weights, strict=True)
        }


def _aligned(x: Any, y: Any) -> tuple[Any, Any]:
    """As Keras 3 does for a plain function: drop or add a last axis of 1 where the ranks differ by one."""
    if not hasattr(x, "shape") or not hasattr(y, "shape") or x.shape.rank is None or y.shape.rank is None:
        return x, y
    if x.shape.rank == y.shape.rank:
        return x, y
    if x.shape.rank == y.shape.rank + 1 and x.shape[-1] == 1:
        return (tf.squeeze(x, -1), y) if y.shape.rank != 1 else (x, tf.expand_dims(y, -1))
    if y.shape.rank == x.shape.rank + 1 and y.shape[-1] == 1:
        return (x, tf.squeeze(y, -1)) if x.shape.rank != 1 else (tf.expand_dims(x, -1), y)
    return x, y


def tensors_in(value: Any) -> list[Any]:
    """The tensors of a returned value, containers flattened."""
    return [v for v in tf.nest.flatten(value) if isinstance(v, (tf.Tensor, tf.Variable))]


@functools.cache
def without_xla() -> str:
    """Why XLA compiles nothing here, not even a sum; "" where it does."""
    error = attempts(tf.function(lambda x: x + x, jit_compile=True), tf.constant(1.0))[1]
    return "" if error is None else " ".join(str(error).split())[:200]


def structure(value: Any) -> str:
    """The kind of Python value that a loss returns, in the words of ``losslint facts``."""
    if isinstance(value, (tf.Tensor, tf.Variable)):
        return "tensor"
    if isinstance(value, (tuple, list, dict)):
        return f"{type(value).__name__} of {len(value)}"
    if isinstance(value, (bool, int, float, np.generic, np.ndarray)):
        return "number"
    return "None" if value is None else type(value).__name__


class Evaluator:
    """Computes a subject's value and gradient in one mode: "eager", "graph" or "xla".

    A graph is traced once, with an unknown batch size (but that of ``fixed`` arguments); with ``static`` anew for every
    shape.
    Raises whatever the loss raises.
    """

    def __init__(
        self,
        subject: Subject,
        mode: str = "graph",
        autograph: bool = False,
        static: bool = False,
        fixed: frozenset[str] = frozenset(),
    ) -> None:
        self.subject, self.mode, self._fixed = subject, mode, fixed
        self.structure = ""
        self.shapes: list[list[int | None]] = []
        self.unranked = False  # not even the rank of what is returned is known
        self.dtypes: list[str] = []
        self._absent: list[str] = []
        self._names: list[str] = []
        signature = None
        if mode == "eager":
            self._function: Callable[..., Any] = self._differentiate
            return
        if not static and mode == "graph":
            signature = [[self._spec(n) for n in self._tensor_names()]]
        # as Keras has it: without AutoGraph the bodies of map_fn and its like are not converted either
        traced = self._differentiate if autograph else tf.autograph.experimental.do_not_convert(self._differentiate)
        self._function = tf.function(traced, autograph=autograph, input_signature=signature, jit_compile=mode == "xla")

    def _tensor_names(self) -> list[str]:
        specs = self.subject.convention.specs
        return [n for n, s in specs.items() if s.domain not in MADE]

    def _spec(self, name: str) -> Any:
        specs = self.subject.convention.specs
        spec, free = specs[name], name not in self._fixed
        extents = zip(spec.dims, spec.shape(self.subject.sizes), strict=True)
        return tf.TensorSpec([None if d == "B" and free else n for d, n in extents], spec.dtype)

    def __call__(self, arrays: Arrays) -> Result:
        """The numbers at ``arrays``."""
        tensors = self.subject.tensors(arrays)
        self._objects = {n: t for n, t in tensors.items() if n not in self._tensor_names()}
        fed = [tensors[n] for n in self._tensor_names()]
        flat, total, gradients = self._function(fed)
        found = dict(zip(self._names, gradients, strict=True))
        return Result(
            [_numpy(t) for t in flat],
            None if total is None else float(_numpy(total)),
            {n: None if n in self._absent else _numpy(g) for n, g in found.items()},
        )

    def _differentiate(self, fed: list[Any]) -> tuple[list[Any], Any, list[Any]]:
        names = self._tensor_names()
        given = dict(zip(names, fed, strict=True)) | self._objects
        tensors = {n: given[n] for n in self.subject.convention.specs}
        sources = {n: tensors[n] for n in self.subject.convention.trained}
        with tf.GradientTape() as tape:
            tape.watch(list(sources.values()))
            value = self.subject.call(tensors)
            flat = tensors_in(value)
            total = total_of(flat, self.subject.consumer)
        self.structure = structure(value)
        self.shapes = [t.shape.as_list() if t.shape.rank is not None else [] for t in flat]
        self.unranked = any(t.shape.rank is None for t in flat)
        self.dtypes = [t.dtype.name for t in flat]
        sources |= self.subject.variables
        gradients = [None] * len(sources) if total is None else tape.gradient(total, list(sources.values()))
        self._names = list(sources)
        self._absent = [n for n, g in zip(sources, gradients, strict=True) if g is None]
        dense = [
            tf.zeros([]) if g is None else tf.convert_to_tensor(g) for g in gradients
        ]  # what is absent needs a place in the result
        return flat, total, dense


def total_of(flat: list[Any], consumer: str) -> Any:
    """The one number that is differentiated; None where nothing that is returned is a float."""
    reduce = tf.reduce_sum if consumer == "tape" else tf.reduce_mean
    parts = [reduce(t) for t in flat if t.dtype.is_floating]
    if not parts:
        return None
    return tf.add_n([tf.cast(p, parts[0].dtype) for p in parts])


def _numpy(tensor: Any) -> Any:
    array = tensor.numpy() if hasattr(tensor, "numpy") else np.asarray(tensor)
    return array.astype("float32") if array.dtype.name in ("bfloat16", "float16") else array


def batches(arrays: Arrays, convention: Convention, copies: int) -> Arrays:
    """The batch repeated ``copies`` times."""
    return convention.mapped(arrays, lambda v: np.concatenate([v] * copies))


def rows(arrays: Arrays, convention: Convention, which: Any) -> Arrays:
    """The rows ``which`` (a slice or indices) of every batch."""
    return convention.mapped(arrays, lambda v: v[which])


def shared_gradient(result: Result, arrays: Arrays, convention: Convention) -> Any:
    """What the weights before the loss get, in float64: a scale and a shift of each prediction, shared by the samples.

    For ``p = scale * x + shift`` at scale 1 and shift 0, with a scale and a shift for each place of one sample, the
    gradients are the sums over the batch of ``g * p`` and of ``g``: those of a kernel and a bias.
    """
    parts = shared_parts(result, arrays, convention)
    return np.concatenate([np.zeros(0), *parts.values()])


def shared_parts(result: Result, arrays: Arrays, convention: Convention) -> dict[str, Any]:
    """``shared_gradient``, source by source."""
    parts: dict[str, Any] = {}
    for name, gradient in result.gradients.items():
        if gradient is None:
            continue
        g = np.asarray(gradient, dtype="float64")
        spec = convention.specs.get(name)
        if spec is None or not spec.batched:
            parts[name] = g.reshape(-1)
            continue
        p = np.asarray(arrays[name], dtype="float64")
        parts[name] = np.concatenate([(g * p).sum(0).reshape(-1), g.sum(0).reshape(-1)])
    return parts


def attempts(function: Callable[..., Any], *args: Any) -> tuple[Any, Exception | None]:
    """The result of ``function(*args)`` and None, or None and what it raised."""
    try:
        return function(*args), None
    except Exception as error:  # whatever a user's loss raises is an answer
        return None, error
