"""Watches a loss while it runs eagerly: every operation with its values, and the user's line that made it.

Operations of library functions, nested ``tf.function``s, conditions and loops are seen one by one, because functions
run eagerly while watched. The stack tells the lines: all of those in the user's files, innermost first.
"""

from __future__ import annotations

import contextlib
import functools
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import CodeType
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.python.autograph.core import ag_ctx
from tensorflow.python.framework import op_callbacks

from losslint.confirm.inputs import Arrays
from losslint.confirm.jobs import Place
from losslint.confirm.subject import Subject, attempts, tensors_in, total_of

Line = tuple[str, int]
Spot = tuple[str, Place]


@dataclass(slots=True)
class Op:
    """One executed operation."""

    type: str
    lines: tuple[Line, ...]  # in the user's files, innermost first
    inputs: list[Any]
    outputs: list[Any]
    spots: tuple[Spot, ...] = ()  # the expressions of ``lines``, where Python tells them (3.11)

    def at(self, path: str, first: int, last: int) -> bool:
        """Whether a line of ``path`` between ``first`` and ``last`` made it."""
        return any(p == path and first <= row <= last for p, row in self.lines)

    def is_of(self, path: str, place: Place) -> bool:
        """Whether the expression at ``place`` itself made it, not one beside it or within it."""
        return (path, place) in self.spots

    def is_in(self, path: str, place: Place) -> bool:
        """Whether an expression within ``place`` made it."""
        start, end = (place.row, place.column), (place.end_row, place.end_column)
        return any(p == path and start <= (s.row, s.column) and (s.end_row, s.end_column) <= end for p, s in self.spots)


@dataclass
class Observation:
    """One watched run. ``value`` is what was returned; ``tape`` can be asked for any gradient among the tensors."""

    ops: list[Op] = field(default_factory=list)
    lines: set[Line] = field(default_factory=set)
    value: Any = None
    total: Any = None
    sources: dict[str, Any] = field(default_factory=dict)
    tape: Any = None
    error: Exception | None = None

    def executed(self, path: str, first: int, last: int) -> bool:
        """Whether a line of ``path`` between ``first`` and ``last`` ran."""
        return any(p == path and first <= row <= last for p, row in self.lines)


def observe(subject: Subject, arrays: Arrays, files: frozenset[str]) -> Observation:
    """Run ``subject`` at ``arrays`` under watch. Never raises: what the loss raises is noted."""
    found = Observation()
    tensors = subject.tensors(arrays)
    found.sources = {n: tensors[n] for n in subject.convention.trained}

    try:
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(list(found.sources.values()))
            # map_fn and its like convert their bodies even here, to code that stands in no file of the user
            with watched(files, found.ops, found.lines), ag_ctx.ControlStatusCtx(status=ag_ctx.Status.DISABLED):
                found.value = subject.call(tensors)
            found.total = total_of(tensors_in(found.value), subject.consumer)
        found.tape = tape
    except Exception as error:  # an answer like any other
        found.error = error
    found.sources |= subject.variables
    found.lines.update(line for op in found.ops for line in op.lines)
    return found


@contextlib.contextmanager
def watched(files: frozenset[str], ops: list[Op], lines: set[Line]) -> Iterator[None]:
    """Inside, functions run eagerly, and all operations are noted in ``ops``, the lines of ``files`` in ``lines``."""

    def callback(op_type: Any, inputs: Any, attrs: Any, outputs: Any, op_name: Any = None, graph: Any = None) -> None:
        if graph is None:
            kind = op_type.decode() if isinstance(op_type, bytes) else str(op_type)
            rows, spots = stack(files)
            ops.append(Op(kind, rows, list(inputs), list(outputs), spots))

    eagerly = tf.config.functions_run_eagerly()
    tf.config.run_functions_eagerly(True)
    op_callbacks.add_op_callback(callback)
    try:
        with traced_lines(files, lines):
            yield
    finally:
        op_callbacks.remove_op_callback(callback)
        tf.config.run_functions_eagerly(eagerly)


@contextlib.contextmanager
def traced_lines(files: frozenset[str], lines: set[Line]) -> Iterator[None]:
    """Inside, the lines of ``files`` that run are noted in ``lines``."""
    before = sys.gettrace()
    sys.settrace(line_tracer(files, lines))
    try:
        yield
    finally:
        sys.settrace(before)


def stack(files: frozenset[str]) -> tuple[tuple[Line, ...], tuple[Spot, ...]]:
    """The lines and expressions of ``files`` that the caller of the caller is executed for, innermost first."""
    lines: list[Line] = []
    spots: list[Spot] = []
    frame = sys._getframe(2)
    while frame is not None:
        path = frame.f_code.co_filename
        if path in files:
            lines.append((path, frame.f_lineno))
            place = _places(frame.f_code).get(frame.f_lasti)
            spots += [(path, place)] if place is not None else []
        frame = frame.f_back  # type: ignore[assignment]
    return tuple(lines), tuple(spots)


@functools.cache
def _places(code: CodeType) -> dict[int, Place]:
    """Offset of each instruction -> the expression it belongs to; empty where Python does not tell."""
    positions = code.co_positions() if sys.version_info >= (3, 11) else ()
    return {
        2 * i: Place(row, column + 1, end_row, end_column + 1)
        for i, (row, end_row, column, end_column) in enumerate(positions)
        if row is not None and end_row is not None and column is not None and end_column is not None
    }


