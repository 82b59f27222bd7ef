"""How a check is written: a generator over the facts of one loss, tied to its rule page by the code."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from losslint.findings import Severity
from losslint.graph import Node, Site
from losslint.loss import Loss


@dataclass(slots=True)
class Draft:
    """A finding before positions are computed. ``fault`` groups what is one fault: the most specific rule speaks.

    ``path`` are (label, site) pairs from the prediction to the return, for gradient findings.
    """

    code: str
    severity: Severity
    message: str
    site: Site
    fact: str = ""
    help: str = ""
    fault: Node | Site | None = None
    path: list[tuple[str, Site | None]] = field(default_factory=list)


Check = Callable[[Loss], Iterator[Draft]]
CHECKS: dict[str, Check] = {}
"""Code -> check. A check may yield drafts of its own code only."""


def check(code: str) -> Callable[[Check], Check]:
    """Register the decorated generator as the check of rule ``code``."""

    def register(function: Check) -> Check:
        CHECKS[code] = function
        return function

    return register


PRECEDENCE: list[tuple[str, ...]] = [
    # (design, "One finding per fault"): where two of a row meet at one fault, the leftmost speaks.
    ("LL402", "LL403", "LL407", "LL409", "LL401"),
    ("LL407", "LL404"),
    ("LL407", "LL406"),
    ("LL205", "LL201", "LL202"),
    ("LL208", "LL201", "LL202"),
    ("LL204", "LL201", "LL202"),
    ("LL102", "LL101"),
    ("LL301", "LL303", "LL304", "LL305", "LL302"),
]


def one_per_fault(drafts: list[Draft]) -> list[Draft]:
    """Drop every draft that a more specific rule says at the same fault."""

    def key(draft: Draft) -> object:
        fault = draft.fault if draft.fault is not None else draft.site
        return fault.number if isinstance(fault, Node) else id(fault.tree)

    if any(d.code == "LL102" and d.severity > Severity.INFO for d in drafts):
        # a container where one tensor is wanted: what its parts scale like is the lesser question
        drafts = [d for d in drafts if d.code != "LL101" and not d.code.startswith("LL3")]
    said = {(d.code, key(d)) for d in drafts}
    beaten = {
        (weaker, fault)
        for code, fault in said
        for row in PRECEDENCE
        if code in row
        for weaker in row[row.index(code) + 1 :]
    }
    return [d for d in drafts if (d.code, key(d)) not in beaten]
