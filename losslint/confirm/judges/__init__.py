"""The judges, one module a kind of evidence: each turns what runs showed of one claim into a verdict."""

from __future__ import annotations

import functools
import importlib
import pkgutil


@functools.cache
def load_judges() -> None:
    """Import every module of judges; what is registered is in ``losslint.confirm.judges.base``."""
    for info in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{info.name}")
