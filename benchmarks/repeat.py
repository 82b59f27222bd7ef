"""Runs the same losses again and again, and compares what is said of them, to the last digit.

    python -m benchmarks.repeat --runs 10 fixtures/unsound examples
    python -m benchmarks.repeat --runs 10 --passports examples

Every second run has another number of jobs. Only how long something took is left out of the comparison.
"""

from __future__ import annotations

import argparse
import collections
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

_TIMES = frozenset({"seconds"})
_MOST = 20  # differences that are shown


def said(paths: list[str], passports: bool, jobs: int, seconds: int) -> list[dict[str, Any]]:
    """What losslint says of ``paths`` once its losses have been run."""
    limits = ["--device", "cpu", "--timeout", str(seconds), "--isolated", "--jobs", str(jobs)]
    what = ["confirm", "--format", "json"]
    if not passports:
        what = ["check", "--confirm", "--no-cache", "--min-severity", "info", "--output-format", "json"]
    ran = subprocess.run([sys.executable, "-m", "losslint", *what, *limits, *paths], capture_output=True, text=True)
    if ran.returncode not in (0, 1):
        raise SystemExit(ran.stderr)
    found: list[dict[str, Any]] = json.loads(ran.stdout)
    return found


def differences(one: Any, other: Any, where: str = "") -> Iterator[str]:
    """Where two results differ, and how."""
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        for key in one.keys() - _TIMES:
            yield from differences(one[key], other[key], f"{where}.{key}")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for number, pair in enumerate(zip(one, other, strict=True)):
            yield from differences(*pair, f"{where}[{number}]")
    elif one != other:
        yield f"{where}: {one!r:.100} and {other!r:.100}"


def numbers(told: Any) -> int:
    """How many numbers there are in what was said."""
    if isinstance(told, dict):
        return sum(numbers(v) for k, v in told.items() if k not in _TIMES)
    if isinstance(told, list):
        return sum(map(numbers, told))
    return isinstance(told, (int, float)) and not isinstance(told, bool)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="+")
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--passports", action="store_true", help="all probes of all losses")
    parser.add_argument("--timeout", type=int, default=120, help="seconds for one loss")
    asked = parser.parse_args()
    first: list[dict[str, Any]] = []
    unlike = 0
    for number in range(asked.runs):
        began = time.monotonic()
        told = said(asked.paths, asked.passports, 1 + number % 3, asked.timeout)
        first = first or told
        found = list(differences(first, told))
        unlike += bool(found)
        spent = time.monotonic() - began
        print(f"run {number + 1}: {len(told)} told, {len(found)} unlike run 1, {spent:.0f} s", flush=True)
        print(*(f"  {text}" for text in found[:_MOST]), sep="\n", end="\n" if found else "")
    kinds = collections.Counter(t.get("verdict", t.get("ran")) for t in first)
    print(f"{len(first)} told ({dict(kinds)}), {numbers(first)} numbers, {unlike} of {asked.runs} runs unlike run 1")
    raise SystemExit(unlike > 0)


if __name__ == "__main__":
    main()
