"""The passports of losses as one HTML page that needs nothing else: what is believed beside what was measured.

The page is the template beside this file; here is what it shows, as plain text and numbers. Jinja escapes all of it but
the plots, which hold no text of the user.
"""

from __future__ import annotations

import io
import json
import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from importlib import resources
from typing import TYPE_CHECKING, Any

from losslint import rulebook
from losslint.confirm import passport
from losslint.confirm.confirming import Ran, assumptions
from losslint.confirm.judges.base import LAW
from losslint.findings import CONFIRMED, INCONCLUSIVE, REFUTED, Finding, Verdict

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Facts = dict[str, Any]


class MissingExtra(Exception):
    """The page cannot be made here; the message names the way out."""


def html(ran: list[Ran]) -> str:
    """The page on ``ran``. Raises MissingExtra."""
    try:
        import jinja2
        import matplotlib  # noqa: F401  (drawn with below)
    except ImportError:
        raise MissingExtra("the report needs jinja2 and matplotlib: pip install 'losslint[report]'") from None
    text = resources.files(__package__).joinpath("report.html.jinja").read_text(encoding="utf-8")
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    in_order = sorted(ran, key=lambda r: (r.planned.path, r.planned.row, r.planned.name))
    losses = [_loss(number, one) for number, one in enumerate(in_order, 1)]
    page = environment.from_string(text).render(
        losses=losses,
        counts=sum((loss["counts"] for loss in losses), Counter()),
        verdicts=(CONFIRMED, REFUTED, INCONCLUSIVE),
        limits=sorted({limit for one in ran for limit in one.outcome.enforced.items()}),
        used=list(dict.fromkeys(filter(None, map(_used, in_order)))),
    )
    return page.encode("utf-8", "backslashreplace").decode("utf-8")  # names of files need not be Unicode


def _used(ran: Ran) -> str:
    """Device and versions."""
    versions = ran.versions
    names = [f"{label} {versions[key]}" for key, label in _LIBRARIES if versions.get(key)]
    device = ran.result.get("device") or versions.get("device")
    return ", ".join([*names, *([f"on {device}"] if device else [])])


_LIBRARIES = (("tensorflow", "TensorFlow"), ("keras", "Keras"))


def _loss(number: int, ran: Ran) -> dict[str, Any]:
    """All that the page says of one loss."""
    from markupsafe import Markup

    planned, result = ran.planned, ran.result
    found = ran.verdicts()
    facts = result.get("facts") or {}
    curves = {} if _unmeasured(facts.get("curves")) else facts.get("curves", {})
    believed = planned.believed or {}
    return {
        "anchor": f"loss-{number}",
        "name": planned.name,
        "place": f"{planned.path}:{planned.row}",
        "consumer": planned.job.consumer,
        "evidence": believed.get("consumer", {}).get("evidence", ""),
        "counts": Counter(v.verdict for v in found),
        "reason": passport.reason(ran),
        "seconds": ran.outcome.seconds,
        "used": _used(ran),
        "rows": list(_rows(believed, facts)),
        "findings": [_finding(f, v) for f, v in zip(planned.findings, found, strict=True)],
        "assumed": list(assumptions(result)),
        "stubs": list(result.get("stubs") or ()),
        "random": bool(result.get("random")),
        "unmeasured": {n: why for n, f in facts.items() if (why := _unmeasured(f))},
        "batch_plot": Markup(_batch_plot(curves.get("batch"), f"batch {number}")),
        "edge_plot": Markup(_edge_plot(curves.get("edges"), f"edges {number}")),
        "edges": [path["edge"] for path in curves.get("edges", ())],
    }


def _unmeasured(fact: Facts | None) -> str:
    """Why a probe saw nothing; "" where it did."""
    return str((fact or {}).get("failed") or (fact or {}).get("skipped") or "")


# -- findings --------------------------------------------------------------------------------------------------------

_LONG = 160  # characters; more is folded
_LONGEST = 20_000
_WITNESS = ("point", "batch", "mode", "value", "gradient")


def _finding(finding: Finding, verdict: Verdict) -> dict[str, Any]:
    witness = verdict.witness or {}
    inputs = witness.get("inputs")
    note = witness.get("note", "")
    return {
        "rule": rulebook.find(finding.code),
        "severity": finding.severity.label,
        "place": f"{finding.filename}:{finding.span.row}:{finding.span.column}",
        "message": finding.message,
        "verdict": verdict.verdict,
        "reason": verdict.reason,
        "note": note if note != verdict.reason else "",
        "numbers": {key: _told(witness[key]) for key in _WITNESS if witness.get(key) is not None},
        "inputs": [_input(n, v) for n, v in inputs.items()] if isinstance(inputs, dict) else [],
        "convention": inputs if isinstance(inputs, str) else "",
        "tried": verdict.tried if verdict.verdict == REFUTED else "",
    }


