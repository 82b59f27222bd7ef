"""Lines made of styled pieces: printed in colour on a terminal, as plain text anywhere else."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import IO

from losslint.findings import CONFIRMED, INCONCLUSIVE, REFUTED, Severity

Piece = tuple[str, str]  # text, style ("" for none), in the words of rich
Lines = Iterable[list[Piece]]

VERDICT_STYLE = {CONFIRMED: "bold red", INCONCLUSIVE: "bold yellow", REFUTED: "bold green"}
STYLE = {Severity.ERROR: "bold red", Severity.WARNING: "bold yellow", Severity.INFO: "bold cyan"}


def plain(lines: Lines) -> Iterator[str]:
    """The lines without their styles."""
    for line in lines:
        yield "".join(text for text, _ in line)


def write(lines: Lines, file: IO[str], colour: bool) -> None:
    """Write ``lines`` to ``file``."""
    if not colour:
        for text in plain(lines):
            file.write(text + "\n")
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(file=file, force_terminal=True, highlight=False, soft_wrap=True)
    for line in lines:
        console.print(Text.assemble(*line))


def printable(text: str) -> str:
    """``text`` with what would move the cursor or colour the terminal made visible; tabs stay."""
    return "".join(c if c == "\t" or c.isprintable() else "\ufffd" for c in text)


def well_formed(text: str) -> str:
    """``text`` with what no UTF-8 can hold made visible: the bytes of a file name that are none."""
    return re.sub("[\ud800-\udfff]", "\N{REPLACEMENT CHARACTER}", text)


def width(text: str) -> int:
    """How many cells ``text`` takes on a terminal."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def counted(number: int, noun: str, plural: str = "") -> str:
    """``1 finding``, ``2 findings``."""
    return f"{number} {noun if number == 1 else plural or f'{noun}s'}"
