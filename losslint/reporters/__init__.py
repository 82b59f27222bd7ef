"""The forms in which findings are reported: for people (text), for one line each (concise), for programs (json)."""

from __future__ import annotations

from collections.abc import Callable

from losslint.reporters import concise, json, statistics, text
from losslint.reporters.lines import Lines
from losslint.session import Result

FORMATS: dict[str, Callable[[Result], Lines]] = {"text": text.render, "json": json.render, "concise": concise.render}

__all__ = ["FORMATS", "statistics"]
