"""How often the confirmer runs labelled real losses, and how often what it sees agrees with the labels.

usage: python -m benchmarks.confirmer LABELS.jsonl CHECKOUTS [--jobs N] [--only ID ...] [--json FILE]

LABELS and CHECKOUTS are those of the labelled corpus (CHECKOUTS/<owner>+<name>/path). Every row marked runnable is run
in the sandbox, with the probes that measure the labels' facts, and four facts are compared:

- rank: the ranks of what is returned are equal;
- gradient: none or zero, other than zero, or not finite at ordinary inputs;
- law: the factor on the mean of what is returned, for two copies of the batch, within 2 %;
- edges: whether value or gradient is not finite at some legal edge in graph mode.

The factor of a loss that pairs the samples of a batch depends on the batch size, so rows are run with the labels' batch
of 4. Exit 0 where at least 90 % run and 95 % of the facts agree.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from losslint.confirm import confirming, passport, plan
from losslint.settings import Resolver

PROBES = ("trace", "output", "gradient", "batch", "edges")
BATCH = 4
RUNS, AGREES = 0.90, 0.95

Row = dict[str, Any]


def locate(row: Row, checkouts: Path) -> Path:
    """The file of a row; an older commit has a folder of its own."""
    folder = row["repo"].replace("/", "+")
    older = checkouts / f"{folder}@{row['commit'][:7]}" / row["path"]
    return older if older.exists() else checkouts / folder / row["path"]


def planned(row: Row, checkouts: Path, resolver: Resolver) -> plan.Planned | None:
    """The job for a row, or None where its function is not found."""
    path = locate(row, checkouts)
    for one in plan.for_path(str(path), row["qualname"], resolver.of(path.parent)):
        if row["line_start"] <= one.row <= row["line_end"]:
            one.job = dataclasses.replace(one.job, probes=PROBES, claims=(), batch=BATCH)
            one.findings = []
            return one
    return None


def disagreements(row: Row, facts: dict[str, Any]) -> Iterator[tuple[str, bool, str]]:
    """Fact, whether it agrees, and what was seen against the label."""
    label = row["facts"]
    for fact, mine, theirs in (
        ("rank", [len(s) for s in facts["output"]["shapes"]], [len(s) for s in label["out_shapes"]]),
        ("gradient", _kind(facts["gradient"]["class"]), _label_kind(label["grad"])),
        ("edges", bool(facts["edges"]["nonfinite"]), bool(label["edges_nonfinite_graph"])),
    ):
        yield fact, mine == theirs, f"{mine} against {theirs}"
    theirs = label["batch_ratio_xx"]
    if theirs is not None:
        mine = facts["batch"]["value_ratio"].get("2")
        near = mine is not None and abs(mine - theirs) <= 0.02 * max(abs(theirs), 1e-9)
        yield "law", near, f"{mine} against {theirs}"


def _kind(name: str) -> str:
    return "none or zero" if name in ("none", "zero") else name


def _label_kind(grads: list[str]) -> str:
    return "non-finite" if "nan" in grads else "non-zero" if "nonzero" in grads else "none or zero"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("labels", type=Path)
    parser.add_argument("checkouts", type=Path)
    parser.add_argument("--jobs", type=int, default=0)
    parser.add_argument("--only", type=int, nargs="*", default=[])
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    rows = [r for r in map(json.loads, options.labels.read_text().splitlines()) if r["runnable"]]
    rows = [r for r in rows if not options.only or r["id"] in options.only]
    resolver = Resolver({}, None, True)
    by_job = {}
    for row in rows:
        one = planned(row, options.checkouts, resolver)
        if one is None:
            print(f"{row['id']} {row['qualname']}: not found")
        else:
            by_job[id(one)] = (row, one)
    tally: Counter[tuple[str, bool]] = Counter()
    ran, kept = 0, []
    run_options = confirming.Options(device="cpu", seconds=120.0, jobs=options.jobs)
    for one in confirming.run([p for _, p in by_job.values()], run_options):
        row, _ = by_job[id(one.planned)]
        kept.append(passport.to_json(one) | {"id": row["id"]})
        why = passport.reason(one)
        if why:
            print(f"{row['id']} {row['qualname']}: not run: {why[:200]}")
            continue
        ran += 1
        try:
            for fact, agrees, told in disagreements(row, one.result["facts"]):
                tally[fact, agrees] += 1
                if not agrees:
                    print(f"{row['id']} {row['qualname']}: {fact}: {told}; called with {one.result['convention']}")
        except KeyError as error:
            print(f"{row['id']} {row['qualname']}: no fact {error}: {str(one.result['facts'])[:300]}")
    if options.json:
        options.json.write_text(json.dumps(kept, indent=1), encoding="utf-8")
    right, all_of_them = sum(n for (_, ok), n in tally.items() if ok), sum(tally.values())
    print(f"ran {ran} of {len(rows)} ({ran / len(rows):.1%})")
    for fact in ("rank", "gradient", "law", "edges"):
        good = tally[fact, True]
        print(f"{fact:9} agrees in {good} of {good + tally[fact, False]}")
    print(f"all facts agree in {right} of {all_of_them} ({right / max(all_of_them, 1):.1%})")
    return int(ran / len(rows) < RUNS or right / max(all_of_them, 1) < AGREES)


if __name__ == "__main__":
    sys.exit(main())
