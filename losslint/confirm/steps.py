"""A training step that runs as a whole, with stand-ins for model, optimizer and data: what its tapes give out."""

from __future__ import annotations

import dataclasses
import inspect
import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from losslint.confirm.inputs import CLASSES, SIZES
from losslint.confirm.jobs import Claim, Job
from losslint.confirm.loader import Loader
from losslint.confirm.observe import Op, stack, watched
from losslint.confirm.standins import LinearModel
from losslint.confirm.standins import make as made_up
from losslint.confirm.subject import attempts
from losslint.frontend.names import role_of

_COUNT = SIZES[0]["B"]


@dataclasses.dataclass
class Seen:
    """What one run of a step showed: for each call of ``tape.gradient`` in a file of the user, the row and the sources.

    ``given`` says what the step was called with.
    """

    given: str
    gradients: list[tuple[tuple[str, int], list[str]]] = dataclasses.field(default_factory=list)
    lines: set[tuple[str, int]] = dataclasses.field(default_factory=set)
    ops: list[Op] = dataclasses.field(default_factory=list)
    error: str = ""


def evidence(job: Job, loader: Loader, files: frozenset[str], claim: Claim) -> dict[str, Any]:
    """For a claim on an inline loss: what its whole function does. Empty where it cannot be had."""
    assert job.step is not None
    rows = range(claim.place.row, claim.place.end_row + 1)
    last: dict[str, Any] = {}
    for seen in _runs(job, loader, files):
        executed = any(path == claim.path and row in rows for path, row in seen.lines)
        own = [s for s in seen.gradients if job.step.target.row <= s[0][1]] or seen.gradients
        told: dict[str, Any] = {
            "given": seen.given,
            "executed": executed,
            "gradients": [states for _, states in own],
            "discarded": discarded(seen.ops, claim, []),
            "error": seen.error,
        }
        last = last or told
        if executed and (told["gradients"] if claim.code == "LL209" else told["discarded"]["ran"]):
            return told
    return last


def discarded(ops: list[Op], claim: Claim, kept: list[Any]) -> dict[str, Any]:
    """The operations that the flagged expression made, and whether anything was computed from their results.

    ``kept`` are tensors that are returned.
    """
    own = [op for op in ops if op.is_in(claim.path, claim.place) or op.is_of(claim.path, claim.place)]
    made = {id(t) for op in own for t in op.outputs}
    mine = set(map(id, own))
    taken = any(id(t) in made for op in ops if id(op) not in mine for t in op.inputs)
    return {"ran": sorted({op.type for op in own}), "used": taken or any(id(t) in made for t in kept)}


def _runs(job: Job, loader: Loader, files: frozenset[str]) -> Iterator[Seen]:
    """The step with one kind of data after the other."""
    assert job.step is not None
    for units, labels in itertools.product((1, CLASSES), ("numbers", "ids", "rows")):
        make = _maker(units, labels)
        function, error = attempts(loader.resolve, job.step.function, make)
        if error is not None:
            return
        seen = Seen(f"{labels} as labels and a model of {units} output{'s' * (units > 1)}")
        _run(function, make, files, seen)
        yield seen


def _maker(units: int, labels: str) -> Callable[..., Any]:
    """What makes the arguments of a step: models of ``units`` outputs, labels of this kind."""
    rng = np.random.default_rng(5)
    x = tf.constant(rng.normal(size=(_COUNT, CLASSES)).astype("float32"))
    kinds = {
        "numbers": rng.normal(size=(_COUNT, units)).astype("float32"),
        "ids": rng.integers(0, units, size=_COUNT).astype("int32"),
        "rows": np.eye(units, dtype="float32")[rng.integers(0, units, size=_COUNT)],
    }
    y = tf.constant(kinds[labels])

    def make(name: str, parameter: inspect.Parameter, owner: Any) -> Any:
        role = role_of(name)
        if role == "model" or name in ("critic", "generator", "encoder", "decoder"):
            return LinearModel(units)
        if name in ("data", "batch", "inputs_and_labels", "batch_data"):
            return x, y
        if role == "label" or name == "y":
            return y
        if name in ("x", "inputs", "images", "noise", "features", "z", "batch_x", "x_batch"):
            return x
        return made_up(name, parameter, owner)

    return make


def _run(function: Callable[..., Any], make: Callable[..., Any], files: frozenset[str], seen: Seen) -> None:
    """Run ``function`` eagerly and watched; whatever it raises ends it."""
    from losslint.confirm.targets import arguments

    plain = getattr(function, "python_function", function)
    given, error = attempts(lambda: arguments(plain, [], make, None, {})[1])
    if error is not None:
        seen.error = str(error)
        return

    real = tf.GradientTape.gradient

    def gradient(self: Any, target: Any, sources: Any, *args: Any, **kwargs: Any) -> Any:
        found = real(self, target, sources, *args, **kwargs)
        lines, _ = stack(files)
        if lines:
            seen.gradients.append((lines[0], ["none" if g is None else "some" for g in tf.nest.flatten(found)]))
        return found

    tf.GradientTape.gradient = gradient
    try:
        with watched(files, seen.ops, seen.lines):
            error = attempts(lambda: function(**given))[1]
    finally:
        tf.GradientTape.gradient = real
    seen.error = "" if error is None else f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
