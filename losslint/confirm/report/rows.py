"""What the analysis believes of a loss beside what runs measured, fact by fact, in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from losslint.confirm import passport
from losslint.confirm.judges.base import LAW

Facts = dict[str, Any]


def unmeasured(fact: Facts | None) -> str:
    """Why a probe saw nothing; "" where it did."""
    return str((fact or {}).get("failed") or (fact or {}).get("skipped") or "")


def in_words(value: Any) -> str:
    """A number in few digits, a mapping as a list; what is not finite is spelled out already."""
    if isinstance(value, dict):
        return ", ".join(f"{name}: {in_words(v)}" for name, v in value.items())
    return f"{value:.4g}" if isinstance(value, float) else str(value)


@dataclass(slots=True)
class Row:
    """One fact: what the analysis believes, what runs showed, and whether the two are at odds."""

    label: str
    believed: list[str] = field(default_factory=list)
    measured: list[str] = field(default_factory=list)
    differs: bool = False


def rows(believed: Facts, facts: Facts) -> Iterator[Row]:
    """The rows of a passport that have anything to say."""
    seen = {name: fact for name, fact in facts.items() if not unmeasured(fact)}
    for row in (
        _returns(believed, seen.get("output", {})),
        Row("traced", [], list(_traced(seen.get("trace", {})))),
        *_laws(believed, seen.get("batch", {})),
        *_gradients(believed, seen.get("gradient", {})),
        Row("derivative", [], list(_derivative(seen.get("derivative", {})))),
        Row("edges", list(_ranges(believed)), list(_edges(seen.get("edges", {})))),
        Row("modes", [], list(_modes(seen.get("modes", {})))),
        Row("precision", [], list(_precision(seen.get("precision", {})))),
        Row("Keras", [], list(_keras(seen.get("keras", {})))),
        Row("sign", [], list(_sign(seen.get("sign", {})))),
        Row("lost track", [f"line {_or(lost['line'])}: {lost['why']}" for lost in believed.get("lost_at", ())]),
    ):
        if row.believed or row.measured:
            yield row


def _or(value: object, unknown: str = "?") -> str:
    return unknown if value is None else str(value)


def _returns(believed: Facts, output: Facts) -> Row:
    row = Row("returns")
    if believed:
        row.believed.append(f"{believed['structure']} {believed['shape'] or ''}".strip())
    if output:
        shapes = " ".join(f"({', '.join(map(str, shape))}{',' * (len(shape) == 1)})" for shape in output["shapes"])
        row.measured.append(f"{output['structure']} {shapes} {' '.join(dict.fromkeys(output['dtypes']))}".strip())
    if believed and output:
        ranks = believed["rank"], output["rank"]
        row.differs = believed["structure"] not in ("unknown", output["structure"])
        row.differs |= None not in ranks and ranks[0] != ranks[1]
    return row


def _traced(trace: Facts) -> Iterator[str]:
    if trace:
        mode = "eagerly only" if trace["mode"] == "eager" else f"under tf.function, batch size {trace['batch']}"
        autograph = trace["autograph"] or trace["way"] == "with AutoGraph"
        yield f"{mode}, AutoGraph {'on' if autograph else 'off'}"
        for way, error in trace["errors"].items():
            yield f"{passport.untraced(way)}: {error['message']}"


def _laws(believed: Facts, batch: Facts) -> Iterator[Row]:
    """What copies of the batch do to value and gradient, and how its samples hang together."""
    asymptotic = believed.get("law_asymptotic")
    for label, key, seen in (("value law", "law", "value_ratio"), ("gradient law", "gradient_law", "gradient_ratio")):
        row = Row(label)
        law, ratios = believed.get(key), batch.get(seen) or {}
        if believed:
            row.believed.append(f"{_spelled_law(law)}{' for large batches' * bool(asymptotic)}")
        if ratios:
            row.measured.append(", ".join(f"{_factor(r)} for {n} copies" for n, r in ratios.items()))
        large = batch.get("large") if key == "gradient_law" else None
        if large:
            copies, ratio = large["copies"], large["gradient_ratio"]
            row.measured.append(f"{_factor(ratio)} from {copies} to {4 * copies} copies")
        expected, two = _power(law), ratios.get("2")
        if expected is not None and two and not asymptotic:
            row.differs = abs(two / 2.0**expected - 1.0) > LAW
        yield row
    row = Row("samples", [f"coupling: {_or(believed['coupling'])}"] if believed else [])
    row.measured += _samples(batch)
    yield row


def _spelled_law(law: str | None) -> str:
    """``k^1/2`` as words: the factor that k copies of the batch bring."""
    known = {None: "unknown", "0": "unchanged by k copies", "1": "× k for k copies", "-1": "÷ k for k copies"}
    if law in known:
        return known[law]
    return f"× k^({law}) for k copies" if _power(law) is not None else str(law)


def _power(law: str | None) -> float | None:
    """The exponent, where the law is a pure power."""
    try:
        return None if law is None else float(Fraction(law))
    except ValueError:
        return None


def _factor(ratio: float | None) -> str:
    return "×?" if ratio is None else f"×{ratio:.4g}"


def _samples(batch: Facts) -> Iterator[str]:
    if batch.get("error"):
        yield str(batch["error"])
    if batch.get("micro") is not None:
        yield f"the gradient is {batch['micro']:.2%} off the mean of those of its parts"
    if batch.get("permutation") is not None:
        yield f"permuted, it moves by {batch['permutation']:.2%}"
    if batch.get("extent_ratio") is not None:
        yield f"samples twice as long: value {_factor(batch['extent_ratio'])}"
    if batch:
        single = batch.get("single")
        yield f"a batch of one {'raises' if single is None else 'is finite' if single['finite'] else 'is not finite'}"


def _gradients(believed: Facts, gradient: Facts) -> Iterator[Row]:
    known, sources = believed.get("gradient", {}), gradient.get("sources", {})
    for name in dict.fromkeys((*known, *sources)):
        row = Row(f"gradient of {name}", [known[name]] if name in known else [])
        if name in sources:
            state, reached = sources[name]["state"], sources[name]["reached"]
            norm = f", norm {sources[name]['norm']:.4g}" if "norm" in sources[name] else ""
            row.measured.append(f"{state}, reaches {reached:.0%} of its elements{norm}" if reached else state)
            lives = {"live": True, "absent": False, "dead": False, "zero": False}.get(known.get(name, ""))
            row.differs = lives is not None and state != "nan" and lives != (state == "live")
        yield row
    yield Row("gradient lost", [], [f"at {_op(cut)}" for cut in gradient.get("cut_at", ())])
    yield Row("dead terms", [], [_op(term) for term in gradient.get("dead_terms", ())])


def _op(told: Facts) -> str:
    return f"{told['op']} in line {told['lines'][0][1]}" if told["lines"] else str(told["op"])


def _derivative(fact: Facts) -> Iterator[str]:
    if fact:
        agree = "they agree" if fact["agree"] else "they disagree"
        yield f"by the tape {fact['tape']:.6g}, by differences {fact['differences']:.6g}: {agree}"


def _ranges(believed: Facts) -> Iterator[str]:
    ranges = believed.get("ranges", ())
    yield from dict.fromkeys(f"{r['op']} line {_or(r['line'])}: {r['range']} ({r['status']})" for r in ranges)


def _edges(fact: Facts) -> Iterator[str]:
    if fact:
        yield f"{fact['tested']} inputs, not finite at {len(fact['nonfinite'])}"
        broken = fact["nonfinite"]
        for point in list(broken)[:_MOST]:
            gradient = in_words(broken[point]["gradient"]) or "none"
            yield f"{point}: value {in_words(broken[point]['value'])}, gradient {gradient}"
        if len(broken) > _MOST:
            yield f"and {len(broken) - _MOST} more"
        for what in ("zero_gradient", "raises"):
            points = fact[what]
            more = f" and {len(points) - _MOST} more" if len(points) > _MOST else ""
            if points:
                yield f"{'gradient 0' if what == 'zero_gradient' else what} at: {'; '.join(points[:_MOST])}{more}"


_MOST = 8  # edges that are named


def _modes(fact: Facts) -> Iterator[str]:
    if fact:
        working = [mode for mode in _MODES if fact[mode]["runs"]]
        yield f"{', '.join(working)} {'agree' if fact['agree'] else 'disagree'} at an ordinary input"
        yield from (f"{m} raises: {fact[m]['error']}" for m in _MODES if m not in working)
        for point, seen in fact["differ"].items():
            yield f"{point}: " + ", ".join(f"{m} {in_words(numbers['value'])}" for m, numbers in seen.items())


_MODES = ("eager", "graph", "xla")


def _precision(fact: Facts) -> Iterator[str]:
    for dtype, seen in fact.items():
        off = f", {seen['relative_error']:.2g} off float64" if "relative_error" in seen else ""
        finite = "finite" if seen.get("finite") else "not finite"
        yield f"{dtype}: " + (f"does not run: {seen['skipped']}" if "skipped" in seen else finite + off)


def _keras(fact: Facts) -> Iterator[str]:
    for key, told in (("compiled", "compile"), ("weights", "sample weights"), ("replicas", "two replicas")):
        seen = fact.get(key, {})
        if seen.keys() & {"error", "skipped", "raised"}:
            yield f"{told}: {seen.get('error') or seen.get('skipped') or seen.get('raised')}"
        elif key == "compiled" and seen:
            yield f"compile: loss {seen['loss']:.6g}, {'trains' if seen['trains'] else 'does not train'}"
        elif key == "weights" and seen:
            does = "only rescale the whole" if seen["only_rescales"] else "weigh samples"
            yield f"sample weights {does}: {in_words(seen['weighted'])} of {in_words(seen['whole'])}"
        elif key == "replicas" and seen.get("factor") is not None:
            yield f"two replicas change the step by a factor of {seen['factor']:.4g}"


def _sign(fact: Facts) -> Iterator[str]:
    if fact:
        relation = "not above" if fact["right"] else "above"
        yield f"{fact['perfect']:.4g} for a perfect prediction, {relation} {fact['ordinary']:.4g} for an ordinary one"
