"""What a finding is known by from one run to the next: its rule, its function, and the statement it is in.

Rows do not count, so that code above may come and go; layout, comments and quotes do not, so that a formatter may run.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from losslint.findings import Finding
from losslint.sources import Source
from losslint.statements import Statements


def statement_hashes(findings: Iterable[Finding], texts: Mapping[str, str]) -> list[str]:
    """For each finding the hash of its statement, 16 hexadecimal digits. ``texts``: file name -> source."""
    files: dict[str, Statements] = {}
    found = []
    for finding in findings:
        name = finding.filename
        if name not in files:
            files[name] = Statements(Source(name, texts.get(name, "")))
        found.append(_hash(files[name].normal(finding.span.row)))
    return found


def fingerprints(findings: Iterable[Finding], texts: Mapping[str, str]) -> list[str]:
    """For each finding an identifier that no other in the run has; of equal ones in a file the order counts."""
    findings = list(findings)
    seen: Counter[tuple[str, ...]] = Counter()
    found = []
    for finding, statement in zip(findings, statement_hashes(findings, texts), strict=True):
        key = (Path(finding.filename).as_posix(), finding.code, finding.function, statement)
        found.append(_hash("\0".join((*key, str(seen[key])))))
        seen[key] += 1
    return found


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
