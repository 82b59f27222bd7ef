"""``check_loss``: a project's own tests run its losses through the probes of the confirmer.

The loss is an object of the calling process and is run there, without a sandbox: who writes a test means to run it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from losslint.confirm.inputs import Spec
    from losslint.confirm.run import Run

_TOLERANCE = 0.02
"""How far the gradient of a repeated batch may be from that of the batch, as a share."""
_KINDS = ("simplex", "prob", "binary", "onehot", "ids", "logits", "real", "positive", "unit", "embedding", "sign")


class LossError(AssertionError):
    """A probe found a fault; ``passport`` holds what all of them saw."""

    def __init__(self, passport: Passport) -> None:
        super().__init__(f"{passport.name} fails {len(passport.failures)} of its checks\n{passport}")
        self.passport = passport


@dataclass(slots=True)
class Passport:
    """What the probes saw of one loss. ``str`` of it is the table that ``losslint confirm`` prints."""

    name: str
    inputs: str  # "y_true=onehot[B,10] y_pred=simplex[B,10]"
    facts: dict[str, Any] = field(default_factory=dict)  # probe -> what it saw, as in the JSON of ``losslint confirm``
    failures: dict[str, str] = field(default_factory=dict)  # check -> what is wrong

    def __str__(self) -> str:
        from losslint.confirm.passport import of_facts

        rows = [*(("FAILS", f"{check}: {why}") for check, why in self.failures.items()), ("inputs", self.inputs)]
        lines, before = [self.name], ""
        for label, text in [*rows, *of_facts(self.facts, {})]:
            lines.append(f"  {label if label != before else '':<13} {text}")
            before = label
        return "\n".join(lines)


def check_loss(
    loss: Any,
    y_true: Any,
    y_pred: Any,
    *,
    skip: Collection[str] = (),
    kinds: Mapping[str, str] | None = None,
    consumer: str = "keras",
) -> Passport:
    """Run ``loss(y_true, y_pred)`` through the probes; the passport, where none finds a fault.

    ``loss`` is a function or an object derived from ``keras.losses.Loss``, whose ``call`` is run. ``y_true`` and
    ``y_pred`` are one ordinary batch, arrays or tensors with at least two samples along axis 0: shapes and dtypes are
    taken from them, and so is what kind of numbers they are (rows of probabilities, one-hot rows, logits, ...), which
    says where the edges are. ``kinds`` says so where the numbers leave it open, as in ``{"y_pred": "logits"}``.
    ``consumer`` is "keras", which averages what is returned, or "tape", which adds it up.

    The checks, each of which ``skip`` can leave out:

    - "trace": ``tf.function`` traces it, for "keras" with an unknown batch size and without AutoGraph.
    - "finite": value and gradient are finite for this batch.
    - "gradient": a gradient that is not 0 reaches ``y_pred``.
    - "derivative": it is the derivative, by central differences.
    - "batch": the batch repeated gives the same gradient, and a single sample a finite one.
    - "edges": value and gradient are finite at the edges of the inputs' domains.
    - "modes": eagerly, under ``tf.function`` and compiled by XLA the numbers are the same.

    Raises LossError, an AssertionError, with the passport where a check fails; ValueError for arguments that cannot be
    used; ModuleNotFoundError without TensorFlow.
    """
    run = _run(loss, y_true, y_pred, kinds or {}, consumer)
    unknown = set(skip) - _CHECKS.keys()
    if unknown:
        raise ValueError(f"there is no check {min(unknown)!r}: they are {', '.join(_CHECKS)}")
    passport = Passport(run.job.target, run.convention.describe())
    for check, (probe, judge) in _CHECKS.items():
        if check in skip:
            continue
        found = passport.facts.setdefault(probe, _probed(probe, run))
        why = found["failed"] if "failed" in found else judge(found, run)
        if why:
            passport.failures[check] = why
        if check == "trace" and why:
            break  # without a trace there is nothing to look at
    if passport.failures:
        raise LossError(passport)
    return passport


# -- the run ---------------------------------------------------------------------------------------------------------


def _run(loss: Any, y_true: Any, y_pred: Any, kinds: Mapping[str, str], consumer: str) -> Run:
    import numpy as np

    from losslint.confirm.inputs import SIZES, Convention
    from losslint.confirm.jobs import Bundle, Job
    from losslint.confirm.run import Run
    from losslint.confirm.subject import Subject

    if consumer not in ("keras", "tape"):
        raise ValueError(f'the consumer is "keras" or "tape", not {consumer!r}')
    if not callable(loss):
        raise ValueError(f"a loss is a function or a Loss object, not {type(loss).__name__}")
    arrays = {"y_true": np.asarray(y_true), "y_pred": np.asarray(y_pred)}
    for name in kinds:
        if name not in arrays or kinds[name] not in _KINDS:
            raise ValueError(
                f"kinds maps y_true and y_pred to one of {', '.join(_KINDS)}, not {name!r}: {kinds[name]!r}"
            )
    count = {a.shape[0] if a.ndim else 0 for a in arrays.values()}
    if len(count) != 1 or min(count) < 2:
        shapes = " and ".join(str(a.shape) for a in arrays.values())
        raise ValueError(f"y_true and y_pred are batches of the same two or more samples, not {shapes}")
    specs = {name: _spec(name, array, kinds.get(name)) for name, array in arrays.items()}
    function, name = _function(loss)
    job = Job(Bundle("", {}), name, consumer=consumer)
    sizes = {**SIZES[0], "B": min(count)}
    subject = Subject(function, Convention("given", specs), sizes, consumer, consumer == "keras")
    source = _file(function)
    run = Run(job, subject, frozenset([source] if source else []))
    run.arrays = {n: a.astype(specs[n].dtype) for n, a in arrays.items()}
    return run


def _spec(name: str, array: Any, kind: str | None) -> Spec:
    from losslint.confirm.inputs import Spec

    role = "label" if name == "y_true" else "prediction"
    if role == "prediction" and array.dtype.kind != "f":
        raise ValueError(f"y_pred is made of floating-point numbers, not {array.dtype}")
    if array.dtype.kind not in "fiub":
        raise ValueError(f"{name} is made of numbers, not {array.dtype}")
    dtype = "float32" if array.dtype == "float64" else str(array.dtype)  # what NumPy makes without being asked
    return Spec(role, kind or _kind(array, role), ("B", *array.shape[1:]), dtype, given=True)


def _kind(array: Any, role: str) -> str:
    """What the numbers of a batch look like."""
    import numpy as np

    if array.dtype.kind in "iu":
        return "ids" if array.size and array.max() > 1 else "binary"
    if array.dtype.kind == "b":
        return "binary"
    sums = array.sum(-1) if array.ndim > 1 and array.shape[-1] > 1 else np.zeros(0)
    rows = sums.size > 0 and bool(np.allclose(sums, 1.0, atol=1e-4))
    if role == "label" and set(np.unique(array)) <= {0.0, 1.0}:
        return "onehot" if rows else "binary"
    if array.size and array.min() >= 0.0 and array.max() <= 1.0:
        return "simplex" if rows else "prob"
    return "real" if role == "label" else "logits"


def _function(loss: Any) -> tuple[Callable[..., Any], str]:
    """What is called, with two arguments, and its name."""
    import tensorflow as tf

    if isinstance(loss, tf.keras.losses.Loss):
        return loss.call, f"{type(loss).__name__}.call"
    return loss, getattr(loss, "__qualname__", type(loss).__name__)


def _file(function: Callable[..., Any]) -> str | None:
    try:
        return inspect.getsourcefile(inspect.unwrap(function))
    except TypeError:
        return None


def _probed(name: str, run: Run) -> dict[str, Any]:
    import numpy as np

    from losslint.confirm.runner import probed

    with np.errstate(all="ignore"):  # what is not finite is an answer
        return probed(name, run)


# -- the checks ------------------------------------------------------------------------------------------------------


def _traced(fact: dict[str, Any], run: Run) -> str:
    if fact["mode"] == "eager":
        return f"tf.function cannot trace it: {_first(fact)}"
    if run.job.consumer == "keras" and fact["batch"] != "None":
        return f"it cannot be traced with an unknown batch size: {_first(fact)}"
    return ""


def _first(fact: dict[str, Any]) -> str:
    return next((" ".join(error["message"].split()) for error in fact["errors"].values()), "")


def _finite(fact: dict[str, Any], run: Run) -> str:
    if run.base.total is None:
        return f"it returns {fact['structure']} without a floating-point number"
    if not run.base.finite_value:
        return f"its value is {run.base.total} for the batch that was given"
    return "" if run.base.finite_gradient else "its gradient is not finite for the batch that was given"


def _arrives(fact: dict[str, Any], run: Run) -> str:
    return "; ".join(_lost(name, source, fact) for name, source in fact["sources"].items() if source["state"] != "live")


def _lost(name: str, source: dict[str, Any], fact: dict[str, Any]) -> str:
    where = f", cut at {fact['cut_at'][0]['op']}" if fact["cut_at"] else ""
    told = {"none": f"there is no gradient for {name}", "zero": f"the gradient of {name} is 0"}
    return told.get(source["state"], f"the gradient of {name} is not finite") + where


def _derived(fact: dict[str, Any], run: Run) -> str:
    if fact.get("agree", True):
        return ""
    return (
        f"the gradient is {fact['tape']:.4g} along a direction in which the loss changes by {fact['differences']:.4g}"
    )


def _scaled(fact: dict[str, Any], run: Run) -> str:
    if fact.get("error"):
        return str(fact["error"])
    off = [(n, r) for n, r in fact["gradient_ratio"].items() if r is not None and abs(r - 1.0) > _TOLERANCE]
    if off and run.job.consumer == "keras":
        copies, ratio = off[0]
        return f"{copies} copies of the batch make the gradient {ratio:.4g} times as large"
    single = fact.get("single")
    if single is None:
        return "it raises for a batch of one"
    return "" if single["finite"] else "it is not finite for a batch of one"


def _edged(fact: dict[str, Any], run: Run) -> str:
    places = list(fact["nonfinite"])
    more = f", and at {len(places) - 1} more" if len(places) > 1 else ""
    return f"not finite at {places[0]}{more}" if places else ""


def _alike(fact: dict[str, Any], run: Run) -> str:
    failing = [m for m in ("eager", "graph", "xla") if not fact[m]["runs"]]
    if failing:
        return f"{failing[0]} raises: {' '.join(fact[failing[0]]['error'].split())}"
    if not fact["agree"]:
        return "the modes give different numbers"
    return "" if not fact["differ"] else f"finite in one mode and not in another at {next(iter(fact['differ']))}"


_Judge = Callable[[dict[str, Any], "Run"], str]
_CHECKS: dict[str, tuple[str, _Judge]] = {
    "trace": ("trace", _traced),
    "finite": ("output", _finite),
    "gradient": ("gradient", _arrives),
    "derivative": ("derivative", _derived),
    "batch": ("batch", _scaled),
    "edges": ("edges", _edged),
    "modes": ("modes", _alike),
}
"""Check -> the probe that it reads, and what it makes of it: "" or what is wrong."""
