"""Random losses: hardly anything that is said of them is wrong, and little is left unsaid."""

from __future__ import annotations

from collections import Counter, defaultdict

import pytest

pytest.importorskip("hypothesis")
pytest.importorskip("tensorflow")

from tests.conformance.columns import UNKNOWN
from tests.conformance.measured import quiet
from tests.programs.compare import compare, wrong
from tests.programs.draws import drawn
from tests.programs.grammar import Program
from tests.programs.truth import Refused

pytestmark = pytest.mark.tf

PROGRAMS = 160
MOST_WRONG = 1
"""Programs that may disagree: of 1000 new ones six to ten still do."""
UNSAID = 0.1
"""The share of any kind of fact that may be unknown although TensorFlow shows one."""


def test_what_is_said_of_random_losses_is_true():
    quiet()
    verdicts: dict[str, Counter[str]] = defaultdict(Counter)
    ran: dict[str, Program] = {}
    faults: dict[str, list[str]] = {}
    for program in drawn(PROGRAMS, 4):
        try:
            found = compare(program)
        except Refused:
            continue
        ran[program.source] = program
        for fact in found:
            if fact.mode == "declared":
                verdicts[fact.fact][fact.verdict] += 1
        if wrong(found):
            faults[program.source] = wrong(found)
    assert len(ran) > PROGRAMS // 3
    unsaid = {fact: found[UNKNOWN] / found.total() for fact, found in verdicts.items()}
    assert max(unsaid.values()) <= UNSAID, unsaid
    assert len(faults) <= MOST_WRONG, "\n\n".join(f"{ran[x]}{why}" for x, why in faults.items())
