"""Random losses: what losslint says against what TensorFlow does. ``python -m benchmarks.programs --count 1000``.

Prints how many programs ran, how many facts were compared, the share of each that is unknown, and the disagreements,
each minimized.
"""

from __future__ import annotations

import argparse
from collections import Counter, defaultdict

from tests.conformance.columns import LOOSE, UNKNOWN, WRONG
from tests.conformance.measured import quiet
from tests.programs.compare import FACTS, SAID_BY, Compared, compare
from tests.programs.draws import drawn
from tests.programs.grammar import Program
from tests.programs.minimize import minimize
from tests.programs.truth import Refused

CRASH = "crash"


def facts(program: Program) -> list[Compared]:
    """What ``compare`` finds; a failure of the analysis is a disagreement of its own. Raises Refused."""
    try:
        return compare(program)
    except Refused:
        raise
    except Exception as error:
        return [Compared(CRASH, "read", WRONG, f"{type(error).__name__}: {error}")]


class Tally:
    """The outcome of a run."""

    def __init__(self) -> None:
        self.ran: set[str] = set()
        self.refused = 0
        self.verdicts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
        self.disagreements: list[tuple[Program, Compared]] = []
        self.missed: Counter[str] = Counter()

    def add(self, program: Program) -> None:
        """Compare ``program``, unless it was drawn before."""
        if program.source in self.ran:
            return
        try:
            found = facts(program)
        except Refused:
            self.refused += 1
            return
        self.ran.add(program.source)
        for fact in found:
            self.verdicts[fact.mode, fact.fact][fact.verdict] += 1
            if fact.verdict == WRONG:
                self.disagreements.append((program, fact))
            elif fact.verdict == LOOSE and fact.why:
                self.missed[fact.fact] += 1

    def print(self, shown: int) -> None:
        """The tables, and the smallest disagreements."""
        programs_at_fault = len({program.source for program, _ in self.disagreements})
        compared = sum(counter.total() for counter in self.verdicts.values())
        print(f"{len(self.ran)} programs ran, {self.refused} were refused; {compared} facts compared")
        print(f"{programs_at_fault} programs with a disagreement")
        for mode in SAID_BY:
            for fact in (*FACTS, CRASH):
                counter = self.verdicts[mode, fact]
                if counter:
                    share = counter[UNKNOWN] / counter.total()
                    print(f"  {mode:9} {fact:13} {share:6.1%} unknown  {dict(counter.most_common())}")
        print(f"right, but less than could be said: {dict(self.missed)}")
        seen: set[str] = set()
        for program, fact in sorted(self.disagreements, key=lambda x: len(x[0].source))[:shown]:
            small = minimize(program, lambda p, fact=fact: _shows(p, fact))  # type: ignore[misc]
            if small.source not in seen:
                seen.add(small.source)
                print(f"\n{small}# {fact.mode}, {fact.fact}: {fact.why}")


def _shows(program: Program, fact: Compared) -> bool:
    try:
        return any(f.verdict == WRONG and f[:2] == fact[:2] for f in facts(program))
    except Refused:
        return False


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", type=int, default=10, help="how many disagreements to minimize")
    arguments = parser.parse_args()
    quiet()
    tally = Tally()
    for program in drawn(arguments.count, arguments.seed):
        tally.add(program)
    tally.print(arguments.show)


if __name__ == "__main__":
    main()
