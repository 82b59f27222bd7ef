"""How Python's collector is kept from looking at trees again and again."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def patient() -> Iterator[None]:
    """Trees are many objects and hardly any garbage: with its usual thresholds the collector takes half of the time."""
    before = gc.get_threshold()
    gc.set_threshold(200_000, 20, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def leave() -> None:
    """Before the process ends: what is left is not looked at once more, which takes a tenth of a long run."""
    gc.freeze()
