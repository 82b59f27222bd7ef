"""Fact by fact: what is said of a program against what is measured."""

from __future__ import annotations

import contextlib
import functools
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from losslint.domain.law import Law
from losslint.graph import Node
from losslint.loss import Loss
from tests.conformance import columns
from tests.conformance.columns import EXACT, LOOSE, POWERS, UNKNOWN, WRONG, Verdict
from tests.programs import additivity, findings, told
from tests.programs.grammar import Program
from tests.programs.layouts import Batch, batch, corners, edges
from tests.programs.truth import Refused, Truth

FACTS = ("shape", "law", "gradient law", "coupling", "gradient", "range", "findings")
SAID_BY = ("declared", "read")
UNMEASURED = "unmeasured"
TINY, SMALL = 1e-9, 1e-6
"""A gradient below the one is one that vanishes, but for rounding; below the other it may be."""
Scale = tuple[float, float, float]
SCALES: tuple[Scale, ...] = (
    (1.0, 0.0, 1.0),
    *((factor, 0.0, 1.0) for factor in (-1.0, -2.0, -4.0, 0.03, 9.0, -9.0)),
    *((1.0, shift, 1.0) for shift in (-1.2, -1.7)),
    *((factor, 0.0, -1.0) for factor in (1.0, 9.0)),
)
"""Factor and shift of the predictions, factor of the labels: a curve that bends for some may be straight for others."""
COPIES = (256, 8192)
"""How often the batch is repeated where a law holds for large batches only: if it is not there yet, more often."""


_COSTLY = re.compile(
    r"transpose_b|einsum|expand_dims\(.*, 0\)|tensordot|diag|tf\.eye|\[-1, 1\]|map_fn|foldl|tf\.scan|while_loop|over_rows|vectorized_map"
)

_BRANCHES = ("tf.cond", "tf.case", "tf.switch_case", " if len(")
"""Of these TensorFlow runs one way only, which may be another for other labels."""


class Compared(NamedTuple):
    """One fact of one program."""

    fact: str
    mode: str  # one of SAID_BY
    verdict: str
    why: str


def compare(program: Program) -> list[Compared]:
    """Every fact of ``program``. Raises Refused where TensorFlow does not run it, told.Crash where losslint fails."""
    measured = Measured(program)
    found = []
    for mode in SAID_BY:
        loss = told.as_declared(program) if mode == "declared" else told.as_read(program)
        if loss is None or (mode == "read" and not told.fits(loss, program.layout)):
            continue
        facts = [Compared(fact, mode, *verdict) for fact, verdict in measured.facts(loss, mode)]
        if mode == "read" and wrong(facts):
            facts = _in_general(program, loss, facts)
        found += facts
    return found


def _in_general(program: Program, loss: Loss, facts: list[Compared]) -> list[Compared]:
    """``facts`` of a file, which does not tell how many axes there are, nor how long: more and longer ones decide.

    Axis 2 is the last one of some tensors, where a softmax adds up to 1, and of others it is not.
    """
    axes = program.layout.axes
    wider = [(*axes[:-1], 3)] if axes[-1] == 1 else []
    higher = [("H", "W", 3)] if len(axes) == 2 and all(n.shape.rank is None for n in _arguments(loss)) else []
    for other in (*wider, *higher):
        try:
            measured = Measured(program._replace(layout=program.layout._replace(axes=other)))
            return [Compared(fact, "read", *verdict) for fact, verdict in measured.facts(loss, "read")]
        except Refused:
            continue
    return facts


def _arguments(loss: Loss) -> list[Node]:
    return [node for node in loss.graph.nodes if node.op == "source"]


