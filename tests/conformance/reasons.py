"""Why some catalogued names are not called; each of those counts as unknown in all columns."""

from __future__ import annotations

import functools

PLACES = {
    "tensorflow.summary. tensorflow.logging. tensorflow.profiler. tensorflow.config. tensorflow.train.": "writes logs or sets up the process",
    "keras.optimizers. keras.optimizer_v2. keras.mixed_precision. keras.callbacks. keras.models. keras.engine. keras.saving. keras.experimental.": "makes an object that is no value of a loss",
    "keras.applications.": "downloads or builds a whole network",
    "keras.metrics.": "keeps state from one batch to the next",
}
"""Names that start so, unless they have a recipe of their own or a plain function's signature."""

NAMES: dict[str, str] = {}
"""Reason: names."""


@functools.cache
def _by_name() -> dict[str, str]:
    return {name: why for why, names in NAMES.items() for name in names.split()}


def reason(name: str) -> str:
    """Why ``name`` is not called; "" where it is."""
    listed = _by_name()
    found = listed.get(name) or listed.get(name.rpartition(".")[2])
    if found:
        return found
    if name.startswith("keras.metrics.") and name.rpartition(".")[2].lstrip("MKLASPE")[:1].islower():
        return ""
    return next((why for starts, why in PLACES.items() if name.startswith(tuple(starts.split()))), "")
