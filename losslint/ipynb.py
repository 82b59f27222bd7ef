"""The JSON of a notebook: where the sources of its code cells stand in it, and how a changed one is written.

The format is that of nbformat 4 (nbformat.readthedocs.io).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import Any, NamedTuple

from losslint.notebooks import NoNotebook

_SPACE = re.compile(r"[ \t\r\n]*")
_CONVERT = "jupyter nbconvert --to notebook makes it a current one"


class Cell(NamedTuple):
    """A code cell."""

    number: int  # from 1, of all cells
    source: str
    start: int  # where its source stands in the JSON
    end: int


def code_cells(text: str) -> Iterator[Cell]:
    """The code cells of a notebook in Python; none where it is in another language. Raises NoNotebook."""
    try:
        notebook = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise NoNotebook(f"the notebook is no JSON: {error}") from None
    if isinstance(notebook, dict) and "worksheets" in notebook:
        raise NoNotebook(f"the notebook is in the format of nbformat {notebook.get('nbformat', 3)}: {_CONVERT}")
    if not isinstance(notebook, dict) or not isinstance(notebook.get("cells"), list):
        raise NoNotebook("the file is no notebook: there are no cells")
    if not _is_python(notebook.get("metadata")):
        return
    places = _members(text, _member(text, 0, "cells"))
    for number, (cell, place) in enumerate(zip(notebook["cells"], places, strict=True), 1):
        if not isinstance(cell, dict) or cell.get("cell_type") != "code":
            continue
        source = cell.get("source", "")
        if isinstance(source, list):
            source = "".join(map(str, source))
        if "source" in cell and isinstance(source, str):
            start = _member(text, place, "source")
            yield Cell(number, source, start, _after(text, start))


def _is_python(metadata: Any) -> bool:
    """Whether the notebook's kernel, where it names one, speaks Python."""
    told = metadata if isinstance(metadata, dict) else {}
    for group, key in (("language_info", "name"), ("kernelspec", "language")):
        entry = told.get(group)
        if isinstance(entry, dict) and isinstance(entry.get(key), str):
            return bool(entry[key].lower().startswith(("python", "ipython")))
    return True


def _after(text: str, start: int) -> int:
    """Where the value that starts at ``start`` ends."""
    return json.JSONDecoder().raw_decode(text, start)[1]


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    assert match is not None
    return match.end()


def _member(text: str, start: int, key: str) -> int:
    """Where the last value of ``key`` starts in the object at ``start``; it is there. Of equal keys the last counts."""
    at = _skip(text, _skip(text, start) + 1)
    found = -1
    while text[at] != "}":
        name, at = scanstring(text, at + 1)
        at = _skip(text, _skip(text, at) + 1)  # past the colon
        found = at if name == key else found
        at = _skip(text, _after(text, at))
        at = _skip(text, at + 1) if text[at] == "," else at
    return found


def _members(text: str, start: int) -> Iterator[int]:
    """Where each element of the array at ``start`` starts."""
    at = _skip(text, start + 1)
    while text[at] != "]":
        yield at
        at = _skip(text, _after(text, at))
        at = _skip(text, at + 1) if text[at] == "," else at


def written(source: str, before: str, ascii_only: bool) -> str:
    """``source`` as JSON in the manner of ``before``: a string, or a list of lines laid out as it was."""
    if not before.startswith("["):
        return json.dumps(source, ensure_ascii=ascii_only)
    lines = [json.dumps(line, ensure_ascii=ascii_only) for line in re.findall(r"[^\n]*\n|[^\n]+", source)]
    if not lines:
        return "[]"
    inner = before[1 : _skip(before, 1)]
    outer = re.search(r"[ \t\r\n]*(?=\]$)", before)
    return f"[{inner}{(',' + inner if inner else ', ').join(lines)}{outer[0] if outer else ''}]"
