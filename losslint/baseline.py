"""Findings that are known and may stand for now: a file that lists them, so that only new ones are reported.

An entry says file, rule, function, and the hash of the statement, so that it holds while code around it moves, and how
many such findings there are. What is listed and found no more is told, so that the list only gets shorter.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

from losslint import files
from losslint.findings import Finding
from losslint.fingerprints import statement_hashes
from losslint.session import Result
from losslint.settings import Resolver

_VERSION = 1
_NEVER = frozenset({"LL001", "LL004"})  # a file that was not analysed must not pass for a clean one
_REWRITE = "delete it, and write it anew with --write-baseline"


class BaselineError(Exception):
    """The file is no baseline; the text names it, what is wrong, and the way out."""


@dataclasses.dataclass(frozen=True, slots=True, order=True)
class Entry:
    """Findings of one rule in one statement. ``file`` is relative to the folder of the baseline, with slashes."""

    file: str
    code: str
    function: str
    statement: str


Baseline = Counter[Entry]


def read(path: Path) -> Baseline:
    """The baseline at ``path``. Raises BaselineError."""
    if os.path.exists(path) and not os.path.isfile(path):  # a device may have no end
        raise BaselineError(f"the baseline {path} is no file: name another one")
    try:
        data = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise BaselineError(f"there is no baseline {path}: write it with --write-baseline") from None
    except OSError as error:
        raise BaselineError(f"cannot read the baseline {path}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise BaselineError(f"the baseline {path} is no JSON: {error}; {_REWRITE}") from None
    try:
        version, listed = data["version"], data["findings"]
        if version != _VERSION:
            raise BaselineError(f"the baseline {path} has version {version!r}, not {_VERSION}; {_REWRITE}")
        found: Baseline = Counter()
        for row in listed:
            told = [row[field.name] for field in dataclasses.fields(Entry)]
            count = row.get("count", 1)
            if not all(isinstance(text, str) for text in told) or type(count) is not int:
                raise TypeError(row)
            found[Entry(*told)] += count
    except (KeyError, TypeError, AttributeError) as error:
        raise BaselineError(f"{path} is not a baseline of losslint: {error!r}; {_REWRITE}") from None
    return found


def hide(result: Result, known: Baseline, path: Path, resolver: Resolver) -> Baseline:
    """Take out of ``result`` what ``known``, read from ``path``, lists.

    Returns the entries that can be removed: they are of files that were linted, and found no more.
    """
    left = known.copy()
    standing = []
    for finding, entry in zip(result.findings, _entries(result.findings, result, path), strict=True):
        if left[entry] > 0 and finding.code not in _NEVER:
            left[entry] -= 1
            result.baselined += 1
            result.failing -= resolver.of_file(finding.filename).fails(finding.severity)
        else:
            standing.append(finding)
    result.findings = standing
    linted = {_relative(name, path) for name in result.files}
    there = {entry.file for entry in left if entry.file not in linted and os.path.exists(path.parent / entry.file)}
    return Counter({entry: count for entry, count in left.items() if count > 0 and entry.file not in there})


def write(result: Result, path: Path) -> int:
    """Make ``path`` list the findings of ``result``; returns how many those are.

    What an older one says of files that were not linted stays. Raises BaselineError and OSError.
    """
    found: Baseline = Counter(e for e in _entries(result.findings, result, path) if e.code not in _NEVER)
    if path.exists():
        linted = {_relative(name, path) for name in result.files}
        for entry, count in read(path).items():
            if entry.file not in linted and os.path.exists(path.parent / entry.file):
                found[entry] = count
    rows: list[dict[str, Any]] = []
    for entry in sorted(found):
        rows.append(dataclasses.asdict(entry) | ({"count": found[entry]} if found[entry] > 1 else {}))
    lines = ",\n".join("  " + json.dumps(row, ensure_ascii=False) for row in rows)
    files.replace(path, f'{{"version": {_VERSION}, "findings": [\n{lines}\n]}}\n'.encode(errors="backslashreplace"))
    return found.total()


def _entries(findings: list[Finding], result: Result, path: Path) -> list[Entry]:
    pairs = zip(findings, statement_hashes(findings, result.texts), strict=True)
    return [Entry(_relative(f.filename, path), f.code, f.function, statement) for f, statement in pairs]


def _relative(filename: str, path: Path) -> str:
    """``filename`` as seen from the folder of the baseline; as it is on another drive."""
    try:
        return os.path.relpath(filename, path.parent).replace(os.sep, "/")
    except ValueError:
        return Path(filename).absolute().as_posix()
