"""The forms in which findings are reported: for people (text, concise), for programs (json, jsonl), for services.

Each is a module of that name with a function ``render``; only the one that is asked for is imported.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from losslint.reporters.lines import Lines
    from losslint.session import Result

FORMATS = ("text", "concise", "json", "jsonl", "sarif", "github", "gitlab", "junit")
FOR_PEOPLE = ("text", "concise")  # in colour on a terminal
ALIASES = {"full": "text", "json-lines": "jsonl"}  # as ruff calls them


def render(result: Result, form: str) -> Lines:
    """What ``form``, one of FORMATS, makes of ``result``."""
    lines: Lines = importlib.import_module(f"losslint.reporters.{form}").render(result)
    return lines


def counts(result: Result, form: str) -> Lines:
    """How many findings each rule has; as JSON where ``form`` is "json", else for people."""
    from losslint.reporters import statistics

    return statistics.render(result, form)