def _input(name: str, value: Any) -> dict[str, Any]:
    text = value if isinstance(value, str) else json.dumps(value)
    cut = f"{text[:_LONGEST]} ... ({len(text)} characters)" if len(text) > _LONGEST else text
    return {"name": name, "text": cut, "long": len(text) > _LONG, "size": _extents(value)}


def _extents(value: Any) -> str:
    """``7 x 5`` of nested lists."""
    extents = []
    while isinstance(value, list):
        extents.append(str(len(value)))
        value = value[0] if value else None
    return " × ".join(extents)


def _told(value: Any) -> str:
    """A number in few digits, a mapping as a list; what is not finite is spelled out already."""
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_told(v)}" for name, v in value.items())
    return f"{value:.4g}" if isinstance(value, float) else str(value)


# -- believed and measured -------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Row:
    """One fact: what the analysis believes, what runs showed, and whether the two are at odds."""

    label: str
    believed: list[str] = field(default_factory=list)
    measured: list[str] = field(default_factory=list)
    differs: bool = False


def _rows(believed: Facts, facts: Facts) -> Iterator[Row]:
    """The rows of a passport that have anything to say."""
    seen = {name: fact for name, fact in facts.items() if not _unmeasured(fact)}
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
            gradient = _told(broken[point]["gradient"]) or "none"
            yield f"{point}: value {_told(broken[point]['value'])}, gradient {gradient}"
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
            yield f"{point}: " + ", ".join(f"{m} {_told(numbers['value'])}" for m, numbers in seen.items())


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
            yield f"sample weights {does}: {_told(seen['weighted'])} of {_told(seen['whole'])}"
        elif key == "replicas" and seen.get("factor") is not None:
            yield f"two replicas change the step by a factor of {seen['factor']:.4g}"


def _sign(fact: Facts) -> Iterator[str]:
    if fact:
        relation = "not above" if fact["right"] else "above"
        yield f"{fact['perfect']:.4g} for a perfect prediction, {relation} {fact['ordinary']:.4g} for an ordinary one"


# -- plots -----------------------------------------------------------------------------------------------------------

_INK, _FAINT, _SERIES = "#010101", "#020202", ("#030303", "#040404", "#050505", "#060606")
_STYLED = {_INK: "var(--ink)", _FAINT: "var(--line)"} | {c: f"var(--series-{i})" for i, c in enumerate(_SERIES, 1)}
"""What is drawn in these is shown in the colours of the page, light or dark."""
_DASHES = ("-", "--", "-.", ":")
_EDGE = 1e-9  # where the edge itself stands on an axis of shares that are left


