"""One finding per fault."""

from __future__ import annotations

import pytest

from losslint.checks.base import Draft, one_per_fault
from losslint.findings import Severity
from tests.hand import Hand

E, W, I = Severity.ERROR, Severity.WARNING, Severity.INFO  # noqa: E741


def _codes(*said: tuple[str, Severity, object]) -> list[str]:
    hand = Hand()
    site = hand.loss(hand.mse()).site
    return [d.code for d in one_per_fault([Draft(code, how, "", site, fault=at) for code, how, at in said])]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (["LL401", "LL409"], "LL409"),
        (["LL401", "LL402", "LL407"], "LL402"),
        (["LL404", "LL407"], "LL407"),
        (["LL201", "LL202", "LL208"], "LL208"),
        (["LL302", "LL301"], "LL301"),
        (["LL305", "LL302"], "LL305"),
    ],
)
def test_the_most_specific_rule_speaks(said: list[str], kept: str) -> None:
    node = Hand().mse()
    assert _codes(*((code, W, node) for code in said)) == [kept]


def test_two_faults_are_two_findings() -> None:
    hand = Hand()
    assert _codes(("LL401", E, hand.mse()), ("LL409", W, hand.p)) == ["LL401", "LL409"]


def test_a_container_given_to_keras_silences_the_laws_of_its_parts() -> None:
    hand = Hand()
    assert _codes(("LL102", E, hand.p), ("LL302", W, hand.mse()), ("LL401", E, hand.y)) == ["LL102", "LL401"]
    assert _codes(("LL102", I, hand.p), ("LL302", W, hand.mse())) == ["LL102", "LL302"]
