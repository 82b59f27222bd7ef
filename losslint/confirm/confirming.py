"""Runs planned losses in a pool and settles what their findings are worth.

Confirming is a map over losses, written against ``concurrent.futures.Executor``: threads wait for the processes of a
pool, one pool for each Keras that the code is written for.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import itertools
import os
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any

from losslint.confirm import verdicts
from losslint.confirm.jobs import Claim, Limits, Outcome
from losslint.confirm.judges.base import REPEATING
from losslint.confirm.plan import Planned, for_findings
from losslint.confirm.pool import CannotStart, Pool
from losslint.findings import INCONCLUSIVE, REFUTED, Finding, Verdict
from losslint.progress import Progress
from losslint.session import Result
from losslint.settings import Resolver

MISSING = "confirming runs TensorFlow, which is not installed: pip install 'losslint[tf]'"


class Unavailable(Exception):
    """Nothing can be run here; the message names the way out."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to run. ``seconds`` is the limit for one loss, ``budget`` that for all of them together."""

    device: str = "auto"
    seconds: float = 30.0
    budget: float | None = None
    jobs: int = 0
    trust_refuted: bool = True
    cluster: str = ""  # the address of its scheduler


@dataclass(slots=True)
class Ran:
    """One loss that was run, or was to be: what came of it."""

    planned: Planned
    outcome: Outcome
    versions: dict[str, str] = field(default_factory=dict)

    @property
    def result(self) -> dict[str, Any]:
        """What the runner returned; empty where it did not."""
        return self.outcome.result or {}

    def verdicts(self) -> list[Verdict]:
        """One verdict for each claim of the job."""
        claims = self.planned.job.claims
        if self.outcome.kind != "done":
            found = [verdicts.ended(self.outcome) for _ in claims]
        elif not self.result.get("ran"):
            told = self.result.get("aside") or [{}] * len(claims)
            found = [verdicts.not_run(c, self.result, t) for c, t in zip(claims, told, strict=True)]
        else:
            found = [verdicts.decide(c, e) for c, e in zip(claims, self.result["claims"], strict=True)]
        notes = (*assumptions(self.result), *self.shortcomings())
        device = self.result.get("device") or self.versions.get("device", "")
        tensorflow = self.versions.get("tensorflow", "")
        pairs = zip(claims, found, strict=True)
        trusted = [self._trusted(claim, verdict) for claim, verdict in pairs]
        seed = self.planned.job.seed if self.outcome.kind == "done" else None
        return [v._replace(device=device, tensorflow=tensorflow, notes=notes, seed=seed) for v in trusted]

    def shortcomings(self) -> Iterator[str]:
        """What the run lacked."""
        if self.planned.job.keras == "2" and keras_of(self.planned) != "2":
            yield "ran with Keras 3: Keras 2 is not installed (pip install tf_keras)"

    def _trusted(self, claim: Claim, verdict: Verdict) -> Verdict:
        """Nothing is concluded from a run that met what cannot be imported, nor from numbers that do not repeat."""
        if self.result.get("random") and verdict.verdict != INCONCLUSIVE and claim.code not in REPEATING:
            return Verdict(INCONCLUSIVE, "it is random: the same input gives other numbers each time")
        stubs = self.result.get("stubs")
        if stubs and verdict.verdict != INCONCLUSIVE:
            return Verdict(INCONCLUSIVE, f"it uses what is not imported: {', '.join(stubs)}")
        return verdict


def assumptions(result: dict[str, Any]) -> Iterator[str]:
    """What was taken for granted to run a loss, each in a few words."""
    if result.get("convention"):
        yield f"called with {result['convention']}"
    yield from result.get("shims") or ()
    yield from result.get("assumed") or ()
    yield from (f"left out: {text}" for text in result.get("left_out") or ())


def run(planned: list[Planned], options: Options, progress: Progress | None = None) -> Iterator[Ran]:
    """What came of each loss, in the order in which they end; KeyboardInterrupt ends every process. Raises Unavailable.

    A loss for which the budget does not suffice is given back as not run.
    """
    if not planned and not options.device.startswith("gpu"):
        return
    if options.cluster:
        yield from _on_cluster(planned, options, progress)
        return
    if importlib.util.find_spec("tensorflow") is None:
        raise Unavailable(MISSING)
    devices = _devices(options.device)
    pools: dict[str, list[Pool]] = {}
    try:
        for keras in dict.fromkeys(keras_of(p) for p in planned):
            limits = Limits(seconds=options.seconds)
            pools[keras] = [Pool(device=device, keras=keras, limits=limits) for device in devices]
        with ThreadPoolExecutor(max(options.jobs or os.cpu_count() or 1, len(devices))) as executor:
            try:
                yield from _mapped(executor, planned, pools, options, progress)
            except CannotStart as error:
                raise Unavailable(str(error)) from None
            finally:  # ended from outside: what still runs must not be waited for
                _close(pools)
                executor.shutdown(cancel_futures=True)
    finally:
        _close(pools)


