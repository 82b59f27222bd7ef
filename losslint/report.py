"""What the analysis of one file yields, before anything is settled: made in a worker, kept in the cache."""

from __future__ import annotations

from dataclasses import dataclass, field

from losslint.discovery import Target
from losslint.findings import Finding
from losslint.suppressions import Comments


@dataclass(slots=True)
class Report:
    """What the analysis of one file yields, before suppressions; made in a worker, settled by the session."""

    target: Target
    findings: list[Finding] = field(default_factory=list)
    comments: Comments = field(default_factory=Comments)
    whole: bool = True  # nothing of it was left out of the analysis
    text: str = ""  # kept where there is something to show
    idle: bool = False  # it holds nothing to analyse, whatever its surroundings
    content: bytes = b""  # the digest of the file
    used: dict[str, str] | None = None  # what its analysis looked up: path -> "+" (is there), "-" (is not), or a digest