class Measured:
    """The measurements of one program, each made once."""

    def __init__(self, program: Program) -> None:
        self.program = program
        try:
            self.truth = Truth(program)
            self.truth.value(self.batch(3, 1))
        except Refused:
            self.truth = Truth(program, "float32")
            self.truth.value(self.batch(3, 1))
        self.limited: frozenset[str] = frozenset()  # the arguments that are taken to lie in [0, 1]
        self.tolerance = 1e-6 if self.truth.precision == "float64" else 1e-3

    def batch(self, size: int, seed: int) -> Batch:
        """Random samples."""
        return batch(self.program.layout, size, seed)

    def facts(self, loss: Loss, mode: str) -> Iterator[tuple[str, Verdict]]:
        """The verdict on each fact; ``mode`` is one of ``SAID_BY``."""
        node = told.result(loss)
        if node is None:
            for fact in FACTS[:-1]:
                yield fact, (UNKNOWN, "")
            return
        once, twice = self.once, self.twice
        sizes = told.extents(self.program.layout, mode == "declared")
        yield "shape", columns.shape(node.shape, once.shape, twice.shape, {"B": 3} | sizes)
        yield "law", self._generic(lambda m: m._law(loss.laws.value(node)))
        yield "gradient law", self._generic(lambda m: m._gradient_law(loss.laws.gradient(node)))
        yield "coupling", additivity.verdict(loss.couplings.of(node), self.parts)
        reaches = loss.gradients.reaches(told.argument(loss, "y_pred"))
        yield "gradient", self._gradient(reaches)
        yield "range", self._range(loss)
        self.limited = told.limited(loss)
        for verdict in findings.verdicts(loss, self):
            yield "findings", verdict

    # -- measurements ----------------------------------------------------------------------------------------------
    @functools.cached_property
    def few(self) -> Batch:
        return self.batch(3, 1)

    @functools.cached_property
    def once(self) -> Any:
        return self.truth.value(self.few)

    @functools.cached_property
    def twice(self) -> Any:
        return self.truth.value(self.few.copies(2))

    @functools.cached_property
    def repeated(self) -> Any:
        return self.truth.value(self.few.repeated(2))

    @functools.cached_property
    def costly(self) -> bool:
        """Whether many copies fill the memory, as every sample may meet every other, or are taken one by one."""
        return bool(_COSTLY.search(self.program.source))

    @functools.cached_property
    def fixed(self) -> tuple[int, ...]:
        """The axes of the result that do not grow."""
        return tuple(i for i, (a, b) in enumerate(zip(self.once.shape, self.twice.shape, strict=True)) if a == b)

    @functools.cache  # noqa: B019  # lives as long as the program is looked at
    def slope(self, times: int, repeated: bool = False, scale: Scale = SCALES[0]) -> Any:
        """The gradient for a batch that is repeated, its predictions and labels multiplied by ``scale``."""
        few = self._scaled(scale)
        return self.truth.gradient(few.repeated(times) if repeated else few.copies(times), self.fixed)

    def _scaled(self, scale: Scale) -> Batch:
        factor, shift, of_labels = scale
        labels = self.few.y_true if self.program.layout.labels == "classes" else of_labels * self.few.y_true
        return self.few._replace(y_pred=factor * self.few.y_pred + shift, y_true=labels)

    @functools.cached_property
    def reached(self) -> str:
        """The best gradient over several kinds of inputs; "nan" where it is nowhere a number."""
        layout = self.program.layout
        states = []
        for labels in dict.fromkeys((layout.labels, "classes" if layout.labels == "classes" else "soft")):
            for outputs, spread in ((layout.outputs, 1.0), ("logits", 1.0), ("probabilities", 1.0), ("logits", 30.0)):
                samples = batch(layout._replace(labels=labels), 3, 5, outputs, spread)
                states.append(self.truth.reached(samples))
                if states[-1] == "live":
                    return "live"
        return max(states, key=("nan", "dead", "zero", "live").index)

    @functools.cached_property
    def parts(self) -> additivity.Parts:
        return additivity.Parts(self)

    @property
    def mixes(self) -> bool | None:
        """Whether some sample meets another, for random samples or where some are constant; None: not finite."""
        at_corners = [
            additivity.Parts(self, functools.partial(corners, self.program.layout, ends))
            for ends in ((0.0, 1.0), (-2.0, 3.0), (0.1, 0.05), (0.0, 1000.0))
        ]
        measured = [parts for parts in (self.parts, *at_corners) if parts.finite]
        return not all(parts.rows for parts in measured) if measured else None

    def scales(self, large: bool) -> bool | None:
        """Whether the gradient changes when the batch, or a ``large`` one, is repeated; None where there is none."""
        times, measured = COPIES[0] if large else 1, False
        for samples, uneven in self._kinds():
            once, twice = (self.truth.gradient(samples.copies(k), self.fixed, uneven) for k in (times, 2 * times))
            if once is None or not np.all(np.isfinite(once)) or np.max(np.abs(once)) < TINY:
                continue
            if not self._alike(once, twice):
                return True
            measured = True
        return False if measured else None

    def blows_up(self, under_xla: bool) -> bool | None:
        """Whether the value or the gradient is not finite for some legal input.

        None where no graph is made of it, or where it would show ``under_xla`` only and XLA does not take the program.
        """
        ran = {False: False, True: False}
        for compiled in ran:
            for samples in findings.extremes(self.program.layout, self.limited):
                with contextlib.suppress(Refused):
                    if not all(map(findings.finite, self.single.trained(samples, compiled))):
                        return True
                    ran[compiled] = True
        return False if ran[True] or (ran[False] and not under_xla) else None

    def _generic(self, verdict: Callable[[Measured], Verdict]) -> Verdict:
        """A verdict on a law. Labels of 0 and 1 can make a term vanish (``y * (1 - y)``): then others decide."""
        found = verdict(self)
        if found[0] == WRONG and self.program.layout.labels == "binary":
            soft = self.program._replace(layout=self.program.layout._replace(labels="soft"))
            return found if verdict(Measured(soft))[0] == WRONG else (LOOSE, "")
        return found

    # -- verdicts --------------------------------------------------------------------------------------------------
    def _law(self, power: Any) -> Verdict:
        if not np.all(np.isfinite(self.once)):
            return UNMEASURED, ""
        if power is not None and power.c is None:
            return LOOSE, ""  # some number, another one for each element
        if power is None or not power.asymptotic:
            return columns.law(power, self.once, self.twice, self.repeated)
        found = EXACT, ""
        for times in COPIES:
            large = tuple(self.truth.value(self.few.copies(n)) for n in (times, 2 * times))
            found = columns.law(power, self.once, self.twice, self.repeated, large)
            if found[0] != WRONG or self.costly:
                return found
        pairs = [columns.aligned(*(self.truth.value(self.few.copies(k * n)) for k in (1, 2))) for n in COPIES]
        nears = all(first is not None for first, _ in pairs) and _nears(pairs, float(power.p))
        return (UNMEASURED, "") if nears else found

    def _gradient(self, said: str) -> Verdict:
        """A gradient that is said to be live and vanishes is a fault that is missed, and none that is made up."""
        untaken = self.reached == "dead" and any(x in self.program.source for x in _BRANCHES)
        if said == "live" and (self.reached == "zero" or untaken):
            return LOOSE, "live, but it vanishes"
        return (UNMEASURED, "") if self.reached == "nan" else columns.gradient(said, self.reached)

    def _gradient_law(self, law: Law) -> Verdict:
        once = self.slope(1)
        if law.kind == "absent":
            if once is not None and np.any(np.isnan(once)):
                return UNMEASURED, ""
            live = once is not None and np.any(np.abs(once) > self.truth.nothing)
            return (WRONG, f"absent, but it is {_few(once)}") if live else (EXACT, "")
        if once is None or not np.all(np.isfinite(once)) or self._vanishes(1):
            return UNMEASURED, ""
        if law.kind == "unknown":
            return (UNKNOWN, "") if self._powers() else (EXACT, "")
        if law.kind == "broken":
            powers = [self._powers(scale) for scale in SCALES]
            return (WRONG, f"broken, but the power is {powers[0]}") if all(powers) else (EXACT, "")
        if law.kind == "mixed":
            return self._mixed(sorted(float(p) for p in law.powers), law.asymptotic)
        assert law.p is not None
        p = float(law.p)
        if law.asymptotic:
            for times in COPIES:
                first, second = self.slope(times), self.slope(2 * times)
                if self._vanishes(times):
                    return UNMEASURED, ""
                if self._alike(first * 2**p, second, 3e-2):
                    return LOOSE, ""
                if self.costly:
                    return WRONG, f"{law}, but {_few(first)} becomes {_few(second)}"
            if _nears([(self.slope(n), self.slope(2 * n)) for n in COPIES], p):
                return UNMEASURED, ""
            return WRONG, f"{law}, but {_few(first)} becomes {_few(second)}"
        for repeated in (False, True):
            if not self._alike(once * 2**p, self.slope(2, repeated)):
                return WRONG, f"{law}, but {_few(once)} becomes {_few(self.slope(2, repeated))}"
        return EXACT, ""

    def _vanishes(self, times: int) -> bool:
        """Whether the gradient for so many copies is 0 but for rounding, which is another in another order."""
        size = np.max(np.abs(self.slope(times)))
        if size >= SMALL:
            return False
        return bool(size < TINY) or not self._alike(self.slope(2 * times), self.slope(2 * times, True))

    def _powers(self, scale: Scale = SCALES[0]) -> list[float]:
        """The powers that the gradient follows; all of them where it vanishes."""
        once = self.slope(1, scale=scale)
        if once is None or not np.all(np.isfinite(once)):
            return list(POWERS)  # no legal input: it speaks against none
        pairs = [(2, self.slope(2, scale=scale)), (2, self.slope(2, True, scale)), (4, self.slope(4, scale=scale))]
        return [p for p in POWERS if all(self._alike(once * k**p, found) for k, found in pairs)]

    def _mixed(self, powers: list[float], asymptotic: bool) -> Verdict:
        """Whether the gradient is a sum of such powers, all of which take part for some samples."""
        times = [64, 128, 256, 512] if asymptotic else [1, 2, 4, 8]
        basis = np.array([[k**p for p in powers] for k in times], float)
        for samples, uneven in self._kinds():
            found = np.stack([self.truth.gradient(samples.copies(k), self.fixed, uneven).ravel() for k in times])
            parts, *_ = np.linalg.lstsq(basis, found, rcond=None)
            error, scale = np.abs(basis @ parts - found).max(), np.abs(found).max()
            if error > (3e-2 if asymptotic else 1e-4) * scale:
                return WRONG, f"mixed {powers}, but {_few(found[:, 0])} for {times} copies"
            if asymptotic or all(np.abs(part).max() >= 1e-9 for part in parts):
                return (LOOSE if asymptotic else EXACT), ""
        return WRONG, f"mixed {powers}, but one of them takes no part: {_few(found[:, 0])} for {times} copies"

    def _kinds(self) -> Iterator[tuple[Batch, bool]]:
        """Samples, and whether they count unevenly: what adds up to a constant, as shares do, shows only then."""
        yield self.few, False
        yield self.few, True
        for ends in ((0.0, 1.0), (-2.0, 3.0)):
            yield corners(self.program.layout, ends, 6, 3), False
        for scale in SCALES[1:]:
            yield self._scaled(scale), False

    def _alike(self, a: Any, b: Any, tolerance: float = 0.0) -> bool:
        scale = max(float(np.max(np.abs(a))), 1e-9)
        return bool(np.max(np.abs(a - b)) <= (tolerance or 10 * self.tolerance) * scale)

    def _range(self, loss: Loss) -> Verdict:
        """The interval of the result, in float32, for random and extreme inputs."""
        node = told.result(loss)
        assert node is not None
        limited = told.limited(loss)
        seen = self.seen(limited)
        verdict = columns.interval(loss.ranges.of(node), seen)
        if verdict[0] == WRONG:  # ranges are told for graphs, where constants are added up first
            verdict = columns.interval(loss.ranges.of(node), self.seen(limited, compiled=True))
        if verdict[0] == UNKNOWN and (seen.low < -columns.LARGE or seen.high > columns.LARGE or self._grows(limited)):
            return LOOSE, ""  # that it has no end is right for one of them
        return verdict

    def _grows(self, limited: frozenset[str]) -> bool:
        """Whether values go further out for inputs that do so: slowly, as a logarithm, or as these come near to 0."""
        for near, far in ((1e6, 1e12), (1e-6, 1e-12)):
            first, second = (self.seen(limited, far=at) for at in (near, far))
            if second.low < min(1.3 * first.low, -1.0) or second.high > max(1.3 * first.high, 1.0):
                return True
        return False

    @functools.cache  # noqa: B019
    def seen(self, limited: frozenset[str], compiled: bool = False, far: float = 1e6) -> columns.Seen:
        """The values for random and extreme inputs; ``limited`` are the arguments that lie in [0, 1]."""
        seen = columns.Seen()
        for samples in edges(self.program.layout, limited, far):
            with contextlib.suppress(Refused):  # a check inside of TensorFlow: no legal input
                seen.add(self.single.trained(samples, True)[0] if compiled else self.single.value(samples))
        return seen

    @functools.cached_property
    def single(self) -> Truth:
        """The program in float32, the precision that ranges are told for."""
        return Truth(self.program, "float32")


def _nears(pairs: list[tuple[Any, Any]], power: float) -> bool:
    """Whether values for ever larger batches, each with that for twice as many, come nearer to a law.

    A small constant beside a root of the batch size counts for millions of samples only: nobody waits for these.
    """
    misses = [np.max(np.abs(b / 2**power - a)) / max(float(np.max(np.abs(a))), 1e-9) for a, b in pairs]
    return bool(misses[-1] < 0.95 * misses[0])


def _few(values: Any) -> str:
    return "None" if values is None else np.array2string(np.asarray(values).ravel()[:4], precision=5)


def wrong(found: list[Compared]) -> list[str]:
    """The disagreements, in words."""
    return [f"{c.fact}, as {c.mode}: {c.why}" for c in found if c.verdict == WRONG]
