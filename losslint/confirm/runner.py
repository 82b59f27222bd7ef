"""Runs one job in the process that was made for it: loads the loss, calls it, probes it, gathers evidence on claims."""

from __future__ import annotations

import dataclasses
import itertools
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from losslint.confirm import beside, callee, inputs, installed, noise, probes
from losslint.confirm.jobs import Claim, Job
from losslint.confirm.loader import CannotLoad, Loader
from losslint.confirm.probes import batch, domain
from losslint.confirm.run import NotRun, Run, described
from losslint.confirm.subject import Evaluator, attempts

_MOST_NUMBERS = 20_000
"""Inputs with more numbers are not written into a script."""


def run(data: dict[str, Any]) -> dict[str, Any]:
    """The result of a job, as plain data.

    ``ran`` is False where the loss could not be loaded or called, with ``reason``. ``facts`` holds what each probe saw
    (of one that failed: ``failed``), ``claims`` the evidence on each claim in their order.
    """
    import tensorflow as tf

    job = Job.from_json(data)
    if "keras" in job.probes:
        _two_devices(tf)
    noise.seed(tf, job.seed)
    callee.as_before(tf)
    drawn: list[str] = []
    noise.repeat(drawn)
    loader = Loader(job.bundle)
    files = frozenset(f.path for f in job.bundle.files.values())
    found: dict[str, Any] = {"ran": False, "reason": "", "error": None, "facts": {}, "claims": []}
    if job.subject != "loss":
        return found | _of_other(job, loader, files)
    try:
        accepted = callee.accepted(job, loader, files)
        first = next(accepted)
        _ = first.trace
    except (CannotLoad, NotRun, inputs.BadDeclaration) as error:
        found["reason"] = str(error)
        found["error"] = getattr(error, "common", None)
        found["aside"] = list(_aside(job, loader, files))
        return found | _assumed(loader)
    found |= {
        "ran": True,
        "convention": first.convention.describe(),
        "layout": first.convention.name,
        "tried": first.tried,
    }
    found["device"] = _device(tf)
    found["seconds"] = {}
    for name in job.probes:
        start = time.perf_counter()
        found["facts"][name] = probed(name, first)
        found["seconds"][name] = round(time.perf_counter() - start, 4)
    if job.claims:
        aside = _aside(job, loader, files)
        found["claims"] = [e | a for e, a in zip(_evidence(job, first, accepted), aside, strict=True)]
    if loader.used_stubs:
        found["stubs"] = list(loader.used_stubs)
    found["random"] = not _repeats(first)
    found["repro"] = _repro(first, loader)
    assumed = _assumed(loader)
    assumed["assumed"] += [f"{name} draws the same numbers for every sample and call" for name in drawn]
    return found | assumed


def _aside(job: Job, loader: Loader, files: frozenset[str]) -> Iterator[dict[str, Any]]:
    """What is known of each claim without a call of the loss.

    What the installed packages say of the name that it is about, or what the step around the loss does as a whole.
    """
    from losslint.confirm import steps

    for claim in job.claims:
        if "package" in claim.asked:
            yield {"name": installed.asked(claim.asked, loader.replaced)}
        elif claim.code in ("LL209", "LL210") and job.step is not None:
            yield {"step": steps.evidence(job, loader, files, claim)}
        else:
            yield {}


def _of_other(job: Job, loader: Loader, files: frozenset[str]) -> dict[str, Any]:
    """The result of a job whose subject is no loss."""
    import tensorflow as tf

    from losslint.confirm import compiled, lossclasses

    found: dict[str, Any] = {"device": _device(tf), "aside": list(_aside(job, loader, files))}
    try:
        if job.subject == "class":
            found |= {"claims": list(lossclasses.evidence(job, loader, files)), "ran": True}
        elif job.subject == "compile":
            found |= {"claims": list(compiled.evidence(job, loader)), "ran": True}
    except CannotLoad as error:
        found["reason"] = str(error)
    if loader.used_stubs:
        found["stubs"] = list(loader.used_stubs)
    return found | _assumed(loader)


def _repro(run: Run, loader: Loader) -> dict[str, Any]:
    """What a script needs to call the loss as it was called here."""
    specs = run.convention.specs
    return {
        "recipe": loader.recipe,
        "source": loader.source,
        "main": loader.scope.file.path,
        "executed": [list(e) for e in loader.executed],
        "shims": list(loader.shims),
        "inputs": domain.shown(run.arrays, run) if sum(map(np.size, run.arrays.values())) < _MOST_NUMBERS else None,
        "dtypes": {n: s.dtype for n, s in specs.items()},
        "batched": [n for n, s in specs.items() if s.dims.count("B") == 1 and s.batched],
        "trained": run.convention.trained,
        "autograph": run.trace["autograph"],
    }


def _repeats(run: Run) -> bool:
    """Whether the loss gives the same number for the same input."""
    again = run.at(run.arrays)
    same = again is not None and again.total == run.base.total
    return same or run.base.total is None or run.base.total != run.base.total  # NaN is not equal to itself


def _two_devices(tf: Any) -> None:
    """Two logical CPUs, for the replicas; this has to be said before anything runs."""
    cpus = tf.config.list_physical_devices("CPU")
    tf.config.set_logical_device_configuration(cpus[0], [tf.config.LogicalDeviceConfiguration()] * 2)


def _device(tf: Any) -> str:
    gpus = tf.config.list_logical_devices("GPU")
    return str(gpus[0].name).rpartition("device:")[2] if gpus else "CPU"


def _assumed(loader: Loader) -> dict[str, Any]:
    """What was taken for granted when the loss was loaded."""
    return {
        "shims": list(loader.shims),
        "assumed": list(loader.assumed),
        "left_out": list(loader.left_out),
    }