def _on_cluster(planned: list[Planned], options: Options, progress: Progress | None) -> Iterator[Ran]:
    from losslint.cluster import RemotePool, connected
    from losslint.executor import NoCluster

    try:
        client = connected(options.cluster)
    except NoCluster as error:
        raise Unavailable(str(error)) from None
    try:
        limits = Limits(seconds=options.seconds)
        kinds = dict.fromkeys(keras_of(p) for p in planned)
        pools: dict[str, list[Any]] = {k: [RemotePool(client, options.device, k, limits)] for k in kinds}
        threads = options.jobs or sum(client.nthreads().values())
        with ThreadPoolExecutor(max(threads, 1)) as executor:
            yield from _mapped(executor, planned, pools, options, progress)
    finally:
        client.close()


def _close(pools: dict[str, list[Pool]]) -> None:
    for pool in (p for alike in pools.values() for p in alike):
        pool.close()


def _mapped(
    executor: Executor, planned: list[Planned], pools: dict[str, list[Pool]], options: Options, told: Progress | None
) -> Iterator[Ran]:
    start = time.monotonic()

    def one(item: Planned, pool: Pool) -> Ran:
        if item.refused:
            return Ran(item, Outcome("refused", detail=item.refused))
        if options.budget is not None and time.monotonic() - start > options.budget:
            return Ran(item, Outcome("budget", detail=f"the budget of {options.budget:g} s was spent on other losses"))
        return _legible(Ran(item, pool.run(item.job.to_json()), dict(pool.versions)))

    turns = {keras: itertools.cycle(alike) for keras, alike in pools.items()}
    waiting: set[Future[Ran]] = {executor.submit(one, item, next(turns[keras_of(item)])) for item in planned}
    while waiting:
        ended, waiting = wait(waiting, return_when=FIRST_COMPLETED)
        for future in ended:
            yield future.result()
        if told is not None:
            told(len(planned) - len(waiting), len(planned))


def _legible(ran: Ran) -> Ran:
    """``ran``, or the same as failed where its result, which the loss may have written itself, is none of a runner."""
    from losslint.confirm import passport

    try:
        ran.verdicts()
        passport.render(ran)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        detail = f"its result cannot be read: {type(error).__name__}: {error}"
        return dataclasses.replace(
            ran, outcome=dataclasses.replace(ran.outcome, kind="failed", detail=detail, result=None)
        )
    return ran


def keras_of(planned: Planned) -> str:
    """Keras 2 where the code is written for it and it is installed."""
    return "2" if planned.job.keras == "2" and importlib.util.find_spec("tf_keras") is not None else "3"


def _devices(wanted: str) -> list[str]:
    """One device, or every GPU where none is named. Raises Unavailable."""
    from losslint.confirm.pool import NoDevice, devices, resolve_device

    try:
        first = resolve_device(wanted)
        return [first] if first == "cpu" or ":" in wanted else [d for d in devices() if d.startswith("gpu")]
    except (NoDevice, CannotStart) as error:
        raise Unavailable(str(error)) from None


# -- the findings of a run -------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Confirmation:
    """What confirming the findings of a run yielded beside their verdicts."""

    ran: list[Ran] = field(default_factory=list)
    interrupted: bool = False


def confirm(
    result: Result,
    resolver: Resolver,
    options: Options,
    texts: dict[str, bytes],
    progress: Progress | None = None,
    passports: bool = False,
) -> Confirmation:
    """Give every finding of ``result`` its verdict, and count anew what fails; with all probes for ``passports``.

    Raises Unavailable.
    """
    found = Confirmation()
    planned = list(for_findings(result.findings, resolver, texts, passports))
    try:
        for one in run(planned, options, progress):
            found.ran.append(one)
            for number, verdict in zip(one.planned.numbers, one.verdicts(), strict=True):
                result.findings[number] = dataclasses.replace(result.findings[number], verdict=verdict)
            result.limits |= one.outcome.enforced
    except KeyboardInterrupt:
        found.interrupted = True
    unsaid = "interrupted before it was run" if found.interrupted else "its loss was not found again"
    asked = {n for p in planned for n in p.numbers}
    for number, finding in enumerate(result.findings):
        if finding.verdict is None and (number in asked or finding.extra.get("loss")):
            reason = unsaid if number in asked else "no probe decides this rule"
            result.findings[number] = dataclasses.replace(finding, verdict=Verdict(INCONCLUSIVE, reason))
    settle(result, resolver, options.trust_refuted)
    return found


def settle(result: Result, resolver: Resolver, trust_refuted: bool) -> None:
    """Refuted findings do not count, where they are trusted."""
    result.confirmed, result.trust_refuted = True, trust_refuted
    if trust_refuted:
        result.failing -= sum(_fails(f, resolver) for f in result.findings if _is_refuted(f))


def stands(ran: Ran, resolver: Resolver, trust_refuted: bool) -> bool:
    """Whether a finding of this loss fails a run: it is severe enough, and not refuted where that is trusted."""
    pairs = zip(ran.planned.findings, ran.verdicts(), strict=True)
    return any(_fails(f, resolver) and not (trust_refuted and v.verdict == REFUTED) for f, v in pairs)


def _is_refuted(finding: Finding) -> bool:
    return finding.verdict is not None and finding.verdict.verdict == REFUTED


def _fails(finding: Finding, resolver: Resolver) -> bool:
    return resolver.of_file(finding.filename).fails(finding.severity)
