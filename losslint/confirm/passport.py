"""The passport of a loss that was run: what every probe saw, and beside it what the analysis believes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from losslint.confirm.confirming import Ran, assumptions
from losslint.findings import Verdict
from losslint.reporters.json import plain
from losslint.reporters.lines import printable

Row = tuple[str, str]
Facts = dict[str, Any]


def to_json(ran: Ran) -> dict[str, Any]:
    """Everything that is known of a loss, as plain data."""
    planned, result = ran.planned, ran.result
    known = {
        "name": planned.name,
        "file": planned.path,
        "line": planned.row,
        "consumer": planned.job.consumer,
        "keras": planned.job.keras,
        "ran": bool(result.get("ran")),
        "reason": reason(ran),
        "seconds": round(ran.outcome.seconds, 3),
        "seed": planned.job.seed,
        "convention": result.get("convention"),
        "assumed": list(assumptions(result)),
        "believed": planned.believed or None,
        "facts": result.get("facts") or {},
        "findings": [_finding(f, v) for f, v in _decided(ran)],
        "limits": ran.outcome.enforced,
        "device": result.get("device") or ran.versions.get("device"),
        "tensorflow": ran.versions.get("tensorflow"),
    }
    spelled: dict[str, Any] = plain(known)
    return spelled


def _decided(ran: Ran) -> Iterator[tuple[Any, Verdict]]:
    """The findings of a loss with their verdicts; a benchmark also asks claims that no finding makes."""
    return zip(ran.planned.findings, ran.verdicts(), strict=False)


def _finding(finding: Any, verdict: Verdict) -> dict[str, Any]:
    return {
        "code": finding.code,
        "row": finding.span.row,
        "filename": finding.filename,
        "message": finding.message,
        "verdict": verdict.verdict,
        "reason": verdict.reason,
        "witness": verdict.witness,
    }


def reason(ran: Ran) -> str:
    """Why there is no passport; "" where there is one."""
    if ran.outcome.kind != "done":
        from losslint.confirm.verdicts import ended

        return ended(ran.outcome).reason
    return "" if ran.result.get("ran") else str(ran.result.get("reason"))


def render(ran: Ran) -> str:
    """The passport as a plain text table."""
    planned = ran.planned
    lines = [f"{planned.path}:{planned.row}  {planned.name}"]
    before = ""
    for label, text in rows(ran):
        lines.append(printable(f"  {label if label != before else '':<13} {text}"))  # a loss may have raised it
        before = label
    return "\n".join(lines)


def rows(ran: Ran) -> Iterator[Row]:
    """Label and text of every row."""
    result, job = ran.result, ran.planned.job
    yield "consumer", job.consumer
    why = reason(ran)
    if why:
        yield "not run", why
    else:
        yield from of_facts(result["facts"], ran.planned.believed)
    for text in assumptions(result):
        yield "assumed", text
    for finding, verdict in _decided(ran):
        yield "finding", f"{finding.code} line {finding.span.row}: {verdict.verdict}: {verdict.reason}"
    if ran.versions:
        device = result.get("device") or ran.versions.get("device", "?")
        yield "device", f"{device}, TensorFlow {ran.versions.get('tensorflow', '?')}, {ran.outcome.seconds:.1f} s"


def of_facts(facts: Facts, believed: Facts) -> Iterator[Row]:
    """The rows on ``facts``, probe by probe, beside what is ``believed``."""
    for name, told in _TABLE.items():
        fact = facts.get(name)
        if fact is None:
            continue
        if "failed" in fact or "skipped" in fact:
            yield name, f"skipped: {fact.get('skipped') or fact.get('failed')}"
            continue
        yield from told(fact, believed)


def _trace(fact: Facts, believed: Facts) -> Iterator[Row]:
    mode = "eagerly only" if fact["mode"] == "eager" else "under tf.function"
    autograph = "AutoGraph on" if fact["autograph"] or fact["way"] == "with AutoGraph" else "AutoGraph off"
    yield "traced", f"{mode}, {autograph}, batch size {fact['batch']}"
    for way, error in fact["errors"].items():
        yield "traced", f"{untraced(way)}: {error['message']}"


def untraced(way: str) -> str:
    """What did not work, as ``Run.trace`` names it, in words."""
    words = {"None batch": "with an unknown batch size", "fixed batch": "with a fixed batch size", "eager": "eagerly"}
    return f"not {words.get(way, way)}"


def _output(fact: Facts, believed: Facts) -> Iterator[Row]:
    shapes = ", ".join(f"({', '.join(map(str, s))})" for s in fact["shapes"])
    dtypes = ", ".join(dict.fromkeys(fact["dtypes"]))
    said = f"   believed: {believed['structure']} {believed['shape'] or ''}".rstrip() if believed else ""
    yield "returns", f"{fact['structure']} {shapes} {dtypes}{said}"


def _gradient(fact: Facts, believed: Facts) -> Iterator[Row]:
    known = believed.get("gradient", {})
    for name, source in fact["sources"].items():
        said = f"   believed: {known[name]}" if name in known else ""
        reached = f", {source['reached']:.0%} of its elements" if source["state"] == "live" else ""
        yield "gradient", f"{name}: {source['state']}{reached}{said}"
    for cut in fact["cut_at"]:
        yield "cut at", f"{cut['op']}{_line(cut['lines'])}"
    for term in fact["dead_terms"]:
        yield "dead term", f"{term['op']}{_line(term['lines'])}"


def _line(lines: list[list[Any]]) -> str:
    return f" line {lines[0][1]}" if lines else ""


def _derivative(fact: Facts, believed: Facts) -> Iterator[Row]:
    agree = "agree" if fact["agree"] else "DISAGREE"
    yield "derivative", f"by the tape {fact['tape']:.6g}, by differences {fact['differences']:.6g}: {agree}"


def _batch(fact: Facts, believed: Facts) -> Iterator[Row]:
    if fact.get("error"):
        yield "batch law", fact["error"]
    value, gradient = (_factors(fact[k]) for k in ("value_ratio", "gradient_ratio"))
    said = f"   believed: {believed.get('law')}, gradient {believed.get('gradient_law')}" if believed else ""
    yield "batch law", f"2 and 4 copies: value {value}, gradient {gradient}{said}"
    if fact.get("micro") is not None:
        said = f"   believed: {believed.get('coupling')}" if believed else ""
        yield "parts", f"the gradient is {fact['micro']:.2%} off the mean of those of its parts{said}"
    if fact.get("permutation") is not None:
        yield "permuted", f"the gradient moves by {fact['permutation']:.2%}"
    if fact.get("extent_ratio") is not None:
        yield "extent", f"samples twice as long: value x{fact['extent_ratio']:.4g}"
    single = fact.get("single")
    yield "batch of 1", "raises" if single is None else "finite" if single["finite"] else "not finite"


def _factors(ratios: dict[str, float | None]) -> str:
    return " ".join("?" if r is None else f"x{r:.4g}" for r in ratios.values()) or "?"


def _edges(fact: Facts, believed: Facts) -> Iterator[Row]:
    yield "edges", f"{fact['tested']} inputs, not finite at {len(fact['nonfinite'])}"
    for point, numbers in list(fact["nonfinite"].items())[:6]:
        gradients = ", ".join(f"{n} {_short(g)}" for n, g in numbers["gradient"].items())
        yield "edges", f"{point}: value {_short(numbers['value'])}, gradient {gradients or 'none'}"
    if fact["zero_gradient"]:
        yield "edges", f"gradient 0 at {', '.join(fact['zero_gradient'][:4])}"
    if fact["raises"]:
        yield "edges", f"raises at {', '.join(fact['raises'][:4])}"


def _short(number: Any) -> str:
    return f"{number:.4g}" if isinstance(number, float) else str(number)


def _precision(fact: Facts, believed: Facts) -> Iterator[Row]:
    for dtype, seen in fact.items():
        if "skipped" in seen:
            yield "precision", f"{dtype}: does not run"
            continue
        error = f", {seen['relative_error']:.2g} off float64" if "relative_error" in seen else ""
        yield "precision", f"{dtype}: {'finite' if seen['finite'] else 'not finite'}{error}"


def _modes(fact: Facts, believed: Facts) -> Iterator[Row]:
    runs = [m for m in ("eager", "graph", "xla") if fact[m]["runs"]]
    yield "modes", f"{', '.join(runs)}: {'agree' if fact['agree'] else 'DISAGREE'}"
    for mode in ("eager", "graph", "xla"):
        if not fact[mode]["runs"]:
            yield "modes", f"{mode} raises: {' '.join(fact[mode]['error'].split())[:100]}"
    for point, numbers in list(fact["differ"].items())[:4]:
        yield "modes", f"{point}: " + ", ".join(f"{m} {_short(n['value'])}" for m, n in numbers.items())


def _keras(fact: Facts, believed: Facts) -> Iterator[Row]:
    compiled, weights, replicas = fact["compiled"], fact["weights"], fact["replicas"]
    if "error" in compiled:
        yield "keras", f"compile: {compiled['error']}"
    else:
        yield "keras", f"compile: loss {compiled['loss']:.6g}, {'trains' if compiled['trains'] else 'does not train'}"
    if "weighted" in weights:
        only = "only rescale" if weights["only_rescales"] else "weigh samples"
        yield "keras", f"sample weights {only}: {weights['weighted']:.4g} of {weights['whole']:.4g}"
    elif "error" in weights:
        yield "keras", f"sample weights: {weights['error']}"
    if replicas.get("factor") is not None:
        yield "keras", f"two replicas: the step changes by a factor of {replicas['factor']:.4g}"


def _sign(fact: Facts, believed: Facts) -> Iterator[Row]:
    relation = "<=" if fact["right"] else ">"
    yield "sign", f"perfect prediction {fact['perfect']:.4g} {relation} ordinary one {fact['ordinary']:.4g}"


_TABLE = {
    "trace": _trace,
    "output": _output,
    "gradient": _gradient,
    "derivative": _derivative,
    "batch": _batch,
    "edges": _edges,
    "precision": _precision,
    "modes": _modes,
    "keras": _keras,
    "sign": _sign,
}
"""Probe -> the rows that tell what it saw."""