def probed(name: str, run: Run) -> dict[str, Any]:
    """What the probe of this name sees of ``run``; ``failed`` where it could not look."""
    probe = batch.laws if name == "laws" else probes.table()[name]
    result, error = attempts(probe, run)
    return {"failed": described(error, run.files)["message"]} if error is not None else result


# -- evidence on claims ----------------------------------------------------------------------------------------------


def _evidence(job: Job, first: Run, accepted: Iterator[Run]) -> Iterator[dict[str, Any]]:
    wanted = {probes.DECIDES.get(c.code, "") for c in job.claims}
    others = list(itertools.islice(accepted, _OTHERS if "edges" in wanted else 2))
    runs = [first, *others]
    cache: dict[tuple[int, str], dict[str, Any]] = {}
    seconds: dict[int, Run] = {}

    def fact(run: Run, name: str) -> dict[str, Any]:
        key = (id(run), name)
        if key not in cache:
            cache[key] = probed(name, run)
        return cache[key]

    for claim in job.claims:
        probe = probes.DECIDES.get(claim.code, "")
        if not probe:
            yield {"probe": ""}
            continue
        chosen = next((run for run in runs if _executes(run, claim)), first)
        if probe == "edges":
            alike = [chosen, *_alike(chosen, others), *(_unbounded(chosen) if claim.code == "LL410" else ())]
            evidence, error = attempts(domain.decide_in, alike, claim)
            told = {"failed": str(error)} if error is not None else {"edges": evidence, **_mode(chosen)}
            yield {"probe": probe, **told}
            continue
        # what a law says needs no parts of the batch, which are many
        seen = "laws" if probe == "batch" and claim.code not in ("LL307", "LL308") else probe
        if id(chosen) not in seconds:
            seconds[id(chosen)] = _second(chosen, others)
        both = [chosen, seconds[id(chosen)]]
        yield {
            "probe": probe,
            "executed": _executes(chosen, claim),
            "ops": _ops(chosen, claim),
            "runs": [{"convention": r.convention.describe(), **fact(r, seen), **_mode(r)} for r in both],
            "trace": fact(chosen, "trace"),
            **({"partial": _partly_traced(chosen)} if probe == "trace" else {}),
            **beside.measured(chosen, claim),
        }


def _ops(run: Run, claim: Claim) -> list[str]:
    """The kinds of operations on the flagged line."""
    rows = claim.place.row, claim.place.end_row
    return sorted({op.type for op in run.observed("ordinary", run.arrays).ops if op.at(claim.path, *rows)})


def _executes(run: Run, claim: Claim) -> bool:
    """Whether the flagged line runs at an ordinary input."""
    return run.observed("ordinary", run.arrays).executed(claim.path, claim.place.row, claim.place.end_row)


_OTHERS = 4
"""Accepted conventions that are looked at beside the first."""
_AS_LIKELY = 12.0
"""A convention this much less likely than the first is another kind of task."""


def _alike(first: Run, others: list[Run]) -> Iterator[Run]:
    """The conventions that are about as likely as the first, with other domains: sigmoids beside a softmax."""
    known = [s.domain for s in first.convention.specs.values()]
    for run in others:
        domains = [s.domain for s in run.convention.specs.values()]
        if run is not first and domains != known and run.convention.score >= first.convention.score - _AS_LIKELY:
            yield run


def _unbounded(run: Run) -> Iterator[Run]:
    """The same convention with predictions that are any number: what is claimed of values that nothing bounds."""
    free = {
        n: dataclasses.replace(s, domain="real")
        for n, s in run.convention.specs.items()
        if s.trained and s.domain not in ("real", "logits") and not s.given
    }
    if free:
        convention = dataclasses.replace(run.convention, specs=run.convention.specs | free)
        yield Run(run.job, dataclasses.replace(run.subject, convention=convention, models={}), run.files, seed=run.seed)


def _second(first: Run, others: list[Run]) -> Run:
    """Another convention that works as well; where there is none, the same one with other extents and values."""
    for run in others:
        if run is first:
            continue
        as_good = run.moved >= first.moved and run.convention.trained == first.convention.trained
        if as_good and _dims(run) != _dims(first):
            return run
    sizes = inputs.sizes_for(first.convention.specs, inputs.SIZES[1])
    subject = dataclasses.replace(first.subject, sizes=sizes, models={})
    return Run(first.job, subject, first.files, seed=first.seed + 17)


def _mode(run: Run) -> dict[str, Any]:
    """In which mode it ran, and whether that is its consumer's."""
    trace, error = attempts(lambda: run.trace)
    if error is not None:
        return {"failed": str(error)}
    way = trace["way"]
    unlike = {"eager": "eagerly", "with AutoGraph": "with AutoGraph"}.get(way, "")
    if way == "with AutoGraph" and run.job.consumer == "unknown":
        unlike = ""
    return {"mode": trace["mode"], "unlike": unlike}


def _partly_traced(run: Run) -> list[dict[str, Any]]:
    """What tracing raises where just one argument has an unknown batch size: each at the line that asks for it."""
    batched = frozenset(n for n, s in run.convention.specs.items() if s.batched)
    found = []
    for name in sorted(batched):
        evaluator = Evaluator(run.subject, "graph", run.trace["autograph"], fixed=batched - {name})
        error = attempts(evaluator, run.arrays)[1]
        if error is not None:
            found.append(described(error, run.files))
    return found


def _dims(run: Run) -> list[tuple[str | int, ...]]:
    return [spec.dims for spec in run.convention.specs.values()]
