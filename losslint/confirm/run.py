"""A loss that has been called with success: its conventions, its trace, and what probes share."""

from __future__ import annotations

import functools
import itertools
import re
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from losslint.confirm import conventions
from losslint.confirm.conventions import Asked
from losslint.confirm.inputs import SIZES, Arrays, Convention, Sizes, Spec, sizes_for
from losslint.confirm.jobs import Job
from losslint.confirm.observe import Observation, observe
from losslint.confirm.subject import Evaluator, Result, Subject, attempts

_TRIES = 400
_ENOUGH_TRIES = 80  # once a convention is found
_ENOUGH_STILL = 4  # conventions with finite numbers and no gradient
_SECONDS = 8.0  # of the processor: what else the machine does must not matter


class NotRun(Exception):
    """The loss could not be called; says why. ``common`` is the error that most calls raised, as ``described``."""

    def __init__(self, message: str, common: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.common = common


@dataclass
class Run:
    """One loss with one accepted convention."""

    job: Job
    subject: Subject
    files: frozenset[str]
    tried: int = 0
    moved: bool = True  # it returned finite numbers and a gradient
    seed: int = 0
    observations: dict[str, Observation] = field(default_factory=dict)

    @property
    def convention(self) -> Convention:
        """How the loss is called."""
        return self.subject.convention

    @property
    def sizes(self) -> Sizes:
        """Batch and other extents."""
        return self.subject.sizes

    @functools.cached_property
    def arrays(self) -> Arrays:
        """An ordinary input."""
        return self.convention.sample(self.sizes, self.seed)

    @functools.cached_property
    def trace(self) -> dict[str, Any]:
        """How the loss can be traced: ``graph`` is made from the first way that works."""
        autograph = self.job.consumer == "tape"
        ways = [
            ("None batch", Evaluator(self.subject, "graph", autograph)),
            ("fixed batch", Evaluator(self.subject, "graph", autograph, static=True)),
            ("with AutoGraph", Evaluator(self.subject, "graph", True, static=True)),
            ("eager", Evaluator(self.subject, "eager")),
        ]
        found: dict[str, Any] = {"autograph": autograph, "errors": {}}
        for way, evaluator in ways:
            if way == "with AutoGraph" and autograph:
                continue
            result, error = attempts(evaluator, self.arrays)
            if error is None:
                self._graph, self._base = evaluator, result
                return found | {"way": way, "mode": evaluator.mode, "batch": "None" if way == "None batch" else "fixed"}
            found["errors"][way] = described(error, self.files)
        raise NotRun(f"it cannot be traced: {found['errors']['eager']['message']}")

    @property
    def graph(self) -> Evaluator:
        """The traced loss with its gradient."""
        _ = self.trace
        return self._graph

    @property
    def base(self) -> Result:
        """The numbers at the ordinary input."""
        _ = self.trace
        base: Result = self._base
        return base

    def at(self, arrays: Arrays) -> Result | None:
        """The numbers at ``arrays``; None where the loss raises there."""
        result: Result | None = attempts(self.graph, arrays)[0]
        return result

    def observed(self, name: str, arrays: Arrays) -> Observation:
        """The loss watched at ``arrays``, once for each name."""
        if name not in self.observations:
            self.observations[name] = observe(self.subject, arrays, self.files)
        return self.observations[name]

    @functools.cached_property
    def marks(self) -> list[tuple[str, float]]:
        """Values of labels that the loss compares them with and that change the answer: what it ignores, often."""
        return list(dict.fromkeys(_marks(self)))

    @functools.cached_property
    def xla(self) -> Evaluator:
        """The loss compiled by XLA."""
        return Evaluator(self.subject, "xla", self.trace["autograph"], static=True)


_COMPARISONS: Mapping[str, Callable[..., Any]] = {
    "Equal": np.equal, "NotEqual": np.not_equal, "Less": np.less, "LessEqual": np.less_equal, "Greater": np.greater,
    "GreaterEqual": np.greater_equal,
}  # fmt: skip


def _marks(run: Run) -> Iterator[tuple[str, float]]:
    """For each comparison of a label with a number that is answered alike for every element, what changes that."""
    for op in run.observed("ordinary", run.arrays).ops:
        compare = _COMPARISONS.get(op.type)
        values = [_numbers(t) for t in op.inputs] if compare is not None else []
        if compare is None or any(v is None for v in values) or {v.size for v in values} == {1}:
            continue
        answer = np.unique(compare(*values))
        for side, name in itertools.product((0, 1), run.convention.labels):
            label, other = run.arrays[name], values[1 - side]
            if other.size != 1 or values[side].size != label.size or np.any(values[side].ravel() != label.ravel()):
                continue
            for value in (other.item() + _STEPS) if answer.size == 1 else ():
                if compare(*((value, other) if side == 0 else (other, value))) != answer[0]:
                    yield name, float(value)
                    break


_STEPS = np.array([0.0, -1.0, 1.0])
"""From what labels are compared with to what may change the answer."""


def _numbers(tensor: Any) -> Any:
    array = attempts(lambda: np.asarray(tensor.numpy(), dtype="float64"))[0]
    return array if array is not None and array.size else None


def described(error: Exception, files: frozenset[str]) -> dict[str, Any]:
    """What was raised, in one line, and the user's lines it came from, innermost first."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [[f.filename, f.lineno] for f in frames if f.filename in files][::-1]
    text = " ".join(str(error).split())
    return {"type": type(error).__name__, "message": f"{type(error).__name__}: {text[:300]}", "lines": lines[:5]}


def runs(
    function: Callable[..., Any], about: Asked, given: Mapping[str, Spec], job: Job, files: frozenset[str]
) -> Iterator[Run]:
    """The conventions that ``function`` accepts, the likeliest first. Raises NotRun where there is none.

    A call that yields finite numbers and a gradient is better than one that merely returns; those come last. Where
    several return finite numbers and none a gradient, the loss is cut, and looking further is of no use.
    """
    spare: list[tuple[bool, Run]] = []  # finite or not
    errors: dict[str, dict[str, Any]] = {}
    found = tried = 0
    start = time.process_time()
    told: list[int] = []
    for convention in _typed(conventions.ladder(about, given, told), job):
        if tried >= _TRIES or time.process_time() - start > _SECONDS:
            break
        tried += 1
        aligned = job.consumer == "keras" and _plain(job)
        subject = Subject(function, convention, _sizes(convention, job), job.consumer, aligned)
        run = Run(job, subject, files, tried, seed=job.seed)
        result, error = attempts(Evaluator(run.subject, "eager"), run.arrays)
        if error is not None and "eager" in str(error).lower():  # tf.gradients wants a graph
            result, error = attempts(Evaluator(run.subject, "graph", static=True), run.arrays)
        if error is not None:
            _note(described(error, files), errors, told)
            if type(error).__name__ == "StubUsed":
                break
            continue
        finite = result.total is not None and result.finite
        if finite and _moved(run, result) and not _crossed(run, result):
            found += 1
            yield run
        else:
            run.moved = False
            spare.append((finite, run))
        if tried > _ENOUGH_TRIES and found:
            break
        if not found and sum(f and not _one_class(r) for f, r in spare) >= _ENOUGH_STILL:
            break
    spare.sort(key=lambda s: not s[0])
    yield from (run for _, run in spare[:2])
    if not found and not spare:
        common = max(errors.values(), key=lambda e: int(e["tried"]), default=None)
        most = common["message"] if common else "no convention is known"
        raise NotRun(f"none of {tried} input conventions is accepted; most often: {most}", common)


def _note(error: dict[str, Any], errors: dict[str, dict[str, Any]], told: list[int]) -> None:
    """Count ``error``, and keep the numbers it names: they may be extents that the loss wants."""
    known = errors.setdefault(error["message"], error | {"tried": 0})
    known["tried"] += 1
    told += [n for n in map(int, re.findall(r"\d+", error["message"])) if 2 < n < 200 and n not in told]


def _plain(job: Job) -> bool:
    """Whether Keras wraps the loss as a plain function, and aligns the ranks of its arguments."""
    return job.keras == "3" and "." not in job.target.replace(".<locals>.", "")


def _sizes(convention: Convention, job: Job) -> Sizes:
    sizes = sizes_for(convention.specs, SIZES[0])
    return {**sizes, "B": job.batch} if job.batch else sizes


def _moved(run: Run, result: Result) -> bool:
    """Whether some gradient of a prediction is not 0; a loss that is cut everywhere has to be taken as it is.

    What may be no prediction counts only where nothing else does.
    """
    guessed = {n for n, s in run.convention.specs.items() if s.role == "other"}
    counted = result.gradients.keys() - guessed or result.gradients.keys()
    return any(g is not None and bool(np.any(g)) for n, g in result.gradients.items() if n in counted)


def _one_class(run: Run) -> bool:
    """Whether some prediction has a last axis of 1, over which a softmax is constant."""
    return any(s.role == "prediction" and s.dims[-1:] == (1,) for s in run.convention.specs.values())


def _crossed(run: Run, result: Result) -> bool:
    """Whether samples were paired with samples where labels and predictions of other ranks met: (B,) against (B, 1)."""
    ranks = {len(s.dims) for s in run.convention.specs.values() if s.role in ("label", "prediction") and s.batched}
    count = run.sizes["B"]
    return len(ranks) > 1 and any(np.asarray(o).shape[:2] == (count, count) for o in result.outputs)


def _typed(ladder: Iterator[Convention], job: Job) -> Iterator[Convention]:
    """Each convention with labels as the consumer passes them: float32 from Keras, integers from a tape."""
    for convention in ladder:
        ids = [n for n, s in convention.specs.items() if s.domain == "ids" and not s.given]
        if not ids:
            yield convention
            continue
        for dtype in ("float32", "int32") if job.consumer == "keras" else ("int32", "float32"):
            typed = convention
            for name in ids:
                typed = typed.with_dtype(name, dtype)
            yield typed
