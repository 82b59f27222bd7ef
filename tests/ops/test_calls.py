"""What losslint says about calls stands in tables, and TensorFlow does not contradict."""

from __future__ import annotations

import pytest

from tests.ops.calls import TABLES, Call, calls, told

CALLS = [pytest.param(call, id=f"{table}: {call.text}") for table in TABLES for call in calls(table)]
PRESENT = [
    pytest.param(call, id=f"{table}: {call.text}") for table in TABLES if "absent" not in table for call in calls(table)
]


@pytest.mark.parametrize("call", CALLS)
def test_what_is_said(call: Call) -> None:
    assert told(call) == call.facts


@pytest.mark.tf
@pytest.mark.parametrize("call", PRESENT)
def test_what_is_true(call: Call) -> None:
    import keras

    import losslint.ops.catalogue  # noqa: F401
    from tests.conformance.columns import WRONG
    from tests.conformance.compare import compared
    from tests.conformance.measured import quiet

    quiet()
    keras.utils.set_random_seed(1)  # weights that leave no gradient by chance would be others in every run
    verdicts = compared(call.source, call.kind)
    assert {column: why for column, (verdict, why) in verdicts.items() if verdict == WRONG} == {}
