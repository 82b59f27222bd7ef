"""Runs the command line in this process, and an engine that finds what the linted text says."""

from __future__ import annotations

import contextlib
import io
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from losslint.cli import main
from losslint.findings import Finding, Severity, Span
from losslint.sources import Source

LOSS = "import tensorflow as tf\n\ndef loss(y_true, y_pred):\n    return found  # here: LL302\n"
_LETTERS = {"E": Severity.ERROR, "W": Severity.WARNING, "I": Severity.INFO}


@dataclass(frozen=True)
class Ran:
    status: int
    out: str
    err: str


def losslint(*arguments: str | Path, stdin: bytes = b"", cwd: Path | None = None) -> Ran:
    """What ``losslint ARGUMENTS`` prints, and its exit status."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="") for _ in range(2))
    before = os.getcwd()
    if cwd is not None:
        os.chdir(cwd)
    try:
        with (
            mock.patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin))),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            try:
                main([str(a) for a in arguments])
            except SystemExit as stop:
                status = int(stop.code or 0)
    finally:
        os.chdir(before)
    texts = []
    for stream in (out, err):
        stream.flush()
        texts.append(stream.buffer.getvalue().decode())  # type: ignore[attr-defined]
    return Ran(status, *texts)


def engine_of_marks(source: Source, *_: object) -> Iterator[Finding]:
    """A finding at ``found`` in each line that ends with ``# here: LL302`` or ``# here: LL401 E``; ``crash`` crashes."""
    for row, line in enumerate(source.lines, 1):
        if "# here: crash" in line:
            raise ZeroDivisionError("on purpose")
        for code, letter in re.findall(r"here: (LL\d{3})(?: ([EWI])\b)?", line):
            column = line.find("found") + 1
            span = Span(row, column, row, column + len("found"))
            severity = _LETTERS[letter or "W"]
            yield Finding(code, severity, f"Mark of {code}", source.filename, span, "loss", "keras", "law B", "divide")
