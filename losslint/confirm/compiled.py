"""What a model is compiled with, taken out of the call of ``compile``: whether Keras trains with it, and how."""

from __future__ import annotations

import ast
import functools
import inspect
import types
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from losslint.confirm.inline import compile_call
from losslint.confirm.inputs import CLASSES
from losslint.confirm.jobs import Claim, Job
from losslint.confirm.loader import CannotLoad, Loader
from losslint.confirm.standins import make as made_up
from losslint.confirm.subject import attempts
from losslint.confirm.targets import arguments
from losslint.confirm.training import batches, tried
from losslint.frontend.names import role_of


def evidence(job: Job, loader: Loader) -> Iterator[dict[str, Any]]:
    """What is seen of each claim on the call. Raises CannotLoad where its arguments cannot be computed."""
    assert job.step is not None  # a call stands somewhere
    part, written = compile_call(loader.scope.tree, job.step, loader.scope.file.text)
    model, losses = _computed(loader, part)
    parts = list(_parts(losses))
    known: dict[int, dict[str, Any]] = {}

    def trained(number: int) -> dict[str, Any]:
        if number not in known:
            known[number] = _kind(parts[number]) | {"tries": tried(parts[number])}
        return known[number]

    control = tried("mean_squared_error")
    for claim in job.claims:
        if claim.code == "LL514":
            yield _listed(model, losses)
        elif claim.asked.get("late"):
            yield {"late": _late(parts, claim)}
        else:
            chosen = _chosen(parts, written, claim)
            yield {"given": [trained(number) for number in chosen], "control": control}


def _computed(loader: Loader, part: Any) -> tuple[Any, Any]:
    """The model and the loss of the call. Raises CannotLoad."""
    failure: CannotLoad | None = None
    for make in (_make, _make_tensors, _make_lists):
        try:
            function = loader.resolve_inline(part, make)
        except CannotLoad as unloaded:
            failure = failure or unloaded
            continue
        found, error = attempts(lambda f=function, m=make: f(**arguments(f, [], m, None, {})[1]))
        if error is None:
            model, losses = found
            return model, losses
        why = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}{loader.row_of(error)}"
        failure = failure or CannotLoad(f"what is given to compile cannot be computed: {why}")
    assert failure is not None  # each way that works returns
    raise failure


def _make(name: str, parameter: inspect.Parameter, owner: Any) -> Any:
    """An argument of the function around the call: models are Keras models, inputs those of a functional model."""
    if role_of(name) == "model":
        return tf.keras.Sequential([tf.keras.Input((CLASSES,)), tf.keras.layers.Dense(1)])
    if name in ("inputs", "input", "x_in", "inp"):
        return tf.keras.Input((CLASSES,))
    return _make_tensors(name, parameter, owner)


def _make_tensors(name: str, parameter: inspect.Parameter, owner: Any) -> Any:
    if name in ("x", "y") or role_of(name) in ("label", "prediction"):
        return tf.constant(np.random.default_rng(5).normal(size=(7, 1)).astype("float32"))
    return _make(name, parameter, owner) if role_of(name) == "model" else made_up(name, parameter, owner)


def _make_lists(name: str, parameter: inspect.Parameter, owner: Any) -> Any:
    """The same with several numbers in the place of one."""
    value = _make(name, parameter, owner)
    return [0.1, 0.5, 0.9] if isinstance(value, (int, float)) and not isinstance(value, bool) else value


def _parts(losses: Any) -> Iterator[Any]:
    if isinstance(losses, dict):
        yield from losses.values()
    elif isinstance(losses, (list, tuple)):
        yield from losses
    else:
        yield losses


def _chosen(parts: list[Any], written: ast.expr, claim: Claim) -> list[int]:
    """The parts that ``claim`` speaks of: the one that is written at its place, else all."""
    trees = written.values if isinstance(written, ast.Dict) else getattr(written, "elts", [])
    here = [
        n for n, tree in enumerate(trees) if (tree.lineno, tree.col_offset + 1) == (claim.place.row, claim.place.column)
    ]
    return here if here and len(trees) == len(parts) else list(range(len(parts)))


