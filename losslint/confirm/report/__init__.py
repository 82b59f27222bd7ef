"""What runs of losses show, as one HTML page that needs nothing else: the findings by file, then a passport each.

The page is the template beside this file with its style and its script; here is what it shows, as plain text and
numbers. Jinja escapes all of it but the plots, which hold no text of the user.
"""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from importlib import resources
from typing import Any

from losslint import rulebook
from losslint.confirm import passport
from losslint.confirm.confirming import Ran, assumptions
from losslint.confirm.report import plots
from losslint.confirm.report.rows import Facts, in_words, rows, unmeasured
from losslint.findings import CONFIRMED, INCONCLUSIVE, REFUTED, Finding
from losslint.reporters import text

NOT_RUN = "not run"
VERDICTS = (CONFIRMED, INCONCLUSIVE, REFUTED, NOT_RUN)


class MissingExtra(Exception):
    """The page cannot be made here; the message names the way out."""


def html(ran: list[Ran], findings: Iterable[Finding] = (), texts: Mapping[str, str] | None = None) -> str:
    """The page on ``ran`` and on ``findings``, of which some may be theirs. Raises MissingExtra.

    ``texts`` are those of the files of the findings; what is missing is taken from the jobs that ran.
    """
    try:
        import jinja2
        import matplotlib  # noqa: F401  (drawn with)
    except ImportError:
        raise MissingExtra("the report needs jinja2 and matplotlib: pip install 'losslint[report]'") from None
    from markupsafe import Markup

    parts = {name: resources.files(__package__).joinpath(name).read_text(encoding="utf-8") for name in _PARTS}
    template, style, script = parts.values()
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    in_order = sorted(ran, key=lambda r: (r.planned.path, r.planned.row, r.planned.name))
    sources = _Sources(texts or {}, in_order)
    losses = [_loss(number, one, sources) for number, one in enumerate(in_order, 1)]
    asked = {f for one in ran for f in one.planned.findings}
    rest = [_finding(f, f"other-{n}", sources) for n, f in enumerate(findings, 1) if f not in asked]
    told = sorted([f for loss in losses for f in loss["findings"]] + rest, key=lambda f: f["order"])
    page = environment.from_string(template).render(
        style=Markup(style),
        script=Markup(script),
        digest=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        losses=losses,
        files={name: [f for f in told if f["file"] == name] for name in dict.fromkeys(f["file"] for f in told)},
        rest=rest,
        rules=sorted({(f["rule"].code, f["rule"].name) for f in told}),
        counts=Counter(f["verdict"] for f in told),
        verdicts=VERDICTS,
        limits=sorted({limit for one in ran for limit in one.outcome.enforced.items()}),
        used=list(dict.fromkeys(filter(None, map(_used, in_order)))),
    )
    return page.encode("utf-8", "backslashreplace").decode("utf-8")  # names of files need not be Unicode


_PARTS = ("page.html.jinja", "page.css", "page.js")


class _Sources:
    """The lines of files, by name as findings call them."""

    def __init__(self, texts: Mapping[str, str], ran: list[Ran]) -> None:
        self._texts = dict(texts)
        self._lines: dict[str, list[str]] = {}
        self._bundled = {os.path.abspath(f.path): f.text for r in ran for f in r.planned.job.bundle.files.values()}

    def of(self, name: str) -> list[str]:
        if name not in self._lines:
            known = self._texts.get(name) or self._bundled.get(os.path.abspath(name), "")
            self._lines[name] = text.source_lines(known)
        return self._lines[name]


def _used(ran: Ran) -> str:
    """Device and versions."""
    versions = ran.versions
    names = [f"{label} {versions[key]}" for key, label in _LIBRARIES if versions.get(key)]
    device = ran.result.get("device") or versions.get("device")
    return ", ".join([*names, *([f"on {device}"] if device else [])])


_LIBRARIES = (("tensorflow", "TensorFlow"), ("keras", "Keras"))


