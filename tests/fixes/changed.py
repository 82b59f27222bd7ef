"""Every fix that is offered for the bad examples and the unsound fixtures, and the runs it asks for."""

from __future__ import annotations

import dataclasses
import functools
import json
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from losslint import sources
from losslint.confirm import plan
from losslint.confirm.plan import Planned
from losslint.findings import Edit, Finding, Fix
from losslint.fixes import edits
from losslint.settings import Resolver
from tests.confirm.forked import Forked
from tests.fixes.fixed import check
from tests.rule_pages import PAGES, ROOT, read


@dataclass(frozen=True)
class Changed:
    """One finding, and its file before and after it was fixed, and those of its rule in the same function with it."""

    finding: Finding
    before: str
    after: str
    edits: tuple[Edit, ...]

    @property
    def code(self) -> str:
        return self.finding.code

    @property
    def fix(self) -> Fix:
        assert self.finding.fix is not None
        return self.finding.fix

    @property
    def name(self) -> str:
        """Fit for a message: ``LL401 numerics.py:13 bare_log_loss``."""
        return f"{self.code} {Path(self.finding.filename).name}:{self.finding.span.row} {self.finding.function}"

    @functools.cached_property
    def moved(self) -> Finding:
        """The finding where its line stands after the fix, as if it had been made there."""
        span, lines = self.finding.span, sources.split_lines(self.after)
        first = span.row + shift(self.edits, span.row)
        last = max(first, span.end_row + shift(self.edits, span.end_row + 1))
        path, name, row, column = self.finding.extra["loss"]
        key = path, name, row + shift(self.edits, row), column
        place = span._replace(row=first, column=1, end_row=last, end_column=len(lines[last - 1]) + 1)
        return dataclasses.replace(self.finding, span=place, extra=self.finding.extra | {"loss": key}, fix=None)


def shift(made: Iterable[Edit], row: int) -> int:
    """By how many rows ``made`` move what stands in ``row``."""
    return sum(e.content.count("\n") - (e.span.end_row - e.span.row) for e in made if e.span.row < row)


def changes(folder: Path) -> list[Changed]:
    """All of them; their files are written to ``folder``."""
    for page in map(read, PAGES):
        for example in page.examples("bad") if page.meta["fix"] != "none" else ():
            (folder / f"{example.name}.py").write_text(example.source, encoding="utf-8")
    shutil.copytree(ROOT / "fixtures" / "unsound", folder / "unsound")
    return found_in(folder)


def found_in(folder: Path) -> list[Changed]:
    """Every fix that is offered below ``folder``, each as if it alone were made, with its like in the same function."""
    fixable = [f for f in check(folder, fix=False).findings if f.fix is not None and f.filename.endswith(".py")]
    alike: dict[tuple[str, str, str], list[Fix]] = {}
    for finding in fixable:
        alike.setdefault(_group(finding), []).extend([finding.fix] if finding.fix else ())
    found = []
    for finding in fixable:
        text = sources.read(Path(finding.filename), finding.filename).text
        fixes = alike[_group(finding)]
        made = tuple(dict.fromkeys(edit for number in edits.disjoint(fixes) for edit in fixes[number].edits))
        found.append(Changed(finding, text, edits.apply(text, made), made))
    return found


def twins(one: Changed, run: Forked) -> dict[str, Any] | None:
    """The same inputs before and after, as tests/fixes/twins.py tells; None for what is no loss that can be run."""
    jobs = [planned(one, after=after) for after in (False, True)]
    if any(j is None or j.job.subject != "loss" for j in jobs):
        return None
    # integer labels, which Keras 3 never passes, are what an index was written for
    kind = {"consumer": "unknown", "hints": {}} if one.code == "LL511" else {}
    texts = [json.dumps(dataclasses.asdict(j.job) | kind) for j in jobs if j is not None]
    loaded = ", ".join(f"json.loads({text!r})" for text in texts)
    result: dict[str, Any] = run(f"import json\nfrom tests.fixes.twins import compare\nresult = compare({loaded})")
    return result


def _group(finding: Finding) -> tuple[str, str, str]:
    return finding.code, finding.filename, finding.function


def planned(changed: Changed, *, after: bool) -> Planned | None:
    """The loss before or after the fix, with the finding as a claim; None where it is no loss that can be run."""
    if "loss" not in changed.finding.extra:
        return None
    finding, text = (changed.moved, changed.after) if after else (changed.finding, changed.before)
    texts = {finding.extra["loss"][0]: text.encode()}
    return next(plan.for_findings([finding], Resolver({"min-severity": "info"}, None, True), texts), None)
