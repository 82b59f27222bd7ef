"""The confirmer on losses that are known to be wrong: no finding that stands in a fixture's comments is refuted."""

from __future__ import annotations

import pytest

from losslint import session
from losslint.confirm import confirming
from losslint.findings import CONFIRMED, REFUTED
from losslint.settings import Resolver
from tests.rule_pages import ROOT

pytestmark = pytest.mark.tf


def test_no_true_finding_is_refuted_and_nearly_all_are_confirmed() -> None:
    resolver = Resolver({}, None, True)
    result = session.check([str(ROOT / "fixtures" / "unsound")], resolver)
    confirming.confirm(result, resolver, confirming.Options(device="cpu", seconds=60), {})
    told = [(f.filename, f.span.row, f.code, f.verdict) for f in result.findings]
    assert all(verdict is not None for *_, verdict in told)
    assert [t for t in told if t[3].verdict == REFUTED] == []
    confirmed = sum(t[3].verdict == CONFIRMED for t in told)
    assert len(told) > 200 and confirmed / len(told) >= 0.95, [t for t in told if t[3].verdict != CONFIRMED]
