"""Fixtures with changes in them, the same ones every time; ``make fuzz`` looks at many more."""

from __future__ import annotations

import random

import pytest

pytest.importorskip("hypothesis")

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.mutations import mutated
from tests.fuzz.targets import TARGETS, Broken, seeds

SEEDS = [text.decode() for text in seeds()]
RUN = settings(max_examples=60, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
EXAMPLES = {"check": 60, "slicer": 100, "fixes": 25}


def texts() -> st.SearchStrategy[str]:
    """A fixture after a few changes."""
    return st.builds(
        lambda seed, number, times: mutated(seed, random.Random(number), SEEDS, times),
        st.sampled_from(SEEDS),
        st.integers(0, 2**32 - 1),
        st.integers(1, 5),
    )


def test_there_is_something_to_begin_with() -> None:
    assert len(SEEDS) > 300
    assert mutated(SEEDS[0], random.Random(1), SEEDS) == mutated(SEEDS[0], random.Random(1), SEEDS) != SEEDS[0]


@pytest.mark.parametrize("name", TARGETS)
def test_no_text_breaks_a_promise(name: str) -> None:
    tried: set[str] = set()

    @settings(RUN, max_examples=EXAMPLES[name])
    @given(texts())
    def run(text: str) -> None:
        tried.add(text)
        TARGETS[name](text.encode("utf-8", "surrogatepass"))

    run()
    assert len(tried) > EXAMPLES[name] // 2


KEPT = {
    "imported twice": """\
import tensorflow as tf
from tensorflow import log_sigmoid
from tensorflow import log_sigmoid
def loss(y_true, y_pred):
    return -tf.reduce_mean(log_sigmoid(y_true * y_pred), axis=-1)
""",
}
"""The smallest forms of what was found."""


@pytest.mark.parametrize("text", KEPT.values(), ids=KEPT)
@pytest.mark.parametrize("name", TARGETS)
def test_what_was_found_is_mended(name: str, text: str) -> None:
    TARGETS[name](text.encode())


def test_a_broken_promise_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The targets can fail: here the fixes are made to leave out half of the text."""
    from losslint.fixes import edits

    whole = edits.apply
    monkeypatch.setattr(edits, "apply", lambda text, made: whole(text, made) + "x = (\n")
    broken = "import tensorflow as tf\n\ndef loss(y_true, y_pred):\n    return tf.reduce_sum(tf.abs(y_true - y_pred))\n"
    with pytest.raises(Broken, match="a bug in losslint"):
        TARGETS["fixes"](broken.encode())
