"""The catalogue is right about what TensorFlow does, and says so of nearly all that losses use."""

from __future__ import annotations

import re

import pytest

from tests.conformance import catalogue
from tests.conformance.columns import COLUMNS, UNKNOWN

pytestmark = pytest.mark.tf


@pytest.fixture(scope="module")
def found():
    for package in ("tensorflow", "tf_keras"):
        pytest.importorskip(package)
    return catalogue.outcomes()


def test_nothing_is_wrong(found):
    print(
        "\n".join(f"\n{title} ({len(part)})\n{catalogue.table(part)}" for title, part in catalogue.split(found).items())
    )
    wrong = [f"{name}: {line}" for name, outcome in sorted(found.items()) for line in outcome.wrong]
    assert not wrong, "\n".join(wrong)


def test_every_name_has_a_case_or_a_reason(found):
    without = [n for n, o in sorted(found.items()) if not o.verdicts and not o.reason]
    assert not without, "no recipe and no reason: " + " ".join(without)


def test_every_recipe_runs(found):
    refused = [f"{name}: {outcome.refused}" for name, outcome in sorted(found.items()) if outcome.refused]
    assert not refused, "\n".join(refused)


@pytest.mark.parametrize("column", COLUMNS)
def test_what_losses_use_is_known(found, column):
    used = catalogue.used_in_losses()
    unknown = [n for n in used if not found[n].verdicts or found[n].verdicts[column][0] == UNKNOWN]
    assert len(unknown) <= 0.05 * len(used), unknown


def test_the_page_is_current(found):
    """Its numbers are those of this run, give or take what other versions of the packages have."""
    written, now = (_numbers(text) for text in (catalogue.PAGE.read_text(), catalogue.page(found)))
    assert len(written) == len(now)
    assert all(abs(a - b) <= max(5, 0.02 * b) for a, b in zip(written, now, strict=True)), (
        "run python -m tests.conformance"
    )


def _numbers(text: str) -> list[int]:
    rows = [line for line in text.splitlines() if line.startswith("|")]
    return [int(number) for row in rows for number in re.findall(r"\b\d+\b", row)]
