"""What losslint says of real losses that nobody labelled, against what runs of them show.

usage: python -m benchmarks.unlabelled FOLDER ... [--keep FOLDER] [--jobs N] [--show] [--json FILE]

Every loss that is found in the Python files of the folders is run with the probes that measure what losslint
believes, and both are compared, once as facts and once as faults:

- facts: rank, gradient of each argument, law of the value and of the gradient, coupling. A fact agrees, disagrees, or
  is unknown to the analysis though the run shows it.
- faults: several values returned, no gradient, a gradient that grows or shrinks with the batch, a loss that is not the
  mean over its parts, and what is not finite at a legal edge. A fault that is run into is *found* where a rule of
  its family speaks of the loss at any severity, else *missed*; what is said and not seen is *not seen*: the run
  may have asked the wrong question, so each is looked at.

Metrics are left out. ``--keep`` stores what runs show and runs nothing twice; after a change of the confirmer, remove
that folder. Nothing is asserted here: the exit status is 0.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import math
import sys
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

from losslint import engine
from losslint.confirm import confirming, passport, plan
from losslint.settings import Resolver

PROBES = ("trace", "output", "gradient", "batch", "edges")
_LAWS = ("LL301", "LL302", "LL303", "LL304", "LL305", "LL307")
_NUMERICS = ("LL401", "LL402", "LL403", "LL404", "LL405", "LL406", "LL407", "LL409", "LL410", "LL411", "LL413")
_FAMILIES: dict[str, tuple[str, ...]] = {
    "several values": ("LL101", "LL102"),
    "no gradient": ("LL201", "LL202", "LL204", "LL205", "LL206", "LL207", "LL208"),
    "law": _LAWS,
    "coupled": ("LL308", "LL309", "LL105", "LL107", "LL109", *_LAWS),
    "edges": _NUMERICS,
}
"""What is said where a fault is seen; the first codes of a family are its own."""
_NEAR, _APART = 0.02, 1e-3


class Told(NamedTuple):
    """One comparison: ``outcome`` is "agrees", "disagrees" or "unknown"; or "found", "missed" or "not seen"."""

    what: str
    outcome: str
    text: str


def losses_of(folder: Path, resolver: Resolver) -> Iterator[plan.Planned]:
    """A job for every loss in the Python files of ``folder``, tests left out: they hold what NumPy makes of a loss."""
    for path in sorted(folder.rglob("*.py")):
        if path.stem.startswith("test_") or path.stem.endswith("_test"):
            continue
        try:
            yield from (
                one
                for one in plan.for_path(str(path), "", resolver.of(path.parent), curves=False)
                if one.job.consumer != "metric"
            )
        except (plan.NotFound, engine.BudgetExceeded, RecursionError) as error:
            print(f"{path}: {type(error).__name__}")


def key_of(one: plan.Planned) -> str:
    """What tells one run from all others: the text of the file, and where the loss stands in it."""
    text = Path(one.path).read_bytes()
    return hashlib.sha256(text + f"{one.path} {one.name} {one.row} {one.job.consumer}".encode()).hexdigest()[:24]


def measured(todo: list[plan.Planned], keep: Path | None, jobs: int) -> Iterator[tuple[plan.Planned, dict[str, Any]]]:
    """Each loss with what its run shows, as ``passport.to_json`` tells it."""
    fresh = []
    for one in todo:
        stored = keep / f"{key_of(one)}.json" if keep is not None else None
        if stored is not None and stored.exists():
            yield one, json.loads(stored.read_text(encoding="utf-8"))
        else:
            one.job = dataclasses.replace(one.job, probes=PROBES, claims=())
            fresh.append((one, stored))
    files = {id(one): stored for one, stored in fresh}
    options = confirming.Options(device="cpu", seconds=60.0, jobs=jobs)
    said = {id(one): one.findings for one, _ in fresh}
    for one, _ in fresh:
        one.findings = []
    for ran in confirming.run([one for one, _ in fresh], options):
        shown = passport.to_json(ran)
        stored = files[id(ran.planned)]
        if stored is not None:
            stored.parent.mkdir(parents=True, exist_ok=True)
            stored.write_text(json.dumps(shown), encoding="utf-8")
        ran.planned.findings = said[id(ran.planned)]
        yield ran.planned, shown


def _near(a: float | None, b: float) -> bool:
    return a is not None and math.isfinite(a) and abs(a - b) <= _NEAR * max(abs(b), 1.0)


def _power(ratios: dict[str, float | None]) -> float | None:
    """The power of the batch size that 2 and 4 copies show; None where they show none."""
    two, four = ratios.get("2"), ratios.get("4")
    if not two or not four or min(two, four) <= 0 or not math.isfinite(two * four) or not _near(four, two * two):
        return None
    return math.log2(two)


def facts_of(believed: dict[str, Any], seen: dict[str, Any]) -> Iterator[Told]:
    """The facts of the analysis beside those of the run."""
    output = seen.get("output", {})
    if output.get("structure") == "tensor":
        yield _told("rank", believed.get("rank"), output["rank"], believed.get("rank") == output["rank"])
    sources = seen.get("gradient", {}).get("sources", {})
    for name, source in sources.items():
        mine = believed.get("gradient", {}).get(name)
        if source["state"] in ("live", "none", "zero") and mine is not None:
            agree = (mine == "live") == (source["state"] == "live")
            yield _told(f"gradient {name}", None if mine == "unknown" else mine, source["state"], agree)
    batch = seen.get("batch", {})
    rank = output.get("rank") or 0
    for fact, ratios, more in (("law", "value_ratio", 0), ("gradient_law", "gradient_ratio", 0)):
        power, mine = _power(batch.get(ratios, {})), believed.get(fact)
        if not batch.get(ratios) or mine == "absent":
            continue
        if mine is not None and not _is_power(mine):
            yield _told(fact, mine, _spoken(power), power is None)
        elif mine is None:
            yield _told(fact, None, _spoken(power), True)
        else:
            wanted = float(Fraction(mine)) + more * (rank > 0)
            agree = power is not None and abs(power - wanted) <= _NEAR
            yield _told(fact, mine, _spoken(power), agree or (power is None and believed.get("law_asymptotic", False)))
    micro, coupling = batch.get("micro"), believed.get("coupling")
    if micro is not None:
        yield _told("coupling", coupling, f"{micro:.2g}", (coupling in ("row", "mean")) == (micro < _APART))


def _is_power(law: str) -> bool:
    try:
        return Fraction(law) is not None
    except ValueError:
        return False


def _spoken(power: float | None) -> str:
    return "none" if power is None else f"{power:.3g}"


def _told(what: str, mine: Any, shown: Any, agree: bool) -> Told:
    outcome = "unknown" if mine is None else "agrees" if agree else "disagrees"
    return Told(what, outcome, f"{mine} against {shown}")


def faults_of(codes: set[str], seen: dict[str, Any]) -> Iterator[Told]:
    """The faults that the run shows beside what was said."""
    output, gradient, batch, edges = (seen.get(p, {}) for p in ("output", "gradient", "batch", "edges"))
    power = _power(batch.get("gradient_ratio", {}))
    ranks = [len(shape) for shape in output.get("shapes", [])]
    shown: dict[str, tuple[bool | None, str]] = {
        "several values": (output.get("structure") != "tensor" or max(ranks, default=0) > 0, str(output.get("shapes"))),
        "no gradient": (gradient.get("class") in ("none", "zero") if gradient else None, str(gradient.get("class"))),
        "law": (power is not None and abs(power) > 0.1, _spoken(power)),
        "coupled": (None if batch.get("micro") is None else batch["micro"] > _APART, str(batch.get("micro"))),
        "edges": (
            bool(edges.get("nonfinite")) if "nonfinite" in edges else None,
            ", ".join(edges.get("nonfinite", []))[:200],
        ),
    }
    for family, (fault, text) in shown.items():
        said = sorted(codes & set(_FAMILIES[family]))
        own = codes & set(_FAMILIES[family][: 1 if family == "coupled" else None])
        if fault:
            yield Told(family, "found" if said else "missed", f"{text} ({', '.join(said)})")
        elif fault is False and own:
            yield Told(family, "not seen", f"{text} ({', '.join(sorted(own))})")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--jobs", type=int, default=0)
    parser.add_argument("--show", action="store_true", help="print what does not agree, and what was not run")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    resolver = Resolver({"min-severity": "info"}, None, True)
    todo = [one for folder in options.folders for one in losses_of(folder.absolute(), resolver)]
    print(f"{len(todo)} losses", flush=True)
    tally: Counter[tuple[str, str]] = Counter()
    ran, kept = 0, []
    for one, shown in measured(todo, options.keep, options.jobs):
        codes = {f.code for f in one.findings}
        place = f"{one.path}:{one.row} {one.name} [{one.job.consumer}]"
        if not shown["ran"]:
            print(f"{place}: not run: {shown['reason'][:160]}" if options.show else "", end="\n" * options.show)
            continue
        ran += 1
        told = [*facts_of(one.believed, shown["facts"]), *faults_of(codes, shown["facts"])]
        kept.append({"place": place, "codes": sorted(codes), "told": told, "convention": shown["convention"]})
        for what, outcome, text in told:
            tally[what.split()[0] if what.startswith("gradient ") else what, outcome] += 1
            if options.show and outcome not in ("agrees", "found"):
                print(f"{place}: {what}: {outcome}: {text}; {shown['convention']}", flush=True)
    if options.json:
        options.json.write_text(json.dumps(kept, indent=1), encoding="utf-8")
    print(f"ran {ran} of {len(todo)} losses")
    for names, outcomes in (
        (("rank", "gradient", "law", "gradient_law", "coupling"), ("agrees", "disagrees", "unknown")),
        (tuple(_FAMILIES), ("found", "missed", "not seen")),
    ):
        for name in names:
            print(f"{name:15}", *(f"{outcome} {tally[name, outcome]:4}" for outcome in outcomes))
    return 0


if __name__ == "__main__":
    sys.exit(main())
