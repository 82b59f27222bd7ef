"""Runs one job in the process that was made for it: loads the loss, calls it, probes it, gathers evidence on claims."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from losslint.confirm import callee, inputs, probes
from losslint.confirm.jobs import Claim, Job
from losslint.confirm.loader import CannotLoad, Loader
from losslint.confirm.run import NotRun, Run, described
from losslint.confirm.subject import Subject, attempts


def run(data: dict[str, Any]) -> dict[str, Any]:
    """The result of a job, as plain data.

    ``ran`` is False where the loss could not be loaded or called, with ``reason``. ``facts`` holds what each probe saw
    (of one that failed: ``failed``), ``claims`` the evidence on each claim in their order.
    """
    import tensorflow as tf

    job = Job.from_json(data)
    if "keras" in job.probes:
        _two_devices(tf)
    callee.as_before(tf)
    loader = Loader(job.bundle)
    files = frozenset(f.path for f in job.bundle.files.values())
    found: dict[str, Any] = {"ran": False, "reason": "", "error": None, "facts": {}, "claims": []}
    try:
        accepted = callee.accepted(job, loader, files)
        first = next(accepted)
    except (CannotLoad, NotRun, inputs.BadDeclaration) as error:
        found["reason"] = str(error)
        found["error"] = getattr(error, "common", None)
        return found | _assumed(loader)
    found |= {
        "ran": True,
        "convention": first.convention.describe(),
        "layout": first.convention.name,
        "tried": first.tried,
    }
    found["device"] = _device(tf)
    for name in job.probes:
        found["facts"][name] = _probed(name, first)
    if job.claims:
        found["claims"] = list(_evidence(job, first, accepted))
    if loader.used_stubs:
        found["stubs"] = list(loader.used_stubs)
    return found | _assumed(loader)


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
        "executed": [list(e) for e in loader.executed],
    }


def _probed(name: str, run: Run) -> dict[str, Any]:
    result, error = attempts(probes.table()[name], run)
    return {"failed": described(error, run.files)["message"]} if error is not None else result


# -- evidence on claims ----------------------------------------------------------------------------------------------


def _evidence(job: Job, first: Run, accepted: Iterator[Run]) -> Iterator[dict[str, Any]]:
    from losslint.confirm.probes import domain

    second: Run | None = None
    wanted = {code: probe for code, probe in PROBE_OF.items() if any(c.code == code for c in job.claims)}
    cache: dict[tuple[int, str], dict[str, Any]] = {}

    def fact(run: Run, name: str) -> dict[str, Any]:
        key = (id(run), name)
        if key not in cache:
            known = job_facts.get(name) if run is first else None
            cache[key] = known or _probed(name, run)
        return cache[key]

    job_facts: dict[str, dict[str, Any]] = {}
    if any(p in ("gradient", "batch", "output", "trace") for p in wanted.values()):
        second = _second(first, accepted)
    for claim in job.claims:
        probe = wanted.get(claim.code, "")
        if not probe:
            yield {"probe": ""}
            continue
        if probe == "edges":
            evidence, error = attempts(domain.decide, first, claim)
            yield {"probe": probe, "failed": str(error)} if error is not None else {"probe": probe, "edges": evidence}
            continue
        both = [run for run in (first, second) if run is not None]
        observation = first.observed("ordinary", first.arrays)
        yield {
            "probe": probe,
            "executed": observation.executed(claim.path, claim.place.row, claim.place.end_row),
            "runs": [{"convention": r.convention.describe(), **fact(r, probe)} for r in both],
            "trace": fact(first, "trace"),
            **({"weights": _weights(first)} if claim.code == "LL104" else {}),
        }


PROBE_OF = {
    **dict.fromkeys(("LL101", "LL102", "LL103", "LL104"), "output"),
    **dict.fromkeys(("LL201", "LL202", "LL203", "LL204", "LL205", "LL208"), "gradient"),
    **dict.fromkeys(("LL301", "LL302", "LL303", "LL304", "LL305", "LL307", "LL308", "LL311"), "batch"),
    **dict.fromkeys(("LL306", "LL516"), "trace"),
    **dict.fromkeys(("LL401", "LL402", "LL403", "LL404", "LL405", "LL406", "LL407", "LL409"), "edges"),
}
"""Rule -> the probe that decides it, as its page says."""


def _second(first: Run, accepted: Iterator[Run]) -> Run:
    """Another accepted convention; where there is none, the same one with other extents and values."""
    for run in accepted:
        if run.convention.specs != first.convention.specs and _dims(run) != _dims(first):
            return run
    sizes = inputs.sizes_for(first.convention.specs, inputs.SIZES[1])
    subject = Subject(first.subject.function, first.convention, first.subject.consumer, first.subject.aligned, {})
    return Run(first.job, subject, sizes, first.files, seed=17)


def _dims(run: Run) -> list[tuple[str | int, ...]]:
    return [spec.dims for spec in run.convention.specs.values()]


def _weights(run: Run) -> dict[str, Any]:
    from losslint.confirm.probes.keras import weights

    labels, predictions = run.convention.labels, run.convention.trained
    if len(labels) != 1 or len(predictions) != 1:
        return {"skipped": "not one label and one prediction"}
    value, error = attempts(weights, run, labels[0], predictions[0])
    return {"error": str(error)[:200]} if error is not None else value


def claims_of(job: Job) -> tuple[Claim, ...]:
    """The claims that a run can decide."""
    return tuple(c for c in job.claims if c.code in PROBE_OF)
