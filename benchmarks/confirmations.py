"""How much faster findings are confirmed by forked workers than by one fresh process a function.

usage: python -m benchmarks.confirmations [FOLDER] [--most N] [--passports N]

The losses of FOLDER (default: fixtures/unsound) with findings on gradients and batches are run twice in one go, one at
a time: by the pool, whose zygote has imported TensorFlow, and by a fresh interpreter each. Both run the same jobs with
the same probes in the same runner, and the verdicts are compared. Then the time of each probe of a full passport is
listed. Times are wall-clock seconds of this run; only their ratio says something.
"""

from __future__ import annotations

import argparse
import dataclasses
import statistics
import sys
import time
from collections import defaultdict

from losslint import session
from losslint.confirm.confirming import Ran
from losslint.confirm.jobs import Limits
from losslint.confirm.plan import Planned, for_findings
from losslint.confirm.pool import Pool
from losslint.confirm.probes import NAMES
from losslint.settings import Resolver

WANTED = ["LL2", "LL3"]


def jobs(folder: str) -> list[Planned]:
    """The losses of ``folder`` with findings on gradients and batches, each with its claims."""
    resolver = Resolver({"select": WANTED, "min-severity": "info"}, None, True)
    return [p for p in for_findings(session.check([folder], resolver).findings, resolver) if not p.refused]


def timed(planned: list[Planned], **how: str) -> tuple[float, list[Ran]]:
    """Seconds for all jobs, the start of the pool and its import included, and what came of them."""
    start = time.perf_counter()
    with Pool(device="cpu", limits=Limits(seconds=120), **how) as pool:
        ran = [Ran(p, pool.run(p.job.to_json())) for p in planned]
    return time.perf_counter() - start, ran


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", default="fixtures/unsound")
    parser.add_argument("--most", type=int, default=60)
    parser.add_argument("--passports", type=int, default=12)
    options = parser.parse_args()
    planned = jobs(options.folder)[: options.most]
    claims = sum(len(p.job.claims) for p in planned)
    whole, by_fork = timed(planned)
    fresh, by_spawn = timed(planned, start_method="spawn")
    verdicts = [[[v.verdict for v in r.verdicts()] for r in ran] for ran in (by_fork, by_spawn)]
    ended = [sum(r.outcome.kind == "done" for r in ran) for ran in (by_fork, by_spawn)]
    print(f"{len(planned)} losses, {claims} findings; ran {ended}; verdicts equal: {verdicts[0] == verdicts[1]}")
    print(f"forked: {whole:.1f} s with the one import, {whole / len(planned):.3f} s a loss")
    print(f"fresh: {fresh:.1f} s, {fresh / len(planned):.3f} s a loss")
    print(f"fresh / forked: {fresh / whole:.1f}")
    seconds: dict[str, list[float]] = defaultdict(list)
    with Pool(device="cpu", limits=Limits(seconds=120)) as pool:
        for one in planned[: options.passports]:
            result = pool.run(dataclasses.replace(one.job, claims=(), probes=NAMES).to_json()).result or {}
            for name, spent in result.get("seconds", {}).items():
                seconds[name].append(spent)
    print(f"seconds a probe, median of {options.passports} full passports:")
    for name, spent in seconds.items():
        print(f"  {name:12} {statistics.median(spent):.3f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