def _svg(figure: Figure, salt: str) -> str:
    """``figure`` as an element of the page, the same each time."""
    import matplotlib

    written = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": salt, "svg.fonttype": "none"}):
        figure.savefig(written, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    text = written.getvalue()
    text = re.sub(r'<g id="[^"]*"', "<g", text[text.index("<svg") :])
    return re.sub("|".join(_STYLED), lambda m: _STYLED[m[0]], text)


def _axes(figure: Figure, place: tuple[int, int, int], title: str, label: str) -> Axes:
    axes = figure.add_subplot(*place)
    axes.patch.set_visible(False)
    axes.margins(y=0.15)
    axes.set_title(title, fontsize=9, color=_INK, loc="left")
    axes.set_xlabel(label, fontsize=8, color=_INK)
    axes.tick_params(colors=_INK, labelsize=8, which="both")
    axes.grid(True, color=_FAINT, linewidth=0.6)
    for name, spine in axes.spines.items():
        spine.set_visible(name in ("left", "bottom"))
        spine.set_color(_FAINT)
    return axes


def _figure(width: float, panels: int) -> Figure:
    """An empty figure with room for labels; the layout engines of matplotlib take longer than all the rest."""
    from matplotlib.figure import Figure

    height, label, rim = 2.7, 0.55, 0.1  # inches
    figure = Figure(figsize=(width, height))
    panel = (width - rim - panels * label) / panels
    figure.subplots_adjust(label / width, 0.5 / height, 1 - rim / width, 1 - 0.3 / height, wspace=label / panel)
    figure.patch.set_visible(False)
    return figure


def _batch_plot(batch: Facts | None, salt: str) -> str:
    """The factors on value and gradient by copies of the batch, both axes logarithmic; "" without two points."""
    if not batch:
        return ""
    figure = _figure(3.2, 1)
    axes = _axes(figure, (1, 1, 1), "factor", "copies of the batch")
    copies, drawn = batch["copies"], []
    for key, colour, size in (("value", _SERIES[0], 8), ("gradient", _SERIES[1], 4)):
        sizes = [abs(_finite(n)) for n in batch[key]]
        factors = [n / sizes[0] if sizes[0] and n else math.nan for n in sizes]
        if sum(map(math.isfinite, factors)) > 1:
            drawn += factors
            axes.plot(copies, factors, color=colour, marker="o", markersize=size, fillstyle="none", linewidth=1.5)
    if not drawn:
        return ""
    shrinks = min(filter(math.isfinite, drawn)) < 0.95
    for power in (0.0, 0.5, 1.0, *((-0.5, -1.0) if shrinks else ())):  # the laws to compare with
        axes.plot(copies, [c**power for c in copies], color=_INK, linewidth=0.7, linestyle=":", alpha=0.6)
    axes.set_xscale("log", base=2)
    axes.set_yscale("log", base=2)
    axes.set_xticks(copies, [str(c) for c in copies])
    axes.yaxis.set_major_formatter(lambda number, _: f"{number:g}")
    return _svg(figure, salt)


def _edge_plot(paths: list[Facts] | None, salt: str) -> str:
    """Value and gradient on the way to each edge; points that are not finite stand at the rim."""
    if not paths:
        return ""
    figure = _figure(6.9, 2)
    for place, (key, title) in enumerate((("value", "value"), ("gradient", "norm of the gradient")), 1):
        axes = _axes(figure, (1, 2, place), title, "share of the way that is left")
        drawn: list[float] = []
        for index, path in enumerate(paths):
            drawn += _line(axes, index, path["left"], path[key])
        axes.set_xscale("log")
        axes.set_xlim(1.6, _EDGE / 2)
        axes.set_xticks([1.0, 1e-2, 1e-4, 1e-6, _EDGE], ["all", "1e-2", "1e-4", "1e-6", "edge"])
        axes.xaxis.minorticks_off()
        if all(n is None for path in paths for n in path[key]):
            axes.text(0.5, 0.5, "none", fontsize=8, color=_INK, ha="center", transform=axes.transAxes)
            axes.set_yticks([])
        _scale(axes, drawn)
    return _svg(figure, salt)


def _line(axes: Axes, index: int, left: list[float], numbers: list[Any]) -> list[float]:
    """Draw one path; returns what of it is finite."""
    colour = _SERIES[index % len(_SERIES)]
    places = [share or _EDGE for share in left]
    finite = [_finite(n) for n in numbers]
    axes.plot(places, finite, color=colour, linewidth=1.5, linestyle=_DASHES[index % len(_DASHES)])
    axes.plot(places[-1:], finite[-1:], color=colour, marker="o", markersize=4)
    for spelled, marker, height, step in (
        ("inf", "^", 0.97, -0.06),
        ("nan", "x", 0.97, -0.06),
        ("-inf", "v", 0.03, 0.06),
    ):
        shown = [x for x, n in zip(places, numbers, strict=True) if str(n) == spelled]
        heights = [height + step * index] * len(shown)  # of the axes, so that paths do not hide one another
        over = axes.get_xaxis_transform()
        axes.plot(shown, heights, color=colour, marker=marker, markersize=5, linestyle="", transform=over)
    return [n for n in finite if math.isfinite(n)]


def _scale(axes: Axes, numbers: list[float]) -> None:
    """Logarithmic where numbers are far apart; where they are all but the same, so that they look it."""
    sizes = [abs(n) for n in numbers if n]
    if sizes and max(sizes) > 100 * min(sizes) and min(numbers) > 0:
        axes.set_yscale("log")
    elif sizes and max(sizes) > 1e4:
        axes.set_yscale("symlog")
    else:
        low, high = min(numbers, default=0.0), max(numbers, default=0.0)
        room = 0.05 * max(high - low, abs(low), abs(high)) or 1.0
        axes.set_ylim(low - room, high + room)


def _finite(number: Any) -> float:
    """NaN, of which nothing is drawn, for what is not finite or was not measured."""
    return float(number) if number is not None and math.isfinite(float(number)) else math.nan
