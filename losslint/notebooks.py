"""Jupyter notebooks as Python source and back.

The code cells follow one another in one text, as they share one namespace; a comment in front of each says which it is.
What IPython adds to Python (magics, shell lines, help) becomes a comment that keeps the line, and so does a cell that
does not parse: the others go on. Written back, a changed cell replaces its characters in the JSON and nothing else, so
that outputs, metadata and the layout of the file stay as they are.

The format is that of nbformat 4 (nbformat.readthedocs.io); the syntax is described in IPython's reference.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

SUFFIX = ".ipynb"
MARK = "#!losslint "  # in front of what is no Python
_CELL = r"#%%losslint (\d+)"
_ADDED = r"(?P<indent>\s*)(?:(?P<to>[\w.,\s]*\w\s*=\s*)(?=[%!])[%!]|[%!?]|.*\?$)"
_PYTHON_CELLS = frozenset({"time", "timeit", "capture", "prun", "python", "python3", "tensorflow_version"})
_PERCENT = r"(?m)^#[ \t]*%%"  # the head of a cell in a script
_MAGIC = r"(?m)^[ \t]*(?:[\w.,\t ]*=[ \t]*)?[%!]|\?[ \t\r]*$"


class NoNotebook(ValueError):
    """The file is no notebook that can be read; the text says why and what to do."""


class Broken(NamedTuple):
    """A cell that does not parse: the row of the error in the text of the notebook, its column, and the reason."""

    row: int
    column: int
    reason: str


def decode(text: str) -> tuple[str, list[Broken]]:
    """The Python source of the notebook whose JSON is ``text``, and the cells that do not parse. Raises NoNotebook."""
    from losslint import ipynb  # only a notebook needs JSON

    return joined((cell.number, cell.source) for cell in ipynb.code_cells(text))


def joined(cells: Iterable[tuple[int, str]]) -> tuple[str, list[Broken]]:
    """The Python source of code cells, each given as its number and its text, and the cells that do not parse."""
    found: list[str] = []
    broken: list[Broken] = []
    rows = 0
    for number, source in cells:
        lines = source.split("\n")
        python, error = _python(lines)
        if error is not None:
            broken.append(Broken(rows + 1 + (error.lineno or 1), error.offset or 1, error.msg))
        found += [f"#%%losslint {number}", *python]
        rows += 1 + len(python)
    return "\n".join([*found, ""]) if found else "", broken


def script(text: str) -> tuple[str, list[Broken]] | None:
    """The same of a script in the percent format (``# %%``) that holds magics; None where ``text`` is plain Python.

    Every line keeps its row, and ``script_of`` gives the text back.
    """
    if not (re.search(_PERCENT, text) and re.search(_MAGIC, text)) or MARK in text or _error([text]) is None:
        return None
    lines = text.split("\n")
    heads = [row for row, line in enumerate(lines) if re.match(_PERCENT, line)]
    found = lines.copy()
    broken: list[Broken] = []
    for head, end in itertools.pairwise([-1, *heads, len(lines)]):
        found[head + 1 : end], error = _python(lines[head + 1 : end])
        if error is not None:
            broken.append(Broken(head + 1 + (error.lineno or 1), error.offset or 1, error.msg))
    return "\n".join(found), broken


def script_of(python: str) -> str:
    """The script that ``python`` was made of."""
    return "\n".join(map(original, python.split("\n")))


def encode(text: str, python: str) -> str:
    """``text``, the JSON of a notebook, with the cells as they stand in ``python``. Raises NoNotebook."""
    from losslint import ipynb

    cells = dict(_cells(python))
    parts: list[str] = []
    done = 0
    for cell in ipynb.code_cells(text):
        if cell.number not in cells:
            raise NoNotebook(f"cell {cell.number} is gone")
        source = "\n".join(map(original, cells.pop(cell.number)))
        if source != cell.source:
            parts += [text[done : cell.start], ipynb.written(source, text[cell.start : cell.end], text.isascii())]
            done = cell.end
    if cells:
        raise NoNotebook(f"there is no cell {min(cells)}")
    return "".join([*parts, text[done:]])


def starts(python: str) -> tuple[tuple[int, int], ...]:
    """The row before the first of each cell, and the number of that cell."""
    rows = enumerate(python.split("\n"), 1)
    return tuple((row, int(match[1])) for row, line in rows if (match := re.fullmatch(_CELL, line)))


def original(line: str) -> str:
    """A line of the Python source as it stands in the notebook."""
    before, mark, after = line.partition(MARK)
    return line[: len(line) - len(line.lstrip())] + after if mark else before


def _cells(python: str) -> Iterator[tuple[int, list[str]]]:
    lines = python.split("\n")
    found = starts(python)
    if python.strip() and (not found or found[0][0] != 1):
        raise NoNotebook("there is text in front of the first cell")
    ends = [*(row for row, _ in found[1:]), len(lines)][: len(found)]
    for (row, number), end in zip(found, ends, strict=True):
        yield number, lines[row : end - 1]


# -- IPython's syntax ------------------------------------------------------------------------------------------------


def _python(lines: list[str]) -> tuple[list[str], SyntaxError | None]:
    """``lines`` of a cell as Python; all of them comments, with the error, where they cannot be."""
    error = _error(lines)
    if error is None:
        return lines, None  # what looks like a magic, such as the second line of a long "%", is none
    first = next((i for i, line in enumerate(lines) if line.strip()), 0)
    if lines[first].startswith("%%"):
        name = re.match(r"%%\s*(\w*)", lines[first])
        if name is None or name[1] not in _PYTHON_CELLS:
            return [_comment(line) for line in lines], None
    plain = list(_without_magics(lines))
    error = _error(plain)
    return (plain, None) if error is None else ([_comment(line) for line in lines], error)


def _error(lines: Iterable[str]) -> SyntaxError | None:
    from losslint import sources

    try:
        sources.parse("\n".join(lines), "<cell>")
    except SyntaxError as error:
        return error
    except (ValueError, RecursionError, MemoryError) as problem:
        return SyntaxError(str(problem) or type(problem).__name__)
    return None


def _without_magics(lines: list[str]) -> Iterator[str]:
    """``lines`` with comments for what IPython alone knows, together with the rows on which it goes on."""
    continued = False
    for line in lines:
        match = None if line.lstrip().startswith("#") else re.match(_ADDED, line)
        if continued:
            yield _comment(line)
        elif match is None:
            yield line
        else:
            indent, rest = match["indent"], line[len(match["indent"]) :]
            instead = f"{match['to']}None  " if match["to"] else "pass  " if indent else ""
            yield f"{indent}{instead}{MARK}{rest}"
        continued = (continued or match is not None) and line.endswith("\\")


def _comment(line: str) -> str:
    return MARK + line if line.strip() else line
