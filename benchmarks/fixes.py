"""What the fixes make of real code: whether files parse, whether once is enough, and what the numbers do.

usage: python -m benchmarks.fixes FOLDER ... [--runs N]

Each FOLDER is copied and all fixes, safe and unsafe, are made in the copy, in memory: every changed file has to parse,
and to stay as it is when the fixes are made again. Then losses are run by TensorFlow before and after the fixes of one
rule, on the same inputs (tests/fixes/twins.py), at most N of each rule in a FOLDER: values and gradients that are
identical in float32, the largest relative distance in float64, and whether something finite is not any more.

Exit 0 where files parse and stay, and where no finite number is lost.
"""

from __future__ import annotations

import argparse
import ast
import shutil
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from losslint import fixing
from losslint.session import Change, Result
from tests.confirm.forked import Forked, server
from tests.fixes.changed import Changed, found_in, twins
from tests.fixes.fixed import check

_LEFT_OUT = (".git", "*.png", "*.jpg", "*.gif", "*.h5", "*.pdf", "*.npy", "*.npz", "*.mp4", "*.wav", "*.csv")


def write(changes: list[Change]) -> Iterator[str]:
    """Put what was changed in its place; the files that do not parse any more."""
    for change in changes:
        fixing.write(change)
        if change.path.suffix == ".py":
            try:
                ast.parse(change.path.read_bytes())
            except SyntaxError as error:
                yield f"{change.filename}: {error}"


def tally(result: Result, counts: dict[str, Counter[str]]) -> None:
    """Count what was fixed, and what a fix is offered for and was not made."""
    for finding in result.fixed:
        counts[finding.code]["fixed"] += 1
    for finding in result.findings:
        if finding.fix is not None:
            counts[finding.code]["left"] += 1


def numbers(
    found: list[Changed], run: Forked, most: int, counts: dict[str, Counter[str]], far: dict[str, float]
) -> None:
    """Run losses before and after the fixes of one rule; ``far`` collects the largest distances."""
    seen: set[tuple[str, str, str]] = set()
    ran: Counter[str] = Counter()
    for one in found:
        key = one.finding.filename, one.finding.function, one.code
        if key in seen or ran[one.code] >= most:
            continue
        seen.add(key)
        try:
            told = twins(one, run)
        except AssertionError as error:  # what the snippet raised
            counts[one.code]["cannot be run"] += 1
            print(f"  not run: {one.name}: {str(error).strip().splitlines()[-1][:150]}")
            continue
        if told is None or told["refused"] or not told["points"]:
            counts[one.code]["cannot be run"] += 1
            continue
        ran[one.code] += 1
        judge(one, told["points"], counts[one.code], far)


def judge(one: Changed, points: list[dict[str, Any]], count: Counter[str], far: dict[str, float]) -> None:
    """Count what the numbers of one loss show."""
    count["run"] += 1
    differ = [p["name"] for p in points if not p["identical"] and p["dtype"] == "float32"]
    count["identical"] += not differ
    if differ and one.fix.applicability == "safe":
        print(f"  differs: {one.name} at {', '.join(differ)}")
    exact = [p["error"] for p in points if p["dtype"] == "float64" and p["ordinary"]]
    far[one.code] = max([far.get(one.code, 0.0), *exact])
    count["within 1e-6"] += all(error <= 1e-6 for error in exact)
    if lost := [p["name"] for p in points if p["lost"]]:
        count["lost"] += 1
        print(f"  lost: {one.name} at {', '.join(lost)}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    far: dict[str, float] = {}
    files, broken, restless, warnings = 0, [], [], []
    with server() as run:
        for folder in options.folders:
            with tempfile.TemporaryDirectory() as place:
                copy = Path(place, folder.name).resolve()
                shutil.copytree(folder, copy, ignore=shutil.ignore_patterns(*_LEFT_OUT), symlinks=True)
                print(folder.name, flush=True)
                found = found_in(copy)
                if not found:
                    continue
                numbers(found, run, options.runs, counts, far)
                result = check(copy)
                tally(result, counts)
                files += len(result.changes)
                warnings += result.warnings
                broken += list(write(result.changes))
                restless += [change.filename for change in check(copy).changes]
    print(f"{files} files changed, {len(broken)} do not parse, {len(restless)} change again, {len(warnings)} warnings")
    for line in (*broken, *restless, *warnings):
        print(f"  {line}")
    head = ["fixed", "left", "run", "identical", "within 1e-6", "lost", "cannot be run"]
    print(f"| rule | {' | '.join(head)} | largest distance |\n|{' --- |' * (len(head) + 2)}")
    for code in sorted(counts):
        distance = f"{far[code]:.1e}" if code in far else ""
        print(f"| {code} | {' | '.join(str(counts[code][name] or '') for name in head)} | {distance} |")
    return int(bool(broken or restless or any(c["lost"] for c in counts.values())))


if __name__ == "__main__":
    sys.exit(main())