def _loss(number: int, ran: Ran, sources: _Sources) -> dict[str, Any]:
    """All that the page says of one loss."""
    from markupsafe import Markup

    planned, result = ran.planned, ran.result
    pairs = zip(planned.findings, ran.verdicts(), strict=True)
    judged = [dataclasses.replace(finding, verdict=verdict) for finding, verdict in pairs]
    facts = result.get("facts") or {}
    curves = {} if unmeasured(facts.get("curves")) else facts.get("curves", {})
    believed = planned.believed or {}
    return {
        "anchor": f"loss-{number}",
        "name": planned.name,
        "place": f"{planned.path}:{planned.row}",
        "consumer": planned.job.consumer,
        "evidence": believed.get("consumer", {}).get("evidence", ""),
        "counts": Counter(f.verdict.verdict for f in judged if f.verdict),
        "reason": passport.reason(ran),
        "seconds": ran.outcome.seconds,
        "used": _used(ran),
        "rows": list(rows(believed, facts)),
        "findings": [_finding(f, f"finding-{number}-{i}", sources) for i, f in enumerate(judged, 1)],
        "assumed": list(assumptions(result)),
        "stubs": list(result.get("stubs") or ()),
        "random": bool(result.get("random")),
        "unmeasured": {n: why for n, f in facts.items() if (why := unmeasured(f))},
        "batch_plot": Markup(plots.of_batch(curves.get("batch"), f"batch {number}")),
        "edge_plot": Markup(plots.of_edges(curves.get("edges"), f"edges {number}")),
        "edges": [path["edge"] for path in curves.get("edges", ())],
    }


# -- findings --------------------------------------------------------------------------------------------------------

_LONG = 160  # characters; more is folded
_LONGEST = 20_000
_WITNESS = ("point", "batch", "mode", "value", "gradient")


def _finding(finding: Finding, anchor: str, sources: _Sources) -> dict[str, Any]:
    """All that the page says of one finding, whether a run has judged it or not."""
    verdict = finding.verdict
    witness: Facts = (verdict.witness if verdict else None) or {}
    inputs = witness.get("inputs")
    reason = verdict.reason if verdict else ""
    note = witness.get("note", "")
    cell = f"cell {finding.cell}, " if finding.cell else ""
    return {
        "anchor": anchor,
        "order": finding.order,
        "rule": rulebook.find(finding.code),
        "severity": finding.severity.label,
        "file": finding.filename,
        "line": f"{cell}line {finding.shown.row}",
        "place": finding.where,
        "function": finding.function,
        "message": finding.message,
        "help": finding.help,
        "code": list(_code(finding, sources)),
        "verdict": verdict.verdict if verdict else NOT_RUN,
        "reason": reason,
        "note": note if note != reason else "",
        "numbers": {key: in_words(witness[key]) for key in _WITNESS if witness.get(key) is not None},
        "inputs": [_input(n, v) for n, v in inputs.items()] if isinstance(inputs, dict) else [],
        "convention": inputs if isinstance(inputs, str) else "",
        "tried": verdict.tried if verdict and verdict.verdict == REFUTED else "",
    }


def _code(finding: Finding, sources: _Sources) -> Iterator[list[tuple[str, str]]]:
    """The rows of a finding as the terminal shows them, in pieces of a text and a class."""
    framed = list(text.frame(finding, sources.of(finding.filename)))
    for line in framed[1:-1]:  # the first row and the last are empty
        yield [(piece, "mark" if style and style != text.FADED else "soft" if style else "") for piece, style in line]


def _input(name: str, value: Any) -> dict[str, Any]:
    shown = value if isinstance(value, str) else json.dumps(value)
    cut = f"{shown[:_LONGEST]} ... ({len(shown)} characters)" if len(shown) > _LONGEST else shown
    return {"name": name, "text": cut, "long": len(shown) > _LONG, "size": _extents(value)}


def _extents(value: Any) -> str:
    """``7 × 5`` of nested lists."""
    extents = []
    while isinstance(value, list):
        extents.append(str(len(value)))
        value = value[0] if value else None
    return " × ".join(extents)
