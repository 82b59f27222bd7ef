"""What the analyser was once wrong about."""

from __future__ import annotations

import pytest

pytest.importorskip("hypothesis")

from tests.programs import told
from tests.programs.kept import Kept, cases

CASES = cases()


def test_every_case_is_read():
    from pathlib import Path

    assert len(CASES) == Path(__file__).with_name("cases.py").read_text().count("\ndef ")
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_is_said(case: Kept):
    assert told.facts(told.as_declared(case.program)) == case.facts


@pytest.mark.tf
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_tensorflow_agrees(case: Kept):
    from tests.programs.compare import compare, wrong

    assert wrong(compare(case.program)) == []