def _kind(given: Any) -> dict[str, Any]:
    """What Python says of one loss: whether it is a tensor or a metric, can be called with two, and returns what."""
    metric = tf.keras.metrics.Metric
    found: dict[str, Any] = {
        "name": getattr(given, "__name__", None) or (given if isinstance(given, str) else type(given).__name__),
        "tensor": isinstance(given, (tf.Tensor, tf.Variable)),
        "metric": isinstance(given, metric) or (inspect.isclass(given) and issubclass(given, metric)),
        "callable": callable(given) or isinstance(given, str),
        "misfit": "",
        "returns": "",
    }
    if callable(given) and not inspect.isclass(given):
        signature, error = attempts(inspect.signature, given)
        error = attempts(signature.bind, None, None)[1] if error is None else None
        found["misfit"] = str(error) if error is not None else ""
        batch = next(batches())
        value, error = attempts(given, tf.constant(batch.labels), tf.constant(batch.predictions))
        found["returns"] = "" if error is not None or not callable(value) else type(value).__name__
    return found


# -- functions that a loop makes -------------------------------------------------------------------------------------


def _late(parts: list[Any], claim: Claim) -> dict[str, Any]:
    """The values of the losses that stand at the flagged place for one batch, now and with another ``name`` in each.

    ``values`` are those of the losses as they are, ``others`` what the first gives for half and twice the variable.
    """
    rows = range(claim.place.row, claim.place.end_row + 1)
    functions = [p for p in parts if isinstance(p, types.FunctionType) and p.__code__.co_firstlineno in rows]
    found: dict[str, Any] = {"names": claim.asked["late"], "values": [], "others": []}
    for batch in batches():
        told, error = attempts(lambda b=batch: [_value(f, b) for f in functions])
        if error is not None or not np.isfinite(told).all():
            continue
        pairs = [(name, factor) for name in claim.asked["late"].split() for factor in (0.5, 2.0)]
        others = [attempts(lambda n=n, k=k, b=batch: _value(_with(functions[0], n, k), b))[0] for n, k in pairs]
        found |= {"values": told, "batch": batch.name, "others": [o for o in others if o is not None]}
        if len({*told, *found["others"]}) > 1:  # some numbers are the same for whatever is in the loop
            break
    return found


def _value(function: Callable[..., Any], batch: Any) -> float:
    return float(tf.reduce_mean(function(tf.constant(batch.labels), tf.constant(batch.predictions))))


def _with(function: types.FunctionType, name: str, factor: float) -> types.FunctionType:
    """``function`` with ``factor`` times the number that it reads as ``name`` from around it."""
    code, cells = function.__code__, list(function.__closure__ or ())
    space = function.__globals__
    if name in code.co_freevars:
        place = code.co_freevars.index(name)
        cells[place] = types.CellType(cells[place].cell_contents * factor)
    else:
        space = dict(space) | {name: space[name] * factor}
    return types.FunctionType(code, space, function.__name__, function.__defaults__, tuple(cells))


# -- several losses for one output -----------------------------------------------------------------------------------


def _listed(model: Any, losses: Any) -> dict[str, Any]:
    """How the value of a model compiled with all the losses compares with that of each alone; ``outputs`` it has."""
    if not isinstance(model, tf.keras.Model):
        return {"skipped": "the model was not computed"}
    shape = attempts(lambda: model.input_shape)[0] or (None, CLASSES)
    if not isinstance(shape, tuple):
        return {"skipped": "the model takes several inputs"}
    rng = np.random.default_rng(5)
    x = rng.uniform(size=[7, *(n or 11 for n in shape[1:])]).astype("float32")
    outputs, error = attempts(lambda: model(x))
    if error is not None or not isinstance(outputs, (tf.Tensor, list)):
        return {"skipped": f"the model cannot be called: {error}"}
    flat = tf.nest.flatten(outputs)
    y = rng.uniform(0.1, 0.9, size=flat[0].shape).astype("float32")
    value = functools.partial(_compiled_value, model, x, y)
    whole, error = attempts(value, losses)
    if error is not None:
        return {"skipped": f"a model that is compiled with these losses raises {type(error).__name__}: {error}"[:300]}
    alone = [attempts(value, loss)[0] for loss in losses]
    return {"outputs": len(flat), "whole": whole, "alone": alone}


def _compiled_value(model: Any, x: Any, y: Any, loss: Any) -> float:
    model.compile(optimizer="sgd", loss=loss)
    return float(model.evaluate(x, y, batch_size=len(x), verbose=0, return_dict=True)["loss"])