def line_tracer(files: frozenset[str], lines: set[Line]) -> Any:
    """A function for ``sys.settrace`` that notes in ``lines`` which lines of ``files`` run."""

    def local(frame: Any, event: str, argument: Any) -> Any:
        lines.add((frame.f_code.co_filename, frame.f_lineno))
        return local

    def enter(frame: Any, event: str, argument: Any) -> Any:
        return local if frame.f_code.co_filename in files else None

    return enter


# -- singular points -------------------------------------------------------------------------------------------------

EDGES: dict[str, tuple[int, float]] = {
    "Log": (0, 0.0), "Log1p": (0, -1.0), "RealDiv": (1, 0.0), "Div": (1, 0.0), "Reciprocal": (0, 0.0), "Inv": (0, 0.0),
    "FloorDiv": (1, 0.0), "FloorMod": (1, 0.0), "Sqrt": (0, 0.0), "Rsqrt": (0, 0.0), "Pow": (0, 0.0),
    "Lgamma": (0, 0.0), "Digamma": (0, 0.0), "Acosh": (0, 1.0), "Xdivy": (1, 0.0), "Xlogy": (1, 0.0),
}  # fmt: skip
"""Operation -> the input with an edge, and where that is."""
TWO_SIDED = frozenset({"RealDiv", "Div", "Reciprocal", "Inv", "FloorDiv", "FloorMod", "Xdivy"})
"""Operations that are singular at the edge only; the others leave their domain beyond it as well."""
LOGS = frozenset({"Log", "Log1p", "Xlogy"})
DIVISIONS = frozenset({"RealDiv", "Div", "Reciprocal", "Inv", "FloorDiv", "FloorMod", "Xdivy", "Mean"})
ROOTS = frozenset({"Sqrt", "Rsqrt", "Pow"})
UNIT = frozenset({"Acos", "Asin", "Atanh"})
"""Operations with an edge at 1 and at -1."""
EXPONENTIALS = frozenset({"Exp", "Expm1", "Cosh", "Sinh"})
"""Operations that overflow."""


def distance(op: Op) -> float | None:
    """How far the operand of ``op`` is from the edge of its domain: 0 at it or beyond. None where it has no edge."""
    if op.type in UNIT:
        x = _value(op.inputs[0])
        return None if x is None or not x.size else max(0.0, float(np.nanmin(1.0 - np.abs(x))))
    if op.type in EXPONENTIALS:
        x = _value(op.inputs[0])
        return None if x is None or not x.size else max(0.0, _overflow(op) - float(np.nanmax(x)))
    if op.type == "Mean":
        x = _value(op.inputs[0])
        return None if x is None else 0.0 if x.size == 0 else 1.0
    if op.type not in EDGES:
        return None
    position, edge = EDGES[op.type]
    x = _value(op.inputs[position]) if position < len(op.inputs) else None
    if x is None or not x.size:
        return None
    away = np.abs(x - edge) if op.type in TWO_SIDED else x - edge
    if bool(np.isnan(away).any()):
        return None
    return max(0.0, float(away.min()))


def _overflow(op: Op) -> float:
    """The exponent at which exp leaves the dtype."""
    return float(np.log(op.inputs[0].dtype.max))


def _value(tensor: Any) -> Any:
    try:
        x = np.asarray(tensor.numpy(), dtype="float64")
    except (AttributeError, TypeError, ValueError):
        return None
    return x


def breaks(op: Op) -> bool:
    """Whether ``op`` returns inf or NaN for inputs that are finite."""
    outputs = [x for x in (_value(t) for t in op.outputs) if x is not None]
    inputs = [x for x in (_value(t) for t in op.inputs) if x is not None]
    return any(not np.isfinite(x).all() for x in outputs) and all(np.isfinite(x).all() for x in inputs)


def bends(observation: Observation, op: Op) -> bool:
    """Whether some gradient that ``op`` gets or passes back is not finite. True where that cannot be told."""
    if observation.tape is None:
        return True
    tensors = [t for t in (*op.inputs, *op.outputs) if getattr(t, "dtype", tf.bool).is_floating]
    gradients, error = attempts(observation.tape.gradient, observation.total, tensors)
    if error is not None:
        return True
    return not all(g is None or bool(np.isfinite(tf.convert_to_tensor(g).numpy()).all()) for g in gradients)


# -- what depends on what --------------------------------------------------------------------------------------------


def downstream(observation: Observation) -> list[Op]:
    """The operations that depend on a source, by values."""
    known = {id(t) for t in observation.sources.values()}
    known |= {id(t.handle) for t in observation.sources.values() if hasattr(t, "handle")}
    found = []
    for op in observation.ops:
        if any(id(t) in known for t in op.inputs):
            known.update(id(t) for t in op.outputs)
            found.append(op)
    return found


def upstream(observation: Observation, tensors: list[Any]) -> list[Op]:
    """The operations that ``tensors`` are computed from, in their order."""
    wanted = {id(t) for t in tensors}
    found = []
    for op in reversed(observation.ops):
        if any(id(t) in wanted for t in op.outputs):
            wanted.update(id(t) for t in op.inputs)
            found.append(op)
    return found[::-1]
