"""How a check is written: a generator over the facts of one subject, tied to its rule page by the code.

The subject of most checks is a ``Loss``; ``check(code, on=LossClass)`` is a check of something else that
``losslint.subjects`` finds in a file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

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
    data: dict[str, Any] = field(default_factory=dict)  # what the fix of this rule wants to know
    path: list[tuple[str, Site | None]] = field(default_factory=list)

    @property
    def node(self) -> Node:
        """The operation at fault, where the rule always has one."""
        assert isinstance(self.fault, Node)
        return self.fault


Check = Callable[[Any], Iterator[Draft]]
_C = TypeVar("_C", bound=Check)
CHECKS: dict[type, dict[str, Check]] = {}
"""Kind of subject -> code -> check. A check may yield drafts of its own code only."""


def check(code: str, on: type = Loss) -> Callable[[_C], _C]:
    """Register the decorated generator as the check of rule ``code`` for subjects of type ``on``."""

    def register(function: _C) -> _C:
        CHECKS.setdefault(on, {})[code] = function
        return function

    return register


def drafts_of(subject: Any) -> list[Draft]:
    """What every check of its kind says of ``subject``, one draft a fault."""
    return one_per_fault([d for check in CHECKS.get(type(subject), {}).values() for d in check(subject)])


PRECEDENCE: list[tuple[str, ...]] = [
    # (design, "One finding per fault"): where two of a row meet at one fault, the leftmost speaks.
    ("LL402", "LL403", "LL407", "LL409", "LL401"),
    ("LL407", "LL404"),
    ("LL407", "LL406"),
    ("LL407", "LL411"),
    ("LL205", "LL201", "LL202"),
    ("LL208", "LL201", "LL202"),
    ("LL208", "LL507"),
    ("LL206", "LL515"),
    ("LL204", "LL201", "LL202"),
    ("LL201", "LL206", "LL203", "LL515"),
    ("LL102", "LL101"),
    ("LL107", "LL302"),
    ("LL105", "LL308"),
    ("LL301", "LL303", "LL304", "LL305", "LL302"),
    ("LL309", "LL308"),
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
