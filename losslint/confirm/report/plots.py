"""The plots of a passport, as elements of a page that say nothing of fonts and colours: those are the page's."""

from __future__ import annotations

import io
import math
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Facts = dict[str, Any]

_INK, _FAINT, _SERIES = "#010101", "#020202", ("#030303", "#040404", "#050505", "#060606")
_STYLED = {_INK: "var(--ink)", _FAINT: "var(--line)"} | {c: f"var(--series-{i})" for i, c in enumerate(_SERIES, 1)}
"""What is drawn in these is shown in the colours of the page, light or dark."""
_DASHES = ("-", "--", "-.", ":")
_CROWDED = 2.2  # the factor that keeps two markers apart
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


def of_batch(batch: Facts | None, salt: str) -> str:
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


def of_edges(paths: list[Facts] | None, salt: str) -> str:
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
        shown = _apart([x for x, n in zip(places, numbers, strict=True) if str(n) == spelled])
        heights = [height + step * index] * len(shown)  # of the axes, so that paths do not hide one another
        over = axes.get_xaxis_transform()
        axes.plot(shown, heights, color=colour, marker=marker, markersize=5, linestyle="", transform=over)
    return [n for n in finite if math.isfinite(n)]


def _apart(places: list[float]) -> list[float]:
    """``places``, from the first on, without those that a logarithmic axis would show on top of one another."""
    shown: list[float] = []
    for place in places:
        if place == _EDGE or not shown or place < shown[-1] / _CROWDED:
            shown.append(place)
    return shown


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
