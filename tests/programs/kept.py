"""Reads ``cases.py``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from tests.programs.grammar import Program
from tests.programs.layouts import Layout

_CASE = re.compile(r"# (?P<layout>.+)\n# (?P<facts>.+)\n(?P<source>def (?P<name>\w+)\(.*\n(?:    .*\n)+)")


class Kept(NamedTuple):
    """A program and what must be said of it."""

    name: str
    program: Program
    facts: str


def cases() -> list[Kept]:
    """All that are kept."""
    text = Path(__file__).with_name("cases.py").read_text()
    return [_kept(found) for found in _CASE.finditer(text)]


def _kept(found: re.Match[str]) -> Kept:
    axes, labels, outputs = found["layout"].split()
    extents = tuple(int(e) if e.isdigit() else e for e in axes.split(",") if e != "-")
    source = f"{found['source']}\nloss = {found['name']}\n"
    return Kept(found["name"], Program(source, Layout(extents, labels, outputs), found["name"]), found["facts"])
